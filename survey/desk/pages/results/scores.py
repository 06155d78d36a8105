"""The MOS table on a page; of a large study it is the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from survey.analysis.items.mos import count_columns, remarks
from survey.analysis.scale import ACR, Scale
from survey.desk.pages.results.files import DOWNLOADS
from survey.desk.pages.results.pieces import file_response, interval, page_context, score
from survey.desk.pages.results.switches import CI_NAMES, question_switch
from survey.exports import background
from survey.exports.tables import csv_bytes
from survey.models import Study
from survey.results.collect import exclusions, texts_of


def large_results(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the scores of a large study as they were last computed, when that was, and how to have the rest."""
    figures, wanted = background.figures(study)
    questions = texts_of(study)
    switch, key = question_switch(request.GET, questions)
    context = page_context(request, study) | {"wanted": wanted}
    if figures is None:
        return render(request, "survey/researcher/being_made.html", context | {"label": "The results"})
    if key not in figures.mos:
        return render(request, "survey/researcher/no_results.html", context)
    mos = figures.mos[key]
    shown = next(question for question in questions if question.key == key)
    context |= {
        "switches": {"shown": [switch] if len(questions) > 1 else []},
        "query": f"question={key}",
        "question": shown,
        "scores": scores(image_names(study), mos, shown.scale),
        "ci_name": CI_NAMES["t"],
        "excluded": len(exclusions(study)),
        "ratings": f"{mos['n'].sum():,}",
        "downloads": DOWNLOADS,
    }
    return render(request, "survey/researcher/large_results.html", context)


def large_table(request: HttpRequest, study: Study) -> HttpResponse:
    """Return the MOS table of a large study as CSV, as the page shows it."""
    _, key = question_switch(request.GET, texts_of(study))
    figures, _ = background.figures(study)
    if figures is None or key not in figures.mos:
        raise Http404(f"the scores of {study.slug} are not computed yet")
    return file_response(csv_bytes(figures.mos[key]), f"{study.slug}_{key}_mos.csv")


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
