"""Responses while the database or the object store is unreachable, or the disk is full: 503 with Retry-After, not 500."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5
# A full disk, a user's share of it, a limit on the size of files, and a disk that the system made read-only.
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Outages:
    """Middleware: answer 503 if a page cannot reach the database or the object store, or finds the disk full."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 for an unreachable service. Django reports all other errors."""
        # By the module's name, since the object store's library is not always installed.
        store = type(error).__module__.startswith("botocore.")
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            log.error("no room on the disk: %s", error)
            text = "This site has no room on its disk at the moment. Please try again later.\n"
        elif store or isinstance(error, OperationalError | InterfaceError):
            log.error("%s is away: %s", "object store" if store else "database", error)
            text = "This site cannot reach its data at the moment. Please try again in a few seconds.\n"
        else:
            return None
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
