"""Image sets: the list, a set's page with its grid and progress, its files; stop, resume, retry, rename, delete."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.models import Cell, ImageSet, PlanRun
from generator.queue import runs
from generator.sets.alike import alike
from generator.sets.folder import write_archive
from generator.sets.planes import ALL, Plane, plane
from generator.sets.progress import progress
from generator.sets.sheets import SheetError, contact_sheet
from survey.access.errors import DeskError
from survey.access.studies import may_create_studies, own_studies
from survey.desk import image_set_actions
from survey.desk.image_set_access import may_make_sets, own_set, own_sets, readable_set, readable_sets
from survey.desk.pages.entry import signed_in_user, tell
from survey.study.media import in_the_store

MAX_ON_A_PAGE: Final = 1500
MAX_LISTED: Final = 200
# A sheet is drawn in the web process: its pixels, in memory, stay below a tenth of a gigabyte.
MAX_SHEET_PIXELS: Final = 30_000_000
_LARGEST_ON_SHEET: Final = 256


@require_safe
def image_sets(request: HttpRequest) -> HttpResponse:
    """List the image sets that the signed-in person may see, and the plans that are not sets yet."""
    sets = readable_sets(request.user)
    if not (may_make_sets(request.user) or sets.exists()):
        raise Http404("no image sets of theirs")
    runs.tend()
    done, failed = Q(cells__status=Cell.Status.DONE), Q(cells__status=Cell.Status.FAILED)
    rows = sets.annotate(done=Count("cells", done), failed=Count("cells", failed), total=Count("cells"))
    plans = PlanRun.objects.filter(owner=signed_in_user(request), image_set=None).exclude(state="done")
    context = {
        "sets": rows.select_related("owner").order_by("-created", "-pk"),
        "plans": plans,
        "may_make": may_make_sets(request.user),
    }
    return render(request, "survey/researcher/image_sets.html", context)


@require_safe
def image_set(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a set: how far it is, its images on the plane of two factors, what failed, what looks alike."""
    return _shown(request, readable_set(request.user, slug))


def _shown(request: HttpRequest, found: ImageSet, **more: Any) -> HttpResponse:
    """Render a set's page. more: `title` as it was typed, and its `problem`."""
    runs.tend()
    cells = list(found.cells.defer("recipe", "provenance"))
    shown = _plane(cells, request.GET)
    failed = [cell for cell in cells if cell.status == Cell.Status.FAILED]
    context = {
        "set": found,
        "progress": progress(found),
        "plane": shown,
        # Whoever asks for rows and columns gets them.
        "listed": shown.is_sparse and "rows" not in request.GET,
        "all": ALL,
        "too_many": shown.shown > MAX_ON_A_PAGE,
        "query": request.GET.urlencode(),
        "failed": failed[:MAX_LISTED],
        "failed_more": max(0, len(failed) - MAX_LISTED),
        "alike": alike(cells)[:MAX_LISTED],
        "studies": own_studies(request.user).filter(stimuli__cell__image_set=found).distinct(),
        "may_change": own_sets(request.user).filter(pk=found.pk).exists(),
        "may_publish": may_create_studies(request.user),
        "most_letters": image_set_actions.MAX_TITLE,
        **more,
    }
    status = 422 if "problem" in more else 200
    return render(request, "survey/researcher/image_set.html", context, status=status)


@require_safe
def progress_json(request: HttpRequest, slug: str) -> HttpResponse:
    """Say how far a set is, as JSON with an ETag: `generator.sets.progress.SetProgress`, its pace in words alone."""
    found = readable_set(request.user, slug)
    runs.tend()
    told = asdict(progress(found))
    # Numbers that change with every look would make each answer a new one.
    del told["images_per_hour"], told["seconds_left"]
    return json_with_tag(request, told)


@require_safe
def plan_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the plan of a set as it was read."""
    found = readable_set(request.user, slug)
    response = HttpResponse(found.plan, content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}.toml"'
    return response


@require_safe
@in_the_store()
def sheet(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the plane that the page shows as one PNG."""
    found = readable_set(request.user, slug)
    shown = _plane(list(found.cells.defer("recipe", "provenance", "covariates")), request.GET)
    places = max(1, len(shown.row_levels) * len(shown.column_levels))
    side = min(_LARGEST_ON_SHEET, math.isqrt(MAX_SHEET_PIXELS // places))
    try:
        picture = contact_sheet(found, shown.rows, shown.columns, shown.fixed, side)
    except SheetError as error:
        return HttpResponse(f"{error}\n", status=422, content_type="text/plain; charset=utf-8")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    response = HttpResponse(buffer.getvalue(), content_type="image/png")
    name = f"{found.slug}_{shown.rows}_by_{shown.columns}.png"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@in_the_store()
def archive(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Return the finished images as a ZIP under readable names, with a table of their factors."""
    found = readable_set(request.user, slug)
    # Closed, and with that deleted, by the response.
    target = tempfile.TemporaryFile()  # noqa: SIM115
    write_archive(found, target)
    target.seek(0)
    return FileResponse(
        target, as_attachment=True, filename=f"{found.slug}.zip", content_type="application/zip"
    )


@require_POST
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a set another name."""
    found = own_set(request.user, slug)
    title = request.POST.get("title", "")
    try:
        image_set_actions.rename_set(found, title, signed_in_user(request))
    except DeskError as error:
        return _shown(request, found, title=title, problem=str(error))
    messages.success(request, f"Renamed at {now_in_words()}. The address of this page stays.")
    return redirect("image_set", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what would go, or why the set has to stay; POST: delete it."""
    found = own_set(request.user, slug)
    if request.method == "POST":
        user = signed_in_user(request)
        if tell(request, lambda: image_set_actions.delete_set(found, user)):
            messages.success(request, f"“{found.title}” was deleted at {now_in_words()}.")
            return redirect("image_sets")
        return redirect("delete_set", slug=slug)
    context = {
        "set": found,
        "images": found.cells.filter(status=Cell.Status.DONE).count(),
        "reason": image_set_actions.why_kept(found),
        "studies": own_studies(request.user).filter(stimuli__cell__image_set=found).distinct(),
    }
    return render(request, "survey/researcher/delete_set.html", context)


@require_POST
def stop_image_set(request: HttpRequest, slug: str) -> HttpResponse:
    """Stop making a set; what was finished is kept."""
    image_set_actions.stop_set(own_set(request.user, slug), signed_in_user(request))
    return redirect("image_set", slug=slug)


@require_POST
def resume(request: HttpRequest, slug: str) -> HttpResponse:
    """Go on with a set."""
    return _taken_up(request, own_set(request.user, slug), retry_failed=False)


@require_POST
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Try again what failed, and go on with the rest."""
    return _taken_up(request, own_set(request.user, slug), retry_failed=True)


def json_with_tag(request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    """Return JSON, or 304 where the browser has the same already."""
    body = json.dumps(data).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    same = request.headers.get("If-None-Match") == tag
    response = HttpResponse(
        b"" if same else body, status=304 if same else 200, content_type="application/json"
    )
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


def now_in_words() -> str:
    """Return the time of an act, as messages tell it."""
    return f"{timezone.now():%H:%M} UTC"


def _taken_up(request: HttpRequest, found: ImageSet, *, retry_failed: bool) -> HttpResponse:
    try:
        image_set_actions.take_up(found, signed_in_user(request), retry_failed=retry_failed)
    except runs.RunError as error:
        messages.error(request, str(error))
    return redirect("image_set", slug=found.slug)


def _plane(cells: list[Cell], query: Mapping[str, str]) -> Plane:
    wanted = {name.removeprefix("f-"): level for name, level in query.items() if name.startswith("f-")}
    return plane(cells, query.get("rows", ""), query.get("columns", ""), wanted)
