"""Wrong passwords make whoever gives them wait, ever longer; nobody can lock somebody else's account.

django-axes counts by account and by whence the tries come. No address is kept for that: in the column for a browser's name
stands a keyed hash of the day and the network. A browser that has signed in to an account before never waits for it.
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

#: Wrong passwords that cost nothing but the try.
FREE_TRIES: Final = 5
LONGEST_WAIT: Final = dt.timedelta(hours=1)
COOKIE: Final = "known_browser"
COOKIE_AGE: Final = dt.timedelta(days=180)
_ACCOUNTS_IN_COOKIE: Final = 5
_SALT: Final = "nstsite.sign_in"


def wait_after(failures: int) -> dt.timedelta:
    """Return how long the next try has to wait after so many wrong passwords: a minute, then twice as long each time."""
    if failures < FREE_TRIES:
        return dt.timedelta()
    return min(LONGEST_WAIT, dt.timedelta(minutes=2 ** min(failures - FREE_TRIES, 10)))


class GrowingWaits(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes's count of failures, with waits that grow; what it would keep of a browser is left out."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether this try may be made now."""
        _without_browser(request)
        return bool(super().is_allowed(request, credentials))

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether the wait after the last wrong password still goes on."""
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
        """Forget the failures of this account from here."""
        _without_browser(request)
        super().user_logged_in(sender, request, user, **kwargs)


def _without_browser(request: Any) -> None:
    today = timezone.now().date()
    request.axes_user_agent = salted_hmac(_SALT, f"{today} {client_network(request)}").hexdigest()
    request.axes_http_accept = ""


def is_known_browser(request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
    """Return whether this browser has signed in before to the account that it names, under the password of now."""
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
    """Have the answer to this request mark the browser as one of this account."""
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
    """Answer a try that comes too early: 429, and when to come again."""
    left = GrowingWaits().waits_until(request, credentials) - timezone.now()
    minutes = max(1, math.ceil(left.total_seconds() / 60))
    page = render(request, "survey/wait.html", {"minutes": minutes}, status=429)
    page.headers["Retry-After"] = str(60 * minutes)
    return page


#: Asked for by scripts of pages that lie open: nobody need be there.
POLLS: Final = frozenset({"live_now", "plan_state", "set_progress"})
_REFRESH_SECONDS: Final = 300


def keep_sessions_alive(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: put off the end of a session (SESSION_COOKIE_AGE) while somebody uses it. After SessionMiddleware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        session, match = request.session, request.resolver_match
        if not session.accessed or "_auth_user_id" not in session or (match and match.url_name in POLLS):
            return response
        now = int(timezone.now().timestamp())
        # Not at each request: it is a write.
        if now - session.get("used_at", 0) >= _REFRESH_SECONDS:
            session["used_at"] = now
        return response

    return middleware
