"""Loss terms in the papers' units, for a batch of N images at once; always float32, whatever computed the features.

Every style transfer here minimises `sum a_l * C_l + sum b_l * E_l + t * TV`; a recipe's convention gives a, b and t.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from generator.nst import patches, transport


def content(features: Tensor, target: Tensor) -> Tensor:
    """Return ½ Σ (F − P)² of each image: Gatys, Ecker, Bethge 2016, equation 1 (Patel 2019, equation 4).

    Args:
        features: Activations F of the images, N x C x H x W, of any float type.
        target: Activations P of the content images, of the same shape.

    Returns:
        The losses, N, float32, 0 or more.
    """
    return 0.5 * (features.float() - target.float()).square().sum((1, 2, 3))


def gram(features: Tensor) -> Tensor:
    """Return G = F Fᵀ of each image, F being C x (H W): Gatys 2016, equation 3.

    Args:
        features: Activations, N x C x H x W.

    Returns:
        The Gram matrices, N x C x C, float32, symmetric, not divided by anything.
    """
    flat = _positions(features.float())
    return flat.transpose(1, 2) @ flat


def _positions(features: Tensor) -> Tensor:
    """Return N x (H W) x C: of a channels-last tensor, as networks make it, nothing is moved."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


class _GramDistance(torch.autograd.Function):
    """Σ (G − A)² / (4 N² M²) with its gradient (G − A) F / (N² M²): Gatys 2016, equations 4 to 6.

    Written out since G is symmetric: one product backwards where differentiating F Fᵀ takes two.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor) -> Tensor:
        channels, positions = features.shape[1], features.shape[2] * features.shape[3]
        scale = 1.0 / (channels * positions)
        # Scaled before it is squared: the Gram of 0..255 inputs reaches 1e10, its square nears float32's limit.
        difference = (gram(features) - target) * scale
        ctx.save_for_backward(features, difference)
        ctx.scale = scale
        return 0.25 * difference.square().flatten(1).sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        features, difference = ctx.saved_tensors
        factor = (upstream * ctx.scale)[:, None, None]
        # A tensor and no view of one: to such autograd adds the network's gradient in place.
        gradient = torch.empty_like(features, memory_format=torch.channels_last)
        # The gradient goes back into the network in the network's own precision; so it may be computed in it.
        weights = (factor * difference).to(features.dtype)
        torch.bmm(_positions(features), weights, out=_positions(gradient))
        return gradient, None


def gram_distance(features: Tensor, target: Tensor) -> Tensor:
    """Return E = Σ (G − A)² / (4 N² M²) of each image: Gatys 2016, equation 4 (Patel 2019, equation 5).

    In the formula N is the number of channels and M that of positions.

    Args:
        features: Activations, N x C x H x W; G is their Gram matrix.
        target: A, the style's Gram matrix, N x C x C, as `style_target` returns it: scaled by the ratio of positions alone.

    Returns:
        The losses, N, float32, 0 or more. The gradient is equation 6.
    """
    return _GramDistance.apply(features, target)  # type: ignore[no-any-return]


def moments(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return what `wasserstein` compares with: mean and root of the covariance of activations.

    Args:
        features: Activations, N x C x H x W.
        mask: N x 1 x any size, 0 to 1. A position counts by the mask's square, as in a guided Gram matrix (`masked`).

    Returns:
        N x C x (1 + C), float32: the mean in the first column, then the symmetric root.
    """
    mean, covariance = _moments(features, mask)
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()[:, None]) @ vectors.transpose(1, 2)
    return torch.cat([mean[:, :, None], root], dim=2)


def _moments(features: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    flat = _positions(features.float())
    if mask is None:
        mean = flat.mean(1)
        centred = flat - mean[:, None]
    else:
        guide = _positions(transport.guide(mask, *features.shape[2:]))
        mean = (flat * guide.square()).mean(1)
        centred = (flat - mean[:, None]) * guide
    covariance = centred.transpose(1, 2) @ centred / flat.shape[1]
    return mean, covariance + transport.RIDGE * torch.eye(flat.shape[2], device=flat.device)


def wasserstein(features: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the squared 2-Wasserstein distance of two normal distributions of activations, divided by C.

    |μ − ν|² + tr(Σ + T − 2 (T^½ Σ T^½)^½), the style loss of crowsonkb/style-transfer-pytorch (2021) after Olkin and
    Pukelsheim 1982.

    Args:
        features: Activations of the images, N x C x H x W; their mean is μ, their covariance Σ.
        target: `moments` of the style image, of any size: ν and T^½, N x C x (1 + C).
        mask: As for `moments`.

    Returns:
        The distances, N, float32; 0 or more but for rounding.
    """
    mean, covariance = _moments(features, mask)
    root = target[:, :, 1:]
    inner = root @ covariance @ root
    # Only eigenvalues are differentiated: their gradient is finite even where two of them meet.
    cross = torch.linalg.eigvalsh((inner + inner.transpose(1, 2)) / 2).clamp(min=1e-8).sqrt().sum(1)
    traces = covariance.diagonal(dim1=1, dim2=2).sum(1) + root.square().flatten(1).sum(1)
    distance: Tensor = (mean - target[:, :, 0]).square().sum(1) + traces - 2 * cross
    return distance / features.shape[1]


def style_target(features: Tensor, style_loss: str, positions: int, guide: Tensor | None = None) -> Tensor:
    """Return a style image's target for `style`.

    A style image of another size has another number of positions. So its Gram matrix is scaled by their ratio.

    Args:
        features: Activations of the style image, N x C x H x W.
        style_loss: One of STYLE_LOSSES: "gram", "patches" or "wasserstein".
        positions: Positions (H W) of the layer in the image to be made.
        guide: For "patches" a map, N x 3 x any size, 0 to 1. For the others a mask, N x 1 x any size, 0 to 1.

    Returns:
        "gram": N x C x C. "wasserstein": N x C x (1 + C), see `moments`. "patches": N x (9 C + 27) x patches.
    """
    if style_loss == "patches":
        return patches.target(features, guide)
    if style_loss == "wasserstein":
        return moments(features, guide)
    return gram(masked(features, guide)) * (positions / features[0, 0].numel())


def style(features: Tensor, target: Tensor, style_loss: str, guide: Tensor | None = None) -> Tensor:
    """Return the style loss of each image against a `style_target`.

    Args:
        features: Activations of the images, N x C x H x W.
        target: Result of `style_target` with the same `style_loss`.
        style_loss: One of STYLE_LOSSES.
        guide: Mask or map over the images to be made, as for `style_target`.

    Returns:
        The losses, N, float32: `gram_distance`, `patches.distance` or `wasserstein`.
    """
    if style_loss == "patches":
        return patches.distance(features, target, guide)
    if style_loss == "wasserstein":
        return wasserstein(features, target, guide)
    return gram_distance(masked(features, guide), target)


def masked(features: Tensor, mask: Tensor | None) -> Tensor:
    """Return T * F, T being a mask at the layer's size: Gatys et al. 2017 (CVPR), equation 6.

    There Σ T² = 1 and the Gram matrix is not divided by its positions. Here Σ T² is their number, which is the same with
    an undivided Gram matrix. So a white mask changes nothing.

    Args:
        features: Activations F, N x C x H x W.
        mask: N x 1 x any size, 0 to 1; None: `features` come back.

    Returns:
        N x C x H x W, of the features' type.
    """
    if mask is None:
        return features
    return features * transport.guide(mask, *features.shape[2:]).to(features.dtype)


# Squared differences below an exponent of 1 get this added: a step of a thousandth of a grey level is no variation.
MIN_VARIATION = 1e-6
_KERAS = 1.25


def total_variation(image: Tensor, form: str, beta: float = 2.0) -> Tensor:
    """Return the total variation of each image.

    dx and dy are the differences to the right and lower neighbour, over the (H-1) x (W-1) pixels that have both.

    Args:
        image: N x 3 x H x W, in units of 0 to 255.
        form: "keras": Σ (dx² + dy²)^1.25 (Keras's example, 2016; the notebook of Patel 2019).
            "l1": Σ|dx| + Σ|dy| over all pairs (neural-style-pt). "l2": ½ Σ (dx² + dy²) (Johnson's neural-style).
            "mahendran-vedaldi": Σ (dx² + dy²)^(beta/2) (CVPR 2015, equation 3). "nine-point": per-pixel mean of the
            squared differences to all neighbours (crowsonkb/style-transfer-pytorch).
        beta: Exponent of "mahendran-vedaldi", above 0; the other forms ignore it.

    Returns:
        The variations, N, float32, 0 or more.
    """
    return _TV[form](image.float(), beta)


def beyond(image: Tensor, mean: Tensor | float = 0.0) -> Tensor:
    """Return how far the values of each image lie beyond black and white: the mean of their squared excess.

    image: N x 3 x H x W in units of 0..255 less the mean (3 x 1 x 1). Returns N.
    """
    values = image.float() + mean
    return (values - values.clamp(0.0, 255.0)).square().mean((1, 2, 3))


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    corner = image[..., :-1, :-1]
    return image[..., :-1, 1:] - corner, image[..., 1:, :-1] - corner


def exponent(form: str, beta: float) -> float | None:
    """Return the exponent of a form of total variation that is Σ (dx² + dy²)^exponent; None for the other forms."""
    return {"keras": _KERAS, "mahendran-vedaldi": beta / 2}.get(form)


def _power(image: Tensor, exponent: float) -> Tensor:
    dx, dy = _differences(image)
    squares = dx.square() + dy.square()
    if exponent < 1:
        # The derivative of x^p at 0 is infinite for p < 1.
        squares = squares + MIN_VARIATION
    return squares.pow(exponent).flatten(1).sum(1)


def _l1(image: Tensor, beta: float) -> Tensor:
    across = (image[..., 1:] - image[..., :-1]).abs().flatten(1).sum(1)
    return across + (image[..., 1:, :] - image[..., :-1, :]).abs().flatten(1).sum(1)


def _l2(image: Tensor, beta: float) -> Tensor:
    dx, dy = _differences(image)
    return 0.5 * (dx.square() + dy.square()).flatten(1).sum(1)


def _nine_point(image: Tensor, beta: float) -> Tensor:
    """2/3 of the straight and 2/12 of the diagonal squared differences, a mean over the image's elements."""
    straight = _squares(image[..., 1:] - image[..., :-1]) + _squares(image[..., 1:, :] - image[..., :-1, :])
    diagonal = _squares(image[..., 1:, 1:] - image[..., :-1, :-1]) + _squares(
        image[..., 1:, :-1] - image[..., :-1, 1:]
    )
    return 2 * (straight / 3 + diagonal / 12) / image[0].numel()


def _squares(values: Tensor) -> Tensor:
    return values.square().flatten(1).sum(1)


_TV: dict[str, Callable[[Tensor, float], Tensor]] = {
    "keras": lambda image, beta: _power(image, _KERAS),
    "l1": _l1,
    "l2": _l2,
    "mahendran-vedaldi": lambda image, beta: _power(image, beta / 2),
    "nine-point": _nine_point,
}
