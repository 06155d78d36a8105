"""A media store of its own for each test, a network of a few channels, and a plan for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

PlanWriter = Callable[..., Path]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Threads that wait for each other cost more than these small tensors take."""
    torch.set_num_threads(1)


@pytest.fixture
def media(settings, tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    settings.MEDIA_ROOT = folder
    return folder


@pytest.fixture
def tiny_network(tmp_path: Path, monkeypatch) -> Path:
    """A weight file of a narrow VGG-16 with random weights, also taken for the covariates."""
    from generator.nst.recipes.networks import CAFFE
    from generator.nst.weights.layouts import LoadedWeights, save_canonical
    from tests.generator.nst.tiny import tiny_tensors

    path = tmp_path / "tiny-vgg16.safetensors"
    save_canonical(LoadedWeights(tiny_tensors(), CAFFE, "canonical"), path, {})
    monkeypatch.setattr("generator.making.describe.COMMON_NETWORK", str(path))
    monkeypatch.setattr("generator.making.covariates.SIZE", 48)
    return path


@pytest.fixture
def write_plan(tmp_path: Path, tiny_network: Path, media: Path) -> PlanWriter:
    """Write a plan of two small pictures on the tiny network; `tail` holds its factors, `recipe` more settings."""

    def write(tail: str = "", recipe: str = "", name: str = "grid.toml", head: str = "") -> Path:
        folder = tmp_path / "plan"
        folder.mkdir(exist_ok=True)
        for seed, picture in enumerate(("cat.png", "wave.png")):
            pixels = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((48, 40), Image.Resampling.BICUBIC).save(folder / picture)
        path = folder / name
        path.write_text(
            f'preset = "patel2019"\n{head}\n[images]\ncontent = ["cat.png"]\nstyle = ["wave.png"]\n'
            f'[recipe]\nnetwork = "{tiny_network}"\nsize = 32\nevaluations = 6\n{recipe}\n{tail}\n'
        )
        return path

    return write
