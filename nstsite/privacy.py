"""What keeps addresses of people out of the database."""

from __future__ import annotations

from django.http import HttpRequest


def no_address(request: HttpRequest) -> None:
    """Answer django-axes's question for the client's address: there is none to keep."""
    return None
