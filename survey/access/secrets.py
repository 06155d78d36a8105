"""Random secrets that are shown once, and the hashes of them that are stored."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    """Return an unguessable URL-safe text of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256. A slow hash would add nothing to 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
