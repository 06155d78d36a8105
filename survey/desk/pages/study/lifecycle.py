"""A study's invitations, its copies, the archive and its end: each act a POST, kept in the log."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from survey.access.studies import may_create_studies, own_study
from survey.desk.pages.entry import signed_in_user, tell
from survey.desk.pages.study.setup import participants_address
from survey.models import Invitation, Study
from survey.study import lifecycle
from survey.study.pictures import PublishError


@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the personal links that are free; POST: make more."""
    study = own_study(request.user, slug)
    if request.method == "POST":
        count = request.POST.get("count", "")
        number = int(count) if count.isascii() and count.isdigit() and len(count) <= 9 else 0
        tell(request, lambda: lifecycle.invite(study, number, signed_in_user(request)))
        return redirect("invitations", slug=slug)
    context = {
        "study": study,
        "links": _free_links(request, study),
        "used": study.invitations.filter(used_at__isnull=False).count(),
        "most": lifecycle.MAX_INVITATIONS,
    }
    return render(request, "survey/researcher/invitations.html", context)


@require_safe
def invitations_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the free personal links, one a line, to mail or print."""
    study = own_study(request.user, slug)
    lines = "".join(f"{link}\n" for link in _free_links(request, study))
    response = HttpResponse(lines, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}_links.txt"'
    return response


def _free_links(request: HttpRequest, study: Study) -> list[str]:
    free = Invitation.objects.filter(study=study, used_at__isnull=True).order_by("pk")
    address = participants_address(request, study)
    return [f"{address}?invitation={token}" for token in free.values_list("token", flat=True)]


@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the copy's name; POST: make it, and go to its set-up."""
    study = own_study(request.user, slug)
    if not may_create_studies(request.user):
        raise Http404("may not create studies")
    wanted, fault = request.POST.get("slug", f"{slug[:45]}-copy").strip(), ""
    if request.method == "POST":
        try:
            made = lifecycle.copy(study, wanted, signed_in_user(request))
        except PublishError as error:
            fault = str(error)
        else:
            messages.success(request, "This is the copy, a draft. Change what you need, then open it.")
            return redirect("setup", slug=made.slug)
    context = {"study": study, "wanted": wanted, "fault": fault}
    return render(request, "survey/researcher/copy.html", context, status=422 if fault else 200)


@require_safe
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what archiving, purging and deleting do, each with its button."""
    study = own_study(request.user, slug)
    context = {"study": study, "contents": lifecycle.contents(study)}
    return render(request, "survey/researcher/end.html", context)


@require_POST
def archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a study off the list."""
    return _done(request, slug, lambda study: lifecycle.archive(study, signed_in_user(request)), "Archived.")


@require_POST
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a study back on the list."""
    said = "It is on the list again, closed."
    return _done(request, slug, lambda study: lifecycle.restore(study, signed_in_user(request)), said)


@require_POST
def purge(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete what may tie answers to a person."""
    typed = request.POST.get("typed", "")
    said = "Personal data deleted. Nobody can tell whose the ratings are."
    return _done(request, slug, lambda study: lifecycle.purge(study, typed, signed_in_user(request)), said)


@require_POST
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a study with all that it holds."""
    study = own_study(request.user, slug)
    typed = request.POST.get("typed", "")
    if not tell(request, lambda: lifecycle.delete(study, typed, signed_in_user(request))):
        return redirect("end", slug=slug)
    messages.success(request, f"{slug} was deleted.")
    return redirect("studies")


def _done(request: HttpRequest, slug: str, act: Callable[[Study], object], said: str) -> HttpResponse:
    study = own_study(request.user, slug)
    if tell(request, lambda: act(study)):
        messages.success(request, said)
    return redirect("end", slug=slug)
