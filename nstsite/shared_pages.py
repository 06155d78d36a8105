"""Pages by share link, for people without an account: kept for some seconds, and made only so often.

A class that opens a link at once costs one making. Whoever asks for ever new addresses is stopped, so that participants
wait for nobody. Pictures are not counted: they cost little, and a page has many.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language

from nstsite.throttle import count, too_many
from survey.access.studies import shared_study

KEPT_SECONDS: Final = 10
#: Of a web process: the pages that it keeps, and the bytes of the longest.
_PAGES: Final = 24
_LONGEST: Final = 10**6
_PICTURES: Final = ("shared_stimulus_image", "shared_stimulus_thumbnail")


class SharedPages:
    """Middleware: answer from memory what was just made, and 429 to more than LINK_PAGES_PER_MINUTE from one network."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._kept: OrderedDict[str, tuple[float, HttpResponse]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        response = self.get_response(request)
        key = getattr(request, "shared_page", None)
        # A page with a form has a secret of its reader.
        if key and "CSRF_COOKIE_NEEDS_UPDATE" not in request.META:
            self._keep(key, response)
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Return what was kept, or a refusal; let all other requests pass."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        by_link = str(name).startswith("shared_") and name not in _PICTURES and request.method == "GET"
        if not by_link or request.user.is_authenticated:
            return None
        # A link that was revoked opens nothing, kept or not. What researchers decide shows at once.
        study = shared_study(kwargs["token"])
        act = study.audit.order_by("pk").values_list("pk", flat=True).last()
        key = f"{get_language()} {act} {request.get_full_path()}"
        if kept := self._found(key):
            return kept
        limit = settings.LINK_PAGES_PER_MINUTE
        if limit and count(request, "links") > limit:
            return too_many(
                "Too many pages of this link were asked for just now. Please try again in a minute."
            )
        request.shared_page = key  # type: ignore[attr-defined]
        return None

    def _keep(self, key: str, response: HttpResponseBase) -> None:
        if not isinstance(response, HttpResponse) or response.status_code != 200:
            return
        if len(response.content) > _LONGEST:
            return
        with self._lock:
            self._kept[key] = (time.monotonic(), _copy(response))
            self._kept.move_to_end(key)
            while len(self._kept) > _PAGES:
                self._kept.popitem(last=False)

    def _found(self, key: str) -> HttpResponse | None:
        with self._lock:
            made_at, response = self._kept.get(key, (0.0, None))
        if response is None or time.monotonic() - made_at > KEPT_SECONDS:
            return None
        return _copy(response)


def _copy(response: HttpResponse) -> HttpResponse:
    return HttpResponse(response.content, headers=dict(response.items()))
