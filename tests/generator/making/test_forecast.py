"""What a plan will take."""

from __future__ import annotations

import pytest
import torch

from generator.making import forecast
from generator.nst import preset


@pytest.fixture(autouse=True)
def known_speed(monkeypatch):
    monkeypatch.setattr(forecast, "_known_speed", lambda recipe, device: (1e6, "known"))


def memory(**settings: object) -> float:
    recipe = preset("neural-style").replace(size=200, **settings)
    return forecast.forecast([(recipe, (200, 200))], torch.device("cpu")).memory_bytes


def test_the_pairs_that_the_optimiser_remembers_count_as_far_as_it_has_evaluations_for_them():
    pair = 200 * 200 * 3 * 4 * 2
    assert memory(memory=30) - memory(memory=10) == 20 * pair
    assert memory(memory=100, evaluations=40) == memory(memory=40)
    assert memory(memory=10) - memory(optimiser="adam", learning_rate=1.0) == 10 * pair


def test_a_new_device_is_measured_on_an_image_no_larger_than_the_plans(tiny_network, monkeypatch):
    monkeypatch.setattr(forecast, "_known_speed", lambda recipe, device: None)
    recipe = preset("modern").replace(network=str(tiny_network), size=48)
    found = forecast.forecast([(recipe, (48, 48))], torch.device("cpu"))
    assert found.seconds > 0
    assert found.basis == "measured now on 5 evaluations at 48 px"
