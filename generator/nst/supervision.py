"""Detection of failed images by their losses and pixels. A failed image is not used as a stimulus."""

from __future__ import annotations

import torch
from torch import Tensor

# A loss that ends this many times above its start has exploded.
_EXPLODED = 10.0
# A line search may try one wild step; several in a row are no trial.
_LAST = 5
# Grey levels beyond black and white, of 255, that half of all values may reach.
_BEYOND = 64.0
# Deviation, of 1, below which there is no picture.
_FLAT = 1e-3


def strayed(pixels: Tensor) -> float:
    """Return the share of values far beyond black or white, 0 to 1.

    Args:
        pixels: Of any shape, 0 to 1, not cut to that range yet.
    """
    return float(((pixels - 0.5).abs() > 0.5 + _BEYOND / 255).float().mean())


def failure(
    image: Tensor, losses: Tensor | None = None, last_level: Tensor | None = None, strayed: float = 0.0
) -> str:
    """Return why an image has failed, or "".

    Args:
        image: 3 x H x W, 0..1.
        losses: Of each evaluation.
        last_level: Losses at the last size of a pyramid; all by default.
        strayed: Result of `strayed`.
    """
    if not bool(image.isfinite().all()):
        return "the loss is not a number"
    if losses is not None and (reason := _of_losses(losses, losses if last_level is None else last_level)):
        return reason
    if float(image.std()) < _FLAT:
        return "the image is black" if float(image.max()) < _FLAT else "the image is of one colour"
    if strayed > 0.5:
        return f"{strayed:.0%} of the values ran far beyond black or white"
    return ""


def _of_losses(losses: Tensor, last_level: Tensor) -> str:
    tail = last_level[-_LAST:]
    finite = losses[losses.isfinite()]
    if not len(finite) or not bool(tail.isfinite().any()):
        return "the loss is not a number"
    start, end = float(last_level[0]), float(torch.nan_to_num(tail, nan=torch.inf).min())
    if start > 0 and end > _EXPLODED * start:
        return f"the loss exploded: it ended at {end / start:.3g} times its start; a smaller learning_rate may help"
    if len(losses) > 1 and float(finite.min()) >= float(losses[0]):
        return "the loss never fell below its start"
    return ""
