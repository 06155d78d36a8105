"""Signing in: name and password, then a code where the account has a second factor."""

from __future__ import annotations

import time
from typing import Any, Final

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from survey.access import guesses, second_factor
from survey.desk.forms.account_forms import CodeForm

#: Who gave the right password in this session, and has to give a code now.
_PENDING: Final = "second_factor_of"
_MINUTES: Final = 10


class SignIn(LoginView):
    """The sign-in page. Nobody is signed in before the second factor, where there is one."""

    template_name = "survey/sign_in.html"
    # Without any account the page says how to create one. The query runs when the page is rendered.
    extra_context = {"has_accounts": User.objects.exists}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or ask for a code."""
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101
        if not second_factor.is_on(user):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[_PENDING] = {
            "user": user.pk,
            "backend": user.backend,
            "password": user.get_session_auth_hash(),
            "next": self.get_success_url(),
            "at": int(time.time()),
        }
        return redirect("sign_in_code")


@login_not_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app, or a recovery code; POST: sign in with it."""
    pending = _pending(request)
    if pending is None:
        return redirect("sign_in")
    user, said = pending
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        door = guesses.codes_of(user)
        if early := guesses.please_wait(request, door):
            return early
        device = second_factor.check(user, form.cleaned_data["code"]) if form.is_valid() else None
        if device is not None:
            guesses.forget(door)
            # django-otp binds the session to this device while Django signs in.
            user.otp_device = device  # type: ignore[attr-defined]
            login(request, user, backend=said["backend"])
            request.session.pop(_PENDING, None)
            return redirect(said["next"])
        guesses.count(request, door)
        form.add_error(
            "code", "This code is not right, or it was used before. The app shows a new one every 30 seconds."
        )
    response = render(
        request, "survey/researcher/sign_in_code.html", {"form": form}, status=422 if form.errors else 200
    )
    add_never_cache_headers(response)
    return response


def _pending(request: HttpRequest) -> tuple[User, dict[str, Any]] | None:
    said: dict[str, Any] = request.session.get(_PENDING) or {}
    user = User.objects.filter(pk=said.get("user", 0), is_active=True).first()
    if user is None or time.time() - said["at"] > 60 * _MINUTES:
        return None
    if not constant_time_compare(said["password"], user.get_session_auth_hash()):
        return None
    return user, said
