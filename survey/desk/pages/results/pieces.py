"""Pieces of a results page: tables as text, plots with their numbers, an answer with a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.http import HttpRequest, HttpResponse

from survey.access.studies import own_studies
from survey.analysis.covariates.labels import with_labels
from survey.analysis.plots import FORMATS, Plot
from survey.analysis.report.report import MAX_CELLS, format_cell
from survey.models import Study


@dataclass(frozen=True)
class Table:
    """A table ready for a page; `rows` is None where it is too long for one. `words` say how to read it, or are empty."""

    title: str
    csv: str
    columns: list[tuple[str, bool]]
    rows: list[list[str]] | None
    length: int
    words: str = ""


@dataclass(frozen=True)
class Figure:
    """A plot on the page: the picture is an address, its numbers stand under it.

    Attributes:
        plot: What is drawn.
        table: The numbers.
        width: Of the drawing, in points; with `height`, the page keeps its place while it is drawn.
        height: Of the drawing, in points.
        caution: What limits it in this study.
    """

    plot: Plot[Any]
    table: Table
    width: int
    height: int
    caution: str = ""


def page_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what a results page says of who reads it: by a share link, or as somebody who may change the study."""
    shared = "token" in (request.resolver_match.kwargs if request.resolver_match else {})
    may_change = not shared and own_studies(request.user).filter(pk=study.pk).exists()
    return {"study": study, "shared": shared, "may_change": may_change}


def figure(plot: Plot[Any], numbers: pd.DataFrame, csv: str, caution: str = "") -> Figure:
    """Return a plot with its numbers and its size. csv: the address of the numbers. caution: what limits it in this study."""
    return Figure(plot, page_table(plot.title, numbers, csv), *plot.shape(numbers), caution)


def page_table(title: str, frame: pd.DataFrame, csv: str, words: str = "") -> Table:
    """Return a table's cells as text, or none of them where it is longer than a page bears. csv: its address. words: how to read it."""
    frame = with_labels(frame)
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns]
    rows = None
    if frame.size <= MAX_CELLS:
        rows = [[format_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return Table(
        title, csv, list(zip(map(str, frame.columns), numeric, strict=True)), rows, len(frame), words
    )


def file_response(data: bytes, name: str) -> HttpResponse:
    """Return a plot or a table under its file name: pictures to look at, all else to keep."""
    ending = name.rpartition(".")[2]
    response = HttpResponse(data, content_type=FORMATS.get(ending, "text/csv; charset=utf-8"))
    disposition = "inline" if ending in ("svg", "png") else "attachment"
    response["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response


def score(value: float, digits: int = 2) -> str:
    """Return a number for a table of scores, a dash for none, and 0.00 without a sign."""
    return "–" if pd.isna(value) else f"{round(value, digits) + 0.0:.{digits}f}"


def interval(low: float, high: float) -> str:
    """Return an interval for a table of scores, a dash for none."""
    return "–" if pd.isna(low) else f"[{low:.2f}, {high:.2f}]"
