"""Decoded samples of a picture, before they are converted to sRGB and rounded to 8 bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.files.colour import Encoding, by_profile, to_srgb


@dataclass(frozen=True)
class Samples:
    """Samples of 8 or 16 bits.

    Attributes:
        colours: H x W x 1 (grey), 3 (RGB) or 4 (CMYK), uint8 or uint16, over the full range of the type.
        alpha: H x W, of either type; None if the picture is opaque.
        profile: ICC profile of the colours.
        encoding: The meaning of RGB and grey samples without a profile.
        orientation: EXIF orientation.
    """

    colours: NDArray[Any]
    alpha: NDArray[Any] | None = None
    profile: bytes | None = None
    encoding: Encoding = field(default_factory=Encoding)
    orientation: int = 1

    def by_profile(self) -> Image.Image:
        """Return the picture in sRGB by its profile. Raises ProfileError if the profile does not fit."""
        assert self.profile is not None  # noqa: S101
        return Image.fromarray(by_profile(self.colours, self.profile))

    def by_encoding(self) -> Image.Image:
        """Return the picture in sRGB without its profile."""
        if self.colours.shape[2] == 4:
            return Image.fromarray(eight_bits(self.colours), "CMYK").convert("RGB")
        if self.encoding.is_srgb:
            return Image.fromarray(np.broadcast_to(eight_bits(self.colours), (*self.colours.shape[:2], 3)))
        return Image.fromarray(
            to_srgb(np.broadcast_to(self.colours, (*self.colours.shape[:2], 3)), self.encoding)
        )

    def mask(self) -> Image.Image | None:
        """Return the alpha as an image of mode L."""
        return None if self.alpha is None else Image.fromarray(eight_bits(self.alpha))


def eight_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Return samples rounded to 8 bits."""
    return samples if samples.dtype == np.uint8 else np.round(samples / 257).astype(np.uint8)


def full_range(samples: NDArray[Any], top: int) -> NDArray[Any]:
    """Return samples from 0 to `top` over the full range of uint8 or, if they need more, of uint16."""
    if top <= 255:
        return np.round(samples * (255 / top)).astype(np.uint8)
    return np.round(samples * (65535 / top)).astype(np.uint16)
