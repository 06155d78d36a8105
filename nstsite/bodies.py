"""Limits on the size of requests, checked by Content-Length before the body is read.

Without a limit Django writes uploaded files to disk for any URL and any client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

MAX_BYTES: Final = 1_048_576
#: A hundred photographs, or four of the largest.
MAX_UPLOAD_BYTES: Final = 200 * MAX_BYTES
#: For forms with several fields for each image of a study: 2,000 images with long texts. Django refuses more, too.
MAX_FORM_BYTES: Final[int] = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
FORMS: Final = frozenset({"setup_images"})
#: Routes where signed-in users may upload files.
UPLOADS: Final = frozenset({"upload", "new_study", "analyse_file"})


def bound_bodies(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 413 to a request larger than the limit of its route. Place it after AuthenticationMiddleware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        announced = _announced(request)
        most = _most(request) if announced > MAX_BYTES else MAX_BYTES
        if announced <= most:
            return get_response(request)
        text = f"At most {most // 1_048_576} MB can be sent here.\n"
        return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")

    return middleware


def _announced(request: HttpRequest) -> int:
    # As in Django: an invalid number counts as 0.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _most(request: HttpRequest) -> int:
    try:
        name = resolve(request.path_info).url_name
    except Resolver404:
        return MAX_BYTES
    limit = MAX_UPLOAD_BYTES if name in UPLOADS else MAX_FORM_BYTES if name in FORMS else MAX_BYTES
    return limit if limit > MAX_BYTES and request.user.is_authenticated else MAX_BYTES
