"""The pre-registration's text, to read, copy and download."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey.access.studies import own_study
from survey.study import preregistration


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the text."""
    study = own_study(request.user, slug)
    context = {
        "study": study,
        "text": preregistration.preregistration(study),
        "begun": study.participants.filter(is_preview=False).count(),
    }
    return render(request, "survey/researcher/preregistration.html", context)


@require_safe
def file(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the text as a Markdown file."""
    text = preregistration.preregistration(own_study(request.user, slug))
    response = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}_preregistration.md"'
    return response
