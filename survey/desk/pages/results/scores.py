"""The MOS table on a page; of a large study it is the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import nan
from typing import Any, Literal

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from survey.analysis.items.intervals import DEFAULT_INTERVAL, INTERVALS
from survey.analysis.items.mos import count_columns, remarks
from survey.analysis.scale import ACR, Scale
from survey.desk.pages.results.files import DOWNLOADS
from survey.desk.pages.results.pieces import file_response, interval, page_context, score
from survey.desk.pages.results.seen import seen
from survey.desk.pages.results.switches import question_switch
from survey.exports import background
from survey.exports.tables import csv_bytes
from survey.models import Study
from survey.results.collect import exclusions, texts_of
from survey.results.export import QuestionText
from survey.results.figures import Figures


def large_results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the scores of a large study."""

    def of_question(question: QuestionText, mos: pd.DataFrame, figures: Figures) -> dict[str, Any]:
        return {
            "scores": scores(image_names(study), mos, question.scale),
            "ci_name": INTERVALS[DEFAULT_INTERVAL],
            "ratings": f"{mos['n'].sum():,}",
            "downloads": DOWNLOADS,
            **seen(figures.seen),
        }

    return large_page(request, study, "mos", "survey/researcher/large_results.html", of_question)


def large_page(
    request: HttpRequest,
    study: Study,
    kind: Literal["mos", "choices"],
    template: str,
    of_question: Callable[[QuestionText, pd.DataFrame, Figures], Mapping[str, Any]],
) -> HttpResponse:
    """Show the scores of a large study as they were last computed, when that was, and how to have the rest.

    Args:
        request: The request.
        study: The study.
        kind: The field of its figures that holds the scores.
        template: Of the page.
        of_question: Returns what the page needs of a question, its scores and all figures.
    """
    figures, wanted = background.figures(study)
    questions = texts_of(study)
    switch, key = question_switch(request.GET, questions)
    context = page_context(request, study) | {"wanted": wanted}
    if figures is None:
        return render(request, "survey/researcher/being_made.html", context | {"label": "The results"})
    tables = getattr(figures, kind)
    if key not in tables:
        return render(request, "survey/researcher/no_results.html", context)
    shown = next(question for question in questions if question.key == key)
    context |= {
        "switches": {"shown": [switch] if len(questions) > 1 else []},
        "query": f"question={key}",
        "question": shown,
        "excluded": len(exclusions(study)),
        **of_question(shown, tables[key], figures),
    }
    return render(request, template, context)


def large_table(
    request: HttpRequest, study: Study, kind: Literal["mos", "choices"] = "mos", name: str = "mos"
) -> HttpResponse:
    """Return the scores of a large study as CSV, as the page shows them. kind: as `large_page` takes it."""
    _, key = question_switch(request.GET, texts_of(study))
    figures, _ = background.figures(study)
    if figures is None or key not in getattr(figures, kind):
        raise Http404(f"the scores of {study.slug} are not computed yet")
    return file_response(csv_bytes(getattr(figures, kind)[key]), f"{study.slug}_{key}_{name}.csv")


def image_names(study: Study) -> dict[str, str]:
    """Return {item: the name of its image}."""
    return dict(study.stimuli.values_list("item", "name"))


def scores(names: Mapping[str, str], mos: pd.DataFrame, scale: Scale = ACR) -> list[dict[str, Any]]:
    """Return the rows of the MOS table as text, best first, each with its ratings' shares.

    names: of the items' images, where there are any.
    """
    values = dict(zip(count_columns(scale), scale.categories or (), strict=False))
    rows = mos.assign(remark=remarks(mos)).sort_values(
        ["mos", "item"], ascending=[False, True], kind="stable"
    )
    return [
        {
            "item": row["item"],
            "image": names.get(row["item"], ""),
            "n": row["n"],
            "mos": score(row["mos"]),
            "sd": score(row["sd"]),
            "ci": interval(row["ci_low"], row["ci_high"]),
            "bounded": interval(row["bounded_low"], row["bounded_high"]),
            "median": score(row["median"], 1),
            "gob": score(100 * row.get("gob", nan), 0),
            "pow": score(100 * row.get("pow", nan), 0),
            "counts": ", ".join(f"{row[name]} rated {value:g}" for name, value in values.items()),
            "bar": _bar(row, list(values)),
            "remark": row["remark"],
        }
        for row in rows.to_dict("records")
    ]


def _bar(row: dict[Any, Any], names: Sequence[str]) -> SafeString:
    """Return the row's shares as rectangles of an SVG 100 wide; in one piece, as a page may have thousands.

    names: the columns of counts, lowest category first. The five colours are spread over them.
    """
    parts, start = [], 0.0
    for place, name in enumerate(names):
        width = 100 * row[name] / row["n"] if row["n"] else 0.0
        if width:
            colour = 1 + round(4 * place / (len(names) - 1))
            parts.append(f'<rect class="c{colour}" x="{start:.2f}" width="{width:.2f}" height="10"/>')
        start += width
    # Numbers alone: nothing to escape.
    return SafeString("".join(parts))
