"""Commands print addresses that can be opened."""

from __future__ import annotations

import pytest

from survey.management.studies import site_address


@pytest.mark.parametrize(
    ("origins", "port", "address"),
    [
        ([], None, "http://127.0.0.1:8000"),
        ([], "8123", "http://127.0.0.1:8123"),
        (["https://*.example.org", "https://survey.example.org"], "8123", "https://survey.example.org"),
    ],
)
def test_the_sites_address_is_the_one_that_browsers_use(settings, monkeypatch, origins, port, address):
    settings.CSRF_TRUSTED_ORIGINS = origins
    monkeypatch.delenv("PORT", raising=False)
    if port:
        monkeypatch.setenv("PORT", port)
    assert site_address() == address
