"""The loss terms of STROTSS and NNST, on features as rows: n x d."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

# Style features that are compared at a time: bounds the table of likenesses.
_AT_ONCE = 2048
# Least squared distance of two colours: a square root has no gradient at 0.
_MIN_SQUARE = 1e-8
# A feature without length is like no other.
_LEAST_LENGTH = 1e-12


def cosine_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return 1 - a·b / (|a| |b|) of each row of the first with each of the second, n x m."""
    return 1 - F.normalize(first, dim=1) @ F.normalize(second, dim=1).T


def euclidean_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return |a - b| of each row of the first with each of the second, n x m."""
    squares = first.square().sum(1)[:, None] + second.square().sum(1)[None] - 2 * first @ second.T
    return squares.clamp(min=_MIN_SQUARE).sqrt()


def relaxed_emd(cost: Tensor) -> Tensor:
    """Return the relaxed earth mover's distance of two sets, the greater of the two one-sided minima.

    max(1/n Σ_i min_j C_ij, 1/m Σ_j min_i C_ij): Kolkin, Salavon, Shakhnarovich 2019, section 2.2 (after Kusner et al. 2015).

    Args:
        cost: Distances C of each of the one with each of the other, n x m.
    """
    return torch.maximum(cost.min(1).values.mean(), cost.min(0).values.mean())


def moment_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return 1/d |μ - ν|_1 + 1/d² |Σ - T|_1 of the means and covariances of rows: Kolkin et al. 2019, section 2.2.

    Args:
        first: n x d.
        second: m x d.
    """
    (mean, spread), (other, its) = _moments(first), _moments(second)
    return (mean - other).abs().mean() + (spread - its).abs().mean()


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / len(rows)


def self_similarity(features: Tensor, target: Tensor) -> Tensor:
    """Return how the patterns of likeness within two sets of features differ: Kolkin et al. 2019, section 2.3.

    1/n Σ_ij |D_ij / Σ_i D_ij - T_ij / Σ_i T_ij|, D and T being the cosine distances within each set. The paper prints
    1/n², with which the term would hardly count; the authors' program has 1/n.

    Args:
        features: Of the image, n x d.
        target: Of the content image at the same places, n x e.
    """
    own, theirs = cosine_distances(features, features), cosine_distances(target, target)
    return (own / own.sum(0) - theirs / theirs.sum(0)).abs().sum(0).mean()


class Style:
    """A style's features, and the nearest of them, by the cosine distance of features less their mean.

    Kolkin et al. 2022, section 3 (feature replacement): each set is centred by its own mean.

    Args:
        rows: m x d.
        quick: Multiply in bfloat16, which may choose another feature that is about as near.
    """

    @torch.no_grad()
    def __init__(self, rows: Tensor, quick: bool = False) -> None:
        self.rows, self.mean, self._quick = rows, rows.mean(0), quick
        # Half as large as the rows. Those of float32 are made at each search instead.
        self._kept = list(self._parts()) if quick else []

    @torch.no_grad()
    def nearest(self, features: Tensor) -> Tensor:
        """Return for each feature, n x d, the number of the nearest: n numbers from 0 to m - 1."""
        ours = self._searched(features - features.mean(0), 1.0)
        likeness = ours.new_full((len(ours),), -torch.inf)
        chosen = torch.zeros(len(ours), dtype=torch.long, device=ours.device)
        for number, theirs in enumerate(self._kept or self._parts()):
            best, place = (ours @ theirs.T).max(1)
            chosen = torch.where(best > likeness, place + number * _AT_ONCE, chosen)
            likeness = torch.maximum(best, likeness)
        return chosen

    def _parts(self) -> Iterator[Tensor]:
        for first in range(0, len(self.rows), _AT_ONCE):
            yield self._searched(self.rows[first : first + _AT_ONCE] - self.mean, -1.0)

    def _searched(self, centred: Tensor, last: float) -> Tensor:
        """Return rows whose product is the likeness, or minus the distance in bfloat16.

        Likenesses of near features are all about 1, where bfloat16 would round them to one value. It has more of them near
        0, so one more column takes the 1 off.
        """
        directions = F.normalize(centred, dim=1)
        if not self._quick:
            return directions
        column = directions.new_full((len(directions), 1), last)
        return torch.cat([directions, column], dim=1).bfloat16()


def cosine_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return the mean cosine distance of features to their own targets, n x d each: Kolkin et al. 2022, section 3."""
    lengths: Tensor = features.norm(dim=1) * target.norm(dim=1)
    likenesses = (features * target).sum(1) / lengths.clamp(min=_LEAST_LENGTH)
    return 1 - likenesses.mean()


def splitting_loss(features: Tensor, style: Style) -> Tensor:
    """Return the mean centred cosine distance of one layer's features, n x d, to the style's nearest ones.

    Kolkin et al. 2022, section 3 (feature splitting): the nearest are sought anew at each evaluation.
    """
    wanted = style.rows[style.nearest(features.detach())]
    return cosine_loss(features - features.mean(0), wanted - style.mean)
