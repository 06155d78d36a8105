"""Functions that keep people's network addresses out of the database."""

from __future__ import annotations

from django.http import HttpRequest


def no_address(request: HttpRequest) -> None:
    """Return no client address to django-axes, so that none is stored."""
    return None
