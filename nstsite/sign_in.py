"""Signing in: growing waits after wrong passwords, marks of known browsers, and sessions that last while they are used.

Nobody can lock another person's account.
django-axes counts by account and network. No network address is stored: the column for the user agent has a keyed hash
of day and network. A browser that has signed in to an account before never waits for it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.db.models import Max, Sum
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from nstsite.throttle import client_network

LONGEST_WAIT: Final = dt.timedelta(hours=1)
COOKIE: Final = "known_browser"
COOKIE_AGE: Final = dt.timedelta(days=180)
_ACCOUNTS_IN_COOKIE: Final = 5
_SALT: Final = "nstsite.sign_in"


def wait_after(failures: int) -> dt.timedelta:
    """Return the wait before the next try after `failures` wrong passwords: a minute, then twice as long each time."""
    beyond = failures - int(settings.AXES_FAILURE_LIMIT)
    return min(LONGEST_WAIT, dt.timedelta(minutes=2 ** min(beyond, 10))) if beyond >= 0 else dt.timedelta()


class GrowingWaits(AxesDatabaseHandler):  # type: ignore[misc]
    """The failure counts of django-axes, with growing waits and without data about the browser."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether this try is allowed now."""
        _without_browser(request)
        return bool(super().is_allowed(request, credentials))

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether the wait after the last wrong password is not over yet."""
        return self.waits_until(request, credentials) > timezone.now()

    def waits_until(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> dt.datetime:
        """Return when the next try may be made."""
        (attempts,) = self.get_user_attempts(request, credentials)
        seen = attempts.aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
        return (seen["last"] or timezone.now()) + wait_after(seen["failures"] or 0)

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count one wrong password."""
        if request is not None:
            _without_browser(request)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        """Delete the failures of this account from this network."""
        _without_browser(request)
        super().user_logged_in(sender, request, user, **kwargs)


def _without_browser(request: Any) -> None:
    today = timezone.now().date()
    request.axes_user_agent = salted_hmac(_SALT, f"{today} {client_network(request)}").hexdigest()
    request.axes_http_accept = ""


def is_known_browser(request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
    """Return whether this browser has signed in to the account before, with the current password."""
    name = (credentials or {}).get("username") or request.POST.get("username")
    user = User.objects.filter(username=name).first() if name and COOKIE in request.COOKIES else None
    return user is not None and any(constant_time_compare(mark, _mark(user)) for mark in _marks(request))


def _marks(request: HttpRequest) -> list[str]:
    try:
        marks = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=COOKIE_AGE)
    except signing.BadSignature:
        return []
    return [str(mark) for mark in marks]


def _mark(user: User) -> str:
    return salted_hmac(_SALT, f"{user.pk} {user.get_session_auth_hash()}").hexdigest()[:32]


@receiver(user_logged_in)
def note_browser(sender: object, request: HttpRequest, user: User, **_: object) -> None:
    """Mark the browser as known to this account, in the response to this request."""
    request.known_browser_of = user  # type: ignore[attr-defined]


def remember_browser(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: mark a browser that has just signed in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        user: User | None = getattr(request, "known_browser_of", None)
        if user is not None:
            mark = _mark(user)
            marks = [mark, *(other for other in _marks(request) if other != mark)][:_ACCOUNTS_IN_COOKIE]
            response.set_cookie(
                COOKIE,
                signing.dumps(marks, salt=_SALT),
                max_age=COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return middleware


def please_wait(
    request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Answer 429 to a try that comes too early, with the remaining wait."""
    left = GrowingWaits().waits_until(request, credentials) - timezone.now()
    minutes = max(1, math.ceil(left.total_seconds() / 60))
    page = render(request, "survey/wait.html", {"minutes": minutes}, status=429)
    page.headers["Retry-After"] = str(60 * minutes)
    return page


#: Polled by scripts of open pages, so they show no activity of a person.
POLLS: Final = frozenset({"live_now", "plan_state", "set_progress"})
_REFRESH_SECONDS: Final = 300


def keep_sessions_alive(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: extend a session (SESSION_COOKIE_AGE) while it is used. Place it after SessionMiddleware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        session, match = request.session, request.resolver_match
        if not session.accessed or "_auth_user_id" not in session or (match and match.url_name in POLLS):
            return response
        now = int(timezone.now().timestamp())
        # Not at each request, because it writes to the database.
        if now - session.get("used_at", 0) >= _REFRESH_SECONDS:
            session["used_at"] = now
        return response

    return middleware
