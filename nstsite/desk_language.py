"""The desk is in English: so are the messages of its forms and its `lang`, whatever language the browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import translation

_DESK: Final = "survey.desk."
#: The door is translated: participants come here by mistake.
_DOOR: Final = frozenset({"sign_in", "admin_sign_in"})


class DeskLanguage:
    """After the LocaleMiddleware, which takes the browser's language for all other pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        """Choose English for a page of the desk, before its forms are made."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if unwrap(view).__module__.startswith(_DESK) and name not in _DOOR:
            translation.activate("en")
