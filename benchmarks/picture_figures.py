"""Figures of a picture that a style transfer made: what is clipped, rough or lost, measured on one network for every program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.nst import losses, prepare
from generator.nst.network import Vgg
from generator.nst.weights.registry import Weights

_CONTENT_LAYER = "conv4_2"
_STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
# Cycles a pixel: above them lies what looks like dots, lattices and coloured flecks.
_FINE = 0.35


@dataclass(frozen=True)
class Figures:
    """What is measured of one picture.

    Attributes:
        clip: Share of pixels with a channel at 0 or 255.
        luma: Energy of the luma above 0.35 cycles a pixel, relative to the style image's.
        chroma: The same of both colour differences.
        content: |F - P|² / |P - its mean|² at conv4_2: 0 is the content image, 1 keeps no more than its mean.
        gram: Mean over five layers of |G - A| / |A|.
        w2: Mean over five layers of the squared Wasserstein distance in parts of the style's variance.
    """

    clip: float
    luma: float
    chroma: float
    content: float
    gram: float
    w2: float


class Measure:
    """Measures pictures of one content and one style image. Images are 3 x H x W, 0 to 1."""

    def __init__(self, content: Tensor, style: Tensor, weights: Weights) -> None:
        self._taps = (_CONTENT_LAYER, *_STYLE_LAYERS)
        self._network = Vgg(weights, self._taps, padding="replicate")
        self._mean = torch.tensor(weights.preprocessing.mean)[:, None, None]
        self._deviation = torch.tensor(weights.preprocessing.deviation)[:, None, None]
        self._content, self._style = content, style

    def __call__(self, picture: Tensor) -> Figures:
        """Measure a picture; both references are brought to its longest side."""
        content = prepare.resize(self._content, _size(picture)).clamp(0, 1)
        longest = max(picture.shape[1:])
        style = self._style
        scale = min(1.0, longest / max(style.shape[1:]))
        style = prepare.resize(style, (round(style.shape[1] * scale), round(style.shape[2] * scale)))
        style = style.clamp(0, 1)
        own, theirs, wanted = self._features(picture), self._features(style), self._features(content)
        fine, ours = fine_energy(style), fine_energy(picture)
        levels = (picture * 255).round()
        return Figures(
            clip=float(((levels <= 0) | (levels >= 255)).any(0).float().mean()),
            luma=ours[0] / max(fine[0], 1e-9),
            chroma=ours[1] / max(fine[1], 1e-9),
            content=_content_lost(own[_CONTENT_LAYER], wanted[_CONTENT_LAYER]),
            gram=float(np.mean([_gram_error(own[tap], theirs[tap]) for tap in _STYLE_LAYERS])),
            w2=float(np.mean([_wasserstein_error(own[tap], theirs[tap]) for tap in _STYLE_LAYERS])),
        )

    @torch.no_grad()
    def _features(self, image: Tensor) -> dict[str, Tensor]:
        return self._network(((image * 255 - self._mean) / self._deviation)[None])


def fine_energy(image: Tensor) -> tuple[float, float]:
    """Return the mean energy a pixel above 0.35 cycles of the luma and of the two colour differences (BT.601)."""
    red, green, blue = (image[channel].double().numpy() for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return _energy(luma), _energy(0.564 * (blue - luma)) + _energy(0.713 * (red - luma))


def _energy(values: NDArray[np.float64]) -> float:
    height, width = values.shape
    # The window keeps the jump from one border to the other out of the spectrum.
    window = np.outer(np.hanning(height), np.hanning(width))
    spectrum = np.abs(np.fft.fft2((values - values.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    return float(spectrum[radius > _FINE].sum() / (window**2).sum() / values.size)


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[1], image.shape[2]


def _content_lost(own: Tensor, wanted: Tensor) -> float:
    spread = wanted - wanted.mean((2, 3), keepdim=True)
    return float((own - wanted).square().sum() / spread.square().sum())


def _gram_error(own: Tensor, style: Tensor) -> float:
    target = losses.gram(style) / style[0, 0].numel()
    return float((losses.gram(own) / own[0, 0].numel() - target).norm() / target.norm())


def _wasserstein_error(own: Tensor, style: Tensor) -> float:
    target = losses.moments(style)
    variance = target[:, :, 1:].square().sum() / style.shape[1]
    return float(losses.wasserstein(own, target) / variance)
