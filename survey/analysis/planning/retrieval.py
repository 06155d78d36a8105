"""How well an analysis recovers a simulated study's truth: errors, coverage of intervals, and detected participants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from survey.analysis.analysis import analyse
from survey.analysis.items.mos import mos_table
from survey.analysis.pairs.preferences import analyse_preferences
from survey.analysis.participants.rules import RULES
from survey.analysis.participants.screening import flagged
from survey.analysis.planning.simulation import KINDS
from survey.analysis.report.pages import page
from survey.analysis.summary import Summary, plain
from survey.analysis.table import Ratings, check, code, main_phase

Floats = NDArray[np.float64]


def retrieval(
    table: pd.DataFrame | Ratings, truth: Mapping[str, pd.DataFrame], kinds: Mapping[str, str]
) -> Summary:
    """Analyse simulated ratings and compare the results with what they were drawn from.

    Args:
        table: tidy ratings of one or more questions, checked where their scales are others than 1 to 5.
        truth: of each question ``item,mos``: the mean rating of honest people without end.
        kinds: what each participant was, of ``simulation.KINDS``.

    Returns:
        ``scores``: one row a question and panel (everyone; flagged left out; weighted by the subject model): RMSE,
        Pearson and Spearman correlation with the truth, coverage and mean width of the 95 % intervals; ``people``: one
        row a kind: how many there were, how many a rule that leaves out flagged, and by which rules.
    """
    ratings = table if isinstance(table, Ratings) else check(table)
    analysis = analyse(ratings)
    scores, out = [], set()
    for key, part in analysis.questions.items():
        rows = main_phase(ratings.table)
        rows = rows[rows["question"] == key] if key else rows
        out |= {*flagged(part.screening)}
        kept = rows[~rows["participant"].isin(flagged(part.screening))]
        model = part.recovered_shrunken.rename(columns={"quality": "mos"})
        panels = {
            "everyone": part.mos,
            "flagged left out": mos_table(code(kept, part.scale)),
            "weighted": model,
        }
        for panel, found in panels.items():
            scores.append({"question": key, "panel": panel, **_errors(found, truth[key])})
    caught = pd.concat([part.screening for part in analysis.questions.values()])
    return Summary(plain({"scores": scores, "people": _people(kinds, out, caught)}))


def preference_retrieval(
    votes: pd.DataFrame, truth: Mapping[str, pd.DataFrame], kinds: Mapping[str, str]
) -> Summary:
    """Return the same for a pair study: Spearman and Pearson correlations of scores and truth within compared groups."""
    scores = []
    for key, part in analyse_preferences(votes).questions.items():
        both = part.scores.dropna(subset=["score"]).merge(truth[key], on="item")
        score, true = (
            both[name] - both.groupby("group")[name].transform("mean") for name in ("score", "mos")
        )
        scores.append(
            {"question": key, "panel": "everyone", "items": len(both), **_correlations(score, true)}
        )
    return Summary(plain({"scores": scores, "people": _people(kinds, None, None)}))


def _errors(found: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    both = found.merge(truth, on="item", suffixes=("", "_true"))
    error = both["mos"] - both["mos_true"]
    result = {
        "items": len(both),
        "rmse": np.sqrt((error**2).mean()),
        "mean_error": error.mean(),
        **_correlations(both["mos"], both["mos_true"]),
        "ci_coverage": _coverage(both, "ci"),
        "ci_width": (both["ci_high"] - both["ci_low"]).mean(),
    }
    if "bounded_low" in both.columns:
        result["bounded_coverage"] = _coverage(both, "bounded")
        result["bounded_width"] = (both["bounded_high"] - both["bounded_low"]).mean()
    return result


def _coverage(both: pd.DataFrame, name: str) -> float:
    """Return the share of items whose interval is defined and contains the true score."""
    return float(both["mos_true"].between(both[f"{name}_low"], both[f"{name}_high"]).mean())


def _correlations(found: pd.Series, true: pd.Series) -> dict[str, float]:
    if len(found) < 3 or np.ptp(found) == 0 or np.ptp(true) == 0:
        return {"pearson": float("nan"), "spearman": float("nan")}
    return {
        "pearson": float(stats.pearsonr(found, true).statistic),
        "spearman": float(stats.spearmanr(found, true).statistic),
    }


def _people(
    kinds: Mapping[str, str], out: set[str] | None, screening: pd.DataFrame | None
) -> list[dict[str, Any]]:
    """Return how many of each kind there were and, where screening can tell, were flagged; honest ones are false alarms."""
    rows = []
    for kind in KINDS:
        people = {name for name, of in kinds.items() if of == kind}
        if not people:
            continue
        row: dict[str, Any] = {"kind": kind, "people": len(people)}
        if out is not None and screening is not None:
            mine = screening[screening["participant"].isin(people) & (screening["verdict"] == "flagged")]
            by_rule = {rule: mine.loc[mine["rule"] == rule, "participant"].nunique() for rule in RULES}
            row["flagged"] = len(people & out)
            row["by_rule"] = {rule: count for rule, count in by_rule.items() if count}
        rows.append(row)
    return rows


def retrieval_text(report: Summary) -> str:
    """Return the report as lines of text: what it says first, then its numbers."""
    lines = [*sentences(report), "", "In numbers:"]
    for row in report["scores"]:
        about = f"{row['question']}, {row['panel']}: " if row["question"] else f"{row['panel']}: "
        numbers = [f"{name} {row[key]:.3f}" for key, name in _MEASURES.items() if row.get(key) is not None]
        lines.append(f"  {about}{', '.join(numbers)}")
    for row in report["people"]:
        lines.append(f"  {row['people']} {row['kind']}{_caught(row)}")
    return "\n".join(lines)


def sentences(report: Summary) -> list[str]:
    """Return what the report says, for a reader who is no statistician: how near the scores came, and who was marked."""
    people = sum(row["people"] for row in report["people"])
    marked = sum(row.get("flagged", 0) for row in report["people"])
    said = []
    for question in dict.fromkeys(row["question"] for row in report["scores"]):
        panels = {row["panel"]: row for row in report["scores"] if row["question"] == question}
        about = f" on “{question}”" if len(report["scores"]) > len(panels) else ""
        said += _nearness(panels, people, marked, about)
    return said + _marked(report["people"])


def _nearness(panels: Mapping[str, Mapping[str, Any]], people: int, marked: int, about: str) -> list[str]:
    everyone = panels["everyone"]
    order = everyone.get("spearman")
    if order is None:
        said = [
            f"Whether this study finds the true order{about} cannot be told: it has too few images, or all are rated alike."
        ]
    else:
        who = "1 such person" if people == 1 else f"{people} such people"
        word = next(word for least, word in _ORDER if order >= least)
        said = [
            f"With {who}, this study finds the true order of the images{about} {word}: {order:.2f}, where 1 is perfect."
        ]
    if everyone.get("rmse") is not None:
        said.append(f"Scores are off by {everyone['rmse']:.2f} points, as a rule.")
    if (coverage := everyone.get("ci_coverage")) is not None:
        held = round(coverage * everyone["items"])
        said.append(
            f"The 95 % interval holds the true score of {held} of {everyone['items']} images; 95 of 100 is right."
        )
    without = panels.get("flagged left out")
    if marked and without is not None and None not in (without.get("rmse"), everyone.get("rmse")):
        said.append(_without(everyone["rmse"], without["rmse"]))
    return said


_ORDER = ((0.95, "very well"), (0.85, "well"), (0.6, "roughly"), (float("-inf"), "badly; ask more people"))


def _without(everyone: float, left: float) -> str:
    numbers = f"off by {left:.2f} instead of {everyone:.2f}"
    if left < 0.9 * everyone:
        return f"Without the marked people the scores come nearer: {numbers}."
    if left > 1.1 * everyone:
        return f"Without the marked people the scores are worse: {numbers}. Keep everyone."
    return f"Leaving the marked people out changes little: {numbers}."


def _marked(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return how many careless people screening marked, and how many careful ones by mistake."""
    judged = [row for row in rows if "flagged" in row]
    if not judged:
        return []
    careless = [row for row in judged if row["kind"] != "honest"]
    careful = sum(row["people"] for row in judged) - sum(row["people"] for row in careless)
    wrongly = sum(row["flagged"] for row in judged if row["kind"] == "honest")
    found = (
        f"{sum(row['flagged'] for row in careless)} of {sum(row['people'] for row in careless)} careless people, and "
        if careless
        else ""
    )
    return [f"Screening marked {found}{wrongly} of {careful} careful people by mistake."]


_MEASURES = {
    "rmse": "RMSE",
    "mean_error": "mean error",
    "pearson": "Pearson r",
    "spearman": "Spearman r",
    "ci_coverage": "coverage of the 95 % interval",
    "ci_width": "its width",
    "bounded_coverage": "coverage of the bounded one",
    "bounded_width": "its width",
}


def _caught(row: Mapping[str, Any]) -> str:
    if "flagged" not in row:
        return ""
    word = "false alarms" if row["kind"] == "honest" else "caught"
    rules = ", ".join(f"{rule} {count}" for rule, count in row["by_rule"].items())
    return f": {row['flagged']} {word}" + (f" ({rules})" if rules else "")


def retrieval_html(report: Summary, title: str) -> str:
    """Return the report as one self-contained page."""
    shown = {key: name for key, name in _MEASURES.items() if any(key in row for row in report["scores"])}
    return page("retrieval.html", title=title, said=sentences(report), report=report, measures=shown)
