"""Images whose votes split into two camps more than chance allows.

Null hypothesis: an image's votes are draws from one generalised score distribution with one peak. The statistic is the
depth of the valley between two peaks of the votes. The goodness of fit of the whole distribution, which its authors
propose, takes votes of 1 and 5 alone for a good fit, with ρ near 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.comparisons import SIGNIFICANT, holm
from survey.analysis.items.gsd import FEWEST_CATEGORIES, MOST_CATEGORIES, Floats, Grid, Ints, grid_of, valley
from survey.analysis.items.means import participant_means
from survey.analysis.items.mos import category_counts
from survey.analysis.scale import Scale, number_text
from survey.analysis.table import Coded
from survey.analysis.terms import IMAGES, Terms

Names = NDArray[np.object_]

SPLIT_COLUMNS: Final = ("item", "n", "psi", "rho", "valley", "p", "p_holm", "split", "camps", "note")
FEWEST_VOTES: Final = 10
"""Votes of different people from which on an image is tested."""
MAX_BESIDE_SCORES: Final = 200
"""Images up to which the page of scores marks those that split; of more, it would wait too long."""
MAX_NAMED: Final = 5
SMALLEST_CAMP: Final = 0.2
"""Share of the votes that the smaller camp has at least: a few careless votes are no camp."""
_FIRST, _ALL = 100, 1000
"""Samples that are drawn of every image with a valley, and of those that the first do not clear."""
_ENOUGH: Final = 20
"""Samples with a valley as deep that clear an image (J. Besag and P. Clifford 1991, Biometrika 78)."""
_TAIL: Final = 10
"""Deepest samples from which the chance of a deeper valley falls as e^−depth (I. Sanov 1957)."""
_SLACK: Final = 1e-9
_ROWS: Final = 100


@dataclass(frozen=True)
class Split:
    """The images of one question whose votes split.

    Attributes:
        table: one row an image, columns SPLIT_COLUMNS; empty numbers where an image was not tested.
        sentences: the finding, then what limits it.
        camps: image -> its two camps in words, of those whose votes split.
    """

    table: pd.DataFrame
    sentences: list[str]
    camps: dict[str, str]


@dataclass(frozen=True)
class SplitVotes:
    """The images of one question whose votes split, sought when first asked for."""

    ratings: Coded
    seed: int = 0
    terms: Terms = IMAGES

    @property
    def beside_scores(self) -> dict[str, str]:
        """The camps to show beside scores; none where there are many images."""
        return self.found.camps if len(self.ratings.items) <= MAX_BESIDE_SCORES else {}

    @cached_property
    def _counts(self) -> Ints:
        """Votes of each item in each category; of a person's votes of one item the first counts."""
        ratings = self.ratings
        if _why_none(ratings.scale):
            return np.zeros((len(ratings.items), 0), np.int64)
        first = participant_means(ratings).first
        names = ("item", "participant", "rating", "repeat")
        return category_counts(replace(ratings, **{name: getattr(ratings, name)[first] for name in names}))

    @cached_property
    def found(self) -> Split:
        """The same as ``result`` without the fits that are printed beside the tests."""
        return _search(self.ratings.items, self._counts, self.ratings.scale, self.seed, self.terms)

    @cached_property
    def result(self) -> Split:
        """Every image, with the distribution that was fitted to its votes."""
        return _with_fits(self.found, self._counts)


def split_votes(items: Names, counts: Ints, scale: Scale, *, seed: int = 0, terms: Terms = IMAGES) -> Split:
    """Find the images whose votes split into two camps.

    Args:
        items: their names, text.
        counts: votes of different people in each category, shape (items, categories).
        scale: of the votes.
        seed: of the samples.
        terms: what items are called.
    """
    return _with_fits(_search(items, counts, scale, seed, terms), counts)


def _search(items: Names, counts: Ints, scale: Scale, seed: int, terms: Terms) -> Split:
    n = counts.sum(axis=1)
    reason = _why_none(scale)
    if not reason and not (n >= FEWEST_VOTES).any():
        reason = f"no {terms.item} has votes of {FEWEST_VOTES} people"
    if reason:
        table = _table(items, n, note=f"not tested: {reason}")
        return Split(table, [f"Whether votes split into two camps was not tested: {reason}."], {})
    tested = n >= FEWEST_VOTES
    table = _table(items, n, note="")
    for name, values in _tests(counts[tested], np.random.default_rng(seed)).items():
        table.loc[tested, name] = values
    table.loc[~tested, "note"] = f"not tested: fewer than {FEWEST_VOTES} votes"
    sure = np.flatnonzero(table["p_holm"] <= SIGNIFICANT)
    camps = {str(items[i]): words for i in sure if (words := _camps(counts[i], scale))}
    table["split"] = table["item"].isin(list(camps))
    table["camps"] = pd.Series([camps.get(str(name), "") for name in items], dtype="object")
    return Split(table, _sentences(camps, len(items), int((~tested).sum()), terms), camps)


def _with_fits(found: Split, counts: Ints) -> Split:
    tested = found.table["p"].notna().to_numpy()
    if not tested.any():
        return found
    grid = grid_of(counts.shape[1])
    i, j = grid.fit(counts[tested])
    table = found.table.copy()
    # As the grid is printed: without the last digits of its steps.
    table.loc[tested, ["psi", "rho"]] = np.column_stack([grid.psi[i], grid.rho[j]]).round(2)
    return replace(found, table=table)


def _why_none(scale: Scale) -> str:
    if scale.categories is None:
        return "the scale is continuous"
    if len(scale.categories) > MOST_CATEGORIES:
        return f"the scale has more than {MOST_CATEGORIES} categories"
    return (
        f"the scale has fewer than {FEWEST_CATEGORIES} categories"
        if len(scale.categories) < FEWEST_CATEGORIES
        else ""
    )


def _table(items: Names, n: Ints, *, note: str) -> pd.DataFrame:
    empty: dict[str, Any] = dict.fromkeys(("psi", "rho", "valley", "p", "p_holm"), np.nan)
    columns = {"item": items, "n": n, **empty, "split": False, "camps": "", "note": note}
    return pd.DataFrame(columns, index=range(len(items)), columns=list(SPLIT_COLUMNS))


def _tests(counts: Ints, rng: np.random.Generator) -> dict[str, Floats]:
    depth, p = valley(counts), np.ones(len(counts))
    deep = np.flatnonzero(depth > _SLACK)
    if len(deep):
        p[deep] = _chances(grid_of(counts.shape[1]), counts[deep], depth[deep], rng)
    return {"valley": depth, "p": p, "p_holm": holm(p)}


def _chances(grid: Grid, counts: Ints, depth: Floats, rng: np.random.Generator) -> Floats:
    """Return the chance of a valley as deep under the best distribution of one peak, shape (rows,)."""
    i, j = grid.fit(counts, one_peak=True)
    shares = grid.chances[i, j] / grid.chances[i, j].sum(axis=1, keepdims=True)
    n = counts.sum(axis=1)
    depths = _sampled(n, shares, _FIRST, rng)
    p = _share(depths, depth)
    for start in range(0, len(left := np.flatnonzero(p * (1 + _FIRST) <= _ENOUGH)), _ROWS):
        rows = left[start : start + _ROWS]
        more = np.hstack([depths[rows], _sampled(n[rows], shares[rows], _ALL - _FIRST, rng)])
        p[rows] = _share(more, depth[rows])
        edge = np.sort(more, axis=1)[:, -_TAIL]
        beyond = _TAIL / _ALL * np.exp(-(depth[rows] - edge))
        p[rows] = np.where(depth[rows] > edge, np.minimum(p[rows], beyond), p[rows])
    return p


def _sampled(n: Ints, shares: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Return the depths of the valleys of samples, shape (rows, size)."""
    samples = rng.multinomial(n[:, None], shares[:, None, :], size=(len(n), size))
    return valley(samples.reshape(-1, shares.shape[1])).reshape(len(n), size)


def _share(depths: Floats, depth: Floats) -> Floats:
    reached = (depths >= depth[:, None] - _SLACK).sum(axis=1)
    return np.asarray((1 + reached) / (1 + depths.shape[1]))


def _camps(counts: Ints, scale: Scale) -> str:
    """Return the two camps in words, parted at the category whose votes fall the most below both sides.

    Empty where one of them is too small to be a camp.
    """
    places = range(1, len(counts) - 1)
    at = max(places, key=lambda k: min(counts[:k].max(), counts[k + 1 :].max()) - counts[k])
    sides = (0, counts[:at]), (at + 1, counts[at + 1 :])
    if min(int(side.sum()) for _, side in sides) < SMALLEST_CAMP * counts.sum():
        return ""
    return ", ".join(_camp(start, side, scale) for start, side in sides)


def _camp(start: int, counts: Ints, scale: Scale) -> str:
    given = np.flatnonzero(counts)
    names = [number_text((scale.categories or ())[start + place]) for place in (given[0], given[-1])]
    votes = int(counts.sum())
    return f"{votes} vote{'' if votes == 1 else 's'} at {' to '.join(dict.fromkeys(names))}"


def _sentences(camps: dict[str, str], items: int, untested: int, terms: Terms) -> list[str]:
    thing = terms.item
    if camps:
        named = [f"“{name}”" for name in list(camps)[:MAX_NAMED]]
        more = f" and {len(camps) - MAX_NAMED} more" if len(camps) > MAX_NAMED else ""
        said = f"Votes on {len(camps)} of {items} {thing}s split into two camps more than chance allows: {', '.join(named)}{more}. "
        said += f"Read {'its mean' if len(camps) == 1 else 'their means'} with care."
    else:
        said = f"No {thing}'s votes split into two camps more than chance allows."
    few = f"Not tested, with fewer than {FEWEST_VOTES} votes: {untested} of {items} {thing}s."
    return [said, few] if untested else [said]
