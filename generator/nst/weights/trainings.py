"""Known trainings of VGG, told by the values of their first kernel, whatever their file is called.

The values are those that the networks' own programs print: the first row of the first filter of `conv1_1`, for blue in
the release of Simonyan and Zisserman (2015) and for red in torchvision's (IMAGENET1K_V1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from generator.nst.recipes.networks import CAFFE, TORCH, Preprocessing

# Half precision changes these values by less than 0.0003, bfloat16 by less than 0.002.
_TOLERANCE = 3e-3


@dataclass(frozen=True)
class Training:
    """A known network.

    Attributes:
        name: Its name.
        preprocessing: How it expects its input.
        row: The first row of its first kernel, in the channel `colour`.
        colour: Channel of `row`: 0 is red, 2 is blue.
    """

    name: str
    preprocessing: Preprocessing
    row: tuple[float, float, float]
    colour: int


TRAININGS = (
    Training("VGG-16 of Simonyan and Zisserman", CAFFE, (0.42947057, 0.373467, -0.061360113), 2),
    Training("VGG-19 of Simonyan and Zisserman", CAFFE, (0.341195, 0.339992, -0.0448442), 2),
    Training("VGG-16 of torchvision", TORCH, (-0.5537, 0.1427, 0.5290), 0),
    Training("VGG-19 of torchvision", TORCH, (-0.053474, -0.049257, -0.067942), 0),
)


def identified(kernel: Tensor) -> tuple[Training, bool] | None:
    """Return which training `conv1_1.weight` (out x 3 x 3 x 3) is of, and whether its channels are in the order RGB."""
    if kernel.dim() != 4 or kernel.shape[1:] != (3, 3, 3):
        return None
    first = kernel[0, :, 0, :].float()
    for training in TRAININGS:
        row = torch.tensor(training.row)
        for channel in (0, 2):
            if torch.allclose(first[channel], row, atol=_TOLERANCE, rtol=0):
                return training, channel == training.colour
    return None
