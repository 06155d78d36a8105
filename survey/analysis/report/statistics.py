"""The results of a file that holds statistics instead of ratings: tables, summary and report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from survey.analysis.items.mos import mos_from_counts
from survey.analysis.items.sos import pooled_a, sos_a
from survey.analysis.items.split import split_votes
from survey.analysis.items.tally import tally_counts
from survey.analysis.means import compare_means, grim_sentences, means_table
from survey.analysis.reading.statistics import CountsTable, MeansTable
from survey.analysis.report.pages import page
from survey.analysis.report.report import MAX_CELLS, format_cell
from survey.analysis.stamp import computed_by
from survey.analysis.summary import plain
from survey.analysis.terms import ITEMS

_NEEDS: Final = "without single ratings there are no agreement, no screening of participants, no ICC or alpha, no tests of paired ratings"


@dataclass(frozen=True)
class Statistics:
    """What could be done: ``what`` in one sentence, tables by file name, a JSON-ready summary, the report."""

    what: str
    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]
    report: str


def analyse_statistics(found: MeansTable | CountsTable, title: str) -> Statistics:
    """Do what a table of means or counts allows."""
    if isinstance(found, MeansTable):
        return _means(found, title)
    return _counts(found, title)


def _means(found: MeansTable, title: str) -> Statistics:
    means, comparisons = means_table(found.table, found.scale), compare_means(found.table)
    notes = dict(found.notes)
    notes["means"] = f"{notes['means']}; {_NEEDS}" if "means" in notes else f"a table of means: {_NEEDS}"
    if found.table["n"].isna().all():
        notes["grim"] = (
            "the file does not say how many ratings each mean has: give a number by --columns n=45 to test the means"
        )
    elif sentences := grim_sentences(means):
        notes["grim"] = "; ".join(sentences)
    if comparisons.empty:
        notes["comparisons"] = "items cannot be compared: that needs the SD and n of each"
    what = f"A table of {len(means)} means; raw ratings are needed for all but what follows."
    summary = {"kind": "means", "items": len(means), "notes": notes, "stamp": computed_by()}
    method = [
        "Intervals: Student's t from the printed mean, SD and n. Comparisons: Welch's t test, adjusted by Holm; it takes the "
        "ratings of two items as independent, which is cautious where the same people gave both.",
        "GRIM (Brown and Heathers, 2017): a mean of n whole ratings is one of few fractions; a printed mean that none of them "
        "rounds to cannot be such a mean.",
    ]
    return _done(what, {"means": means, "comparisons": comparisons}, summary, notes, method, title)


def _counts(found: CountsTable, title: str) -> Statistics:
    mos = mos_from_counts(found.items, found.counts, scale=found.scale)
    items = tally_counts(found.counts, found.scale)
    split = split_votes(found.items, found.counts, found.scale, terms=ITEMS)
    total = int(found.counts.sum())
    notes = found.notes | {
        "counts": f"a table of counts for each category: {_NEEDS}",
        "split": " ".join(split.sentences),
    }
    what = f"A table of counts: {total} ratings of {len(mos)} items; each rating is taken to be another participant's."
    summary = {
        "kind": "counts",
        "items": len(mos),
        "ratings": total,
        "mean_rating": float((items.mean * items.n).sum() / total) if total else None,
        "sos_a": sos_a(items),
        "sos_a_used": pooled_a(items),
        "split_items": list(split.camps),
        "notes": notes,
        "stamp": computed_by(),
    }
    method = [
        "Intervals: Student's t (ci) and SOS-Wilson (bounded), as for single ratings of one each.",
        "Two camps: the depth of the valley between two peaks of an item's votes, against samples of the best generalised "
        "score distribution with one peak (Janowski et al. 2019), adjusted by Holm.",
    ]
    return _done(what, {"mos": mos, "split": split.table}, summary, notes, method, title)


def _done(
    what: str,
    tables: dict[str, pd.DataFrame],
    summary: dict[str, Any],
    notes: dict[str, str],
    method: list[str],
    title: str,
) -> Statistics:
    shown = {name: table for name, table in tables.items() if len(table)}
    report = page(
        "statistics.html",
        {"cell": format_cell, "numeric": _numeric},
        title=title,
        what=what,
        notes=notes,
        tables=shown,
        method=method,
        most_cells=MAX_CELLS,
    )
    return Statistics(what, shown, plain(summary), report)


def _numeric(frame: pd.DataFrame) -> list[bool]:
    return [pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
