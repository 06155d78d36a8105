"""The product's settings with state in a folder of its own and static files by their own names."""

from __future__ import annotations

import os
import tempfile

# Before the settings are read: no test touches the state of the checkout. The folder goes with the process.
_state = tempfile.TemporaryDirectory(prefix="nstsite-tests-")
os.environ["DATA_DIR"] = _state.name
for _name in ("MEDIA_ROOT", "SECRET_KEY", "HTTPS", "DEBUG"):
    os.environ.pop(_name, None)

# A worker has one core for itself: threads for matrices of a few rows would only wait for the other workers. PyTorch's
# wait busily: with two of them the tour of the README takes half as much of a processor again. Programs that the tests
# start inherit both.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from nstsite.settings import *  # noqa: E402, F403

# WhiteNoise warns of a folder that is not there.
STATIC_ROOT.mkdir()  # noqa: F405
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# All tests start their participants from one address; those of the limit set their own.
STARTS_PER_MINUTE = LINK_PAGES_PER_MINUTE = 0
