"""Effects of the factors of one question's images, as one table and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.analysis.effects.design import (
    PEOPLE_FOR_INTERACTIONS,
    STANDS_FOR,
    Design,
    Grid,
    Term,
    as_number,
    design_of,
    effect_name,
    grid_of,
    tested_columns,
    why_not,
)
from survey.analysis.effects.ordinal import NO_LINE, OrdinalLine, ordinal_line
from survey.analysis.effects.people import ClusterFit, cluster_fit, greenhouse_geisser, orthonormal
from survey.analysis.effects.reml import Contrast, Floats, RemlFit, Test, fit_reml
from survey.analysis.findings import Found, typed_table
from survey.analysis.items.comparisons import SIGNIFICANT, holm
from survey.analysis.scale import ACR, Scale
from survey.analysis.terms import IMAGES, Terms

EFFECT_COLUMNS: Final = (
    "effect",
    "kind",
    "level",
    "against",
    "items",
    "n",
    "raw_mean",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "f",
    "df1",
    "df2",
    "p",
    "p_holm",
    "d",
    "eta2",
    "people_method",
    "people_f",
    "people_df1",
    "people_df2",
    "people_p",
    "ordinal",
    "ordinal_p",
    "note",
)
MAX_WORK: Final = 1e11
"""Largest model that is fitted, in multiplications: about half a minute."""
MAX_WORK_ON_A_PAGE: Final = 8e9
"""Largest model that a page waits for: about two seconds."""
_ROUNDS = 700
_FEWEST_FOR_A_LINE = 3


@dataclass(frozen=True)
class Effects(Found):
    """The effects of the factors on one question.

    Attributes:
        table: columns EFFECT_COLUMNS; a row's ``kind`` is test, mean, contrast, slope or variance.
        sentences: the finding, one plain sentence first.
        remarks: what limits it.
        untested: effect -> why it is not tested.
        factors: effect in the model -> its factors, one or two.
        ordinal: whether an ordinal model orders the levels alike.
    """

    table: pd.DataFrame
    sentences: list[str]
    remarks: list[str]
    untested: dict[str, str]
    factors: dict[str, Term]
    ordinal: OrdinalLine = NO_LINE

    @property
    def left_out(self) -> dict[str, str]:
        """Effect -> why it is not tested, without what every reader knows: that a condition combines the factors."""
        return _without_condition(self.untested)


@dataclass(frozen=True)
class FactorEffects:
    """The effects of one question's factors, fitted when first asked for: a page without them does not wait."""

    rows: pd.DataFrame
    scale: Scale = ACR
    terms: Terms = IMAGES

    @cached_property
    def factors(self) -> list[str]:
        """The factors of the images."""
        return tested_columns(self.rows)

    @cached_property
    def _grid(self) -> Grid | None:
        return grid_of(self.rows, self.terms)

    @cached_property
    def slow(self) -> bool:
        """Whether the model is too large for a page to wait for."""
        grid = self._grid
        return grid is not None and not why_not(grid) and _work(grid) > MAX_WORK_ON_A_PAGE

    @cached_property
    def result(self) -> Effects | None:
        """The effects; None where the images have no factors."""
        return None if self._grid is None else _effects(self._grid, self.scale)


def factor_effects(table: pd.DataFrame, scale: Scale = ACR) -> Effects | None:
    """Estimate and test the effects of the factors of the images.

    Args:
        table: a checked tidy table of one question.
        scale: of the ratings.

    Returns:
        None where the images have no factors.
    """
    return FactorEffects(table, scale).result


def _work(grid: Grid) -> float:
    """Multiplications of a fit, roughly."""
    levels = sum(len(names) for names in grid.levels.values())
    contents = 1 if grid.content is None else int(grid.content.max()) + 1
    right = len(grid.items) + contents * (1 + levels)
    patterns = 1 if grid.complete else len(grid.people)
    return float(_ROUNDS * (patterns * (1 + levels) * right**2 + right**3 / 3))


def _effects(grid: Grid, scale: Scale) -> Effects:
    reason = why_not(grid)
    if not reason and _work(grid) > MAX_WORK:
        reason = f"there are too many {grid.terms.item}s and levels for the mixed model"
    design = None if reason else design_of(grid)
    if reason:
        grid.untested.update(dict.fromkeys(grid.codes, reason))
    if design is None:
        table = _table([_untested(name, why) for name, why in grid.untested.items()])
        return Effects(table, _nothing(grid, reason), grid.remarks, grid.untested, {})
    fit = fit_reml(grid.rating, design.x, design.parts)
    rows = _test_rows(design, fit)
    rows += [_untested(name, why) for name, why in grid.untested.items()]
    passed = {row["effect"] for row in rows if row["p_holm"] is not None and row["p_holm"] < SIGNIFICANT}
    for term in design.columns:
        if len(term) == 1 and term not in design.tested:
            continue
        rows += _mean_rows(design, fit, term)
        if len(term) == 1:
            rows += _contrast_rows(design, fit, term[0], term[0] in passed)
            rows += _slope_rows(design, fit, term[0])
    rows += [{"effect": name, "kind": "variance", "estimate": value} for name, value in fit.variances.items()]
    zero = [name for name, value in fit.variances.items() if value == 0]
    if zero:
        grid.remarks.append(f"Estimated as 0: the variance of {', '.join(zero)}.")
    if len(grid.people) < PEOPLE_FOR_INTERACTIONS:
        grid.remarks.append(f"With {len(grid.people)} participants this is a pilot.")
    ordinal = ordinal_line(design, rows, scale)
    table = _table(rows)
    factors = {effect_name(term): term for term in design.columns}
    return Effects(table, _sentences(design, table, factors), grid.remarks, grid.untested, factors, ordinal)


def _table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    text = ("effect", "kind", "level", "against", "people_method", "note")
    return typed_table(rows, EFFECT_COLUMNS, text, ("items", "n", "df1"))


def _untested(name: str, why: str) -> dict[str, Any]:
    return {"effect": name, "kind": "test", "p_holm": None, "note": f"not tested: {why}"}


def _test_rows(design: Design, fit: RemlFit) -> list[dict[str, Any]]:
    unit = np.eye(design.x.shape[1])
    tests = {term: fit.test(unit[design.columns[term]]) for term in design.tested}
    adjusted = dict(zip(tests, holm(np.array([test.p for test in tests.values()])), strict=True))
    people = _People(design)
    total = sum(fit.variances.values())
    rows = []
    for term, test in tests.items():
        beside = people.test(term)
        spread = float(np.mean(_part(design, fit, term) ** 2))
        rows.append(
            {
                "effect": effect_name(term),
                "kind": "test",
                "f": test.statistic,
                "df1": test.df1,
                "df2": test.df2,
                "p": test.p,
                "p_holm": adjusted[term],
                "eta2": spread / (spread + total),
                "people_method": people.method,
                "people_f": beside.statistic,
                "people_df1": beside.df1,
                "people_df2": beside.df2,
                "people_p": beside.p,
                "note": ""
                if np.isfinite(test.p)
                else f"not tested: too few {design.grid.terms.item}s or people for this many levels",
            }
        )
    return rows


def _part(design: Design, fit: RemlFit, term: Term) -> Floats:
    """Return the term's own part of each combination's mean."""
    columns = design.columns[term]
    block = np.unique(design.x[:, columns], axis=0)
    return np.asarray(block @ fit.beta[columns])


class _People:
    """The check with participants as the only random unit."""

    def __init__(self, design: Design) -> None:
        self.design, grid = design, design.grid
        self.method = "Greenhouse-Geisser" if grid.complete else "CR2"
        self._fit: ClusterFit | None = None
        if not grid.complete:
            self._fit = self._clusters()

    def _clusters(self) -> ClusterFit | None:
        grid, x = self.design.grid, self.design.x
        if grid.content is not None:
            with_content = np.column_stack([x, np.eye(int(grid.content.max()) + 1)[grid.content][:, 1:]])
            if np.linalg.matrix_rank(with_content) == with_content.shape[1]:
                x = with_content
        return cluster_fit(grid.rating, x, grid.participant)

    def test(self, term: Term) -> Test:
        grid = self.design.grid
        if self._fit is not None:
            rows = np.eye(len(self._fit.beta))[self.design.columns[term]]
            return self._fit.test(rows)
        shape = [len(grid.levels[name]) for name in term]
        cell = np.ravel_multi_index([grid.codes[name] for name in term], shape)
        count = int(np.prod(shape))
        flat = grid.participant * count + cell
        totals = np.bincount(flat, grid.rating, len(grid.people) * count)
        means = totals / np.bincount(flat, minlength=len(totals))
        contrasts = orthonormal(shape[0])
        for levels in shape[1:]:
            contrasts = np.asarray(np.kron(contrasts, orthonormal(levels)), np.float64)
        return greenhouse_geisser(means.reshape(len(grid.people), count), contrasts)


def _mean_rows(design: Design, fit: RemlFit, term: Term) -> list[dict[str, Any]]:
    grid = design.grid
    rows = []
    for at in np.ndindex(*(len(grid.levels[name]) for name in term)):
        mine = np.all([grid.codes[name] == i for name, i in zip(term, at, strict=True)], axis=0)
        found = fit.contrast(design.mean_row(dict(zip(term, at, strict=True))))
        rows.append(
            {
                "effect": effect_name(term),
                "kind": "mean",
                "level": " × ".join(grid.levels[name][i] for name, i in zip(term, at, strict=True)),
                "items": len(np.unique(grid.item[mine])),
                "n": int(mine.sum()),
                "raw_mean": float(grid.rating[mine].mean()),
                **_estimate(found),
            }
        )
    return rows


def _estimate(found: Contrast) -> dict[str, float]:
    return {
        "estimate": found.estimate,
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "df2": found.df,
    }


def _contrast_rows(design: Design, fit: RemlFit, name: str, passed: bool) -> list[dict[str, Any]]:
    """Every pair of levels, the later less the earlier; adjusted p only where the factor's own test is significant."""
    levels = design.grid.levels[name]
    total = sum(fit.variances.values())
    rows: list[dict[str, Any]] = []
    for i, j in combinations(range(len(levels)), 2):
        found = fit.contrast(design.mean_row({name: j}) - design.mean_row({name: i}))
        about = {"effect": name, "kind": "contrast", "level": levels[j], "against": levels[i]}
        rows.append(
            about
            | _estimate(found)
            | {"f": (found.estimate / found.se) ** 2, "df1": 1, "p": found.p}
            | {"d": found.estimate / np.sqrt(total)}
        )
    if passed:
        for row, p in zip(rows, holm(np.array([row["p"] for row in rows])), strict=True):
            row["p_holm"] = p
    return rows


def _slope_rows(design: Design, fit: RemlFit, name: str) -> list[dict[str, Any]]:
    """Rating points per tenfold of a numeric factor, and a test of what a line leaves over."""
    levels = design.grid.levels[name]
    numbers = [as_number(level) for level in levels]
    if len(levels) < _FEWEST_FOR_A_LINE or any(number is None for number in numbers):
        return []
    about = {"effect": name, "kind": "slope", "level": "per tenfold"}
    if any(number is not None and number <= 0 for number in numbers):
        return [about | {"note": "no slope: 0 and less are not on a logarithmic axis"}]
    x = np.log10(np.array(numbers, np.float64))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    means = np.stack([design.mean_row({name: i}) for i in range(len(levels))])
    found = fit.contrast(weights @ means)
    rest = np.linalg.svd(np.column_stack([np.ones(len(x)), x]).T)[2][2:]
    remainder = fit.test(rest @ means)
    line = about | _estimate(found) | {"f": (found.estimate / found.se) ** 2, "df1": 1, "p": found.p}
    over = {"f": remainder.statistic, "df1": remainder.df1, "df2": remainder.df2, "p": remainder.p}
    return [line, about | {"level": "what a line leaves over"} | over]


def _nothing(grid: Grid, reason: str) -> list[str]:
    own = {name: why for name, why in grid.untested.items() if not why.startswith(STANDS_FOR)}
    own = own or grid.untested
    known = list(grid.codes or own)
    names = " and ".join([name for name in known if name in own or name not in grid.untested] or known)
    if reason:
        return [f"The effect of {names} was not tested: {reason}."]
    reasons = list(dict.fromkeys(own.values()))
    return [f"The effect of {names} was not tested.", *(f"{why[0].upper()}{why[1:]}." for why in reasons)]


def _without_condition(untested: dict[str, str]) -> dict[str, str]:
    return {
        name: why for name, why in untested.items() if name != "condition" or not why.startswith(STANDS_FOR)
    }


def _sentences(design: Design, table: pd.DataFrame, factors: dict[str, Term]) -> list[str]:
    tests = table[(table["kind"] == "test") & table["p_holm"].notna()].sort_values("p_holm", kind="stable")
    sure = tests[tests["p_holm"] < SIGNIFICANT]
    unsure = tests[~tests["effect"].isin(sure["effect"])]
    terms = design.grid.terms
    about = f"{terms.item if design.grid.content is None else terms.content}s like these"
    sentences = [_found(row, table, factors[row["effect"]], about) for _, row in sure.iterrows()]
    if not sentences:
        mains = [name for name in unsure["effect"] if len(factors[name]) == 1]
        together = ", alone or together," if len(mains) < len(unsure) else ""
        sentences = [f"No effect of {' or '.join(mains)}{together} could be shown in these ratings."]
    sentences += [_not_found(row, table) for _, row in unsure.iterrows()]
    untested = _without_condition(design.grid.untested)
    sentences += [f"{name} was not tested: {why}." for name, why in untested.items()]
    return sentences


def _found(row: pd.Series[Any], table: pd.DataFrame, term: Term, about: str) -> str:
    name = row["effect"]
    of = table[table["effect"] == name]
    if len(term) == 2:
        a, b = term
        return f"The effect of {a} depends on {b} ({_f(row)})."
    slope = of[(of["kind"] == "slope") & of["estimate"].notna()]
    if len(slope) and slope["p"].iloc[0] < SIGNIFICANT:
        one = slope.iloc[0]
        verb = "raised" if one["estimate"] > 0 else "lowered"
        return (
            f"Ten times more {name} {verb} the score by {abs(one['estimate']):.2f} points (95 % interval "
            f"{_range(one)}), about people and {about}."
        )
    most = _largest(of)
    high, low = most["level"], most["against"]
    if most["estimate"] < 0:
        high, low = low, high
    return (
        f"{name}: {high} was rated {abs(most['estimate']):.2f} points higher than {low} (95 % interval {_range(most)}), "
        f"about people and {about}."
    )


def _range(row: pd.Series[Any]) -> str:
    low, high = row["ci_low"], row["ci_high"]
    if row["estimate"] < 0:
        low, high = -high, -low
    return f"{low:.2f} to {high:.2f}"


def _not_found(row: pd.Series[Any], table: pd.DataFrame) -> str:
    name = row["effect"]
    text = f"{name}: no difference could be shown ({_f(row)})"
    of = table[(table["effect"] == name) & (table["kind"] == "contrast")]
    if of.empty:
        return f"{text}."
    most = _largest(of)
    size = abs(most["estimate"])
    return f"{text}; the largest, {most['level']} against {most['against']}, is {size:.2f} points."


def _largest(of: pd.DataFrame) -> pd.Series[Any]:
    pairs = of[of["kind"] == "contrast"]
    return pairs.iloc[int(pairs["estimate"].abs().to_numpy().argmax())]


def _f(row: pd.Series[Any]) -> str:
    p = f"p = {row['p_holm']:.3f}" if row["p_holm"] >= 0.001 else "p < 0.001"
    return f"F({row['df1']}, {row['df2']:.1f}) = {row['f']:.2f}, {p} after Holm"
