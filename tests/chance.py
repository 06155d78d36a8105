"""Random numbers that are the same in each run: what a test finds in them must not be a matter of luck."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

from survey.models import keys


@contextmanager
def repeatable(name: str) -> Iterator[None]:
    """Draw participants' seeds and codes from a generator that starts from `name`. Tokens stay secret."""
    drawn = random.Random(name)
    source = SimpleNamespace(
        randbelow=drawn.randrange, choice=drawn.choice, token_urlsafe=secrets.token_urlsafe
    )
    with mock.patch.object(keys, "secrets", source):
        yield
