"""What the site says while its database or its object store is away: 503 and when to ask again, never a 500."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5


class Outages:
    """Middleware: answer 503 for a page that could not reach the database or the object store."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for what is away; any other error is a fault of ours, and Django's to report."""
        # By its module's name, since the object store's library is there only where one is used.
        store = type(error).__module__.startswith("botocore.")
        if not (store or isinstance(error, OperationalError | InterfaceError)):
            return None
        log.error("%s is away: %s", "object store" if store else "database", error)
        text = "This site cannot reach its data just now. Please try again in a few seconds.\n"
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
