"""The page of one's own account: its role, and its API tokens, made and revoked here."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST

from survey.access import second_factor, tokens
from survey.access.errors import DeskError
from survey.access.roles import role_of
from survey.access.studies import readable_studies
from survey.desk.pages.entry import signed_in_user
from survey.desk.study_cards import names
from survey.models import ApiToken


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the account and its tokens; POST: make a token and show its secret, this once."""
    user = signed_in_user(request)
    secret = fault = ""
    if request.method == "POST":
        try:
            secret = _made(request, user)
        except DeskError as error:
            fault = str(error)
    context = {
        "role": role_of(user),
        "has_factor": second_factor.is_on(user),
        "tokens": tokens.in_force().filter(user=user).select_related("study"),
        "studies": names(readable_studies(user).order_by("title", "slug")),
        "scopes": ApiToken.Scope.choices,
        "days": tokens.DAYS,
        "secret": secret,
        "fault": fault,
    }
    response = render(request, "survey/researcher/account.html", context, status=422 if fault else 200)
    add_never_cache_headers(response)
    return response


def _made(request: HttpRequest, user: User) -> str:
    """Make the token that the form asks for; what it leaves out is the account's all, for 90 days."""
    asked = request.POST
    slug, scope, days = asked.get("study", ""), asked.get("scope") or "all", asked.get("days") or "90"
    if scope not in ApiToken.Scope.values or days not in map(str, tokens.DAYS):
        raise DeskError("Choose what the token reads, and for how long, from the lists.")
    study = readable_studies(user).filter(slug=slug).first()
    if slug and study is None:
        raise DeskError("Choose a study from the list.")
    return tokens.make(user, asked.get("name", ""), study=study, scope=ApiToken.Scope(scope), days=int(days))


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    user = signed_in_user(request)
    tokens.revoke(get_object_or_404(ApiToken, user=user, pk=pk), user)
    return redirect("account")
