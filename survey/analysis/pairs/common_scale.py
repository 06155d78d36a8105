"""Choices between pairs and ratings of the same images on one scale.

The model of M. Perez-Ortiz et al. (2019, IEEE Transactions on Image Processing 29), with an ordered probit for the
ratings: both kinds of answers share one quality of each item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import log_ndtr, ndtr, ndtri

from survey.analysis.distributions import t_critical, t_two_sided
from survey.analysis.items.comparisons import holm
from survey.analysis.pairs.pairs import check_choices
from survey.analysis.scale import Scale
from survey.analysis.summary import Summary, plain
from survey.analysis.table import TableError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_ITEMS: Final = 5
"""Items that both kinds of answers must share: with fewer the ratio of the scales is not determined."""
MAX_CATEGORIES: Final = 11
CLASSES: Final = 10
"""Classes of about equally many ratings into which a finer scale is cut: the model takes only the order of ratings."""
MEANING: Final = "One step on this scale means that 3 of 4 people prefer the better image; it is not a step on the scale of the ratings."
STEP: Final = 1 / float(ndtri(0.75))
"""SD of the difference that one comparison sees, in JOD: at a difference of 1 three of four people choose the better."""
#: Precision of a quality before any answer: an SD of 10 JOD, so that unanimous answers place an item somewhere.
_HOLD: Final = 0.01
_COLUMNS: Final = (
    "group", "item", "choices", "ratings", "quality", "ci_low", "ci_high", "by_pairs", "by_ratings", "difference", "p_holm",
)  # fmt: skip


@dataclass(frozen=True)
class CommonScale:
    """Qualities on one scale.

    Attributes:
        items: ``group,item,choices,ratings,quality,ci_low,ci_high,by_pairs,by_ratings,difference,p_holm``, in JOD. The
            quality from both has mean 0. A group is the items that a chain of comparisons connects, named by its first:
            choices alone say nothing across groups, so ``by_pairs`` and ``by_ratings`` have mean 0 within each.
            ``difference`` is of these two, and ``p_holm`` of its test by Holm.
        summary: counts, ``classes`` (into which a fine scale was cut; 0: its categories were kept), ``noise`` (JOD: SD of one rating), ``correlation`` of the two separate scales within groups,
            ``apart`` (items that they place differently), ``sentence``.
    """

    items: pd.DataFrame
    summary: Summary


@dataclass(frozen=True)
class _Answers:
    """Coded answers: of choices first, second and the share for first; of ratings item and category from 0."""

    items: int
    first: Ints
    second: Ints
    share: Floats
    item: Ints
    category: Ints
    people: Ints
    """Of each choice, then of each rating: who gave it; nobody stands in both parts."""

    @property
    def fewest_people(self) -> int:
        """How many people answered in the part that has fewer."""
        n = len(self.first)
        return min(len(np.unique(self.people[:n])), len(np.unique(self.people[n:])))

    @property
    def cuts(self) -> int:
        return int(self.category.max()) if len(self.category) else 0


def common_scale(choices: pd.DataFrame, ratings: pd.DataFrame, scale: Scale) -> CommonScale:
    """Put the items that were both compared and rated on one scale.

    Args:
        choices: ``participant,first,second,answer`` as of `bradley_terry`; other people than those of the ratings.
        ratings: ``participant,item,rating``; one name means the same item in both.
        scale: of the ratings.

    Raises:
        TableError: Fewer than FEWEST_ITEMS items are in both, or all ratings are equal.
    """
    check_choices(choices)
    compared = {*choices["first"].astype("str"), *choices["second"].astype("str")}
    names = sorted(compared & set(ratings["item"].astype("str")))
    if len(names) < FEWEST_ITEMS:
        raise TableError(
            f"{len(names)} images were both compared and rated; one scale needs {FEWEST_ITEMS} or more"
        )
    mine = ratings[ratings["item"].astype("str").isin(names)]
    if mine["rating"].nunique() < 2:
        raise TableError("all ratings are equal, so they place no image")
    classes = 0
    if scale.step is None or mine["rating"].nunique() > MAX_CATEGORIES:
        mine = mine.assign(rating=_classes(mine["rating"].to_numpy(np.float64)))
        classes = mine["rating"].nunique()
    both = _coded(choices, mine, names)
    if both.fewest_people < 2:
        raise TableError(
            "one scale needs two or more people who compared these images and two who rated them"
        )
    fit = _fit(both)
    alone = _fit(_part(both, pairs=True)), _fit(_part(both, pairs=False))
    return _result(names, both, fit, *alone, classes)


def _classes(ratings: Floats) -> Floats:
    """Return the class of each rating, from 0; equal ratings are of one class. The order of ratings decides alone."""
    edges = np.quantile(ratings, np.arange(1, CLASSES) / CLASSES, method="inverted_cdf")
    return np.searchsorted(np.unique(edges), ratings, side="left").astype(np.float64)


def _coded(choices: pd.DataFrame, ratings: pd.DataFrame, names: list[str]) -> _Answers:
    place = {name: i for i, name in enumerate(names)}
    mine = choices[choices["first"].astype("str").isin(place) & choices["second"].astype("str").isin(place)]
    rated = ratings[ratings["item"].astype("str").isin(place)]
    _, category = np.unique(rated["rating"].to_numpy(np.float64), return_inverse=True)
    people = pd.factorize(
        pd.concat(["pair " + mine["participant"].astype("str"), "one " + rated["participant"].astype("str")])
    )[0]
    return _Answers(
        items=len(names),
        first=_mapped(mine["first"], place, np.int64),
        second=_mapped(mine["second"], place, np.int64),
        share=_mapped(mine["answer"], {"first": 1.0, "second": 0.0, "tie": 0.5}, np.float64),
        item=_mapped(rated["item"], place, np.int64),
        category=category.astype(np.int64),
        people=people.astype(np.int64),
    )


def _mapped(column: pd.Series[Any], values: Mapping[str, float], kind: type) -> NDArray[Any]:
    return np.asarray(column.astype("str").map(values), dtype=kind)


def _part(both: _Answers, *, pairs: bool) -> _Answers:
    """Return one kind of answers alone."""
    none_i, none_f = np.empty(0, np.int64), np.empty(0)
    n = len(both.first)
    if pairs:
        return _Answers(both.items, both.first, both.second, both.share, none_i, none_i, both.people[:n])
    return _Answers(both.items, none_i, none_i, none_f, both.item, both.category, both.people[n:])


@dataclass(frozen=True)
class _Fitted:
    """Qualities (JOD, or SDs of one rating where there are ratings alone), `slope` (SDs of a rating for 1 JOD), covariance."""

    quality: Floats
    slope: float
    covariance: Floats


def _fit(data: _Answers) -> _Fitted:
    """Maximise the likelihood; the covariance takes a participant's answers as one cluster."""
    k, cuts = data.items, data.cuts
    has_slope = bool(len(data.first)) and bool(cuts)
    at = np.concatenate([np.zeros(k), [0.0] * has_slope])
    if cuts:
        share = np.bincount(data.category, minlength=cuts + 1).cumsum()[:-1] / len(data.category)
        at = np.concatenate([at, ndtri(share[:1]), np.log(np.diff(ndtri(share)))])

    def down(x: Floats) -> tuple[float, Floats]:
        value, rows = _likelihood(x, data, has_slope)
        slope = -rows.sum(axis=0)
        slope[:k] += _HOLD * x[:k]
        return float(-value + _HOLD * x[:k] @ x[:k] / 2), slope

    best = optimize.minimize(
        down, at, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-7}
    ).x
    hessian = np.empty((len(best), len(best)))
    for i in range(len(best)):
        step = np.zeros(len(best))
        step[i] = 1e-5
        hessian[i] = (down(best + step)[1] - down(best - step)[1]) / 2e-5
    bread = np.linalg.pinv((hessian + hessian.T) / 2, hermitian=True)
    rows = _likelihood(best, data, has_slope)[1]
    _, people = np.unique(data.people, return_inverse=True)
    sums = np.zeros((int(people.max()) + 1, len(best)))
    np.add.at(sums, people, rows)
    count = len(sums)
    covariance = (bread @ (count / (count - 1) * sums.T @ sums) @ bread)[:k, :k]
    slope = float(np.exp(best[k])) if has_slope else 1.0
    return _Fitted(best[:k], slope, covariance)


def _likelihood(x: Floats, data: _Answers, has_slope: bool) -> tuple[float, Floats]:
    """Return the log-likelihood and each answer's slope of it, shape (answers, parameters)."""
    k = data.items
    quality = x[:k]
    pairs = len(data.first)
    rows = np.zeros((pairs + len(data.item), len(x)))
    z = (quality[data.first] - quality[data.second]) / STEP
    value = data.share @ log_ndtr(z) + (1 - data.share) @ log_ndtr(-z)
    density = -(z**2) / 2 - np.log(2 * np.pi) / 2
    bend = data.share * np.exp(density - log_ndtr(z)) - (1 - data.share) * np.exp(density - log_ndtr(-z))
    at = np.arange(pairs)
    rows[at, data.first] = bend / STEP
    rows[at, data.second] = -bend / STEP
    if not len(data.item):
        return float(value), rows
    slope = float(np.exp(x[k])) if has_slope else 1.0
    gaps = np.exp(x[k + has_slope + 1 :])
    cuts = np.concatenate([[-np.inf], np.cumsum([x[k + has_slope], *gaps]), [np.inf]])
    mean = slope * quality[data.item]
    low, high = cuts[data.category] - mean, cuts[data.category + 1] - mean
    flip = low > 0
    p = np.maximum(ndtr(np.where(flip, -low, high)) - ndtr(np.where(flip, -high, low)), 1e-300)
    of_low, of_high = (np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi) / p for end in (low, high))
    at = pairs + np.arange(len(data.item))
    rows[at, data.item] = -slope * (of_high - of_low)
    if has_slope:
        rows[at, k] = -mean * (of_high - of_low)
    # The first cut moves all of them; each gap moves those above it.
    of_cut = np.zeros((len(data.item), len(gaps) + 1))
    for cut in range(len(gaps) + 1):
        of_cut[data.category == cut, cut] += of_high[data.category == cut]
        of_cut[data.category == cut + 1, cut] -= of_low[data.category == cut + 1]
    above = of_cut[:, ::-1].cumsum(axis=1)[:, ::-1]
    rows[pairs:, k + has_slope] = above[:, 0]
    rows[pairs:, k + has_slope + 1 :] = above[:, 1:] * gaps
    return float(value + np.log(p).sum()), rows


def _result(
    names: list[str], both: _Answers, fit: _Fitted, by_pairs: _Fitted, by_ratings: _Fitted, classes: int
) -> CommonScale:
    quality = fit.quality - fit.quality.mean()
    centre = np.eye(both.items) - 1 / both.items
    # The part with fewer people says how sure the variance is.
    sure = both.fewest_people - 1
    half = t_critical(sure) * np.sqrt(np.diag(centre @ fit.covariance @ centre))
    graph = coo_array((np.ones(len(both.first)), (both.first, both.second)), shape=(both.items,) * 2)
    group = connected_components(graph, directed=False)[1]
    within = np.eye(both.items) - (group[:, None] == group) / np.bincount(group)[group]
    compared, rated = within @ by_pairs.quality, within @ by_ratings.quality / fit.slope
    spread = by_pairs.covariance + by_ratings.covariance / fit.slope**2
    variance = np.diag(within @ spread @ within)
    gap = rated - compared
    # A group of one item has nothing to compare.
    z = np.divide(np.abs(gap), np.sqrt(variance), out=np.zeros(both.items), where=variance > 1e-12)
    p = holm(t_two_sided(z, sure))
    shown = np.bincount(np.concatenate([both.first, both.second]), minlength=both.items)
    table = pd.DataFrame(
        {
            "group": [names[int(np.flatnonzero(group == part)[0])] for part in group],
            "item": names,
            "choices": shown,
            "ratings": np.bincount(both.item, minlength=both.items),
            "quality": quality,
            "ci_low": quality - half,
            "ci_high": quality + half,
            "by_pairs": compared,
            "by_ratings": rated,
            "difference": gap,
            "p_holm": p,
        }
    )
    correlation = float(np.corrcoef(compared, rated)[0, 1])
    apart = table.loc[table["p_holm"] < 0.05, "item"].tolist()
    summary = {
        "items": len(names),
        "choices": len(both.first),
        "ratings": len(both.item),
        "classes": classes,
        "noise": 1 / fit.slope,
        "correlation": correlation,
        "apart": apart,
        "sentence": _sentence(correlation, apart),
    }
    return CommonScale(table[list(_COLUMNS)], Summary(plain(summary)))


def _sentence(correlation: float, apart: list[str]) -> str:
    text = f"Choices and ratings, each alone, correlate by {correlation:.2f}"
    if not apart:
        return f"{text} and place no image differently beyond chance."
    some = ", ".join(apart[:5]) + (", …" if len(apart) > 5 else "")
    images = "1 image" if len(apart) == 1 else f"{len(apart)} images"
    return (
        f"{text} but place {images} differently ({some}): the two questions ask for different things there."
    )
