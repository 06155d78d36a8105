"""The results page, its plots, its tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control

from survey.analysis import plots
from survey.analysis.report.answers import answer
from survey.desk.pages.results.files import DOWNLOADS
from survey.desk.pages.results.pair_results import pair_plot, pair_results, pair_table
from survey.desk.pages.results.pieces import file_response, page_context
from survey.desk.pages.results.ranking import factors_of
from survey.desk.pages.results.scores import image_names, large_results, large_table
from survey.desk.pages.results.seen import seen
from survey.desk.pages.results.switches import Switches, rated_items, read_switches
from survey.desk.pages.results.view import (
    OF_EFFECTS,
    View,
    drawn,
    known_plot,
    method,
    table_response,
    view_links,
)
from survey.exports import background
from survey.exports.methods import methods_text
from survey.models import Study
from survey.results.collect import NoRatings, collect, fingerprint
from survey.results.export import Export
from survey.results.panels import DEFAULT, NobodyLeftError, Selection
from survey.results.seen import seen_of
from survey.study.stored import is_large

#: The views that show mixed models.
OF_MODELS: Final = ("results_conditions", "results_covariates", "results_groups")
#: Table -> the field of the analysis that makes it.
TABLE_OF_MODEL: Final = {
    "effects": "factor_effects",
    "covariates": "covariate_links",
    "groups": "group_comparison",
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
    more = view.shown.scores(request.GET, image_names(study), view.switches.selection.ci)
    return render(request, "survey/researcher/results.html", view.context | more)


def conditions(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the means of conditions and factors, and how they compare."""
    view = _analysed(request, study, "results_conditions")
    context = view.context | view.shown.conditions()
    return render(request, "survey/researcher/results_conditions.html", context)


def covariates(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what was measured on the images against their scores."""
    view = _analysed(request, study, "results_covariates")
    context = view.context | view.shown.covariates()
    return render(request, "survey/researcher/results_covariates.html", context)


def groups(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how the groups of participants compare."""
    view = _analysed(request, study, "results_groups")
    context = view.context | view.shown.groups(view.export.group_sessions)
    return render(request, "survey/researcher/results_groups.html", context)


def reliability(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how far people agree, what the screening found, and what more ratings would bring."""
    view = _analysed(request, study, "results_reliability")
    context = (
        view.context | view.shown.reliability() | seen(seen_of(view.export.participants, view.export.ratings))
    )
    return render(request, "survey/researcher/results_reliability.html", context)


def downloads(request: HttpRequest, study: Study) -> HttpResponse:
    """Show every download, the method in words, and what the numbers were made from."""
    view = _analysed(request, study, "results_downloads")
    context = (
        view.context | {"downloads": DOWNLOADS, "methods": _methods(study)} | method(view.export.analysis)
    )
    return render(request, "survey/researcher/results_downloads.html", context)


def _methods(study: Study) -> str:
    """Return the paragraph for a paper, of everyone; empty where it names models that a page does not wait for."""
    return "" if background.is_slow(study) else methods_text(collect(study))


@dataclass(frozen=True)
class _StudyView:
    """What every view of a study's results shows."""

    context: dict[str, Any]
    export: Export
    switches: Switches
    shown: View


def _analysed(request: HttpRequest, study: Study, here: str) -> _StudyView:
    """Return a view that only a study has whose page is split. Raises Http404 for another, and without ratings."""
    if study.method == Study.Method.PAIR or is_large(study):
        raise Http404(f"the results of {study.slug} are on one page")
    view = _view(request, study, here)
    if view is None:
        raise Http404(f"nobody has rated {study.slug} yet")
    return view


def _view(request: HttpRequest, study: Study, here: str) -> _StudyView | None:
    """Read what the address asks for; None where nobody has rated yet."""
    try:
        everyone = collect(study)
        switches = _switches_of(request, everyone)
        switches, export = _selected(study, switches, everyone)
    except NoRatings:
        return None
    wanted, of_models = None, ""
    if here in OF_MODELS:
        export, wanted = background.models(study, export, switches.selection)
        # A plot changes with the models that it is drawn from.
        of_models = f"&models={wanted.made.pk}" if wanted and wanted.made else ""
    data = plots.select_question(export.analysis, export.checked, switches.question)
    shown = View(
        data=data,
        question=next(question for question in export.questions if question.key == switches.question),
        answer=answer(data.analysis, factors_of(export), wanted=everyone.definition["goal"]["votes"]),
        base="" if here == "results" else "../",
        query=f"{switches.query}&v={export.fingerprint[:12]}{of_models}",
    )
    by_link = request.resolver_match and "token" in request.resolver_match.kwargs
    context = page_context(request, study) | {
        "heading": study.title,
        "wanted": wanted,
        "switches": switches,
        "changed": switches.selection != DEFAULT or bool(switches.refused),
        "excluded": export.participants["excluded"].notna().sum(),
        **shown.context,
        **view_links(request, data, here, switches.query, "shared_" if by_link else ""),
    }
    return _StudyView(context, export, switches, shown)


def _selected(study: Study, switches: Switches, everyone: Export) -> tuple[Switches, Export]:
    """Return the export of the chosen ratings, with the switches: those of everyone where the panel leaves nobody."""
    if switches.selection == DEFAULT:
        return switches, everyone
    try:
        return switches, collect(study, switches.selection, everyone.fingerprint)
    except NobodyLeftError as error:
        switches = switches.of_everyone(str(error))
        return switches, collect(study, switches.selection, everyone.fingerprint)


def plot(request: HttpRequest, study: Study, name: str, file_format: str) -> HttpResponse:
    """Return one plot as SVG, PNG or PDF, or its numbers as CSV."""
    if study.method == Study.Method.PAIR:
        return pair_plot(request, study, name, file_format)
    kind = known_plot(name, file_format)
    switches, version = _asked(request, study)
    export = _export(study, version, switches.selection)
    models = background.models_key(study, export, switches.selection)
    data = _drawn(study.pk, version, switches.selection, switches.question, kind.name, file_format, models)
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
    switches, version = _asked(request, study)
    export = _export(study, version, switches.selection)
    models = background.models_key(study, export, switches.selection)
    data = _data(study, version, switches.selection, switches.question, models)
    if name in TABLE_OF_MODEL and getattr(data.analysis, TABLE_OF_MODEL[name]).slow:
        raise Http404(f"{name} of {study.slug} are fitted in the background, and not done yet")
    return table_response(data, name, f"{study.slug}_{switches.question}_{name}.csv")


def _asked(request: HttpRequest, study: Study) -> tuple[Switches, str]:
    """Return what an address asks for, and the study's fingerprint: reading it costs more than a kept plot."""
    if is_large(study):
        raise Http404(f"the page of {study.slug} has its scores alone: its downloads have the rest")
    version = fingerprint(study)
    try:
        return _switches_of(request, collect(study, version=version)), version
    except NoRatings as error:
        raise Http404(str(error)) from error


def _switches_of(request: HttpRequest, everyone: Export) -> Switches:
    return read_switches(request.GET, everyone.questions, rated_items(everyone), "image")


def _data(
    study: Study, version: str, selection: Selection, question: str, models: background.Key | None
) -> plots.PlotData:
    export = background.with_models(_export(study, version, selection), models)
    return plots.select_question(export.analysis, export.checked, question)


def _export(study: Study, version: str, selection: Selection) -> Export:
    try:
        return collect(study, selection, version)
    except NobodyLeftError as error:
        raise Http404(str(error)) from error


@lru_cache(maxsize=64)
def _drawn(
    pk: int,
    version: str,
    selection: Selection,
    question: str,
    name: str,
    file_format: str,
    models: background.Key | None,
) -> bytes | None:
    """Return a drawing, from memory while neither study nor models changed; None where there is nothing to draw."""
    data = _data(Study.objects.get(pk=pk), version, selection, question, models)
    if name in OF_EFFECTS and data.analysis.factor_effects.slow:
        return None
    return drawn(plots.plot_named(name), data, file_format)
