"""The loss terms of STROTSS and NNST, on features as rows: n x d."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Style features that are compared at a time: bounds the table of likenesses.
_AT_ONCE = 2048
# Least squared distance of two colours: a square root has no gradient at 0.
_MIN_SQUARE = 1e-8


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


@torch.no_grad()
def nearest(features: Tensor, style: Tensor) -> Tensor:
    """Return for each feature the number of the style's nearest, by the cosine distance of features less their mean.

    Kolkin et al. 2022, section 3 (feature replacement): each set is centred by its own mean.

    Args:
        features: n x d.
        style: m x d.

    Returns:
        n numbers from 0 to m - 1.
    """
    ours, mean = F.normalize(features - features.mean(0), dim=1), style.mean(0)
    likeness = ours.new_full((len(ours),), -torch.inf)
    chosen = torch.zeros(len(ours), dtype=torch.long, device=ours.device)
    for first in range(0, len(style), _AT_ONCE):
        theirs = F.normalize(style[first : first + _AT_ONCE] - mean, dim=1)
        best, place = (ours @ theirs.T).max(1)
        chosen = torch.where(best > likeness, place + first, chosen)
        likeness = torch.maximum(best, likeness)
    return chosen


def cosine_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return the mean cosine distance of features to their own targets, n x d each: Kolkin et al. 2022, section 3."""
    return 1 - F.cosine_similarity(features, target, dim=1).mean()


def splitting_loss(features: Tensor, style: Tensor) -> Tensor:
    """Return the mean centred cosine distance of one layer's features to the style's nearest ones.

    Kolkin et al. 2022, section 3 (feature splitting): the nearest are sought anew at each evaluation.

    Args:
        features: n x d.
        style: m x d.
    """
    wanted = style[nearest(features.detach(), style)]
    return cosine_loss(features - features.mean(0), wanted - style.mean(0))
