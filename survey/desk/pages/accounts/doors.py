"""The pages behind an invitation and behind a link to a new password. Both take people without an account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from survey.access import accounts, guesses
from survey.access.errors import DeskError
from survey.desk.forms.account_forms import JoinForm, NewPasswordForm
from survey.models import AccountLink


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Ask an invited person for a name and a password; POST: make the account."""
    link = _link(request, token, AccountLink.Kind.INVITE)
    if isinstance(link, HttpResponse):
        return link
    form = JoinForm(request.POST if request.method == "POST" else None)
    context = {"link": link, "form": form, "signed_in_as": request.user}
    if form.is_valid():
        try:
            accounts.join(link, form.save(commit=False))
        except DeskError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Your account is ready. Sign in with your new name and password.")
            return redirect("sign_in")
    return _page(request, "survey/researcher/join.html", context, form)


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a new password; POST: set it."""
    link = _link(request, token, AccountLink.Kind.RESET)
    if isinstance(link, HttpResponse):
        return link
    assert link.user is not None  # noqa: S101 - a constraint of the database
    form = NewPasswordForm(link.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            accounts.reset_password(link, form.cleaned_data["new_password1"])
        except DeskError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Your new password is set. Sign in with it.")
            return redirect("sign_in")
    return _page(request, "survey/researcher/new_password.html", {"link": link, "form": form}, form)


def _link(request: HttpRequest, token: str, kind: AccountLink.Kind) -> AccountLink | HttpResponse:
    """Return a link that works; otherwise the page that says why not. Only what never was a link counts as a guess."""
    if early := guesses.please_wait(request, guesses.LINKS):
        return early
    link = accounts.link_of(token, kind)
    if link is None:
        guesses.count(request, guesses.LINKS)
    elif accounts.works(link):
        return link
    context = {"unknown": link is None, "used": bool(link and link.used_at), "kind": kind.value}
    return _page(request, "survey/researcher/link_ended.html", context, status=404 if link is None else 410)


def _page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    form: Form | ModelForm[Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    response = render(request, template, context, status=422 if form and form.errors else status)
    # The address is the secret: no cache between may keep the page, no search engine list it.
    add_never_cache_headers(response)
    response["X-Robots-Tag"] = "noindex"
    return response
