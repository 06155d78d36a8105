"""The list of studies: where a researcher lands after signing in."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access import readable_studies
from survey.models import Participant


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    """List the studies that the signed-in person may read, with how far each has come."""
    counted = Q(participants__is_preview=False)
    rows = (
        readable_studies(request.user)
        .annotate(
            people=Count("participants", filter=counted, distinct=True),
            finished=Count(
                "participants",
                filter=counted & Q(participants__state=Participant.State.FINISHED),
                distinct=True,
            ),
            images=Count("stimuli", filter=Q(stimuli__role="main"), distinct=True),
        )
        .order_by("-created_at", "slug")
    )
    return render(request, "survey/researcher/studies.html", {"studies": rows})
