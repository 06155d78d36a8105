"""One's own password and second factor."""

from __future__ import annotations

from typing import Any

import django_otp
import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from survey.access import accounts, guesses, second_factor
from survey.desk.forms.account_forms import OwnPasswordForm
from survey.desk.pages.entry import signed_in_user, tell

_WRONG = "This is not your password. It is case-sensitive."


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the account end."""
    user = signed_in_user(request)
    form = OwnPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if early := guesses.please_wait(request, guesses.password_of(user)):
            return early
        if not _knows_password(request, user, "old_password"):
            form.add_error("old_password", _WRONG)
        elif form.is_valid():
            accounts.change_password(user, form.cleaned_data["new_password1"])
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed. Other browsers have to sign in again.")
            return redirect("account")
    return render(
        request, "survey/researcher/password.html", {"form": form}, status=422 if form.errors else 200
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def factor(request: HttpRequest) -> HttpResponse:
    """Show one's own second factor; POST: begin, confirm its first code, make recovery codes, or switch it off."""
    user = signed_in_user(request)
    context: dict[str, Any] = {"fault": "", "codes": []}
    if request.method == "POST":
        answer = _factor_act(request, user, context)
        if answer is not None:
            return answer
    waiting = second_factor.waiting(user)
    context |= {
        "is_on": second_factor.is_on(user),
        "is_required": second_factor.is_required(user),
        "left": second_factor.codes_left(user),
    }
    if waiting:
        qr = segno.make(waiting.config_url, error="m", micro=False)
        context |= {"qr": qr.svg_data_uri(scale=5, border=4), "key": second_factor.key_of(waiting)}
    status = 422 if context["fault"] else 200
    response = render(request, "survey/researcher/second_factor.html", context, status=status)
    # Keys and recovery codes stay in no cache.
    add_never_cache_headers(response)
    return response


def _factor_act(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse | None:
    """Do what a button asks for. Return an answer; None to show the page, with what stands in `context` now."""
    act = request.POST.get("act")
    if act == "confirm":
        return _confirmed(request, user, context)
    if early := guesses.please_wait(request, guesses.password_of(user)):
        return early
    if not _knows_password(request, user, "password"):
        context["fault"] = _WRONG
    elif act == "begin":
        tell(request, lambda: second_factor.begin(user))
        return redirect("second_factor")
    elif act == "codes" and second_factor.is_on(user):
        context["codes"] = second_factor.new_codes(user)
    elif act == "off":
        second_factor.remove(user, user)
        messages.success(request, "Your second factor is off. Signing in takes your password alone.")
        return redirect("second_factor")
    return None


def _confirmed(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse | None:
    door = guesses.codes_of(user)
    if early := guesses.please_wait(request, door):
        return early
    done = second_factor.confirm(user, request.POST.get("code", ""))
    if done is None:
        guesses.count(request, door)
        context["fault"] = "This code is not right. Type the six digits that the app shows now."
        return None
    device, context["codes"] = done
    # This session has just proved the second factor. Others of the account have to sign in again.
    django_otp.login(request, device)
    return None


def _knows_password(request: HttpRequest, user: User, field: str) -> bool:
    """Return whether the form holds one's own password, and count a wrong one."""
    typed = request.POST.get(field, "")
    if typed and user.check_password(typed):
        guesses.forget(guesses.password_of(user))
        return True
    if typed:
        guesses.count(request, guesses.password_of(user))
    return False
