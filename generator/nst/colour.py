"""What becomes of the content's colours, and of the style's.

Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016), and the colours of Kolkin et al., "Neural Neighbor
Style Transfer" (2022). Each function takes and returns RGB images 3 x H x W, 0..1, of any sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Linear RGB to the responses of the eye, and their cube roots to lightness, green to red and blue to yellow: B. Ottosson,
# "A perceptual color space for image processing" (2020).
_RESPONSES = torch.tensor(
    [
        [0.4121656120, 0.5362752080, 0.0514575653],
        [0.2118591070, 0.6807189584, 0.1074065790],
        [0.0883097947, 0.2818474174, 0.6302613616],
    ]
)
_OKLAB = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# Of NNST's program: what is added to variances before they are divided by; a style whose colours vary less is grey; how fast
# the weight of a neighbour falls with its difference in lightness; how often colours are smoothed.
_NO_VARIANCE, _GREY_STYLE, _FALL, _ROUNDS = 1e-4, 6e-5, 10.0, 5
# Pixels of the styles that are counted.
_COUNTED = 2**20
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


def finished(image: Tensor, content: Tensor, styles: Sequence[Tensor], mode: str) -> Tensor:
    """Give an image made in luminance the content's colours, and recolour one that is to be.

    Args:
        image: The image made, 3 x H x W, 0 to 1.
        content: The content image at the same size, 3 x H x W, 0 to 1.
        styles: The style images, whose colours count together.
        mode: As for `prepared`, or "recoloured" or "matched", after the functions of these names.

    Returns:
        3 x H x W, 0 to 1; in every other mode the image as it is.
    """
    if mode in ("recoloured", "matched"):
        pixels = torch.cat([style.cpu().flatten(1) for style in styles], dim=1)
        style = pixels[:, None, :: -(-pixels.shape[1] // _COUNTED)]
        return recoloured(image, content, style) if mode == "recoloured" else matched(image, style)
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
    """Return the image with the reference's mean and covariance of colours, by symmetric roots (Gatys, equation 4).

    Args:
        image: 3 x H x W, 0 to 1.
        reference: 3 x any size, 0 to 1.

    Returns:
        3 x H x W, of the image's type, cut to 0 to 1.
    """
    return _matched(image, reference, 1e-8).clamp(0, 1)


def recoloured(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """Return the image with the content's hues, moved to the style's mean and covariance of colours.

    So no object is of two colours by chance. Lightness stays the image's, and colours keep to its edges. Of a grey style
    the image takes the mean and covariance of all three values. All values keep within the style's range. Kolkin et al.
    2022, colour post-processing, as its program has it: values are not decoded before they become OkLab.

    Args:
        image: 3 x H x W, 0 to 1.
        content: 3 x H x W, 0 to 1.
        style: 3 x any size, 0 to 1.
    """
    seen, given = to_oklab(content), to_oklab(style)
    if float(torch.cov(given[1:].flatten(1)).abs().max()) < _GREY_STYLE:
        return matched(image, style)
    light = _within(to_oklab(image), given)[:1]
    colours = _smoothed(_matched(seen[1:], given[1:], _NO_VARIANCE), light)
    return from_oklab(_within(torch.cat([light, colours]), given))


def matched(image: Tensor, style: Tensor) -> Tensor:
    """Return the image with the style's mean and covariance of OkLab's values, within the style's range.

    Cosine distances, as NNST's, leave contrast and saturation open. Its authors' program has this for grey styles.

    Args:
        image: 3 x H x W, 0 to 1.
        style: 3 x any size, 0 to 1.
    """
    given = to_oklab(style)
    moved = _matched(_within(to_oklab(image), given), given, _NO_VARIANCE)
    return from_oklab(_within(moved, given))


def _within(values: Tensor, given: Tensor) -> Tensor:
    return values.clamp(given.amin((1, 2), keepdim=True), given.amax((1, 2), keepdim=True))


def to_oklab(image: Tensor) -> Tensor:
    """Return RGB, 3 x H x W, 0 to 1 and linear, as lightness, green to red and blue to yellow."""
    responses = torch.einsum("ij,jhw->ihw", _RESPONSES, image.clamp(0, 1))
    return torch.einsum("ij,jhw->ihw", _OKLAB, responses.clamp(min=0) ** (1 / 3))


def from_oklab(values: Tensor) -> Tensor:
    """Return OkLab, 3 x H x W, as RGB, cut to 0 to 1."""
    responses = torch.einsum("ij,jhw->ihw", torch.linalg.inv(_OKLAB), values) ** 3
    return torch.einsum("ij,jhw->ihw", torch.linalg.inv(_RESPONSES), responses).clamp(0, 1)


def _smoothed(colours: Tensor, light: Tensor) -> Tensor:
    """Return colours, C x H x W, as means over 3 x 3 pixels of which those of like lightness, 1 x H x W, weigh most."""
    weights = torch.exp(-_FALL * (_neighbours(light) - light[:, None]).abs())
    weights = weights / weights.sum(1, keepdim=True)
    for _ in range(_ROUNDS):
        colours = (_neighbours(colours) * weights).sum(1)
    return colours


def _neighbours(values: Tensor) -> Tensor:
    """Return each pixel's 3 x 3, C x 9 x H x W; beyond the edge its own values go on."""
    padded = F.pad(values[None], (1, 1, 1, 1), mode="replicate")
    return F.unfold(padded, 3).reshape(len(values), 9, *values.shape[1:])


def _matched(values: Tensor, reference: Tensor, least: float) -> Tensor:
    """Return values, C x H x W, with the reference's mean and covariance; least is added to each variance."""
    (mean, _, inverse), (target_mean, target_root, _) = (
        _statistics(each, least) for each in (values, reference)
    )
    moved = target_root @ inverse @ (values.flatten(1).double() - mean) + target_mean
    return moved.reshape(values.shape).to(values.dtype)


def _statistics(image: Tensor, least: float) -> tuple[Tensor, Tensor, Tensor]:
    flat = image.flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    covariance = (flat - mean) @ (flat - mean).T / flat.shape[1]
    values, vectors = torch.linalg.eigh(covariance + least * torch.eye(len(image), dtype=torch.float64))
    return mean, vectors @ values.sqrt().diag() @ vectors.T, vectors @ values.rsqrt().diag() @ vectors.T


def _luma(image: Tensor) -> Tensor:
    return torch.einsum("j,jhw->hw", _YIQ[0], image)[None]
