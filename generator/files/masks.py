"""Masks: grey pictures, white where a style goes and black elsewhere."""

from __future__ import annotations

import numpy as np
from PIL import Image

from generator.files.images import ImageError

# Largest difference between channels, of 255, that JPEG compression gives to grey.
_GREY = 24


def check_mask(picture: Image.Image, name: str) -> None:
    """Check a mask.

    Raises:
        ImageError: If it is coloured, or black everywhere.
    """
    pixels = np.asarray(picture, dtype=np.int16)
    if int((pixels.max(2) - pixels.min(2)).max()) > _GREY:
        raise ImageError(
            f"{name}: has colours; save the mask in grey, white where the style goes and black elsewhere"
        )
    if not pixels.any():
        raise ImageError(f"{name}: is black everywhere; paint white where the style goes")
