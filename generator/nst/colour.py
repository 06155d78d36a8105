"""What becomes of the content's colours: Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016).

Each function takes and returns RGB images 3 x H x W, 0..1, of any two sizes.
"""

from __future__ import annotations

import torch
from torch import Tensor

# BT.601 luma and the differences of colour that go with it: rows Y, I, Q of the YIQ transform.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def prepared(content: Tensor, style: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """Return the two references as a transfer in this mode wants them.

    Args:
        content: 3 x H x W, 0 to 1.
        style: 3 x H x W, 0 to 1, of any other size.
        mode: "luminance": both grey, the style's luma brought to the content's mean and deviation (section 3.2).
            "histogram", "covariance": the style in the content's colours (section 3.1). "none": as they are.

    Returns:
        Content and style, each in its own size, 0 to 1.
    """
    if mode == "luminance":
        light, other = _luma(content), _luma(style)
        moved = (other - other.mean()) * (light.std() / other.std().clamp(min=1e-6)) + light.mean()
        return light.expand_as(content), moved.clamp(0, 1).expand_as(style)
    if mode == "histogram":
        return content, match_histogram(style, content)
    if mode == "covariance":
        return content, match_covariance(style, content)
    return content, style


def finished(image: Tensor, content: Tensor, mode: str) -> Tensor:
    """Give an image made in luminance the content's colours.

    Args:
        image: The image made, 3 x H x W, 0 to 1.
        content: The content image at the same size, 3 x H x W, 0 to 1.
        mode: As for `prepared`.

    Returns:
        3 x H x W, 0 to 1; in every mode but "luminance" the image as it is.
    """
    if mode != "luminance":
        return image
    colours = torch.einsum("ij,jhw->ihw", _YIQ, content)
    whole = torch.cat([_luma(image), colours[1:]])
    return torch.einsum("ij,jhw->ihw", torch.linalg.inv(_YIQ), whole).clamp(0, 1)


def match_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """Return the image with the reference's distribution of values in each channel; equal values stay equal.

    Args:
        image: 3 x H x W, 0 to 1.
        reference: 3 x any size, 0 to 1.

    Returns:
        3 x H x W, within the reference's range.
    """
    matched = []
    for values, target in zip(image.flatten(1), reference.flatten(1), strict=True):
        _, places, counts = values.unique(return_inverse=True, return_counts=True)
        levels, target_counts = target.unique(return_counts=True)
        shares = counts.cumsum(0) / len(values)
        matched.append(_interpolated(shares, target_counts.cumsum(0) / len(target), levels)[places])
    return torch.stack(matched).reshape(image.shape)


def _interpolated(x: Tensor, known_x: Tensor, known_y: Tensor) -> Tensor:
    """Piecewise linear, constant beyond the ends."""
    high = torch.searchsorted(known_x, x).clamp(max=len(known_x) - 1)
    low = (high - 1).clamp(min=0)
    span = (known_x[high] - known_x[low]).clamp(min=1e-12)
    return torch.lerp(known_y[low], known_y[high], ((x - known_x[low]) / span).clamp(0, 1))


def match_covariance(image: Tensor, reference: Tensor) -> Tensor:
    """Return the image with the reference's mean and covariance of colours, by symmetric roots (equation 4).

    Args:
        image: 3 x H x W, 0 to 1.
        reference: 3 x any size, 0 to 1.

    Returns:
        3 x H x W, of the image's type, cut to 0 to 1.
    """
    (mean, _, inverse), (target_mean, target_root, _) = _statistics(image), _statistics(reference)
    moved = target_root @ inverse @ (image.flatten(1).double() - mean) + target_mean
    return moved.reshape(image.shape).clamp(0, 1).to(image.dtype)


def _statistics(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    flat = image.flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    covariance = (flat - mean) @ (flat - mean).T / flat.shape[1]
    values, vectors = torch.linalg.eigh(covariance + 1e-8 * torch.eye(3, dtype=torch.float64))
    return mean, vectors @ values.sqrt().diag() @ vectors.T, vectors @ values.rsqrt().diag() @ vectors.T


def _luma(image: Tensor) -> Tensor:
    return torch.einsum("j,jhw->hw", _YIQ[0], image)[None]
