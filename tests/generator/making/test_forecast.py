"""What a plan will take."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import torch

from generator.making import engine, forecast
from generator.nst import preset
from generator.nst.recipes import footprint


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


def test_many_cells_on_a_cpu_are_estimated_without_pytorch(monkeypatch):
    monkeypatch.setattr(forecast, "_known_speed", lambda recipe, device: None)
    job = (preset("modern"), (400, 300))
    found = forecast.forecast([job] * 501, engine.PlainCpu())
    assert found.basis == "estimated from this processor's matrix products"
    assert 1 < found.seconds / 501 < 3600
    assert engine.PlainCpu() == engine.device_to_forecast("cpu")


def test_the_arithmetic_of_an_evaluation_is_that_of_the_network():
    # VGG-16 to conv5_1: 287,424 products a pixel, each a multiplication and an addition, forwards and backwards.
    assert footprint.products_per_pixel(preset("modern")) == 4 * 287_424
    assert footprint.products_per_pixel(preset("modern").replace(network="vgg19")) > 4 * 287_424


@pytest.mark.slow
def test_a_dry_run_imports_no_pytorch_for_a_plan_of_many_cells(write_plan):
    names = "\n".join(f"    {number / 1000}," for number in range(1, 502))
    path = write_plan(f"[factors]\nratio = [\n{names}\n]\n")
    path.write_text(re.sub("network = .*", 'network = "vgg16"', path.read_text()))
    program = f"""
import sys, django
from pathlib import Path
django.setup()
from unittest import mock
from generator.making import dry_run, forecast
from generator.plans.plan import load_plan
from generator.sets import create
nothing = mock.MagicMock(return_value=[])
with (mock.patch.object(dry_run, "Cell", nothing), mock.patch.object(create, "Cell", nothing),
      mock.patch.object(create, "find_set", lambda *rest: ("grid", None)),
      mock.patch.object(forecast, "_known_speed", lambda *rest: None),
      mock.patch.object(dry_run.engine, "_GPU_FILES", ())):
    found = dry_run.look_through(load_plan(Path({str(path)!r})), "auto")
assert len(found.cells) == 501
assert "torch" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "WEIGHTS_DIR": str(path.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
