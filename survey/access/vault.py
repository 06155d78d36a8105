"""Secrets of other services, which this site must be able to use again: encrypted in the database.

The key is derived from SECRET_KEY, so whoever has the database alone reads none. After SECRET_KEY was replaced, those under
SECRET_KEY_FALLBACKS open what was encrypted before.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from survey.access.errors import DeskError

_SALT: Final = b"survey.access.vault"


class CannotOpen(DeskError):
    """What was kept was encrypted with a key that is not there any more, or for something else."""


@sensitive_variables()
def lock(secret: str, about: str) -> str:
    """Return a secret as it is stored (Fernet: AES-128-CBC and HMAC-SHA256).

    Args:
        secret: What nobody may read in the database.
        about: What it belongs to. What was locked for one thing opens for no other.
    """
    return _box(about).encrypt(secret.encode()).decode()


@sensitive_variables()
def unlock(kept: str, about: str) -> str:
    """Return a secret by what is stored of it.

    Raises:
        CannotOpen: If no key opens it.
    """
    try:
        return _box(about).decrypt(kept.encode()).decode()
    except InvalidToken:
        raise CannotOpen(
            "What was stored cannot be opened: the site's SECRET_KEY was replaced. Give it again."
        ) from None


@sensitive_variables()
def relock(kept: str, about: str) -> str:
    """Return what is stored, encrypted anew with the newest key. Raises CannotOpen if no key opens it."""
    return lock(unlock(kept, about), about)


def _box(about: str) -> MultiFernet:
    return MultiFernet(
        [Fernet(_key(key, about)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


@sensitive_variables()
def _key(secret_key: str, about: str) -> bytes:
    derived = HKDF(hashes.SHA256(), 32, _SALT, about.encode()).derive(secret_key.encode())
    return base64.urlsafe_b64encode(derived)
