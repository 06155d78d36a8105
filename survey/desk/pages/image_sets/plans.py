"""A plan in the browser: written by a form or as a file, looked through, started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.models import Upload
from generator.plans.document import PlanError, shipped_plans
from generator.queue import runs
from survey.desk import image_set_actions
from survey.desk.forms.plan_form import PlanForm
from survey.desk.image_set_access import may_make_sets, own_run
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.image_sets.image_sets import json_with_tag

_SHOWN_CELLS: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form, or the file, that a plan is written in; POST: have it looked through."""
    if not may_make_sets(request.user):
        raise Http404("no plans of theirs")
    if "text" in request.POST:
        return _submitted(request, request.POST["text"])
    if request.GET.get("as") == "file":
        return _file(request, _first_text(request))
    uploads = Upload.objects.filter(owner=signed_in_user(request)).select_related("source")
    form = PlanForm(
        request.POST or None, uploads=uploads, initial={"content": request.GET.getlist("picture")}
    )
    if request.method == "POST" and form.is_valid():
        text = form.plan()
        return _file(request, text) if "edit" in request.POST else _submitted(request, text)
    context = {"form": form, "has_pictures": uploads.exists()}
    return render(request, "survey/researcher/new_plan.html", context, status=422 if form.errors else 200)


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what came of looking a plan through; once its set is there, go there."""
    found = own_run(request.user, pk)
    runs.tend()
    found.refresh_from_db()
    if found.image_set is not None:
        return redirect("image_set", slug=found.image_set.slug)
    context = {
        "run": found,
        "ahead": found.ahead,
        "takes": _takes(found.dry_run) if found.dry_run else [],
        "cells": found.dry_run.get("cells", [])[:_SHOWN_CELLS],
        "more": max(0, len(found.dry_run.get("cells", [])) - _SHOWN_CELLS),
        "moves": found.state in ("new", "planning", "queued", "running"),
    }
    return render(request, "survey/researcher/plan.html", context)


@require_safe
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Say in JSON how far a plan is, so that the page knows when to load again."""
    found = own_run(request.user, pk)
    runs.tend()
    found.refresh_from_db()
    return json_with_tag(request, {"state": found.state, "set": found.image_set_id})


@require_POST
def go(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a plan's images be made."""
    found = own_run(request.user, pk)
    _tell(request, lambda: image_set_actions.go(found, signed_in_user(request)))
    return redirect("plan", pk=pk)


@require_POST
def stop_plan_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a plan back that waits for its turn."""
    image_set_actions.stop_run(own_run(request.user, pk), signed_in_user(request))
    return redirect("plan", pk=pk)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a plan."""
    found = own_run(request.user, pk)
    return (
        redirect("image_sets")
        if _tell(request, lambda: image_set_actions.discard(found, signed_in_user(request)))
        else redirect("plan", pk=pk)
    )


def _submitted(request: HttpRequest, text: str) -> HttpResponse:
    try:
        found = runs.submit(signed_in_user(request), text)
    except PlanError as error:
        return _file(request, text, str(error))
    return redirect("plan", pk=found.pk)


def _file(request: HttpRequest, text: str, problem: str = "") -> HttpResponse:
    uploads = Upload.objects.filter(owner=signed_in_user(request))
    context = {
        "text": text,
        "problem": problem,
        "rows": max(16, text.count("\n") + 2),
        "names": list(uploads.values_list("name", flat=True)),
        "shipped": shipped_plans(),
    }
    return render(request, "survey/researcher/plan_file.html", context, status=422 if problem else 200)


def _first_text(request: HttpRequest) -> str:
    """Return the plan that a file starts from: an earlier one (`from`), or a short one of the person's pictures."""
    earlier = request.GET.get("from", "")
    if earlier.isdecimal() and len(earlier) < 19:
        return own_run(request.user, int(earlier)).plan
    uploads = Upload.objects.filter(owner=signed_in_user(request)).select_related("source")
    return PlanForm(uploads=uploads).example()


def _takes(dry_run: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a plan takes, as (what, how much)."""
    return [
        ("Images to make", str(dry_run["to_make"])),
        ("Evaluations", f"{dry_run['evaluations']:,} at most"),
        ("Time", f"about {timedelta(seconds=round(dry_run['seconds']))} on {dry_run['device']}"),
        ("Memory", f"about {dry_run['memory_bytes'] / 1e9:.1f} GB"),
        ("Disk", f"about {dry_run['disk_bytes'] / 1e6:,.1f} MB"),
        *(("Network", line) for line in dry_run.get("to_fetch", [])),
    ]


def _tell(request: HttpRequest, act: Callable[[], Any]) -> bool:
    try:
        act()
    except runs.RunError as error:
        messages.error(request, str(error))
        return False
    return True
