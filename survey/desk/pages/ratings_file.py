"""Analyse a file: upload it, see how it was understood, correct that, and go on to its results or keep it as a study."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.files.images import ImageError
from survey.access.studies import may_create_studies
from survey.analysis import OptionError, ReadOptions
from survey.analysis.bounded import Reading
from survey.desk import ratings_files
from survey.desk.forms.new_study_form import free_slug
from survey.desk.forms.reading_form import ReadingForm, fixes, in_words, options_of
from survey.desk.pages.entry import signed_in_user
from survey.desk.pages.results.pieces import page_table
from survey.desk.ratings_files import UploadError
from survey.study.imported import import_study, unrated_note
from survey.study.pictures import PublishError

#: Columns of the first rows that the page shows.
MAX_SHOWN = 40


@require_http_methods(["GET", "HEAD", "POST"])
def analyse_file(request: HttpRequest) -> HttpResponse:
    """Ask for a file; POST: keep it for the session."""
    fault = ""
    if request.method == "POST":
        upload = request.FILES.get("file")
        if isinstance(upload, UploadedFile):
            try:
                return redirect("ratings_file", ratings_files.keep(request, upload).key)
            except UploadError as error:
                fault = str(error)
        else:
            fault = "Choose a file."
    context = {
        "fault": fault,
        "files": ratings_files.kept(request),
        "most_megabytes": ratings_files.MAX_RATINGS_FILE_BYTES // 1_000_000,
    }
    return render(request, "survey/researcher/analyse_file.html", context, status=422 if fault else 200)


@require_safe
def ratings_file(request: HttpRequest, key: str) -> HttpResponse:
    """Show how a file was understood under the choices of the address, and what can be chosen."""
    file = ratings_files.find(request, key)
    query = _query(request.GET)
    try:
        reading, fault = ratings_files.read(file, options_of(request.GET), query), ""
        fault = reading.refusal
    except OptionError as error:
        reading, fault = ratings_files.read(file, ReadOptions(), ""), str(error)
    form = ReadingForm(request.GET, reading.preview, statistics=reading.statistics is not None)
    if fault:
        form.refuse(fault)
    context = {
        "file": file,
        "form": form,
        "refused": bool(fault),
        "fixes": fixes(fault, request.GET),
        "reading": reading,
        "id": reading.folder.name,
        "too_many": reading.about.get("ratings", 0) > ratings_files.MAX_RATINGS,
        "notes": [in_words(note) for note in reading.notes.values()],
        "may_keep": may_create_studies(request.user),
        **_first_rows(reading),
        **(_statistics(reading) if not fault else {}),
    }
    return render(request, "survey/researcher/ratings_file.html", context, status=422 if fault else 200)


@require_POST
def remove(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a file now."""
    file = ratings_files.find(request, key)
    name = file.name
    ratings_files.discard(file.key)
    messages.success(request, f"{name} was deleted.")
    return redirect("analyse_file")


@require_POST
def keep_as_study(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Make a study of the ratings as they were read."""
    if not may_create_studies(request.user):
        raise Http404("no studies of theirs")
    file = ratings_files.find(request, key)
    found = ratings_files.reading_of(file, reading)
    if not found.about:
        raise Http404("no ratings were read")
    title = request.POST.get("title", "").strip()[:200] or file.title
    try:
        study = import_study(free_slug(title), found.ratings(), title, owner=signed_in_user(request))
    except (PublishError, ImageError) as error:
        messages.error(request, f"It was not kept: {in_words(str(error))}")
        return redirect(f"{reverse('ratings_file', args=[key])}?{ratings_files.query_of(found)}")
    messages.success(request, f"{file.name} was kept as the study “{study.title}”.")
    if note := unrated_note(found.ratings()):
        messages.warning(request, f"{note}.")
    return redirect("setup", slug=study.slug)


def _query(asked: QueryDict) -> str:
    """Return the choices of an address without those left open."""
    kept = QueryDict(mutable=True)
    for name, values in sorted(asked.lists()):
        kept.setlist(name, [value for value in values if value])
    return kept.urlencode()


def _first_rows(reading: Reading) -> dict[str, object]:
    found = reading.preview
    if found is None:
        return {"columns": []}
    roles: dict[str, list[str]] = {}
    for name, role in found.columns:
        roles.setdefault(role or "not found out", []).append(name or "(without a name)")
    return {
        "columns": found.columns[:MAX_SHOWN],
        "rows": [row[:MAX_SHOWN] for row in found.rows],
        "more_columns": len(found.columns) - MAX_SHOWN,
        "roles": {role: (names[:20], len(names) - 20) for role, names in roles.items()},
    }


def _statistics(reading: Reading) -> dict[str, object]:
    """Return what can be done with a file of means or counts."""
    if reading.statistics is None:
        return {}
    place = f"{reading.folder.name}/results"
    tables = [
        page_table(name.capitalize(), reading.table(name), f"{place}/tables/{name}.csv")
        for name in reading.statistics.tables
    ]
    return {"tables": tables}
