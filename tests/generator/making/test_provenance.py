"""What an image's provenance holds of its making."""

from __future__ import annotations

import json
import math

import pytest

from generator.making.provenance import thinned
from generator.making.render import render
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from tests.generator.conftest import PlanWriter


def test_a_step_whose_loss_is_not_finite_is_a_gap_of_the_curve() -> None:
    curve = thinned({"content": [1.0, math.inf, 2.0], "style": [3.0, math.nan, 4.0]})
    assert curve == {"evaluation": [1, 2, 3], "content": [1.0, None, 2.0], "style": [3.0, None, 4.0]}


@pytest.mark.django_db
def test_an_image_is_kept_though_its_last_step_led_to_no_number(write_plan: PlanWriter) -> None:
    path = write_plan(recipe='optimiser = "lbfgs"\nlearning_rate = 1000\nbeta = 1e15\n')
    image_set = image_set_from_plan(load_plan(path))
    render(image_set, device="cpu")
    cell = image_set.cells.get()
    assert None in cell.provenance["curve"]["style"]
    json.dumps(cell.provenance, allow_nan=False)
