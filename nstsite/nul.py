"""Requests with a NUL. Nothing here is named or written with one, and PostgreSQL refuses to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

Answer = Callable[[HttpRequest], HttpResponse]


def refuse_nul(get_response: Answer) -> Answer:
    """Answer 404 to an address with a NUL, 400 to a cookie with one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise Http404("a NUL in the address")
        # An octal escape within quotes is how a NUL gets into a cookie.
        if any("\x00" in text for text in request.COOKIES.values()):
            raise BadRequest("a NUL in a cookie")
        return get_response(request)

    return middleware


def refuse_nul_in_forms(get_response: Answer) -> Answer:
    """Answer 400 to a form with a NUL. After `bodies.bound_bodies`, since it reads the form."""

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
        # The sender is gone: whoever reads on is told so again.
        return
