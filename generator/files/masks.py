"""Masks: pictures that are grey, white where a style goes and black where not."""

from __future__ import annotations

import numpy as np
from PIL import Image

from generator.files.images import ImageError

# Largest difference between channels, of 255, that JPEG compression makes of grey.
_GREY = 24


def check_mask(picture: Image.Image, name: str) -> None:
    """Raise ImageError for a mask that is coloured, or black all over."""
    pixels = np.asarray(picture, dtype=np.int16)
    if int((pixels.max(2) - pixels.min(2)).max()) > _GREY:
        raise ImageError(
            f"{name}: is coloured; a mask is grey, white where the style goes and black where not"
        )
    if not pixels.any():
        raise ImageError(f"{name}: is black all over; paint white where the style goes")
