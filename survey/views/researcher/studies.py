"""The list of studies: where a researcher lands after signing in."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access import may_create_studies, own_studies, readable_studies
from survey.models import Participant


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    """List the studies that the signed-in person may read, with how far each has come; `?archived=1`: the archive."""
    archived = "archived" in request.GET
    counted = Q(participants__is_preview=False)
    finished = counted & Q(participants__state=Participant.State.FINISHED)
    readable = readable_studies(request.user)
    rows = (
        readable.filter(archived_at__isnull=not archived)
        .annotate(
            people=Count("participants", filter=counted, distinct=True),
            finished=Count("participants", filter=finished, distinct=True),
            images=Count("stimuli", filter=Q(stimuli__role="main"), distinct=True),
        )
        .order_by("-created_at", "slug")
    )
    context = {
        "studies": rows,
        "archived": archived,
        "in_archive": readable.filter(archived_at__isnull=False).count(),
        "own": set(own_studies(request.user).values_list("pk", flat=True)),
        "may_create": may_create_studies(request.user),
    }
    return render(request, "survey/researcher/studies.html", context)
