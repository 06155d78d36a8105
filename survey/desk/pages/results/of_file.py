"""The results of an uploaded ratings file, as of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from survey.access.studies import may_create_studies
from survey.analysis import Analysis, Ratings, plots
from survey.analysis.bounded import Reading
from survey.analysis.factors import factor_columns
from survey.analysis.report.answers import answer
from survey.analysis.table import main_phase
from survey.desk import ratings_files
from survey.desk.pages.results.files import Download
from survey.desk.pages.results.pieces import file_response
from survey.desk.pages.results.switches import Switches, read_switches
from survey.desk.pages.results.view import View, drawn, known_plot, method, table_response, view_links
from survey.desk.ratings_files import RatingsFile
from survey.exports.analysis import ratings_files as files_of_ratings
from survey.exports.analysis import statistics_files
from survey.exports.folder import zipped
from survey.exports.tables import csv_bytes
from survey.results.export import QuestionText
from survey.results.panels import DEFAULT, NobodyLeftError

DOWNLOADS: Final = {
    "all": Download("Everything, as a ZIP", "the tables, summary and report that the command analyse writes")
}


@dataclass(frozen=True)
class _FileView:
    """What every view of a file's results shows."""

    context: dict[str, Any]
    analysis: Analysis
    switches: Switches
    shown: View


@require_safe
def results(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Say which items are best and how sure that is, with every score."""
    view = _view(request, key, reading, "results")
    more = view.shown.scores(request.GET, {}, view.switches.selection.ci)
    return render(request, "survey/researcher/results.html", view.context | more)


@require_safe
def conditions(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Show the means of conditions and factors, and how they compare."""
    view = _view(request, key, reading, "results_conditions")
    context = view.context | view.shown.conditions()
    return render(request, "survey/researcher/results_conditions.html", context)


@require_safe
def covariates(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Show what was measured on the images against their scores."""
    view = _view(request, key, reading, "results_covariates")
    context = view.context | view.shown.covariates()
    return render(request, "survey/researcher/results_covariates.html", context)


@require_safe
def groups(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Show how the groups of participants compare."""
    view = _view(request, key, reading, "results_groups")
    context = view.context | view.shown.groups()
    return render(request, "survey/researcher/results_groups.html", context)


@require_safe
def reliability(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Show how far people agree, what the screening found, and what more ratings would bring."""
    view = _view(request, key, reading, "results_reliability")
    context = view.context | view.shown.reliability()
    return render(request, "survey/researcher/results_reliability.html", context)


@require_safe
def downloads(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Show the download, the method in words, and what the numbers were made from."""
    view = _view(request, key, reading, "results_downloads")
    context = view.context | {"downloads": DOWNLOADS} | method(view.analysis)
    return render(request, "survey/researcher/results_downloads.html", context)


@require_safe
def plot(request: HttpRequest, key: str, reading: str, name: str, file_format: str) -> HttpResponse:
    """Return one plot as SVG, PNG or PDF, or its numbers as CSV."""
    file, found = _found(request, key, reading)
    kind = known_plot(name, file_format)
    switches, data, _ = _chosen_here(request, found)
    drawing = drawn(kind, data, file_format)
    if drawing is None:
        raise Http404(f"nothing to draw as {name}")
    return file_response(drawing, _file_name(file, switches.question, f"{name}.{file_format}"))


@require_safe
def table(request: HttpRequest, key: str, reading: str, name: str) -> HttpResponse:
    """Return one of the tables as CSV."""
    file, found = _found(request, key, reading)
    if found.statistics is not None:
        if name not in found.statistics.tables:
            raise Http404(f"no table {name}")
        return file_response(csv_bytes(found.table(name)), _file_name(file, "", f"{name}.csv"))
    switches, data, _ = _chosen_here(request, found)
    return table_response(data, name, _file_name(file, switches.question, f"{name}.csv"))


@require_safe
def download(request: HttpRequest, key: str, reading: str) -> HttpResponse:
    """Return the files that the command `analyse` writes, as a ZIP."""
    file, found = _found(request, key, reading)
    if found.statistics is not None:
        tables = {name: found.table(name) for name in found.statistics.tables}
        files = statistics_files(tables, found.statistics.summary, found.report())
    else:
        ratings, analysis = ratings_files.analysed(found, DEFAULT)
        files = files_of_ratings(ratings, analysis, file.name)
    response = HttpResponse(zipped(files), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{_file_name(file, "", "results.zip")}"'
    return response


def _found(request: HttpRequest, key: str, name: str) -> tuple[RatingsFile, Reading]:
    """Return a file and what was read of it. Raises Http404 where that is nothing, or too much for a page."""
    file = ratings_files.find(request, key)
    found = ratings_files.reading_of(file, name)
    if found.refusal or found.about.get("ratings", 0) > ratings_files.MAX_RATINGS:
        raise Http404("no results of this")
    return file, found


def _chosen(
    request: HttpRequest, found: Reading
) -> tuple[Switches, plots.PlotData, tuple[Ratings, Analysis]]:
    if found.statistics is not None:
        raise Http404("no single ratings")
    ratings, everyone = ratings_files.analysed(found, DEFAULT)
    texts = [QuestionText(name, name, ()) for name in everyone.questions]
    switches = read_switches(request.GET, texts, _about_items(main_phase(ratings.table)), "item")
    try:
        ratings, analysis = ratings_files.analysed(found, switches.selection)
    except NobodyLeftError as error:
        switches = switches.of_everyone(str(error))
        ratings, analysis = ratings_files.analysed(found, switches.selection)
    data = plots.select_question(analysis, ratings.table, switches.question)
    return switches, data, (ratings, analysis)


def _chosen_here(
    request: HttpRequest, found: Reading
) -> tuple[Switches, plots.PlotData, tuple[Ratings, Analysis]]:
    """Return what was chosen, for a file that cannot say that its panel leaves nobody: Http404 then."""
    chosen = _chosen(request, found)
    if chosen[0].refused:
        raise Http404(chosen[0].refused)
    return chosen


def _view(request: HttpRequest, key: str, reading: str, here: str) -> _FileView:
    file, found = _found(request, key, reading)
    switches, data, (_, analysis) = _chosen(request, found)
    labels = tuple(found.about["labels"])
    base = "" if here == "results" else "../"
    shown = View(
        data=data,
        question=QuestionText(switches.question, switches.question, labels, data.analysis.scale),
        answer=answer(data.analysis, _about_items(data.rows), thing="item"),
        thing="item",
        base=base,
        query=switches.query,
    )
    context = {
        "heading": file.name,
        "file": file,
        "id": found.folder.name,
        "changes": ratings_files.query_of(found),
        "may_keep": may_create_studies(request.user),
        "switches": switches,
        "changed": switches.selection != DEFAULT or bool(switches.refused),
        **shown.context,
        **view_links(request, data, here, switches.query, "file_"),
    }
    return _FileView(context, analysis, switches, shown)


def _about_items(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row an item with its content and its factors."""
    names = [name for name in ("content", "style") if name in rows.columns]
    columns = dict.fromkeys(["item", *names, *factor_columns(rows)])
    return rows.drop_duplicates("item")[list(columns)].astype({"item": "str"})


def _file_name(file: RatingsFile, question: str, name: str) -> str:
    parts = [slugify(Path(file.name).stem) or "ratings", slugify(question), name]
    return "_".join(part for part in parts if part)
