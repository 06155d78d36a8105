from __future__ import annotations

import pytest

from survey import doctor


@pytest.mark.django_db
def test_a_host_without_pytorch_is_in_order_and_told_what_it_cannot_do(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    findings = {finding.name: finding for finding in doctor.examine()}
    assert not any(finding.fails for finding in findings.values())
    assert "makes no images" in findings["torch"].state
    assert findings["torch"].fix == "to make images: pip install -r requirements.txt"
    assert {"device", "weights"}.isdisjoint(findings)
