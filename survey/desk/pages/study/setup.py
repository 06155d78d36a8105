"""A study's set-up for its owner: the list of tasks, the link and its QR code, the state, and the study file."""

from __future__ import annotations

import io

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from survey.access.studies import may_create_studies, own_study
from survey.desk.pages.entry import signed_in_user, tell
from survey.desk.setup_list import setup_list
from survey.models import Study
from survey.study.definition import Definition, definition_of
from survey.study.lifecycle import set_state
from survey.study.pictures import PublishError
from survey.study.prolific.link import link_of
from survey.study.readiness import blocking, load_of
from survey.study.revise import revise
from survey.study.stopping import standing
from survey.study.study_file import DefinitionError, Fault, line_of, located, parse, to_toml

#: What a study file typed into the page is called in its faults.
SOURCE = "study.toml"


@require_safe
def setup(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the tasks with their state, the link, and the versions."""
    study = own_study(request.user, slug)
    definition = definition_of(study.version)
    context = {
        "study": study,
        "setup": setup_list(study, definition),
        "load": load_of(study, definition),
        "definition": definition,
        "stopping": standing(study, definition),
        "address": participants_address(request, study),
        "versions": study.versions.order_by("-number"),
        "may_copy": may_create_studies(request.user),
        "has_people": has_people(study),
        "prolific": link_of(study),
    }
    return render(request, "survey/researcher/setup.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def file(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the definition as a study file; POST: give the study its next version."""
    study = own_study(request.user, slug)
    text = to_toml(definition_of(study.version))
    faults: list[Fault] = []
    if request.method == "POST":
        text = request.POST.get("text", "").replace("\r\n", "\n")
        try:
            return _saved(request, study, parse(text, SOURCE))
        except DefinitionError as error:
            faults = located(text, error, SOURCE)
        except PublishError as error:
            faults = [Fault(line_of(text, str(error).partition(":")[0]), str(error))]
    lines = text.splitlines()
    told = [
        (fault, lines[fault.line - 1] if fault.line and fault.line <= len(lines) else "") for fault in faults
    ]
    context = {"study": study, "text": text, "rows": len(lines) + 2, "faults": told}
    return render(request, "survey/researcher/study_file.html", context, status=422 if faults else 200)


@require_safe
def version_file(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Return one version's study file."""
    version = get_object_or_404(own_study(request.user, slug).versions, number=number)
    response = HttpResponse(to_toml(definition_of(version)), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}_version-{number}.toml"'
    return response


@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open, pause or close a study; then show the page whose button it was. A draft opens only when it is ready."""
    study = own_study(request.user, slug)
    wanted = request.POST.get("state", "")
    if wanted not in (Study.State.OPEN, Study.State.PAUSED, Study.State.CLOSED):
        messages.error(request, "A study can be opened, paused or closed.")
        return redirect("setup", slug=slug)
    is_first = study.state == Study.State.DRAFT and wanted == Study.State.OPEN
    if is_first and (left := blocking(study, definition_of(study.version))):
        for finding in left:
            messages.error(request, finding.text)
        return redirect("setup_open", slug=slug)
    done = tell(request, lambda: set_state(study, Study.State(wanted), signed_in_user(request)))
    if is_first and done:
        messages.success(request, f"Open since {timezone.localtime():%H:%M}. Send people the link below.")
    return redirect("live" if request.POST.get("page") == "live" else "setup", slug=slug)


@require_safe
def qr(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw the participants' link as a QR code (SVG)."""
    drawing = io.BytesIO()
    address = participants_address(request, own_study(request.user, slug))
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", scale=6, border=4, xmldecl=False)
    return HttpResponse(drawing.getvalue(), content_type="image/svg+xml")


def participants_address(request: HttpRequest, study: Study) -> str:
    """Return the whole address at which people take part."""
    return request.build_absolute_uri(reverse("participant", args=[study.slug]))


def has_people(study: Study) -> bool:
    """Return whether somebody has taken part, other than in a preview."""
    return study.participants.filter(is_preview=False).exists()


def _saved(request: HttpRequest, study: Study, definition: Definition) -> HttpResponse:
    version = revise(study, definition, signed_in_user(request))
    messages.success(request, f"Saved as version {version.number}.")
    return redirect("setup", slug=study.slug)
