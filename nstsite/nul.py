"""Refusal of requests with a NUL character. No name or text has one, and PostgreSQL raises an error for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

Answer = Callable[[HttpRequest], HttpResponse]


def refuse_nul(get_response: Answer) -> Answer:
    """Answer 404 to a URL with a NUL, and 400 to a cookie with one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise Http404("a NUL in the address")
        # A cookie can have a NUL by an octal escape in quotes.
        if any("\x00" in text for text in request.COOKIES.values()):
            raise BadRequest("a NUL in a cookie")
        return get_response(request)

    return middleware


def refuse_nul_in_forms(get_response: Answer) -> Answer:
    """Answer 400 to a form with a NUL. Place it after `bodies.bound_bodies`, since it reads the form."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if any("\x00" in text for text in _sent(request)):
            raise BadRequest("a NUL in a form")
        return get_response(request)

    return middleware


def _sent(request: HttpRequest) -> Iterator[str]:
    if request.method != "POST":
        return
    try:
        for name, values in request.POST.lists():
            yield name
            yield from values
    except UnreadablePostError:
        # The client has disconnected. Further reading raises the same error again.
        return
