"""The results page, its plots, its tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control

from survey.analysis import plots
from survey.analysis.report.headlines import findings, headlines
from survey.analysis.report.report import stamp_rows
from survey.analysis.report.words import GLOSSARY
from survey.desk.pages.results.pair_results import pair_plot, pair_results, pair_table
from survey.desk.pages.results.pieces import Figure, file_response, page_context, page_table
from survey.desk.pages.results.scores import is_large, large_results, large_table, scores
from survey.desk.pages.results.switches import Switches, read_switches
from survey.exports.tables import csv_bytes
from survey.models import Study
from survey.results.collect import DEFAULT, NoRatings, Selection, collect, fingerprint
from survey.results.export import Export

TABLES: Final = {
    "conditions": "Conditions",
    "condition_comparisons": "Comparisons of conditions",
    "dmos": "Differential MOS against the reference",
    "panels": "Scores under three panels",
    "comparisons": "Comparisons of images",
    "observers": "Participants",
    "screening": "Screening: every rule for every participant",
    "recovered": "Recovered quality (ITU-T P.910 Annex E)",
}
DOWNLOADS: Final = {
    "all": "Everything, as a ZIP",
    "csv": "All tables, CSV",
    "xlsx": "All tables, Excel",
    "tex": "MOS table, LaTeX",
    "json": "Everything, JSON",
    "parquet": "Ratings, Parquet",
    "sureal": "SUREAL",
    "sujson": "suJSON",
    "psych-ds": "Psych-DS",
}


def results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show every score, plot and table of a study."""
    if study.method == Study.Method.PAIR:
        return pair_results(request, study)
    if is_large(study):
        return large_results(request, study)
    context = page_context(request, study) | {"downloads": DOWNLOADS}
    try:
        everyone = collect(study)
        switches = read_switches(request.GET, everyone)
        export = everyone if switches.selection == DEFAULT else collect(study, switches.selection)
    except NoRatings:
        return render(request, "survey/researcher/no_results.html", context)
    data = plots.select_question(export.analysis, export.checked, switches.question)
    question = next(question for question in export.questions if question.key == switches.question)
    context |= {
        "switches": switches,
        "query": f"{switches.query}&v={export.fingerprint[:12]}",
        "question": question,
        "headlines": headlines(data.analysis.summary),
        "findings": findings(data.analysis.summary),
        "notes": data.analysis.summary["notes"],
        "scores": scores(study, data.analysis.mos),
        "ci_method": switches.selection.ci,
        "figures": _figures(data, switches.query),
        "tables": [
            page_table(title, frame, f"tables/{name}.csv?{switches.query}")
            for name, title in TABLES.items()
            if (frame := getattr(data.analysis, name)) is not None
        ],
        "glossary": GLOSSARY,
        "stamp": stamp_rows(export.analysis.stamp),
        "excluded": export.participants["excluded"].notna().sum(),
    }
    return render(request, "survey/researcher/results.html", context)


def plot(request: HttpRequest, study: Study, name: str, file_format: str) -> HttpResponse:
    """Return one plot as SVG, PNG or PDF, or its numbers as CSV."""
    if study.method == Study.Method.PAIR:
        return pair_plot(request, study, name, file_format)
    switches = _switches(request, study)
    try:
        kind = plots.plot_named(name)
        if file_format != "csv" and file_format not in plots.FORMATS:
            raise KeyError(file_format)
    except KeyError as error:
        raise Http404(f"no plot {name}.{file_format}") from error
    version = fingerprint(study)
    data = _drawn(study.pk, version, switches.selection, switches.question, kind.name, file_format)
    if data is None:
        raise Http404(f"this study has nothing to draw as {name}")
    response = file_response(data, f"{study.slug}_{switches.question}_{name}.{file_format}")
    if request.GET.get("v") == version[:12]:
        patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response


def table(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """Return one of the page's tables as CSV, under the page's switches."""
    if study.method == Study.Method.PAIR:
        return pair_table(request, study, name)
    if name == "mos" and is_large(study):
        return large_table(request, study)
    switches = _switches(request, study)
    data = _data(study, switches.selection, switches.question)
    frame = getattr(data.analysis, name) if name in TABLES or name == "mos" else None
    if frame is None:
        raise Http404(f"this study has no table {name}")
    return file_response(csv_bytes(frame), f"{study.slug}_{switches.question}_{name}.csv")


def _switches(request: HttpRequest, study: Study) -> Switches:
    try:
        return read_switches(request.GET, collect(study))
    except NoRatings as error:
        raise Http404(str(error)) from error


def _data(study: Study, selection: Selection, question: str) -> plots.PlotData:
    export: Export = collect(study, selection)
    return plots.select_question(export.analysis, export.checked, question)


def _figures(data: plots.PlotData, query: str) -> list[Figure]:
    return [
        Figure(kind, page_table(kind.title, table, f"plots/{kind.name}.csv?{query}"))
        for kind, table in plots.drawable(data)
    ]


@lru_cache(maxsize=64)
def _drawn(
    pk: int, _version: str, selection: Selection, question: str, name: str, file_format: str
) -> bytes | None:
    """Return a drawing, from memory while the study has not changed; None where there is nothing to draw."""
    kind = plots.plot_named(name)
    numbers = kind.table(_data(Study.objects.get(pk=pk), selection, question))
    if numbers is None or numbers.empty:
        return None
    return csv_bytes(numbers) if file_format == "csv" else plots.render(kind.draw, numbers, file_format)
