"""One's own account: its role, its API tokens."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST

from survey.access import tokens
from survey.access.errors import DeskError
from survey.access.studies import may_create_studies
from survey.desk.pages.entry import signed_in_user
from survey.models import ApiToken


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the account and its tokens; POST: make a token and show its secret, this once."""
    user = signed_in_user(request)
    secret = fault = ""
    if request.method == "POST":
        try:
            secret = tokens.make(user, request.POST.get("name", ""))
        except DeskError as error:
            fault = str(error)
    context = {
        "role": "administrator"
        if user.is_superuser
        else "researcher"
        if may_create_studies(user)
        else "viewer",
        "tokens": ApiToken.objects.filter(user=user, revoked_at__isnull=True),
        "secret": secret,
        "fault": fault,
    }
    response = render(request, "survey/researcher/account.html", context, status=422 if fault else 200)
    add_never_cache_headers(response)
    return response


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    user = signed_in_user(request)
    tokens.revoke(get_object_or_404(ApiToken, user=user, pk=pk), user)
    return redirect("account")
