"""Covariates of stylised images: measurements without raters, as columns beside the opinion score.

They describe an image and do not judge it. All are measured at `SIZE` px on the longest side (Lanczos), so that they
can be compared across sets. `VERSION` numbers their definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, stats
from skimage import color, metrics

from generator.files import images

if TYPE_CHECKING:
    import torch

    from generator.nst import Weights

VERSION = 1
SIZE = 256
# Root mean square difference at 32 px, of 1, below which two pictures are hard to tell apart.
NEAR_DUPLICATE = 0.02
_THUMBNAIL = 32

_CONTENT_TAP = "relu4_2"
_STYLE_TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

Pixels = NDArray[np.float64]


def measure(made: Image.Image, content: Image.Image, style: Image.Image) -> dict[str, float]:
    """Return the covariates of one image against its two references (RGB images of any size).

    `ssim`: structural similarity of luma with the content, Gaussian window, -1..1 (Wang et al. 2004).
    `edge_agreement`: Pearson correlation of Sobel gradient magnitudes of luma with the content, -1..1.
    `colour_from_content`, `colour_from_style`: mean over L*, a*, b* of the earth mover's distance of their
    distributions, in CIELAB units, from 0. `total_variation`: mean |dx| + |dy| in grey levels of 255.
    `colourfulness`: M of Hasler and Süsstrunk (2003), 0 for grey, above 100 for extreme.
    """
    # SSIM uses a window of 11 px, so a very long image is measured at a larger size.
    longest = max(SIZE, 16 * max(made.size) // min(made.size))
    picture = _pixels(images.fit(made, longest))
    height, width = picture.shape[:2]
    reference = _pixels(content.resize((width, height), Image.Resampling.LANCZOS))
    luma, reference_luma = color.rgb2gray(picture), color.rgb2gray(reference)
    return {
        "ssim": _ssim(luma, reference_luma),
        "edge_agreement": _correlation(_edges(luma), _edges(reference_luma)),
        "colour_from_content": _colour_distance(picture, reference),
        "colour_from_style": _colour_distance(picture, _pixels(images.fit(style, SIZE))),
        "total_variation": total_variation(picture),
        "colourfulness": colourfulness(picture),
    }


def network_losses(
    made: Image.Image, content: Image.Image, style: Image.Image, weights: Weights, device: torch.device
) -> dict[str, float]:
    """Return `content_loss` and `style_loss` in the units of Gatys, Ecker, Bethge (2016, equations 1, 4 and 5).

    Content is measured at conv4_2, style as the mean over conv1_1 .. conv5_1, after ReLU, with max pooling, in
    float32. All images use the same network, so that different recipes can be compared.
    """
    import torch

    from generator.nst import losses
    from generator.nst.network import Vgg

    network = Vgg(weights, {_CONTENT_TAP, *_STYLE_TAPS}, device=device)
    mean, deviation = (
        torch.tensor(values, device=device).view(1, 3, 1, 1)
        for values in (weights.preprocessing.mean, weights.preprocessing.deviation)
    )

    def features(image: Image.Image) -> dict[str, torch.Tensor]:
        pixels = images.to_tensor(image).to(device)[None] * 255
        return network((pixels - mean) / deviation)

    picture = images.fit(made, SIZE)
    with torch.no_grad():
        ours = features(picture)
        theirs = features(content.resize(picture.size, Image.Resampling.LANCZOS))
        wanted = features(images.fit(style, SIZE))
        distances = [
            losses.gram_distance(ours[tap], _gram_like(wanted[tap], ours[tap])) for tap in _STYLE_TAPS
        ]
        return {
            "content_loss": float(losses.content(ours[_CONTENT_TAP], theirs[_CONTENT_TAP])),
            "style_loss": float(torch.stack(distances).mean()),
        }


def _gram_like(style: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return the style's Gram matrix, scaled to the number of positions of the other image."""
    from generator.nst import losses

    return losses.gram(style) * (made[0, 0].numel() / style[0, 0].numel())


def near_duplicates(pictures: Sequence[Image.Image]) -> list[int | None]:
    """Return, for each picture, the index of the first earlier picture that looks the same, or None."""
    if not pictures:
        return []
    size = (_THUMBNAIL, _THUMBNAIL)
    small = np.stack([_pixels(picture.resize(size, Image.Resampling.BOX)).ravel() for picture in pictures])
    found: list[int | None] = []
    for place, one in enumerate(small):
        alike = np.sqrt(np.mean((small[:place] - one) ** 2, axis=1)) < NEAR_DUPLICATE
        found.append(int(alike.argmax()) if alike.any() else None)
    return found


def total_variation(picture: Pixels) -> float:
    """Return the mean |dx| + |dy| over pixels and channels of an array H×W×3 in 0..1, in grey levels of 255."""
    across = np.abs(np.diff(picture, axis=1)).mean() if picture.shape[1] > 1 else 0.0
    down = np.abs(np.diff(picture, axis=0)).mean() if picture.shape[0] > 1 else 0.0
    return float(255 * (across + down))


def colourfulness(picture: Pixels) -> float:
    """Return Hasler and Süsstrunk's M of an array H×W×3 in 0..1: sigma + 0.3 mu of the opponent axes, at 0..255."""
    red, green, blue = 255 * np.moveaxis(picture, -1, 0)
    axes = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    return float(np.hypot(*axes.std(axis=1)) + 0.3 * np.hypot(*axes.mean(axis=1)))


def _pixels(image: Image.Image) -> Pixels:
    return np.asarray(image, dtype=np.float64) / 255


def _ssim(one: Pixels, other: Pixels) -> float:
    return float(
        metrics.structural_similarity(  # type: ignore[no-untyped-call]
            one, other, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def _edges(luma: Pixels) -> Pixels:
    return np.asarray(ndimage.generic_gradient_magnitude(luma, ndimage.sobel))


def _correlation(one: Pixels, other: Pixels) -> float:
    """Return Pearson's r, or 0 if one of the two is constant."""
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _colour_distance(one: Pixels, other: Pixels) -> float:
    channels = zip(
        np.moveaxis(color.rgb2lab(one), -1, 0), np.moveaxis(color.rgb2lab(other), -1, 0), strict=True
    )
    return float(np.mean([stats.wasserstein_distance(a.ravel(), b.ravel()) for a, b in channels]))
