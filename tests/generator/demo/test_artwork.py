from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from generator.demo.artwork import PAINTERS, brush_strokes, pop_print, stained_glass, woodcut_waves

PAINTINGS = [stained_glass, brush_strokes, woodcut_waves, pop_print]


@cache
def painted(paint: Callable[..., Image.Image]) -> Image.Image:
    """One painting by each painter, for all tests: a thousand brush strokes take a second."""
    return paint(48, seed=5)


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_the_same_picture_for_the_same_seed(paint):
    assert paint(48, seed=5).tobytes() == painted(paint).tobytes()


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_another_picture_for_another_seed(paint):
    assert paint(48, seed=6).tobytes() != painted(paint).tobytes()


@pytest.mark.parametrize("paint", PAINTINGS)
def test_it_paints_something_worth_transferring(paint):
    picture = np.asarray(painted(paint), dtype=float)
    assert picture.shape == (48, 48, 3)
    assert picture.std(axis=(0, 1)).min() > 20, "a style needs contrast in every channel"


def test_every_painter_has_a_name():
    assert set(PAINTERS.values()) == set(PAINTINGS)
