"""The rows of the first view: each image with its mean, interval, votes and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from django.http import QueryDict

from survey.analysis import QuestionAnalysis
from survey.analysis.items.mos import remarks
from survey.analysis.report.answers import split_letters
from survey.desk.pages.results.chart import WIDTH, axis, bar
from survey.desk.pages.results.pieces import score
from survey.results.export import Export

#: Images that are shown at first.
MAX_SHOWN: Final = 40


def ranking(
    asked: QueryDict,
    names: Mapping[str, str],
    part: QuestionAnalysis,
    labels: Sequence[str],
    groups: Mapping[str, str],
) -> dict[str, Any]:
    """Return the rows, best first, and the axis of their drawings.

    Args:
        asked: the query of the page.
        names: of the items' images, where there are any.
        part: the analysis of the question.
        labels: of the scale's categories.
        groups: the letters of each item, as ``answers.Answer`` has them.
    """
    mos = part.mos.assign(remark=remarks(part.mos))
    mos = mos.sort_values(["mos", "item"], ascending=[False, True], kind="stable")
    shown = mos if "all" in asked else mos.head(MAX_SHOWN)
    ticks = axis(part.scale, labels)
    camps = part.split_votes.beside_scores
    rows = [
        {
            "item": row["item"],
            "image": names.get(row["item"], ""),
            "mos": score(row["mos"]),
            # Where the drawing would be, the page says that there are no ratings.
            "remark": _remark(row["remark"] if row["n"] else "", camps.get(row["item"], "")),
            "bar": bar(row, part.scale),
            "range": _range(row["ci_low"], row["ci_high"]),
            "letters": split_letters(groups.get(row["item"], "")),
        }
        for row in shown.to_dict("records")
    ]
    more = len(mos) if len(shown) < len(mos) else 0
    return {
        "ranking": rows,
        "more_images": more,
        "ticks": ticks,
        "last_tick": ticks[-1],
        "chart_width": WIDTH,
    }


def _remark(of_score: str, camps: str) -> str:
    """Return what to know before a score is quoted. camps: of votes that split, in words."""
    return "; ".join(said for said in (of_score, f"two camps: {camps}" if camps else "") if said)


def factors_of(export: Export) -> pd.DataFrame:
    """Return one row an item with its content and its factors."""
    columns = [name for name in ("content", "style", *export.factors) if name in export.items.columns]
    return export.items[["item", *dict.fromkeys(columns)]]


def _range(low: float, high: float) -> str:
    return "–" if pd.isna(low) else f"{low:.2f} to {high:.2f}"
