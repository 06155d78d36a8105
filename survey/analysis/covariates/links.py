"""The link of each covariate with the MOS of one question's images, as one table and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.analysis.covariates.agreement import (
    FEWEST_CONTENTS,
    Correlation,
    ceiling,
    p1401,
    pearson,
    spearman,
    with_interval,
    within,
)
from survey.analysis.covariates.columns import Panel, covariate_columns, panel_of
from survey.analysis.covariates.slopes import clustered_slope, mixed_slopes, split
from survey.analysis.covariates.words import sentences
from survey.analysis.effects.design import FEWEST_PEOPLE
from survey.analysis.effects.effects import MAX_WORK, MAX_WORK_ON_A_PAGE
from survey.analysis.effects.reml import Contrast, Floats, Ints
from survey.analysis.findings import Found
from survey.analysis.items.comparisons import holm
from survey.analysis.items.intervals import sos_wilson, student_t
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import Tally, tally
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import code, main_phase
from survey.analysis.terms import IMAGES, Terms

_CORRELATIONS: Final = ("plcc", "srocc", "plcc_within")
_SLOPES: Final = ("within", "between", "regression")
COVARIATE_COLUMNS: Final = (
    "covariate",
    "items",
    "contents",
    "mean",
    "sd",
    *(f"{name}{end}" for name in _CORRELATIONS for end in ("", "_low", "_high")),
    "ceiling",
    "intercept",
    "slope",
    "rmse",
    "rmse_star",
    "outlier_ratio",
    "outlier_ratio_se",
    "rmse_left_out",
    *(f"{name}{end}" for name in _SLOPES for end in ("", "_se", "_low", "_high", "_df", "_p")),
    "p_holm",
    "test",
    "note",
)
FEWEST_ITEMS: Final = 4
_ROUNDS: Final = 400


@dataclass(frozen=True)
class Links(Found):
    """The covariates of one question.

    Attributes:
        table: columns COVARIATE_COLUMNS, one row a covariate.
        points: one row for each covariate and image: ``covariate,item,x,mos,low,high,bounded_low,bounded_high,line``.
        sentences: the finding, one plain sentence first.
        remarks: what limits it.
        by_model: whether the mixed model was fitted, and not only the regression of the MOS.
    """

    table: pd.DataFrame
    points: pd.DataFrame
    sentences: list[str]
    remarks: list[str]
    by_model: bool


@dataclass(frozen=True)
class CovariateLinks:
    """The covariates of one question's images, computed when first asked for: a page without them does not wait."""

    rows: pd.DataFrame
    scale: Scale = ACR
    terms: Terms = IMAGES

    @cached_property
    def _panel(self) -> Panel | None:
        return panel_of(self.rows, self.terms)

    @cached_property
    def names(self) -> list[str]:
        """The covariates of the images."""
        return covariate_columns(main_phase(self.rows))

    @cached_property
    def slow(self) -> bool:
        """Whether the mixed models are too large for a page to wait for."""
        return self._panel is not None and _work(self._panel) > MAX_WORK_ON_A_PAGE

    @cached_property
    def quick(self) -> Links | None:
        """The same as ``result`` without the mixed models."""
        return self._links(by_model=False)

    @cached_property
    def result(self) -> Links | None:
        """Every covariate against the MOS; None where the images have none."""
        panel = self._panel
        small = panel is not None and _work(panel) <= MAX_WORK
        return self._links(by_model=True) if small else self.quick

    @cached_property
    def _without_models(self) -> list[tuple[dict[str, Any], pd.DataFrame]]:
        """Each covariate's row and points: what `quick` and `result` share, which an export has both of."""
        if self._panel is None:
            return []
        scores = _Scores.of(tally(code(main_phase(self.rows), self.scale)))
        return [_link(self._panel, name, scores) for name in self._panel.values]

    def _links(self, *, by_model: bool) -> Links | None:
        panel = self._panel
        if panel is None:
            return None
        enough = panel.people >= FEWEST_PEOPLE and bool(np.ptp(panel.rating) > 0)
        found = self._without_models
        rows = [row | (_slopes_of_models(panel, row) if by_model and enough else {}) for row, _ in found]
        _adjust(rows)
        table = pd.DataFrame(rows, columns=list(COVARIATE_COLUMNS))
        kinds = {
            name: "float64"
            for name in table
            if name not in ("covariate", "test", "note", "items", "contents")
        }
        table = table.astype(
            kinds | {"items": "int64", "contents": "Int64", "test": "object", "note": "object"}
        )
        points = pd.concat([part for _, part in found], ignore_index=True)
        remarks = _remarks(panel, by_model, enough)
        return Links(
            table,
            points,
            sentences(table, panel.content is not None, panel.terms),
            remarks,
            by_model and enough,
        )


def _work(panel: Panel) -> float:
    """Multiplications of the covariates' models, roughly."""
    right = len(panel.items) + (0 if panel.content is None else int(panel.content.max()) + 1)
    patterns = 1 if len(panel.rating) == panel.people * len(panel.items) else panel.people
    return float(len(panel.values) * _ROUNDS * (patterns * 4 * right**2 + right**3 / 3))


@dataclass(frozen=True)
class _Scores:
    """The MOS of the items and their intervals, shape (items,)."""

    mos: Floats
    variance: Floats
    ends: Mapping[str, Floats]
    half: Floats

    @classmethod
    def of(cls, items: Tally) -> _Scores:
        low, high = student_t(items)
        bounded_low, bounded_high = sos_wilson(items, pooled_a(items))
        half = np.where(np.isnan(low), (bounded_high - bounded_low) / 2, (high - low) / 2)
        ends = {"low": low, "high": high, "bounded_low": bounded_low, "bounded_high": bounded_high}
        return cls(items.mean, items.mean_variance, ends, half)


def _link(panel: Panel, name: str, scores: _Scores) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return one covariate's row without the mixed models, and its points for the plot."""
    known = ~np.isnan(panel.values[name])
    x, mos = panel.values[name][known], scores.mos[known]
    content = None if panel.content is None else _again(panel.content[known])
    row: dict[str, Any] = {
        "covariate": name,
        "items": len(x),
        "contents": None if content is None else int(content.max(initial=-1)) + 1,
        "mean": float(x.mean()),
        "sd": float(x.std(ddof=1)) if len(x) > 1 else float("nan"),
        "note": "",
    }
    names = np.array(panel.items, dtype=object)[known]
    points = pd.DataFrame({"covariate": name, "item": names, "x": x, "mos": mos})
    points = points.assign(**{end: values[known] for end, values in scores.ends.items()}, line=np.nan)
    row["note"] = _why_not(x, mos, panel.terms)
    if row["note"]:
        return row, points
    group = np.arange(len(x)) if content is None else content
    row |= _correlations(x, mos, content, group)
    row["ceiling"] = ceiling(mos, scores.variance[known])
    slope, intercept = np.polyfit(x, mos, 1)
    line = intercept + slope * x
    errors = p1401(mos, line, scores.half[known], 2)
    row |= {"intercept": float(intercept), "slope": float(slope)} | vars(errors)
    row["rmse_left_out"] = _left_out(x, mos, group)
    row |= _contrast("regression", clustered_slope(mos, x / row["sd"], content))
    return row, points.assign(line=line)


def _slopes_of_models(panel: Panel, row: Mapping[str, Any]) -> dict[str, float]:
    """Return a covariate's slopes by the mixed models, within contents and between them; none where nothing is compared."""
    if row["note"]:
        return {}
    values = panel.values[row["covariate"]]
    known = ~np.isnan(values)
    content = None if panel.content is None else _again(panel.content[known])
    inside, between, _ = mixed_slopes(_of_items(panel, known), values[known] / row["sd"], content)
    return _contrast("within", inside) | _contrast("between", between)


def _why_not(x: Floats, mos: Floats, terms: Terms) -> str:
    if len(x) < FEWEST_ITEMS:
        return f"only {len(x)} {terms.item}s have a value"
    if np.ptp(x) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return f"it is the same for all {terms.item}s"
    if np.ptp(mos) == 0:
        return "all scores are the same"
    return ""


def _again(codes: Ints) -> Ints:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _of_items(panel: Panel, known: np.ndarray[Any, np.dtype[np.bool_]]) -> Panel:
    """Return the ratings of these items only."""
    if known.all():
        return panel
    keep = known[panel.item]
    return replace(
        panel,
        rating=panel.rating[keep],
        participant=_again(panel.participant[keep]),
        item=_again(panel.item[keep]),
        items=[item for item, there in zip(panel.items, known, strict=True) if there],
    )


def _correlations(x: Floats, mos: Floats, content: Ints | None, group: Ints) -> dict[str, float]:
    found = {
        "plcc": with_interval(lambda a, b, _: pearson(a, b), x, mos, group),
        "srocc": with_interval(lambda a, b, _: spearman(a, b), x, mos, group),
        "plcc_within": Correlation(*[float("nan")] * 3),
    }
    if content is not None and np.ptp(split(x, content)[0]) > 0:
        several = np.bincount(content)[content] > 1
        found["plcc_within"] = with_interval(within, x[several], mos[several], _again(content[several]))
    return {
        f"{name}{end}": value
        for name, one in found.items()
        for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))
    }


def _left_out(x: Floats, mos: Floats, group: Ints) -> float:
    """Return the root mean square error of each group's images by the line through the others."""
    errors = np.full(len(x), np.nan)
    for one in np.unique(group):
        out = group == one
        if np.ptp(x[~out]) > 0:
            slope, intercept = np.polyfit(x[~out], mos[~out], 1)
            errors[out] = mos[out] - intercept - slope * x[out]
    return float(np.sqrt(np.mean(errors**2)))


def _contrast(name: str, found: Contrast) -> dict[str, float]:
    ends = (found.estimate, found.se, found.low, found.high, found.df, found.p)
    keys = ("", "_se", "_low", "_high", "_df", "_p")
    return dict(zip((f"{name}{key}" for key in keys), ends, strict=True))


def _adjust(rows: list[dict[str, Any]]) -> None:
    """Choose each covariate's test, and adjust their p by Holm over all covariates."""
    p = []
    for row in rows:
        order = [
            name for name in ("within", "between", "regression") if np.isfinite(row.get(f"{name}_p", np.nan))
        ]
        row["test"] = order[0] if order else ""
        p.append(row[f"{order[0]}_p"] if order else np.nan)
    for row, adjusted in zip(rows, holm(np.array(p, np.float64)), strict=True):
        row["p_holm"] = adjusted


def _remarks(panel: Panel, by_model: bool, enough: bool) -> list[str]:
    found = []
    if by_model and not enough:
        found.append(f"The mixed model needs {FEWEST_PEOPLE} participants and ratings that differ.")
    if panel.content is None:
        found.append(
            f"The {panel.terms.item}s have no different contents: each counts as a {panel.terms.content} of its own."
        )
    elif (contents := int(panel.content.max()) + 1) < FEWEST_CONTENTS:
        found.append(f"With {contents} contents a correlation has no interval: {FEWEST_CONTENTS} are needed.")
    return found
