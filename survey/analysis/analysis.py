"""One function, ``analyse``: a tidy table in, every table of the analysis out."""

from __future__ import annotations

import platform
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import scipy
import statsmodels

from survey.analysis.correlation import panel_correlation
from survey.analysis.intervals import Method
from survey.analysis.mos import category_counts, mos_table
from survey.analysis.recovery import Recovery, recover
from survey.analysis.screening import bt500, p913_rejected, screen
from survey.analysis.sos import pooled_a, sos_a
from survey.analysis.table import Coded, Ratings, TableError, check, code, data_hash, main_phase

Summary = dict[str, Any]


@dataclass(frozen=True)
class QuestionAnalysis:
    """The results of one question.

    Attributes:
        mos: one row an item, see ``mos.mos_table``.
        observers: one row a participant: ``participant,n,mean,sd,correlation,bt500_rejected,
            p913_correlation_rejected,bias,inconsistency`` (the last two of the strict subject model).
        recovered: ``item,quality,ci_low,ci_high``, strict subject model.
        recovered_shrunken: the same of the variant that is safe for participants with few ratings.
        observer_model: bias and inconsistency with intervals, strict; see ``recovery.Recovery.observers``.
        screening: every rule for every participant, see ``screening.screen``.
        summary: what one number says of the study, JSON-ready; None where the data do not allow it, with the
            reason under ``notes``.
    """

    mos: pd.DataFrame
    observers: pd.DataFrame
    recovered: pd.DataFrame
    recovered_shrunken: pd.DataFrame
    observer_model: pd.DataFrame
    screening: pd.DataFrame
    summary: Summary


@dataclass(frozen=True)
class Analysis(QuestionAnalysis):
    """The results of one table: those of its question or, with several, all of them with ``question`` as the first
    column of every table, their summaries under ``summary["questions"]`` and the whole counted above them.

    Attributes:
        questions: the results of each question by its name; ``""`` where the table has no column ``question``.
        stamp: what was analysed by what: rows, hash of the data, seed, versions.
    """

    questions: dict[str, QuestionAnalysis]
    stamp: Summary

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table that the data allow, by its file name without ending."""
        frames = {field.name: getattr(self, field.name) for field in fields(QuestionAnalysis)}
        return {name: frame for name, frame in frames.items() if isinstance(frame, pd.DataFrame)}


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
    if main_phase(ratings.table).empty:
        raise TableError("no rating of the main phase")
    questions = {name: _analyse_one(rows, ci, seed) for name, rows in _questions(ratings.table).items()}
    stamp = _stamp(ratings, seed)
    frames = {f.name: _stack(questions, f.name) for f in fields(QuestionAnalysis) if f.name != "summary"}
    summary = _summary(ratings, questions) | {"stamp": stamp}
    return Analysis(**frames, summary=summary, questions=questions, stamp=stamp)


def _stack(questions: dict[str, QuestionAnalysis], name: str) -> Any:
    frames: dict[str, pd.DataFrame | None] = {key: getattr(part, name) for key, part in questions.items()}
    there = {key: frame for key, frame in frames.items() if frame is not None}
    if len(questions) == 1 or not there:
        return next(iter(there.values()), None)
    stacked = pd.concat([frame.assign(question=key) for key, frame in there.items()], ignore_index=True)
    stacked.insert(0, "question", stacked.pop("question"))
    return stacked


def _questions(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "question" not in rows.columns:
        return {"": rows}
    names = rows["question"].astype("object").where(rows["question"].notna(), "")
    parts = {str(name): rows[names == name] for name in sorted(names.unique())}
    return {name: part for name, part in parts.items() if len(main_phase(part))}


def _analyse_one(rows: pd.DataFrame, ci: Method, seed: int) -> QuestionAnalysis:
    main = main_phase(rows)
    ratings = code(main)
    condition = main["condition"].to_numpy(object) if "condition" in main.columns else None
    strict, shrunken = recover(ratings, "strict"), recover(ratings, "shrunken")
    notes: dict[str, str] = {}
    summary = _counts(ratings)
    summary |= _sos(ratings, notes)
    summary["notes"] = notes
    return QuestionAnalysis(
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


def _summary(ratings: Ratings, questions: dict[str, QuestionAnalysis]) -> Summary:
    parts = {name: part.summary for name, part in questions.items()}
    first = next(iter(parts.values()))
    if len(parts) == 1:
        return first | {"notes": ratings.notes | first["notes"]}
    main = main_phase(ratings.table)
    counts = {
        "items": main["item"].nunique(),
        "participants": main["participant"].nunique(),
        "ratings": len(main),
    }
    notes = ratings.notes | {"questions": "several questions: the numbers of each are under 'questions'"}
    return dict.fromkeys(first) | counts | {"notes": notes, "questions": parts}


def _stamp(ratings: Ratings, seed: int) -> Summary:
    packages = {module.__name__: module.__version__ for module in (np, pd, scipy, statsmodels)}
    return {
        "data_sha256": data_hash(ratings.table),
        "rows_in": ratings.rows_in,
        "rows_left_out": ratings.left_out,
        "rows_of_other_phases": len(ratings.table) - len(main_phase(ratings.table)),
        "seed": seed,
        "versions": {
            "python": platform.python_version(),
            **packages,
            "krippendorff": version("krippendorff"),
        },
    }
