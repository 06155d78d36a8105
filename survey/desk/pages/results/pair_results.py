"""The results page of a pair study: who is preferred to whom."""

from __future__ import annotations

from functools import lru_cache, partial
from math import isnan
from typing import Any, Final

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from survey.analysis.pairs.preferences import QuestionPreferences
from survey.analysis.plots import FORMATS, drawable_of
from survey.analysis.plots import render as draw
from survey.analysis.plots.preferences import PAIR_PLOTS
from survey.analysis.report.headlines import preference_headlines
from survey.analysis.report.report import stamp_rows
from survey.analysis.report.words import PAIR_GLOSSARY
from survey.desk.pages.results.files import DOWNLOADS as OF_RATINGS
from survey.desk.pages.results.files import Download
from survey.desk.pages.results.pieces import figure, file_response, interval, page_context, page_table, score
from survey.desk.pages.results.scores import large_page, large_table
from survey.desk.pages.results.seen import seen
from survey.desk.pages.results.switches import question_switch
from survey.exports.pairs import PairExport, collect_pairs
from survey.exports.tables import csv_bytes
from survey.models import Study
from survey.results.collect import NoRatings
from survey.results.export import QuestionText
from survey.results.figures import Figures
from survey.results.seen import seen_of
from survey.study.stored import is_large

TABLES: Final = {"conditions": "Scores of the conditions", "pairs": "Pairs"}
DOWNLOADS: Final = {
    "all": OF_RATINGS["all"]._replace(holds="tables, plots, how each image was made; no image itself"),
    "images": OF_RATINGS["images"],
    "csv": OF_RATINGS["csv"],
    "xlsx": OF_RATINGS["xlsx"],
    "json": OF_RATINGS["json"],
    "parquet": Download("Choices, Parquet", "one row a choice, for pandas or R"),
}


def pair_results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show every score, plot and table of a pair study."""
    if is_large(study):
        return large_page(
            request, study, "choices", "survey/researcher/large_pair_results.html", partial(_of_large, study)
        )
    context = page_context(request, study) | {"downloads": DOWNLOADS}
    try:
        export = collect_pairs(study)
    except NoRatings:
        return render(request, "survey/researcher/no_results.html", context)
    switch, key, part = _chosen(request, export)
    query = f"question={key}&v={export.fingerprint[:12]}"
    context |= {
        "switches": {"shown": [switch] if len(export.questions) > 1 else []},
        "query": query,
        "question": next(question for question in export.questions if question.key == key),
        "headlines": preference_headlines(part.summary),
        "notes": part.summary["notes"],
        "unshown": export.unshown,
        "scores": _scores(study, part.scores),
        "figures": [
            figure(plot, table, f"plots/{plot.name}.csv?{query}")
            for plot, table in drawable_of(PAIR_PLOTS, part)
        ],
        "tables": [
            page_table(title, frame, f"tables/{name}.csv?{query}")
            for name, title in TABLES.items()
            if (frame := getattr(part, name)) is not None
        ],
        "glossary": PAIR_GLOSSARY,
        "stamp": stamp_rows(export.analysis.stamp),
        "excluded": export.participants["excluded"].notna().sum(),
        **seen(seen_of(export.participants)),
    }
    return render(request, "survey/researcher/pair_results.html", context)


def _of_large(study: Study, _question: QuestionText, table: pd.DataFrame, figures: Figures) -> dict[str, Any]:
    return {
        "scores": _scores(study, table),
        "choices": f"{figures.watch.ratings:,}",
        "downloads": DOWNLOADS,
        **seen(figures.seen),
    }


def pair_plot(request: HttpRequest, study: Study, name: str, file_format: str) -> HttpResponse:
    """Return one plot as SVG, PNG or PDF, or its numbers as CSV."""
    export = _export(study)
    _, key, _ = _chosen(request, export)
    data = _drawn(study.pk, export.fingerprint, key, name, file_format)
    if data is None:
        raise Http404(f"no plot {name}.{file_format}")
    return file_response(data, f"{study.slug}_{key}_{name}.{file_format}")


@lru_cache(maxsize=32)
def _drawn(pk: int, _version: str, question: str, name: str, file_format: str) -> bytes | None:
    """Return a drawing, from memory while the study has not changed; None where there is nothing to draw."""
    part = collect_pairs(Study.objects.get(pk=pk)).analysis.questions[question]
    found = {plot.name: (plot, table) for plot, table in drawable_of(PAIR_PLOTS, part)}.get(name)
    if found is None or file_format not in ("csv", *FORMATS):
        return None
    plot, table = found
    return csv_bytes(table) if file_format == "csv" else draw(plot.draw, table, file_format)


def pair_table(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """Return one of the page's tables as CSV."""
    if name == "scores" and is_large(study):
        return large_table(request, study, "choices", "scores")
    _, key, part = _chosen(request, _export(study))
    frame = getattr(part, name) if name in ("scores", *TABLES) else None
    if frame is None:
        raise Http404(f"this study has no table {name}")
    return file_response(csv_bytes(frame), f"{study.slug}_{key}_{name}.csv")


def _export(study: Study) -> PairExport:
    if is_large(study):
        raise Http404(f"the page of {study.slug} has its scores alone: its downloads have the rest")
    try:
        return collect_pairs(study)
    except NoRatings as error:
        raise Http404(str(error)) from error


def _chosen(request: HttpRequest, export: PairExport) -> tuple[Any, str, QuestionPreferences]:
    answered = [question for question in export.questions if question.key in export.analysis.questions]
    switch, key = question_switch(request.GET, answered)
    return switch, key, export.analysis.questions[key]


def _scores(study: Study, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the table of scores as text, groups together, the best of each first."""
    names = dict(study.stimuli.values_list("item", "name"))
    table = table.sort_values(["group", "score", "item"], ascending=[True, False, True])
    return [
        {
            "image": names[row["item"]],
            **{name: row[name] for name in ("group", "item", "n", "wins", "ties", "losses")},
            "share": "–" if isnan(row["share"]) else f"{100 * row['share']:.0f} %",
            "score": score(row["score"]),
            "ci": interval(row["ci_low"], row["ci_high"]),
        }
        for row in table.to_dict("records")
    ]
