"""Who may read a study's results: share links, accounts, invitations. Each act is a POST that is kept with who and when."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from survey.access import accounts
from survey.access.errors import DeskError
from survey.access.roles import Role
from survey.access.studies import own_study
from survey.desk.pages.entry import signed_in_user, tell
from survey.models import Study
from survey.study import decisions


@require_safe
def sharing(request: HttpRequest, slug: str) -> HttpResponse:
    """List who may read the results: share links and accounts."""
    return _sharing(request, own_study(request.user, slug))


@require_POST
def invite_reader(request: HttpRequest, slug: str) -> HttpResponse:
    """Invite somebody without an account to read the results, and show the link, this once."""
    study = own_study(request.user, slug)
    try:
        secret = accounts.invite(
            signed_in_user(request), Role.VIEWER, note=request.POST.get("note", ""), study=study
        )
    except DeskError as error:
        messages.error(request, str(error))
        return redirect("sharing", slug=slug)
    return _sharing(request, study, address=request.build_absolute_uri(reverse("join", args=[secret])))


@require_POST
def uninvite_reader(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End an invitation to read the results."""
    study = own_study(request.user, slug)
    accounts.revoke(
        get_object_or_404(accounts.open_invitations(), study=study, pk=pk), signed_in_user(request)
    )
    return redirect("sharing", slug=slug)


def _sharing(request: HttpRequest, study: Study, address: str = "") -> HttpResponse:
    context = {
        "address": address,
        "invitations": accounts.open_invitations().filter(study=study),
        "study": study,
        "links": study.share_links.select_related("by"),
        "viewers": study.viewers.select_related("user").order_by("user__username"),
    }
    response = render(request, "survey/researcher/sharing.html", context)
    add_never_cache_headers(response)
    return response


@require_POST
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a share link."""
    decisions.share(own_study(request.user, slug), signed_in_user(request))
    return redirect("sharing", slug=slug)


@require_POST
def revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a share link."""
    study = own_study(request.user, slug)
    decisions.revoke(get_object_or_404(study.share_links, pk=pk), signed_in_user(request))
    return redirect("sharing", slug=slug)


@require_POST
def add_viewer(request: HttpRequest, slug: str) -> HttpResponse:
    """Let an account read the results."""
    study = own_study(request.user, slug)
    tell(
        request,
        lambda: decisions.add_viewer(study, request.POST.get("username", ""), signed_in_user(request)),
    )
    return redirect("sharing", slug=slug)


@require_POST
def remove_viewer(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take an account's right to read back."""
    study = own_study(request.user, slug)
    decisions.remove_viewer(get_object_or_404(study.viewers, pk=pk), signed_in_user(request))
    return redirect("sharing", slug=slug)
