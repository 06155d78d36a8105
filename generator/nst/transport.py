"""The Wasserstein style loss with its gradient written out, without a pass over centred activations.

|μ − ν|² + tr(Σ + T − 2 (T^½ Σ T^½)^½) for N(μ, Σ) and N(ν, T) (Olkin and Pukelsheim 1982). By Σ it has the gradient
I − T^½ (T^½ Σ T^½)^-½ T^½, one less the optimal map from the one distribution to the other (Knott and Smith 1984;
Bhatia, Jain and Lim 2019). A gradient W by Σ and w by μ is 2 X W + w − 2 μ W by activations X, for each position and
divided by their number: one product. `losses.wasserstein` says the same in a few lines, for autograd.

The roots of small matrices come in two ways:

* By eigenvalues, on a CPU: one thread takes each matrix, for a factorisation's own threads mostly wait for each other.
* By iteration, on a GPU, where eigenvalues take long and wait for the host. With Σ = L Lᵀ the last trace is the sum of
  the singular values of A = Lᵀ T^½, so tr(Qᵀ A) for the orthogonal factor Q of A (Higham, Functions of Matrices, SIAM
  2008, section 8.1), and the map is L⁻ᵀ Q T^½. A has the root of the condition of T^½ Σ T^½, whose eigenvalues drown in
  float32's rounding. Q comes of X ← X (a + b XᵀX + c (XᵀX)²), as Newton's and Schulz's iteration but with the best
  coefficients (Amsel, Persson, Musco and Gower 2025, arXiv 2505.16932). Singular values of 1e-4 of A's norm and more
  become 1, smaller ones come nearer.

On a photograph the image's gradient was off by 0.1 to 1.2 % by iteration and by 0.9 to 3.4 % by eigenvalues, compared
with float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from generator.nst.cpu.winograd import on_threads

# Added to a covariance's diagonal: more channels than positions leave it singular. crowsonkb's value is 1e-4 for
# inputs of unit deviation; activations here are those of 0..255.
RIDGE = 1e-2
# a, b and c of each step, the best for singular values of 1e-4 to 1: by linear programming, from interval to interval.
STEPS = (
    (8.509887, -25.264313, 18.753575),
    (4.245347, -3.145549, 0.582968),
    (4.221047, -3.128773, 0.581063),
    (4.121541, -3.059815, 0.573235),
    (3.75788, -2.803811, 0.544206),
    (2.861583, -2.13516, 0.468986),
    (2.02371, -1.406077, 0.390378),
    (1.875, -1.25, 0.375),
)
# Of a covariance's trace, added to its diagonal: more than float32 rounds off, or a singular one had no factor.
_ROUNDING = 1e-6
# How far rounding may lift the largest singular value above the norm that bounds it.
_ROOM = 1.001
_MIN_EIGENVALUE = 1e-8

Product = Callable[[Tensor], Tensor]


class Slopes(NamedTuple):
    """Distances (N), divided by C, and their gradients by mean (N x C) and by covariance (N x C x C, symmetric)."""

    distance: Tensor
    by_mean: Tensor
    by_covariance: Tensor


Roots = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def distances(
    features: Sequence[Tensor], targets: Sequence[Tensor], masks: Sequence[Tensor | None]
) -> list[Tensor]:
    """Return the distances of several layers, N each, as `losses.wasserstein` has them.

    features: N x C x H x W; targets: `losses.moments`; masks: N x 1 x any size, or None.
    """
    guides = [
        None if mask is None else guide(mask, *each.shape[2:])
        for each, mask in zip(features, masks, strict=True)
    ]
    found = [_Moments.apply(each, mask) for each, mask in zip(features, guides, strict=True)]
    means, covariances = zip(*found, strict=True)
    return list(_Distances.apply(targets, *means, *covariances))


def slopes(mean: Tensor, covariance: Tensor, target: Tensor, roots: Roots) -> Slopes:
    """Return the distances of normal distributions with their gradients. No gradient is recorded.

    mean: N x C; covariance: N x C x C with its ridge; target: N x C x (1 + C), mean and root of the covariance.
    roots: `by_eigenvalues` or `by_iteration`.
    """
    channels = mean.shape[1]
    root, away = target[:, :, 1:], mean - target[:, :, 0]
    cross, carried = roots(covariance, root)
    trace = covariance.diagonal(dim1=1, dim2=2).sum(1) + root.square().flatten(1).sum(1)
    distance = (away.square().sum(1) + trace - 2 * cross) / channels
    one = torch.eye(channels, device=mean.device)
    return Slopes(distance, away * (2 / channels), (one - carried) / channels)


def by_eigenvalues(covariance: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Return tr (R Σ R)^½ (N) and R (R Σ R)^-½ R (N x C x C). What rounding made negative counts as nothing."""
    inner = root @ covariance @ root
    values, vectors = torch.linalg.eigh((inner + inner.transpose(1, 2)) / 2)
    large = values.clamp(min=_MIN_EIGENVALUE)
    half = (root @ vectors) * torch.where(values > _MIN_EIGENVALUE, large, torch.inf).pow(-0.25)[:, None]
    return large.sqrt().sum(1), half @ half.transpose(1, 2)


def by_iteration(covariance: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `by_eigenvalues` returns. No step asks the host."""
    trace = covariance.diagonal(dim1=1, dim2=2).sum(1)
    one = torch.eye(covariance.shape[1], device=covariance.device)
    lower = torch.linalg.cholesky_ex(covariance + (_ROUNDING * trace)[:, None, None] * one)[0]
    product = lower.transpose(1, 2) @ root
    factor = orthogonal(product)
    carried = torch.linalg.solve_triangular(lower.transpose(1, 2), factor @ root, upper=True)
    return (factor * product).flatten(1).sum(1), (carried + carried.transpose(1, 2)) / 2


def orthogonal(matrices: Tensor) -> Tensor:
    """Return the orthogonal factor of each matrix's polar decomposition (N x C x C), by `STEPS`."""
    norm = torch.linalg.matrix_norm(matrices, keepdim=True).clamp(min=torch.finfo(matrices.dtype).tiny)
    found: Tensor = matrices / (norm * _ROOM)
    for a, b, c in STEPS:
        square = found.transpose(1, 2) @ found
        found = torch.baddbmm(found, found, torch.baddbmm(square, square, square, beta=b, alpha=c), beta=a)
    return found


def covariance(mean: Tensor, gram: Tensor, positions: int) -> Tensor:
    """Return N x C x C with its ridge, of means and the products of activations not centred."""
    one = torch.eye(mean.shape[1], device=mean.device)
    return torch.baddbmm(gram, mean[:, :, None], mean[:, None], beta=1 / positions, alpha=-1) + RIDGE * one


def by_activations(
    mean: Tensor, by_mean: Tensor, by_covariance: Tensor, positions: int
) -> tuple[Tensor, Tensor]:
    """Return W (N x C x C) and w (N x 1 x C): the gradient by activations X (N x positions x C) is X W + w."""
    weights = by_covariance * (2 / positions)
    return weights, by_mean[:, None] / positions - mean[:, None] @ weights


class _Moments(torch.autograd.Function):
    """Mean and covariance of activations; backwards one product, and no centred copy."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        flat = _positions(features).float()
        squares = None if mask is None else _positions(mask).square()
        weighted = flat if squares is None else flat * squares
        mean = weighted.mean(1)
        ctx.save_for_backward(features, squares, mean)
        return mean, covariance(mean, weighted.transpose(1, 2) @ flat, flat.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_mean: Tensor, by_covariance: Tensor) -> tuple[Tensor, None]:
        features, squares, mean = ctx.saved_tensors
        flat = _positions(features)
        weights, row = by_activations(mean, by_mean, by_covariance, flat.shape[1])
        # A tensor and no view of one: to such autograd adds the network's gradient in place.
        gradient = torch.empty_like(features, memory_format=torch.channels_last)
        out = _positions(gradient)
        torch.baddbmm(row.to(flat.dtype), flat, weights.to(flat.dtype), out=out)
        return gradient if squares is None else gradient.mul_(_as_image(squares, features)), None


class _Distances(torch.autograd.Function):
    """The distances of several layers: their matrices are worked on side by side."""

    @staticmethod
    def forward(ctx: Any, targets: Sequence[Tensor], *moments: Tensor) -> tuple[Tensor, ...]:
        count = len(targets)
        parts = list(zip(moments[:count], moments[count:], targets, strict=True))
        found = _side_by_side(parts)
        ctx.save_for_backward(*(each.by_mean for each in found), *(each.by_covariance for each in found))
        return tuple(each.distance for each in found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        count = len(upstream)
        by_mean = (factor[:, None] * each for factor, each in zip(upstream, saved[:count], strict=True))
        by_covariance = (
            factor[:, None, None] * each for factor, each in zip(upstream, saved[count:], strict=True)
        )
        return (None, *by_mean, *by_covariance)


def _side_by_side(parts: Sequence[tuple[Tensor, Tensor, Tensor]]) -> list[Slopes]:
    """Return the slopes of layers: on a CPU a thread for each matrix, the largest first."""
    if parts[0][0].device.type != "cpu":
        return [slopes(*part, by_iteration) for part in parts]
    rows = [(layer, row) for layer, (mean, *_) in enumerate(parts) for row in range(len(mean))]
    rows.sort(key=lambda each: -parts[each[0]][0].shape[1])
    made: dict[tuple[int, int], Slopes] = {}

    def work(place: tuple[int, int]) -> None:
        layer, row = place
        with torch.no_grad():
            mean, covariances, target = (each[row : row + 1] for each in parts[layer])
            made[place] = slopes(mean, covariances, target, by_eigenvalues)

    on_threads(torch.get_num_threads(), work, rows)
    return [
        Slopes(*map(torch.cat, zip(*(made[layer, row] for row in range(len(mean))), strict=True)))
        for layer, (mean, *_) in enumerate(parts)
    ]


def guide(mask: Tensor, height: int, width: int) -> Tensor:
    """Return a mask at a layer's size, N x 1 x H x W, the mean of its squares being 1."""
    found = F.adaptive_avg_pool2d(mask.float(), (height, width))
    scaled: Tensor = found * found.square().mean((2, 3), keepdim=True).rsqrt()
    return scaled


def _positions(features: Tensor) -> Tensor:
    """Return N x (H W) x C: of a channels-last tensor, as networks make it, nothing is moved."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def _as_image(values: Tensor, features: Tensor) -> Tensor:
    """Return N x (H W) x 1 as N x 1 x H x W."""
    return values.view(len(values), 1, *features.shape[2:]).to(features.dtype)
