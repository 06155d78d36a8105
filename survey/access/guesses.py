"""Growing waits after wrong codes, passwords and links, at the doors beside the sign-in page.

Each door counts under a name of its own, in the same table and with the same waits as wrong passwords (`nstsite.sign_in`).
No user name contains brackets, so a browser that is known to an account has no exemption here.
"""

from __future__ import annotations

from typing import Final

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from axes.utils import reset
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse

#: Links to join or to set a password: nobody is named yet, so the count is for the network alone.
LINKS: Final = "(links)"


def codes_of(user: User) -> str:
    """Return the name under which wrong codes of the second factor count."""
    return f"{user.get_username()} (code)"


def password_of(user: User) -> str:
    """Return the name under which wrong passwords of somebody who is signed in count."""
    return f"{user.get_username()} (own password)"


def please_wait(request: HttpRequest, door: str) -> HttpResponse | None:
    """Return the answer to a try that comes too early; None if it may be made."""
    bare = _bare(request)
    if AxesProxyHandler.is_allowed(bare, {"username": door}):
        return None
    answer: HttpResponse = get_lockout_response(bare, credentials={"username": door})
    return answer


def count(request: HttpRequest, door: str) -> None:
    """Count one wrong try."""
    user_login_failed.send(sender=__name__, credentials={"username": door}, request=_bare(request))


def forget(*doors: str) -> None:
    """Forget the wrong tries at these doors, after a right one or for an administrator."""
    for door in doors:
        reset(username=door)


def forget_all(user: User) -> None:
    """Forget all wrong tries at an account, those of the sign-in page too."""
    forget(user.get_username(), codes_of(user), password_of(user))


def _bare(request: HttpRequest) -> HttpRequest:
    # django-axes stores path and form. A link's path and a form with a password or a code are secrets.
    bare = HttpRequest()
    bare.META = {
        name: value
        for name, value in request.META.items()
        if name in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_ACCEPT_LANGUAGE")
    }
    bare.method, bare.path, bare.path_info = "POST", "/", "/"
    return bare
