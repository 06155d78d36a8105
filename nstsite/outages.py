"""Responses while the database or the object store is unreachable: 503 with Retry-After, not 500."""

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
    """Middleware: answer 503 if a page cannot reach the database or the object store."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 for an unreachable service. Django reports all other errors."""
        # By the module's name, since the object store's library is not always installed.
        store = type(error).__module__.startswith("botocore.")
        if not (store or isinstance(error, OperationalError | InterfaceError)):
            return None
        log.error("%s is away: %s", "object store" if store else "database", error)
        text = "This site cannot reach its data at the moment. Please try again in a few seconds.\n"
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
