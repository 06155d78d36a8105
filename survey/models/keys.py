"""Random names and secrets for rows."""

from __future__ import annotations

import secrets

# Without 0/O, 1/I/L and U, to be read aloud and typed from paper without mistakes.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token() -> str:
    """Return an unguessable URL-safe token of 128 bits (22 characters)."""
    return secrets.token_urlsafe(16)


def new_code(length: int) -> str:
    """Return a random code of `length` characters for people to read and type (4.9 bits each)."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


def participant_code() -> str:
    """Return a participant's public name for exports."""
    return new_code(8)


def withdrawal_code() -> str:
    """Return a secret of 59 bits with which a participant can delete their answers."""
    return new_code(12)


def random_seed() -> int:
    """Return the seed of one participant's design: 31 bits, to fit the integers of all databases."""
    return secrets.randbelow(2**31)
