"""The list of studies: where a researcher lands after signing in."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access.roles import Role, role_of
from survey.access.studies import may_create_studies, own_studies, readable_studies
from survey.desk.pages.entry import signed_in_user
from survey.desk.study_cards import cards
from survey.results.counts import counted
from survey.study.erasure import overdue
from survey.study.stopping import pause_note

#: As many studies are shown as cards; more are a table that can be sorted.
CARDS: Final = 12


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    """List the studies that the signed-in person may read, with how far each has come; `?archived=1`: the archive."""
    archived = "archived" in request.GET
    rows = counted(readable_studies(request.user)).filter(archived_at__isnull=not archived)
    own = set(own_studies(request.user).values_list("pk", flat=True))
    found = list(rows.order_by("-created_at", "slug"))
    for study in found if len(found) > CARDS or archived else ():
        study.stop_note = pause_note(study)
    context = {
        "studies": found,
        "cards": cards(found, own) if len(found) <= CARDS and not archived else [],
        "archived": archived,
        "in_archive": readable_studies(request.user).filter(archived_at__isnull=False).count(),
        "own": own,
        "may_create": may_create_studies(request.user),
        "undeleted": _undeleted(request),
    }
    return render(request, "survey/researcher/studies.html", context)


def _undeleted(request: HttpRequest) -> list[str]:
    """Return the studies whose data should be gone since yesterday or longer, for administrators: something is broken."""
    if role_of(signed_in_user(request)) != Role.ADMIN:
        return []
    return list(overdue().order_by("slug").values_list("slug", flat=True))
