"""What every test needs: state in a folder of its own, plain static files, alice, bob and charlie."""

from __future__ import annotations

import os
import tempfile

# Before Django reads its settings: no test touches the state of the checkout.
_state = tempfile.TemporaryDirectory(prefix="nstsite-tests-")
os.environ["DATA_DIR"] = _state.name
for _name in ("MEDIA_ROOT", "SECRET_KEY", "HTTPS"):
    os.environ.pop(_name, None)

import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Serve static files by their own names: the manifest is made by collectstatic, not by tests."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
