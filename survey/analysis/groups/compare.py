"""Groups of participants on one question: Welch's test on people's means, and a mixed model with the group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.analysis.distributions import t_critical
from survey.analysis.effects.effects import MAX_WORK, MAX_WORK_ON_A_PAGE
from survey.analysis.effects.reml import Floats, Ints, RandomParts, RemlFit, fit_reml
from survey.analysis.factors import splits_people
from survey.analysis.findings import Found, typed_table
from survey.analysis.groups.welch import welch, welch_anova
from survey.analysis.groups.words import sentences
from survey.analysis.items.comparisons import holm
from survey.analysis.table import main_phase
from survey.analysis.terms import IMAGES, Terms

GROUP_COLUMNS: Final = (
    "kind",
    "item",
    "group",
    "against",
    "participants",
    "n",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "statistic",
    "df1",
    "df2",
    "p",
    "p_holm",
    "g",
    "note",
)
PILOT: Final = 5
"""People a group needs, so that its comparison is more than a pilot."""
_ROUNDS: Final = 700


@dataclass(frozen=True)
class Comparison(Found):
    """The groups on one question.

    Attributes:
        table: columns GROUP_COLUMNS; a row's ``kind`` is mean, difference or test (people's means, Welch), model or
            model test (the mixed model), item (one item, Welch), or variance.
        sentences: the finding, one plain sentence first.
        remarks: what limits it.
        by_model: whether the mixed model was fitted.
    """

    table: pd.DataFrame
    sentences: list[str]
    remarks: list[str]
    by_model: bool


@dataclass(frozen=True)
class _Panel:
    """One row a participant and item: the mean of what this person said of it; codes into sorted names."""

    rating: Floats
    participant: Ints
    item: Ints
    group: Ints
    groups: list[str]
    items: list[str]
    group_of_person: Ints
    n: Ints

    @property
    def same_items(self) -> bool:
        """Whether every group rated every item."""
        pairs = np.unique(self.group * len(self.items) + self.item)
        return len(pairs) == len(self.groups) * len(self.items)

    def means(self, group: int) -> Floats:
        """Return the mean of each person of a group, over the items that they rated."""
        count = len(self.group_of_person)
        totals = np.bincount(self.participant, self.rating, count)
        each = totals / np.bincount(self.participant, minlength=count)
        return np.asarray(each[self.group_of_person == group])

    def of_item(self, item: int, group: int) -> Floats:
        """Return what the people of a group said of an item."""
        return np.asarray(self.rating[(self.item == item) & (self.group == group)])


@dataclass(frozen=True)
class GroupComparison:
    """The groups of one question's participants, compared when first asked for."""

    rows: pd.DataFrame
    terms: Terms = IMAGES

    @cached_property
    def groups(self) -> list[str]:
        """The groups, by name; fewer than two are no groups."""
        if not splits_people(self.rows):
            return []
        return sorted(main_phase(self.rows)["group"].dropna().astype("str").unique())

    @cached_property
    def _panel(self) -> _Panel:
        return _panel_of(main_phase(self.rows))

    @cached_property
    def _work(self) -> float:
        panel = self._panel
        right = len(panel.items) * (1 + len(panel.groups))
        people = len(panel.group_of_person)
        # People of a group who all rated the same items enter the model together.
        patterns = len(panel.groups) if len(panel.rating) == people * len(panel.items) else people
        return float(_ROUNDS * (patterns * right**2 + right**3 / 3))

    @cached_property
    def slow(self) -> bool:
        """Whether the mixed model is too large for a page to wait for."""
        return len(self.groups) > 1 and self._work > MAX_WORK_ON_A_PAGE

    @cached_property
    def quick(self) -> Comparison | None:
        """The comparison without the mixed model; None without groups."""
        return _compare(self._panel, self.terms, "") if len(self.groups) > 1 else None

    @cached_property
    def result(self) -> Comparison | None:
        """The comparison; None without groups."""
        if len(self.groups) < 2:
            return None
        too_large = f"there are too many {self.terms.item}s for the mixed model"
        return _compare(self._panel, self.terms, too_large if self._work > MAX_WORK else None)


def _panel_of(main: pd.DataFrame) -> _Panel:
    rows = main[main["group"].notna()]
    names = ["participant", "group", "item"]
    table = rows[names].astype("str").assign(rating=rows["rating"].astype("float64"))
    cells = table.groupby(names, sort=True)["rating"].mean().reset_index()
    people, person = np.unique(cells["participant"].to_numpy(str), return_inverse=True)
    groups, group = np.unique(cells["group"].to_numpy(str), return_inverse=True)
    items, item = np.unique(cells["item"].to_numpy(str), return_inverse=True)
    of_person = np.zeros(len(people), np.int64)
    of_person[person] = group
    counts = np.asarray(table["group"].value_counts().reindex(groups), np.int64)
    return _Panel(
        cells["rating"].to_numpy(np.float64),
        person.astype(np.int64),
        item.astype(np.int64),
        group.astype(np.int64),
        groups.tolist(),
        items.tolist(),
        of_person,
        counts,
    )


def _compare(panel: _Panel, terms: Terms, without_model: str | None) -> Comparison:
    """Compare by Welch and, unless a reason is given ("" for none to tell), by the mixed model."""
    rows = _mean_rows(panel)
    if panel.same_items:
        rows += _welch_rows(panel)
    people = [len(panel.means(group)) for group in range(len(panel.groups))]
    fit = _model(panel, people) if without_model is None else None
    if fit is not None:
        rows += _model_rows(panel, fit)
    if panel.same_items:
        rows += _item_rows(panel)
    if fit is not None:
        rows += [
            {"kind": "variance", "note": name, "estimate": value} for name, value in fit.variances.items()
        ]
    table = _table(rows)
    remarks = _remarks(panel, people, terms, without_model)
    return Comparison(
        table, sentences(table, panel.groups, people, terms, panel.same_items), remarks, fit is not None
    )


def _table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    text = ("kind", "item", "group", "against", "note")
    return typed_table(rows, GROUP_COLUMNS, text, ("participants", "n"))


def _mean_rows(panel: _Panel) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for group, name in enumerate(panel.groups):
        means = panel.means(group)
        sd = float(means.std(ddof=1)) if len(means) > 1 else float("nan")
        mean, se = float(means.mean()), sd / np.sqrt(len(means))
        half = float(t_critical(len(means) - 1)) * se if len(means) > 1 else float("nan")
        rows.append(
            {
                "kind": "mean",
                "group": name,
                "participants": len(means),
                "n": int(panel.n[group]),
                "estimate": mean,
                "se": se,
                "ci_low": mean - half,
                "ci_high": mean + half,
            }
        )
    return rows


def _pairs(panel: _Panel) -> list[tuple[int, int]]:
    """Every two groups, the later by name less the earlier."""
    return [(b, a) for a, b in combinations(range(len(panel.groups)), 2)]


def _welch_rows(panel: _Panel) -> list[dict[str, Any]]:
    means = [panel.means(group) for group in range(len(panel.groups))]
    rows = [_difference("difference", panel, a, b, means[a], means[b]) for a, b in _pairs(panel)]
    _adjust(rows)
    if len(means) > 2:
        spread = welch_anova(means)
        about = {"kind": "test", "statistic": spread.f, "df1": spread.df1, "df2": spread.df2, "p": spread.p}
        rows.append(about)
    return rows


def _item_rows(panel: _Panel) -> list[dict[str, Any]]:
    rows = [
        {"item": name} | _difference("item", panel, a, b, panel.of_item(item, a), panel.of_item(item, b))
        for item, name in enumerate(panel.items)
        for a, b in _pairs(panel)
    ]
    _adjust(rows)
    return rows


def _difference(kind: str, panel: _Panel, a: int, b: int, one: Floats, other: Floats) -> dict[str, Any]:
    found = welch(one, other)
    return {
        "kind": kind,
        "group": panel.groups[a],
        "against": panel.groups[b],
        "participants": len(one) + len(other),
        "estimate": found.estimate,
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "statistic": found.t,
        "df2": found.df,
        "p": found.p,
        "g": found.g,
        "note": "" if min(len(one), len(other)) > 1 else "not tested: a group has fewer than two people",
    }


def _adjust(rows: list[dict[str, Any]]) -> None:
    for row, p in zip(rows, holm(np.array([row["p"] for row in rows])), strict=True):
        row["p_holm"] = p


def _model(panel: _Panel, people: list[int]) -> RemlFit | None:
    """Fit rating ~ group with random participants, items and items × groups; None where nothing is left to estimate."""
    if min(people) < 2 or np.ptp(panel.rating) == 0:
        return None
    both = np.unique(panel.item * len(panel.groups) + panel.group, return_inverse=True)[1].astype(np.int64)
    between = {"item": panel.item}
    if both.max() + 1 > len(panel.items) and both.max() + 1 < len(panel.rating):
        between["item × group"] = both
    parts = RandomParts(panel.participant, {"participant": np.zeros(len(panel.rating), np.int64)}, between)
    coding = _coding(len(panel.groups))
    return fit_reml(panel.rating, coding[panel.group], parts)


def _coding(groups: int) -> Floats:
    """Return an intercept and sum-to-zero columns, one row a group."""
    return np.column_stack([np.ones(groups), np.vstack([np.eye(groups - 1), -np.ones(groups - 1)])])


def _model_rows(panel: _Panel, fit: RemlFit) -> list[dict[str, Any]]:
    coding = _coding(len(panel.groups))
    total = np.sqrt(sum(fit.variances.values()))
    rows: list[dict[str, Any]] = []
    for a, b in _pairs(panel):
        found = fit.contrast(coding[a] - coding[b])
        rows.append(
            {
                "kind": "model",
                "group": panel.groups[a],
                "against": panel.groups[b],
                "estimate": found.estimate,
                "se": found.se,
                "ci_low": found.low,
                "ci_high": found.high,
                "statistic": found.estimate / found.se,
                "df2": found.df,
                "p": found.p,
                "g": found.estimate / total,
            }
        )
    _adjust(rows)
    if len(panel.groups) > 2:
        test = fit.test(np.eye(len(panel.groups))[1:])
        about = {
            "kind": "model test",
            "statistic": test.statistic,
            "df1": test.df1,
            "df2": test.df2,
            "p": test.p,
        }
        rows.append(about)
    return rows


def _remarks(panel: _Panel, people: list[int], terms: Terms, without_model: str | None) -> list[str]:
    remarks = []
    if small := [name for name, count in zip(panel.groups, people, strict=True) if count < PILOT]:
        remarks.append(f"With fewer than {PILOT} people in {' and '.join(small)} this is a pilot.")
    if not panel.same_items:
        remarks.append(
            f"The groups did not rate the same {terms.item}s, so people's means are not compared; the mixed model speaks about "
            f"these {terms.item}s."
        )
    if without_model:
        remarks.append(f"The mixed model was not fitted: {without_model}.")
    return remarks
