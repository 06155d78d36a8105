"""One function, ``analyse``: a tidy table in, every table of the analysis out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from survey.analysis.correlation import panel_correlation
from survey.analysis.intervals import Method
from survey.analysis.mos import category_counts, mos_table
from survey.analysis.recovery import Recovery, recover
from survey.analysis.screening import bt500, p913_rejected, screen
from survey.analysis.sos import pooled_a, sos_a
from survey.analysis.table import Coded, Ratings, TableError, check, code, main_phase

Summary = dict[str, Any]


@dataclass(frozen=True)
class Analysis:
    """The results of one table; every DataFrame has ``question`` first where the table has several questions.

    Attributes:
        mos: one row an item, see ``mos.mos_table``.
        observers: one row a participant: ``participant,n,mean,sd,correlation,bt500_rejected,
            p913_correlation_rejected,bias,inconsistency`` (the last two of the strict subject model).
        recovered: ``item,quality,ci_low,ci_high``, strict subject model.
        recovered_shrunken: the same of the variant that is safe for participants with few ratings.
        observer_model: bias and inconsistency with intervals, strict; see ``recovery.Recovery.observers``.
        screening: every rule for every participant, see ``screening.screen``.
        summary: what one number says of the study; None where the data do not allow it, with the reason under
            ``notes``; with several questions each has its own under ``questions``.
    """

    mos: pd.DataFrame
    observers: pd.DataFrame
    recovered: pd.DataFrame
    recovered_shrunken: pd.DataFrame
    observer_model: pd.DataFrame
    screening: pd.DataFrame
    summary: Summary


def analyse(table: pd.DataFrame | Ratings, *, ci: Method = "t", seed: int = 0) -> Analysis:
    """Everything that the results page, the exports and ``manage.py analyse`` show.

    Args:
        table: a tidy table, as read or as ``table.check`` returned it.
        ci: the interval in ``mos``'s ``ci_low`` and ``ci_high``.
        seed: of everything random.

    Raises:
        TableError: the table is not one of ratings, or has no rating of the main phase.
    """
    ratings = table if isinstance(table, Ratings) else check(table)
    rows = ratings.table
    if main_phase(rows).empty:
        raise TableError("no rating of the main phase")
    questions = _questions(rows)
    parts = {question: _analyse_one(part, ci, seed) for question, part in questions.items()}
    summary = _whole_summary(ratings, {question: part.summary for question, part in parts.items()})
    if len(parts) == 1:
        only = next(iter(parts.values()))
        return Analysis(**{**only.__dict__, "summary": summary})
    frames = {name: _stack(parts, name) for name in Analysis.__annotations__ if name != "summary"}
    return Analysis(**frames, summary=summary)


def _questions(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "question" not in rows.columns or rows["question"].nunique(dropna=False) < 2:
        return {"": rows}
    names = rows["question"].fillna("")
    parts = {str(name): rows[names == name] for name in sorted(names.unique())}
    return {name: part for name, part in parts.items() if len(main_phase(part))}


def _stack(parts: dict[str, Analysis], name: str) -> pd.DataFrame:
    frames = []
    for question, part in parts.items():
        frame: pd.DataFrame = getattr(part, name).copy()
        frame.insert(0, "question", question)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _analyse_one(rows: pd.DataFrame, ci: Method, seed: int) -> Analysis:
    main = main_phase(rows)
    ratings = code(main)
    condition = main["condition"].to_numpy(object) if "condition" in main.columns else None
    strict, shrunken = recover(ratings, "strict"), recover(ratings, "shrunken")
    notes: dict[str, str] = {}
    summary = _counts(ratings)
    summary |= _sos(ratings, notes)
    summary["notes"] = notes
    return Analysis(
        mos=mos_table(ratings, ci=ci, seed=seed),
        observers=_observers(ratings, condition, strict),
        recovered=strict.items,
        recovered_shrunken=shrunken.items,
        observer_model=strict.observers,
        screening=screen(rows),
        summary=summary,
    )


def _observers(ratings: Coded, condition: Any, model: Recovery) -> pd.DataFrame:
    people = len(ratings.participants)
    n = np.bincount(ratings.participant, minlength=people)
    total = np.bincount(ratings.participant, ratings.rating, people)
    square = np.bincount(ratings.participant, ratings.rating**2, people)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.where(n > 1, np.sqrt((n * square - total**2) / (n * (n - 1))), np.nan)
    correlation = panel_correlation(ratings, condition)
    return pd.DataFrame(
        {
            "participant": ratings.participants,
            "n": n,
            "mean": total / n,
            "sd": sd,
            "correlation": correlation.pearson,
            "bt500_rejected": bt500(ratings).rejected,
            "p913_correlation_rejected": p913_rejected(correlation),
            "bias": model.observers["bias"],
            "inconsistency": model.observers["inconsistency"],
        }
    )


def _counts(ratings: Coded) -> Summary:
    return {
        "items": len(ratings.items),
        "participants": len(ratings.participants),
        "ratings": len(ratings.rating),
        "mean_rating": float(ratings.rating.mean()),
    }


def _sos(ratings: Coded, notes: dict[str, str]) -> Summary:
    counts = category_counts(ratings)
    a = sos_a(counts)
    if np.isnan(a):
        notes["sos_a"] = "no item with two ratings and a mean inside the scale"
    return {"sos_a": None if np.isnan(a) else a, "sos_a_used": pooled_a(counts)}


def _whole_summary(ratings: Ratings, parts: dict[str, Summary]) -> Summary:
    stamp = {"rows_in": ratings.rows_in, "rows_left_out": ratings.left_out}
    if len(parts) == 1:
        summary = dict(next(iter(parts.values())))
        return summary | stamp | {"notes": ratings.notes | summary["notes"]}
    main = main_phase(ratings.table)
    keys: Iterable[str] = next(iter(parts.values()))
    summary = dict.fromkeys(keys) | {
        "items": main["item"].nunique(),
        "participants": main["participant"].nunique(),
        "ratings": len(main),
    }
    notes = ratings.notes | {"questions": "several questions: each has its own numbers under 'questions'"}
    return summary | stamp | {"notes": notes, "questions": parts}
