"""Images that cells share are worked on once."""

from __future__ import annotations

import hashlib
from unittest.mock import Mock

from generator.nst import Cell, prepare, transfer_batch
from generator.nst.targets import Targets
from tests.generator.nst.optimise.small import SMALL, WEIGHTS
from tests.generator.nst.tiny import picture


def test_cells_that_share_an_image_have_it_resampled_hashed_and_brought_over_once(monkeypatch):
    hashed, resized = Mock(wraps=hashlib.sha256), Mock(wraps=prepare.resize)
    monkeypatch.setattr(hashlib, "sha256", hashed)
    monkeypatch.setattr(prepare, "resize", resized)
    content, style = picture(seed=1), picture(seed=2)
    recipe = SMALL.replace(evaluations=1, first_evaluations=1, size=32, pyramid_min=23)
    cells = [Cell(content, style, recipe.replace(ratio=0.1 * (n + 1)), 1) for n in range(25)]
    transfer_batch(cells, weights=WEIGHTS)
    assert hashed.call_count == 2
    # Two levels of two images, the iterates, and each result's own content for its colours.
    assert resized.call_count <= 2 * 2 + 2 + 25


def test_equal_images_of_different_tensors_are_one_image_to_a_batch(monkeypatch):
    seen = Mock(wraps=Targets._targets)
    monkeypatch.setattr(Targets, "_targets", lambda self, *given, **named: seen(self, *given, **named))
    cells = [Cell(picture(seed=1), picture(seed=2), SMALL.replace(evaluations=1), n) for n in range(3)]
    transfer_batch(cells, weights=WEIGHTS)
    assert seen.call_count == 2
