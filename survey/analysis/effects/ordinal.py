"""The ordinal line beside the mixed model: an ordered probit regression that takes the categories as ranks only.

Factors and contents are fixed and participants are clusters. It says whether levels keep their order, no more: its
estimates are on another scale than rating points. Source: R. McKelvey and W. Zavoina 1975; sandwich variance by H.
White 1982.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import special

from survey.analysis.distributions import t_two_sided
from survey.analysis.effects.design import Design
from survey.analysis.effects.reml import Floats, Ints
from survey.analysis.items.comparisons import SIGNIFICANT
from survey.analysis.items.ordinal import MAX_CATEGORIES
from survey.analysis.scale import Scale

_STEPS = 100
_FARTHEST, _FLAT = 10.0, 25.0
"""Estimates and variances beyond these, in latent SDs, mean that there is no finite estimate."""
_TINY = 1e-300


@dataclass(frozen=True)
class ProbitFit:
    """Maximum likelihood estimates.

    Attributes:
        beta: slopes on the scale of the latent SD, shape (columns,).
        covariance: of the slopes, participants as clusters, shape (columns, columns).
        clusters: number of participants.
    """

    beta: Floats
    covariance: Floats
    clusters: int

    def test(self, row: Floats) -> tuple[float, float]:
        """Return one combination of the slopes and its two-sided p, Student's t on participants − 1."""
        estimate, se = float(row @ self.beta), float(np.sqrt(row @ self.covariance @ row))
        return estimate, float(t_two_sided(estimate / se, self.clusters - 1))


@dataclass(frozen=True)
class OrdinalLine:
    """Whether the ordinal model orders the significantly different levels as the means do, and one sentence."""

    agrees: bool | None
    sentence: str


NO_LINE: Final = OrdinalLine(None, "")


def probit_fit(category: Ints, x: Floats, participant: Ints) -> ProbitFit | None:
    """Fit by Newton's method; the likelihood has one maximum. None where that is at infinity.

    Args:
        category: codes from 0, each of them used, shape (rows,).
        x: columns without an intercept, of full rank with one, shape (rows, columns).
        participant: codes from 0, shape (rows,).
    """
    slopes, k = x.shape[1], int(category.max())
    share = np.bincount(category).cumsum()[:-1] / len(category)
    at = np.concatenate([np.zeros(slopes), special.ndtri(share)])
    value, score, hessian = _likelihood(at, category, x)
    for _ in range(_STEPS):
        step = np.linalg.lstsq(-hessian, score.sum(axis=0), rcond=None)[0]
        size = 1.0
        while size > 1e-8:
            trial = at + size * step
            found = _likelihood(trial, category, x)
            if (np.diff(trial[slopes:]) > 0).all() and found[0] >= value:
                break
            size /= 2
        else:
            break
        at, (value, score, hessian) = trial, found
        if np.abs(size * step).max() < 1e-10:
            break
    bread = np.linalg.pinv(-hessian, hermitian=True)
    # Toward infinity the likelihood is flat.
    if np.abs(at).max() > _FARTHEST or np.diag(bread).max() > _FLAT:
        return None
    people = int(participant.max()) + 1
    sums = np.zeros((people, slopes + k))
    np.add.at(sums, participant, score)
    covariance = people / (people - 1) * bread @ (sums.T @ sums) @ bread
    return ProbitFit(at[:slopes], covariance[:slopes, :slopes], people)


def _likelihood(at: Floats, category: Ints, x: Floats) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood, each row's slope of it, and its second derivatives."""
    slopes = x.shape[1]
    cuts = np.concatenate([[-np.inf], at[slopes:], [np.inf]])
    mean = x @ at[:slopes]
    low, high = cuts[category] - mean, cuts[category + 1] - mean
    # In the upper tail a difference of two numbers near 1 would lose its digits.
    flip = low > 0
    p = np.maximum(special.ndtr(np.where(flip, -low, high)) - special.ndtr(np.where(flip, -high, low)), _TINY)
    a, b = (np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / p for z in (high, low))
    places = np.eye(len(cuts))
    of_high = np.column_stack([-x, places[category + 1][:, 1:-1]])
    of_low = np.column_stack([-x, places[category][:, 1:-1]])
    score = a[:, None] * of_high - b[:, None] * of_low
    bent_high = -np.where(np.isfinite(high), high, 0) * a - a**2
    bent_low = np.where(np.isfinite(low), low, 0) * b - b**2
    cross = (of_high * (a * b)[:, None]).T @ of_low
    hessian = (of_high * bent_high[:, None]).T @ of_high + (of_low * bent_low[:, None]).T @ of_low
    return float(np.log(p).sum()), score, hessian + cross + cross.T


def ordinal_line(design: Design, rows: Sequence[dict[str, Any]], scale: Scale) -> OrdinalLine:
    """Give each contrast among `rows` its latent difference, `ordinal` and `ordinal_p`, and compare the signs."""
    grid = design.grid
    used, category = np.unique(grid.single, return_inverse=True)
    if scale.step is None:
        return OrdinalLine(None, "Ordinal check: a continuous scale has no categories.")
    if len(used) > MAX_CATEGORIES:
        return OrdinalLine(None, f"Ordinal check: more than {MAX_CATEGORIES} categories were used.")
    columns = np.concatenate([at for term, at in design.columns.items() if len(term) == 1])
    x = design.x[:, columns]
    if grid.content is not None:
        contents = np.eye(int(grid.content.max()) + 1)[grid.content][:, 1:]
        wide = np.column_stack([x, contents])
        if np.linalg.matrix_rank(np.column_stack([np.ones(len(wide)), wide])) == wide.shape[1] + 1:
            x = wide
    fit = probit_fit(category.astype(np.int64), x[grid.row], grid.participant[grid.row])
    if fit is None:
        return OrdinalLine(None, "Ordinal check: some level was rated at one end of the scale only.")
    sure, against = 0, []
    for row in rows:
        if row["kind"] != "contrast":
            continue
        levels = grid.levels[row["effect"]]
        both = [design.mean_row({row["effect"]: levels.index(row[end])}) for end in ("level", "against")]
        combination = np.zeros(x.shape[1])
        combination[: len(columns)] = (both[0] - both[1])[columns]
        row["ordinal"], row["ordinal_p"] = fit.test(combination)
        if row.get("p_holm") is not None and row["p_holm"] < SIGNIFICANT:
            sure += 1
            if row["ordinal"] * row["estimate"] < 0:
                against.append(f"{row['effect']} {row['level']} and {row['against']}")
    return _said(sure, against)


def _said(sure: int, against: list[str]) -> OrdinalLine:
    model = "an ordered probit model, which takes the categories as ranks only,"
    if not sure:
        return OrdinalLine(
            None, "Ordinal check: no two levels differ significantly, so there is no order to check."
        )
    if against:
        return OrdinalLine(False, f"Ordinal check: {model} orders otherwise: {'; '.join(against[:5])}.")
    pairs = (
        "the one significantly different pair" if sure == 1 else f"all {sure} significantly different pairs"
    )
    return OrdinalLine(True, f"Ordinal check: {model} orders {pairs} of levels as the means do.")
