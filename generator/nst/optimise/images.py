"""The images of a batch at one level, resampled, hashed and brought to the device."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from generator.nst import prepare


class Images:
    """The images of a batch at one level, each resampled and brought to the device once, however many cells share it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._digests: dict[int, str] = {}
        self._resized: dict[tuple[str, prepare.Size], Tensor] = {}
        self._made: dict[tuple[str, prepare.Size, str], Tensor] = {}

    def forget(self) -> None:
        """Drop the images of the last level."""
        self._resized, self._made = {}, {}

    def resized(self, image: Tensor, size: prepare.Size) -> Tensor:
        """Return an image at a size, on the CPU."""
        key = self._digest(image), size
        if key not in self._resized:
            self._resized[key] = prepare.resize(image, size)
        return self._resized[key]

    def centred(self, image: Tensor, size: prepare.Size, mean: Tensor) -> Tensor:
        """Return an image at a size in units of 0..255 less the mean: one tensor for all equal images."""
        key = self._digest(image), size, "image"
        if key not in self._made:
            self._made[key] = self.resized(image, size).to(self._device) * 255 - mean
        return self._made[key]

    def guide(self, drawn: Tensor, size: prepare.Size) -> Tensor:
        """Return a mask or map at a size: one tensor for all equal ones."""
        key = self._digest(drawn), size, "guide"
        if key not in self._made:
            self._made[key] = self.resized(drawn, size).clamp(0, 1).to(self._device)
        return self._made[key]

    def _digest(self, image: Tensor) -> str:
        # The cells hold their images, so an id stays one image's.
        if id(image) not in self._digests:
            data = image.detach().to("cpu", torch.float32).contiguous().numpy()
            self._digests[id(image)] = hashlib.sha256(str(image.shape).encode() + data.tobytes()).hexdigest()
        return self._digests[id(image)]
