"""The results page, its plots, its tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from survey.analysis import plots
from survey.analysis.report.answers import answer, condition_finding, reliability_finding
from survey.analysis.report.headlines import findings, headlines
from survey.analysis.report.report import stamp_rows
from survey.analysis.report.words import GLOSSARY
from survey.desk.pages.results.pair_results import pair_plot, pair_results, pair_table
from survey.desk.pages.results.pieces import Figure, file_response, page_context, page_table
from survey.desk.pages.results.ranking import factors_of, ranking
from survey.desk.pages.results.scores import is_large, large_results, large_table, scores
from survey.desk.pages.results.switches import CI_NAMES, Switches, read_switches
from survey.exports.tables import csv_bytes
from survey.models import Study
from survey.results.collect import DEFAULT, NoRatings, Selection, collect, fingerprint
from survey.results.export import Export, QuestionText

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
#: The views of a study's results by the name of their address.
VIEWS: Final = {
    "results": "Scores",
    "results_conditions": "Conditions",
    "results_reliability": "Reliability",
    "results_downloads": "Downloads and method",
}
PLOTS_OF: Final = {
    "scores": ("mos", "distribution", "significance"),
    "conditions": ("factors", "conditions"),
    "reliability": ("sos", "observers", "ratings", "convergence"),
}
TABLES_OF: Final = {
    "scores": ("comparisons", "dmos"),
    "conditions": ("conditions", "condition_comparisons"),
    "reliability": ("panels", "observers", "screening", "recovered"),
}
DOWNLOADS: Final = {
    "images": "Images, named by content and style, as a ZIP",
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
    """Say which images are best and how sure that is, with every score."""
    if study.method == Study.Method.PAIR:
        return pair_results(request, study)
    if is_large(study):
        return large_results(request, study)
    view = _view(request, study, "results")
    if view is None:
        return render(request, "survey/researcher/no_results.html", page_context(request, study))
    context = (
        view.context | view.parts("scores") | ranking(request.GET, study, view.data, view.question.labels)
    )
    context |= {
        "scores": scores(study, view.data.analysis.mos),
        "ci_name": CI_NAMES[view.switches.selection.ci],
    }
    return render(request, "survey/researcher/results.html", context)


def conditions(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the means of conditions and factors, and how they compare."""
    view = _analysed(request, study, "results_conditions")
    context = view.context | view.parts("conditions")
    context |= {
        "finding": condition_finding(view.data.analysis),
        "design_claims": [claim for claim in view.context["answer"].claims if claim.about == "design"],
    }
    return render(request, "survey/researcher/results_conditions.html", context)


def reliability(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how far people agree, what the screening found, and what more ratings would bring."""
    view = _analysed(request, study, "results_reliability")
    summary = view.data.analysis.summary
    context = view.context | view.parts("reliability")
    context |= {
        "finding": reliability_finding(summary),
        "headlines": headlines(summary),
        "findings": findings(summary),
        "notes": summary["notes"],
    }
    return render(request, "survey/researcher/results_reliability.html", context)


def downloads(request: HttpRequest, study: Study) -> HttpResponse:
    """Show every download, the method in words, and what the numbers were made from."""
    view = _analysed(request, study, "results_downloads")
    context = view.context | {
        "downloads": DOWNLOADS,
        "glossary": GLOSSARY,
        "stamp": stamp_rows(view.export.analysis.stamp),
    }
    return render(request, "survey/researcher/results_downloads.html", context)


@dataclass(frozen=True)
class _View:
    """What every view of a study's results shows."""

    context: dict[str, Any]
    export: Export
    data: plots.PlotData
    switches: Switches
    question: QuestionText

    def parts(self, name: str) -> dict[str, Any]:
        """Return the plots and the tables of a view."""
        base, query = self.context["base"], self.context["query"]
        figures = [
            Figure(kind, page_table(kind.title, table, f"{base}plots/{kind.name}.csv?{query}"))
            for kind, table in plots.drawable(self.data)
            if kind.name in PLOTS_OF[name]
        ]
        tables = [
            page_table(TABLES[table], frame, f"{base}tables/{table}.csv?{query}")
            for table in TABLES_OF[name]
            if (frame := getattr(self.data.analysis, table)) is not None
        ]
        return {"figures": figures, "tables": tables}


def _analysed(request: HttpRequest, study: Study, here: str) -> _View:
    """Return a view that only a study has whose page is split. Raises Http404 for another, and without ratings."""
    if study.method == Study.Method.PAIR or is_large(study):
        raise Http404(f"the results of {study.slug} are on one page")
    view = _view(request, study, here)
    if view is None:
        raise Http404(f"nobody has rated {study.slug} yet")
    return view


def _view(request: HttpRequest, study: Study, here: str) -> _View | None:
    """Read what the address asks for; None where nobody has rated yet."""
    try:
        everyone = collect(study)
        switches = read_switches(request.GET, everyone)
        export = everyone if switches.selection == DEFAULT else collect(study, switches.selection)
    except NoRatings:
        return None
    data = plots.select_question(export.analysis, export.checked, switches.question)
    question = next(question for question in export.questions if question.key == switches.question)
    found = answer(data.analysis, factors_of(export), wanted=everyone.definition["goal"]["votes"])
    context = page_context(request, study) | {
        "switches": switches,
        "changed": switches.selection != DEFAULT,
        "query": f"{switches.query}&v={export.fingerprint[:12]}",
        "question": question,
        "answer": found,
        "excluded": export.participants["excluded"].notna().sum(),
        "base": "" if here == "results" else "../",
        **_views(request, data, here, switches.query),
    }
    return _View(context, export, data, switches, question)


def _views(request: HttpRequest, data: plots.PlotData, here: str, query: str) -> dict[str, Any]:
    """Return the title of a view and the links to all of them: (title, address, whether it is this one)."""
    match = request.resolver_match
    prefix, place = (
        ("shared_", match.kwargs)
        if match and "token" in match.kwargs
        else ("", match.kwargs if match else {})
    )
    names = dict(VIEWS)
    if data.analysis.conditions is None and data.plane is None:
        del names["results_conditions"]
    links = [
        (title, f"{reverse(prefix + name, kwargs=place)}?{query}", name == here)
        for name, title in names.items()
    ]
    return {"view_title": VIEWS[here], "views": links}


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
