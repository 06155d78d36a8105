"""A session counts as signed in only after the second factor, where its account has one, and asks for one where it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject

from survey.access.second_factor import is_on, is_required

#: What somebody can open who must set up a second factor first.
_OPEN: Final = frozenset({"second_factor", "sign_out"})


class SecondFactor:
    """Middleware, after that of django-otp. It covers every door: the desk, Django's admin, previews, and old sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        user = request.user
        # Lazy, since participants' pages ask for no account.
        request.user = SimpleLazyObject(lambda: _verified(user))  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *arguments: object
    ) -> HttpResponse | None:
        """Lead who must have a second factor, and has none yet, to its page."""
        match = request.resolver_match
        if not getattr(view, "login_required", True) or (match and match.url_name in _OPEN):
            return None
        user = request.user
        if isinstance(user, User) and is_required(user) and not is_on(user):
            return redirect("second_factor")
        return None


def _verified(user: Any) -> User | AnonymousUser:
    if user.is_authenticated and not user.is_verified() and is_on(user):
        return AnonymousUser()
    return user  # type: ignore[no-any-return]
