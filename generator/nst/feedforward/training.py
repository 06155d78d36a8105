"""Training of a feed-forward network on photographs: Johnson, Alahi and Fei-Fei (ECCV 2016), section 3.

The losses are those of style transfer by optimisation, in a recipe's units, at the size of the crops.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from generator.nst import losses, prepare
from generator.nst.feedforward.network import TransformNet
from generator.nst.gpu.precision import float32_products, on
from generator.nst.network import Vgg, resolve_precision
from generator.nst.recipes.coefficients import TERMS, coefficients
from generator.nst.recipes.conventions import Shape
from generator.nst.recipes.errors import NstError
from generator.nst.recipes.layers import check_reaches
from generator.nst.recipes.recipe import Recipe
from generator.nst.recipes.sizes import FEEDFORWARD_SIDE, style_size
from generator.nst.weights.registry import Weights

# Layers as in the paper's section 4.1. Weights: content 1 and style 5 a layer are the authors' released defaults
# (fast-neural-style, 2016) on Caffe's VGG-16; `beta` is the sum over the four layers. The total variation is a sum
# over pixels there too.
LOSSES = Recipe(
    network="vgg16",
    content_layers=("conv2_2",),
    style_layers=("conv1_2", "conv2_2", "conv3_3", "conv4_3"),
    convention="neural-style",
    alpha=1.0,
    beta=20.0,
    tv_weight=1e-6,
    tv_form="l2",
    size=256,
)
# Photographs kept decoded in each loading process: 256 of 1024 x 768 px are 600 MB at the most.
_KEPT_PHOTOGRAPHS = 256
# Steps between looks at the losses: each look waits for the device.
_LOOK_EVERY = 10


class TrainingError(Exception):
    """Training failed; the one-line message gives the step and the fix."""


@dataclass(frozen=True)
class Settings:
    """The settings of a training. Other attributes are as in `TransformNet` and Adam.

    Attributes:
        losses: A recipe. Only its network, layers, weights, precision and size (of the style image) are used.
        crop: Side of the square crops in px.
    """

    losses: Recipe = LOSSES
    steps: int = 40_000
    batch: int = 4
    crop: int = 256
    width: int = 32
    blocks: int = 5
    learning_rate: float = 1e-3
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 1),
            ("batch", 1),
            ("crop", 4 * FEEDFORWARD_SIDE),
            ("width", 1),
            ("blocks", 1),
        ):
            if getattr(self, name) < least:
                raise NstError(f"{name} = {getattr(self, name)} should be at least {least}")
        if not 0 < self.learning_rate < 1:
            raise NstError(f"learning_rate = {self.learning_rate} should be between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """Return every setting as JSON's own types."""
        return {**dataclasses.asdict(self), "losses": self.losses.to_dict()}


@dataclass
class Curve:
    """How a training went.

    Attributes:
        content: Weighted content loss of each step, a mean over the batch.
        style: Weighted style loss of each step.
        tv: Weighted total variation of each step.
        seconds: Seconds of all steps.
        waiting: Seconds of waiting for photographs.
    """

    content: list[float] = field(default_factory=list)
    style: list[float] = field(default_factory=list)
    tv: list[float] = field(default_factory=list)
    seconds: float = 0.0
    waiting: float = 0.0

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.content)

    @property
    def terms(self) -> dict[str, list[float]]:
        """The losses by `coefficients.TERMS`."""
        return {term: getattr(self, term) for term in TERMS}


class Crops(Dataset[Tensor]):
    """Square crops 3 x side x side, 0 to 1, of random photographs, scales and places, half of them mirrored.

    Crop number n depends only on the seed and n, so that a resumed training sees the same crops.

    Args:
        photographs: Files of the photographs.
        read: Returns a file's pixels, 3 x H x W of uint8.
        side: Px of a side.
        count: Number of crops.
        seed: Chooses photographs, scales and places.
    """

    def __init__(
        self, photographs: Sequence[Path], read: Callable[[Path], Tensor], side: int, count: int, seed: int
    ) -> None:
        self.photographs, self.side, self.count, self.seed = list(photographs), side, count, seed
        self._read = lru_cache(maxsize=_KEPT_PHOTOGRAPHS)(read)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Tensor:
        generator = np.random.default_rng((self.seed, number))
        photograph = self._read(self.photographs[generator.integers(len(self.photographs))])
        height, width = photograph.shape[1:]
        side = generator.integers(self.side, min(height, width) + 1)
        top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
        crop = photograph[:, top : top + side, left : left + side].float() / 255
        crop = prepare.resize(crop, (self.side, self.side)).clamp(0, 1)
        return crop.flip(-1) if generator.integers(2) else crop


class Perception:
    """The losses of a batch of stylised images against their photographs and the one style image."""

    def __init__(
        self, recipe: Recipe, weights: Weights, style: Tensor, crop: int, device: torch.device
    ) -> None:
        self.recipe = recipe
        contents, styles = recipe.taps
        for tap in {*contents, *styles}:
            check_reaches(tap, crop, crop)
        self.dtype = resolve_precision(recipe.precision, device)
        options: dict[str, Any] = {
            "pooling": recipe.pooling,
            "padding": recipe.padding,
            "dtype": self.dtype,
            "device": device,
        }
        self._network = Vgg(weights, {*contents, *styles}, **options)
        # The photographs themselves pass only as deep as their own layers.
        self._reference = Vgg(weights, contents, **options)
        self._mean, self._deviation = (
            torch.tensor(values, device=device)[:, None, None]
            for values in (weights.preprocessing.mean, weights.preprocessing.deviation)
        )
        shapes = self._shapes(crop, device)
        self._factors = coefficients(recipe, shapes)
        self._grams = self._style_grams(style.to(device), styles, shapes)

    def _prepared(self, images: Tensor) -> Tensor:
        return (images * 255 - self._mean) / self._deviation

    @torch.no_grad()
    def _shapes(self, crop: int, device: torch.device) -> dict[str, Shape]:
        found = self._network(torch.zeros(1, 3, crop, crop, device=device))
        return {
            "image": Shape(3, crop, crop),
            **{tap: Shape(*value.shape[1:]) for tap, value in found.items()},
        }

    @torch.no_grad()
    def _style_grams(
        self, style: Tensor, styles: Sequence[str], shapes: Mapping[str, Shape]
    ) -> dict[str, Tensor]:
        found = self._network(self._prepared(style[None]))
        # The style image has another number of positions; E compares like with like.
        return {
            tap: losses.gram(found[tap]) * (shapes[tap].positions / found[tap][0, 0].numel())
            for tap in styles
        }

    def __call__(self, images: Tensor, photographs: Tensor) -> Tensor:
        """Return the weighted terms of `coefficients.TERMS`, each a mean over the batch: 3, float32."""
        found = self._network(self._prepared(images))
        with torch.no_grad():
            targets = self._reference(self._prepared(photographs))
        zero = images.new_zeros(len(images), dtype=torch.float32)
        content = sum(
            (
                factor * losses.content(found[tap], targets[tap])
                for tap, factor in self._factors.content.items()
            ),
            zero,
        )
        style = sum(
            (
                factor * losses.gram_distance(found[tap], self._grams[tap])
                for tap, factor in self._factors.style.items()
            ),
            zero,
        )
        tv = zero
        if self._factors.tv:
            recipe = self.recipe
            tv = self._factors.tv * losses.total_variation(images * 255, recipe.tv_form, recipe.tv_beta)
        return torch.stack([content.mean(), style.mean(), tv.mean()])


@dataclass(frozen=True)
class Report:
    """The progress of training.

    Attributes:
        step: Steps done.
        steps: Steps wanted.
        curve: The losses so far.
        model: The network on its device; do not change it.
        checkpointed: Whether this step was written to disk.
    """

    step: int
    steps: int
    curve: Curve
    model: TransformNet
    checkpointed: bool


def train(
    style: Tensor,
    photographs: Sequence[Path],
    read: Callable[[Path], Tensor],
    settings: Settings,
    *,
    weights: Weights,
    checkpoint: Path,
    identity: str,
    device: torch.device | str = "cpu",
    checkpoint_every: int = 500,
    loaders: int = 1,
    callback: Callable[[Report], None] | None = None,
) -> tuple[TransformNet, Curve]:
    """Train a network for one style image (3 x H x W, 0..1); resumes from `checkpoint` where that file is there.

    Killed at any moment and run again it ends, on the CPU, with the same weights bit by bit. identity: what a
    checkpoint must agree in to be resumed (a hash of images and settings). read: a file of `photographs` -> 3 x H x W
    of uint8, each side at least `settings.crop`; it runs in `loaders` processes (0: in this one). callback: every few
    steps and after each checkpoint.

    Raises:
        TrainingError: If the losses are not numbers; NstError for images, layers and checkpoints that cannot
            be used.
    """
    prepare.check_image(style, "style image")
    with on(torch.device(device)), float32_products(settings.losses.precision):
        run = _Run(style, settings, weights, torch.device(device), checkpoint, identity)
        run.resume()
        crops = Crops(photographs, read, settings.crop, settings.steps * settings.batch, settings.seed)
        for batch in run.timed(_batches(crops, settings, run.curve.step, loaders, run.device)):
            run.step(batch)
            done = run.curve.step + len(run.unseen)
            at_checkpoint = done % checkpoint_every == 0 or done == settings.steps
            if at_checkpoint or done % _LOOK_EVERY == 0:
                run.look()
                if at_checkpoint:
                    run.save()
                if callback is not None:
                    callback(Report(done, settings.steps, run.curve, run.model, at_checkpoint))
    return run.model, run.curve


def _batches(
    crops: Crops, settings: Settings, done: int, loaders: int, device: torch.device
) -> Iterator[Tensor]:
    return iter(
        DataLoader(
            crops,
            batch_size=settings.batch,
            sampler=range(done * settings.batch, len(crops)),
            num_workers=loaders,
            pin_memory=device.type == "cuda",
            # A fixed generator, so that the global one is not used. Each crop has its own seed.
            generator=torch.Generator().manual_seed(0),
        )
    )


class _Run:
    """The state of a training: network, optimiser and curve."""

    def __init__(
        self,
        style: Tensor,
        settings: Settings,
        weights: Weights,
        device: torch.device,
        checkpoint: Path,
        identity: str,
    ) -> None:
        self.settings, self.device, self.checkpoint, self.identity = settings, device, checkpoint, identity
        size = style_size((style.shape[1], style.shape[2]), (settings.losses.size,) * 2, settings.losses)
        self.perception = Perception(
            settings.losses, weights, prepare.resize(style, size), settings.crop, device
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = TransformNet(settings.width, settings.blocks)
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.curve = Curve()
        self.unseen: list[Tensor] = []

    def timed(self, batches: Iterator[Tensor]) -> Iterator[Tensor]:
        """Pass batches on, adding up the time spent and, of that, spent waiting for them."""
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                return
            self.curve.waiting += time.perf_counter() - started
            yield batch
            self.curve.seconds += time.perf_counter() - started

    def step(self, photographs: Tensor) -> None:
        photographs = photographs.to(self.device, non_blocking=True, memory_format=torch.channels_last)
        mixed = self.perception.dtype == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            images = self.model(photographs)
        terms = self.perception(images.float(), photographs)
        self.optimiser.zero_grad()
        torch.autograd.backward(terms.sum())
        self.optimiser.step()
        self.unseen.append(terms.detach())

    def look(self) -> None:
        """Copy the losses since the last check from the device. Raises TrainingError."""
        first = self.curve.step + 1
        for number, terms in enumerate(torch.stack(self.unseen).tolist(), start=first):
            if not all(map(math.isfinite, terms)):
                kept = f"; {self.checkpoint} holds an earlier step" if self.checkpoint.exists() else ""
                raise TrainingError(
                    f"the losses are not numbers at step {number}: lower the learning rate or the style weight{kept}"
                )
            for values, term in zip(self.curve.terms.values(), terms, strict=True):
                values.append(term)
        self.unseen.clear()

    def save(self) -> None:
        """Write the checkpoint. The old one stays until the new one is complete on the disk."""
        temporary = self.checkpoint.with_name(f".{self.checkpoint.name}.{os.getpid()}")
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "curve": dataclasses.asdict(self.curve),
        }
        try:
            with temporary.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.checkpoint)
        finally:
            temporary.unlink(missing_ok=True)

    def resume(self) -> None:
        """Continue from the checkpoint if there is one.

        Raises:
            NstError: If it belongs to another training.
        """
        if not self.checkpoint.exists():
            return
        try:
            state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            identity = state["identity"]
        except Exception as error:  # torch and pickle raise nearly anything
            raise NstError(f"{self.checkpoint}: is not a readable checkpoint; delete it") from error
        if identity != self.identity:
            raise NstError(
                f"{self.checkpoint}: belongs to a training with other images or settings; delete it to start again, or"
                " choose another output"
            )
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.curve = Curve(**state["curve"])
