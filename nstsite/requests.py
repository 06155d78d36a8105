"""One id and one log line for each request. No line has a network address, a cookie or a secret URL."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from nstsite import latency

log = logging.getLogger(__name__)

_current: ContextVar[str] = ContextVar("request_id", default="-")
# Clients could invent other methods without limit, which would fill the memory.
_METHODS: Final = {"GET", "HEAD", "POST"}
_SAFE_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")


class AddRequestId(logging.Filter):
    """Add the id of the request to each log record, or `-` without a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add `request_id`; every record passes."""
        record.request_id = _current.get()
        return True


class HideUnavailable(logging.Filter):
    """Leave out of Django's log that an answer was 503: a paused study is no fault, and an outage has its own line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every other record pass."""
        return getattr(record, "status_code", None) != 503


#: Secret parts of URLs, and everything after a question mark.
_SECRETS: Final = re.compile(
    r"""(?<=/shared/)[^/\s'"<]+|(?<=/join/)[^/\s'"<]+|(?<=/new-password/)[^/\s'"<]+|(?<=/return/)[^/\s'"<]+|(?<=/image/)[^/\s'"<]+|(?<=\?)[^\s'"]+"""
)


class HideSecrets(logging.Filter):
    """Remove the secret parts of URLs from each record, since Django logs whole URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message and the traceback; every record passes."""
        message = record.getMessage()
        if (hidden := _hidden(message)) != message:
            record.msg, record.args = hidden, ()
        if record.exc_info:
            record.exc_text = _hidden(_PLAIN.formatException(record.exc_info))
            record.exc_info = None
        # Django adds the request to its records. In JSON logs it would be written with its URL.
        record.__dict__.pop("request", None)
        return True


_PLAIN: Final = logging.Formatter()


def _hidden(text: str) -> str:
    return _SECRETS.sub("...", text)


class RequestLog:
    """Middleware: use the proxy's X-Request-ID or create one, return it, and log route, status and time.

    The route is the pattern (`s/<slug:slug>/rate/`), never the URL, since the URL of a share link is secret.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _SAFE_ID.fullmatch(offered) else uuid.uuid4().hex
        token = _current.set(request_id)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            route = request.resolver_match.route if request.resolver_match else "(no such address)"
            seconds = time.perf_counter() - began
            latency.observe(request.method if request.method in _METHODS else "other", route, seconds)
            took = round(seconds * 1000, 1)
            log.info(
                "%s /%s %d %s ms",
                request.method,
                route,
                response.status_code,
                took,
                extra={"method": request.method, "route": route, "status": response.status_code, "ms": took},
            )
            return response
        finally:
            _current.reset(token)
