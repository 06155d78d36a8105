"""How many cells are made together."""

from __future__ import annotations

import torch

from generator import engine

CPU = torch.device("cpu")


def test_a_cpu_makes_small_images_together_and_large_ones_one_at_a_time():
    assert [engine.batch_size(CPU, side * side) for side in (64, 128, 256, 300, 512, 2048)] == [
        8,
        8,
        4,
        2,
        1,
        1,
    ]
