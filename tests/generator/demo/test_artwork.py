from __future__ import annotations

import numpy as np
import pytest

from generator.demo.artwork import PAINTERS, brush_strokes, pop_print, stained_glass, woodcut_waves

PAINTINGS = [stained_glass, brush_strokes, woodcut_waves, pop_print]


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_the_same_picture_for_the_same_seed(paint):
    assert paint(48, seed=5).tobytes() == paint(48, seed=5).tobytes()


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_another_picture_for_another_seed(paint):
    assert paint(48, seed=5).tobytes() != paint(48, seed=6).tobytes()


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_something_worth_transferring(paint):
    picture = np.asarray(paint(64), dtype=float)
    assert picture.shape == (64, 64, 3)
    assert picture.std(axis=(0, 1)).min() > 20, "a style needs contrast in every channel"


def test_every_painter_has_a_name():
    assert set(PAINTERS.values()) == set(PAINTINGS)
