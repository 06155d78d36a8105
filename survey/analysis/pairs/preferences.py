"""The results of a pair study: which images people prefer, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from survey.analysis.items.comparisons import holm, out_of_reach
from survey.analysis.pairs.pairs import bradley_terry, check_choices, record, score_variance
from survey.analysis.stamp import computed_by
from survey.analysis.summary import Summary, plain
from survey.analysis.table import TableError, data_hash, main_phase

SCORE_COLUMNS = ("group", "item", "n", "wins", "ties", "losses", "share", "score", "ci_low", "ci_high")
PAIR_COLUMNS = ("group", "a", "b", "n", "a_wins", "ties", "b_wins", "a_share", "p", "p_holm")
INFORMATIVE = "informative"
"""How ``drawn_by`` calls a pair that was drawn by what earlier answers left open."""
DRAWN_BY_ANSWERS = (
    "pairs were drawn by what earlier answers left open, so that images of like quality met most often: shares of choices and "
    "sign tests would mislead and are left out; the scores of the model hold"
)
IDENTIFYING = ("question", "participant", "first", "second", "phase", "answer")


@dataclass(frozen=True)
class QuestionPreferences:
    """The results of one question.

    Attributes:
        scores: one row an item: ``group,item,n,wins,ties,losses,share,score,ci_low,ci_high``. A group is the items that
            a chain of comparisons connects (those of one content, as a rule); scores are log odds of mean 0 within
            their group and cannot be compared between groups. ``share`` counts a tie as half; it is empty where pairs
            were drawn by earlier answers.
        conditions: the same of conditions, or None without two of them: images of one content compared stand for
            their conditions.
        pairs: ``group,a,b,n,a_wins,ties,b_wins,a_share,p,p_holm``; p of a sign test on the choices that are no ties.
            Share and p are empty where pairs were drawn by earlier answers.
        summary: counts, share of choices for the image shown first, ``notes``.
    """

    scores: pd.DataFrame
    conditions: pd.DataFrame | None
    pairs: pd.DataFrame
    summary: Summary


@dataclass(frozen=True)
class Preferences:
    """The results of each question by its key, and the stamp of data and program."""

    questions: dict[str, QuestionPreferences]
    stamp: Summary

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table, ``question`` first where there are several."""
        names = ("scores", "conditions", "pairs")
        return {name: table for name in names if (table := self._stacked(name)) is not None}

    def _stacked(self, name: str) -> pd.DataFrame | None:
        parts: dict[str, pd.DataFrame | None] = {key: getattr(q, name) for key, q in self.questions.items()}
        there = {key: part for key, part in parts.items() if part is not None}
        if len(self.questions) == 1 or not there:
            return next(iter(there.values()), None)
        stacked = pd.concat([part.assign(question=key) for key, part in there.items()], ignore_index=True)
        stacked.insert(0, "question", stacked.pop("question"))
        return stacked


def analyse_preferences(votes: pd.DataFrame, conditions: Mapping[str, str] | None = None) -> Preferences:
    """Analyse a pair study.

    Args:
        votes: one row a choice: ``participant,first,second,answer`` and, where there are several, ``question``; of
            ``phase``, where there, only main counts. Where any ``drawn_by`` is ``informative``, scores are penalised.
        conditions: the condition of each item that has one.

    Raises:
        TableError: a column or answer is missing or wrong, or no choice counts.
    """
    main = main_phase(votes)
    if main.empty:
        raise TableError("no choice of the main phase")
    check_choices(main)
    parts = {"": main}
    if "question" in main.columns:
        parts = {str(key): rows for key, rows in main.groupby("question", observed=True, sort=True)}
    stamp = {
        **computed_by(),
        "data_sha256": data_hash(main, IDENTIFYING),
        "rows_in": len(votes),
        "rows_of_other_phases": len(votes) - len(main),
        "estimators": {
            "scores": f"Bradley-Terry, Davidson's ties, {_fit(main)}; 95 %, participants as clusters",
            "pairs": "none: drawn by earlier answers"
            if drawn_by_answers(main)
            else "two-sided sign test of decided choices, Holm",
        },
    }
    return Preferences({key: _question(rows, conditions or {}) for key, rows in parts.items()}, plain(stamp))


def drawn_by_answers(choices: pd.DataFrame) -> bool:
    """Return whether any pair was drawn by what earlier answers left open."""
    return "drawn_by" in choices.columns and bool((choices["drawn_by"] == INFORMATIVE).any())


def _fit(choices: pd.DataFrame) -> str:
    return "penalised likelihood" if drawn_by_answers(choices) else "maximum likelihood"


def _question(choices: pd.DataFrame, conditions: Mapping[str, str]) -> QuestionPreferences:
    choices = choices.astype({"first": "str", "second": "str", "answer": "str"})
    notes: dict[str, str] = {}
    variance = score_variance(choices) if drawn_by_answers(choices) else None
    scores = _scores(choices, notes, variance)
    pairs = _pairs(choices, dict(zip(scores["item"], scores["group"], strict=True)))
    if variance is not None:
        notes["pairs"] = DRAWN_BY_ANSWERS
        notes["scores"] = (
            f"the model takes them as normal around 0 with an SD of {np.sqrt(variance):.2f}, estimated from the choices, so "
            "that few comparisons cannot place an image far away"
        )
        scores["share"] = np.nan
        pairs[["a_share", "p", "p_holm"]] = np.nan
    elif reach := out_of_reach(pairs["n"], pairs["n"] - pairs["ties"]):
        notes["pairs"] = (
            f"at most {reach.differing} choices between the same two images were no ties, and so few {reach.rest}; it takes "
            f"{reach.fewest} for the same image"
        )
    decided = choices[choices["answer"] != "tie"]
    first = int((decided["answer"] == "first").sum())
    summary: dict[str, Any] = {
        "items": len(scores),
        "participants": choices["participant"].nunique(),
        "choices": len(choices),
        "ties": len(choices) - len(decided),
        "chose_first": first / len(decided) if len(decided) else None,
        "score_sd": None if variance is None else float(np.sqrt(variance)),
        "chose_first_p": _sign_test(first, len(decided)) if len(decided) else None,
    }
    of_conditions = _by_condition(choices, conditions, notes)
    return QuestionPreferences(scores, of_conditions, pairs, plain(summary) | {"notes": notes})


def scores_of(choices: pd.DataFrame) -> pd.DataFrame:
    """Return `QuestionPreferences.scores` of one question's choices, without the rest of its analysis."""
    choices = choices.astype({"first": "str", "second": "str", "answer": "str"})
    return _scores(choices, {}, score_variance(choices) if drawn_by_answers(choices) else None)


def _scores(choices: pd.DataFrame, notes: dict[str, str], variance: float | None) -> pd.DataFrame:
    """Return scores of each connected group of items on its own scale, penalised by a variance if it is given."""
    group = _groups(choices)
    parts = []
    for name in sorted(set(group.values())):
        mine = choices[choices["first"].map(group) == name]
        try:
            table = bradley_terry(mine, variance).items
        except TableError as error:
            notes[f"scores of {name}"] = str(error)
            # Their wins and losses remain valid.
            table = record(mine).assign(score=np.nan, ci_low=np.nan, ci_high=np.nan)
        parts.append(table.assign(group=name, share=(table["wins"] + table["ties"] / 2) / table["n"]))
    return pd.concat(parts, ignore_index=True)[list(SCORE_COLUMNS)]


def _groups(choices: pd.DataFrame) -> dict[str, str]:
    """{item: its group}: the items that a chain of comparisons connects.

    A group is named by the content of its items or, where that is not one alone, by its first item; ``all`` where
    there is but one.
    """
    codes, names = pd.factorize(pd.concat([choices["first"], choices["second"]]), sort=True)
    first, second = codes[: len(choices)], codes[len(choices) :]
    graph = sparse.coo_array((np.ones(len(choices)), (first, second)), shape=(len(names),) * 2)
    parts, part = connected_components(graph, directed=False)
    if parts == 1:
        return dict.fromkeys(names, "all")
    label = {p: str(names[np.flatnonzero(part == p)[0]]) for p in range(parts)}
    if "content" in choices.columns:
        contents = choices["content"].astype("object").groupby(part[first]).unique()
        if contents.str.len().eq(1).all() and contents.str[0].is_unique:
            label = dict(zip(map(int, contents.index), contents.str[0].astype("str"), strict=True))
    return {str(name): label[int(p)] for name, p in zip(names, part, strict=True)}


def _pairs(choices: pd.DataFrame, group: Mapping[str, str]) -> pd.DataFrame:
    turned = choices["first"] > choices["second"]
    a, b = choices["first"].mask(turned, choices["second"]), choices["second"].mask(turned, choices["first"])
    answer = choices["answer"]
    for_a = (answer == "first") & ~turned | (answer == "second") & turned
    frame = pd.DataFrame({"a": a, "b": b, "a_wins": for_a, "ties": answer == "tie"}).assign(n=1)
    table = frame.groupby(["a", "b"], as_index=False)[["n", "a_wins", "ties"]].sum()
    table["b_wins"] = table["n"] - table["a_wins"] - table["ties"]
    table["a_share"] = (table["a_wins"] + table["ties"] / 2) / table["n"]
    decided = zip(table["a_wins"], table["n"] - table["ties"], strict=True)
    table["p"] = [_sign_test(int(k), int(n)) if n else 1.0 for k, n in decided]
    table["p_holm"] = holm(table["p"].to_numpy(np.float64))
    table["group"] = table["a"].map(group)
    return table[list(PAIR_COLUMNS)]


def _sign_test(wins: int, of: int) -> float:
    """Return the two-sided p of so many wins under even odds."""
    # Imported here, since it takes half a second and few need it.
    from scipy import stats

    return float(stats.binomtest(wins, of).pvalue)


def _by_condition(
    choices: pd.DataFrame, conditions: Mapping[str, str], notes: dict[str, str]
) -> pd.DataFrame | None:
    """Return scores of conditions, from the pairs whose images differ in theirs."""
    first, second = choices["first"].map(conditions), choices["second"].map(conditions)
    between = first.notna() & second.notna() & (first != second)
    if not between.any():
        return None
    rows = choices[between].assign(first=first[between], second=second[between])
    of_conditions: dict[str, str] = {}
    variance = score_variance(rows) if drawn_by_answers(rows) else None
    table = _scores(rows, of_conditions, variance).rename(columns={"item": "condition"})
    if variance is not None:
        table["share"] = np.nan
    notes |= {f"conditions: {name}": text for name, text in of_conditions.items()}
    return table
