"""A study's set-up for its owner: the link and its QR code, preview, state, and what it says."""

from __future__ import annotations

import io

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from survey.access import own_study
from survey.models import Study
from survey.publish import PublishError
from survey.revise import revise, set_state
from survey.services import definition_of
from survey.study_form import StudyForm


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the link, the state and the versions; POST: give the study its next version."""
    study = own_study(request.user, slug)
    form = StudyForm(request.POST or None, definition=definition_of(study.version))
    if request.method == "POST" and form.is_valid():
        try:
            version = revise(study, form.definition)
        except PublishError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Saved as version {version.number}.")
            return redirect("setup", slug=slug)
    context = {
        "study": study,
        "form": form,
        "address": _address(request, study),
        "versions": study.versions.order_by("-number"),
    }
    return render(request, "survey/researcher/setup.html", context, status=422 if form.errors else 200)


@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open, pause or close a study."""
    study = own_study(request.user, slug)
    wanted = request.POST.get("state", "")
    if wanted in (Study.State.OPEN, Study.State.PAUSED, Study.State.CLOSED):
        set_state(study, Study.State(wanted))
    else:
        messages.error(request, "A study can be opened, paused or closed.")
    return redirect("setup", slug=slug)


@require_safe
def qr(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw the participants' link as a QR code (SVG)."""
    drawing = io.BytesIO()
    address = _address(request, own_study(request.user, slug))
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", scale=6, border=4, xmldecl=False)
    return HttpResponse(drawing.getvalue(), content_type="image/svg+xml")


def _address(request: HttpRequest, study: Study) -> str:
    return request.build_absolute_uri(reverse("participant", args=[study.slug]))
