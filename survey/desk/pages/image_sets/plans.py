"""A plan in the browser: written by a form or as a file, looked through, started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.models import PlanRun, Upload
from generator.plans.document import PlanError, shipped_plans
from generator.queue import runs
from generator.sets.progress import duration
from survey.desk import image_set_actions
from survey.desk.forms.plan_form import PlanForm, form_of
from survey.desk.image_set_access import may_make_sets, own_run
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.image_sets.image_sets import json_with_tag

_SHOWN_CELLS: Final = 50
_MORE_THAN_THE_FORM: Final = (
    "The form cannot show everything that this plan says. The plan is still here, and nothing was changed."
)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form, or the file, that a plan is written in; POST: have it checked."""
    user = _maker(request)
    if "text" in request.POST:
        return _from_file(request, request.POST["text"])
    if request.GET.get("as") == "file":
        return _file(request, _first_text(request))
    if request.method == "POST":
        return _from_form(request, PlanForm(request.POST, uploads=_uploads(user)))
    if (earlier := _earlier(request)) is not None:
        form = form_of(earlier.plan, _uploads(user))
        return _form(request, form, status=200) if form else _file(request, earlier.plan)
    return _form(
        request, PlanForm(uploads=_uploads(user), initial={"content": request.GET.getlist("picture")})
    )


@require_POST
def count(request: HttpRequest) -> HttpResponse:
    """Say in JSON what the choices of the form make so far, and what is wrong with the values of a factor."""
    form = PlanForm(request.POST, uploads=_uploads(_maker(request)))
    form.is_valid()
    told: dict[str, Any] = {"images": None, "parts": [], "notes": []}
    # Who is still choosing is told only what cannot stay so.
    told["errors"] = {name: str(lines[0]) for name, lines in form.errors.items() if name.startswith("vary_")}
    told["weights"] = form.method.weights
    if not set(form.errors) - {"title"}:
        told |= {"images": form.images(), "parts": form.parts(), "notes": form.notes()}
        if form.outline:
            told["time"] = duration(form.outline.seconds) if form.outline.seconds else ""
            told["disk"] = f"about {form.outline.disk_bytes / 1e6:,.1f} MB"
    return JsonResponse(told)


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
        "time": duration(found.dry_run["seconds"]) if found.dry_run else "",
        "takes": _takes(found.dry_run) if found.dry_run else [],
        "cells": found.dry_run.get("cells", [])[:_SHOWN_CELLS],
        "more": max(0, len(found.dry_run.get("cells", [])) - _SHOWN_CELLS),
        "age": int((timezone.now() - found.created).total_seconds()),
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


def _maker(request: HttpRequest) -> User:
    if not may_make_sets(request.user):
        raise Http404("no plans of theirs")
    return signed_in_user(request)


def _uploads(user: User) -> QuerySet[Upload]:
    return Upload.objects.filter(owner=user).select_related("source")


def _from_form(request: HttpRequest, form: PlanForm) -> HttpResponse:
    if "look" in request.POST:
        # Another method has other layers and numbers; nothing is checked yet.
        return _form(request, form.unchecked(), status=200)
    if not form.is_valid():
        return _form(request, form)
    text = form.plan()
    return _file(request, text) if "edit" in request.POST else _submitted(request, text)


def _from_file(request: HttpRequest, text: str) -> HttpResponse:
    if "form" not in request.POST:
        return _submitted(request, text)
    form = form_of(text, _uploads(signed_in_user(request)))
    return _form(request, form, status=200) if form else _file(request, text, _MORE_THAN_THE_FORM)


def _form(request: HttpRequest, form: PlanForm, status: int = 422) -> HttpResponse:
    context = {"form": form, "replaces": _replaced(request)}
    return render(
        request, "survey/researcher/new_plan.html", context, status=status if form.is_bound else 200
    )


def _replaced(request: HttpRequest) -> str:
    """Return the number of the plan that is being changed, empty for a new one."""
    found = request.POST.get("replaces", "") or request.GET.get("from", "")
    return found if found.isdecimal() and len(found) < 19 else ""


def _earlier(request: HttpRequest) -> PlanRun | None:
    found = _replaced(request)
    return own_run(request.user, int(found)) if found else None


def _submitted(request: HttpRequest, text: str) -> HttpResponse:
    try:
        found = runs.submit(signed_in_user(request), text)
    except PlanError as error:
        return _file(request, text, str(error))
    if (earlier := _earlier(request)) is not None:
        # One that was started stays.
        with suppress(runs.RunError):
            runs.discard(earlier)
    return redirect("plan", pk=found.pk)


def _file(request: HttpRequest, text: str, problem: str = "") -> HttpResponse:
    context = {
        "text": text,
        "problem": problem,
        "replaces": _replaced(request),
        "rows": max(16, text.count("\n") + 2),
        "names": list(_uploads(signed_in_user(request)).values_list("name", flat=True)),
        "shipped": shipped_plans(),
    }
    return render(request, "survey/researcher/plan_file.html", context, status=422 if problem else 200)


def _first_text(request: HttpRequest) -> str:
    """Return the plan that a file starts from: an earlier one (`from`), or a short one of the person's pictures."""
    if (earlier := _earlier(request)) is not None:
        return earlier.plan
    return PlanForm(uploads=_uploads(signed_in_user(request))).example()


def _takes(dry_run: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a plan takes, as (what, how much)."""
    return [
        ("Images to make", f"{dry_run['to_make']} of {len(dry_run['cells'])}"),
        ("Evaluations", f"{dry_run['evaluations']:,} at most"),
        ("Time", f"{duration(dry_run['seconds'])} on {dry_run['device']}"),
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
