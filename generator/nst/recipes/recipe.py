"""Every setting of one style transfer except its two images and its seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

from generator.nst.recipes import layers
from generator.nst.recipes.conventions import CONVENTIONS
from generator.nst.recipes.errors import LayerError, RecipeError, WeightsError, did_you_mean
from generator.nst.recipes.networks import architecture_of, is_file
from generator.nst.recipes.options import COLOURS, KOLKIN, METHODS, STYLE_LOSSES, TV_FORMS

_CHOICES: dict[str, tuple[str, ...]] = {
    "method": METHODS,
    "convention": tuple(CONVENTIONS),
    "style_loss": STYLE_LOSSES,
    "tv_form": TV_FORMS,
    "pooling": ("max", "average"),
    "activation": ("after", "before"),
    "padding": ("zero", "replicate"),
    "init": ("noise", "content", "mix"),
    "noise": ("uniform", "normal"),
    "optimiser": ("lbfgs", "lbfgs-b", "adam"),
    "shape": ("aspect", "square"),
    "style_shape": ("aspect", "content"),
    "colour": COLOURS,
    "precision": ("auto", "fp32", "tf32", "bf16"),
}
# Key -> (least, most); every number of a recipe is finite.
_RANGES: dict[str, tuple[float, float]] = {
    "alpha": (0, 1e12),
    "beta": (0, 1e15),
    "tv_weight": (0, 1e12),
    "tv_beta": (1, 4),
    "range_weight": (0, 1e12),
    "noise_share": (0, 1),
    "noise_mean": (-255, 255),
    "noise_scale": (0, 255),
    "evaluations": (1, 100_000),
    "first_evaluations": (0, 100_000),
    "round_evaluations": (0, 100_000),
    "memory": (1, 200),
    "learning_rate": (1e-6, 1000),
    "averaging": (0, 0.9999),
    "stop_change": (0, 255),
    "size": (16, 8192),
    "style_scale": (0.05, 8),
    "pyramid_min": (0, 8192),
    "pyramid_step": (1.1, 4),
}
# All that decides what a trained network makes, beside the network itself, whose weights are hashed elsewhere.
_FEEDFORWARD_KEYS = ("method", "size", "shape", "precision")
_LAYER_KEYS = ("content_layers", "style_layers")
# A plan says content_layer = "conv3_1" where there is one.
_SINGULAR = {"content_layer": "content_layers", "style_layer": "style_layers"}

# Names in other programs and papers.
_OTHER_NAMES = {
    **dict.fromkeys(("iterations", "iters", "num_iterations", "max_iter", "steps", "epochs"), "evaluations"),
    **dict.fromkeys(("content_weight", "content_loss_weight"), "alpha"),
    **dict.fromkeys(("style_weight", "style_loss_weight"), "beta"),
    **dict.fromkeys(("tv", "total_variation", "total_variation_weight"), "tv_weight"),
    **dict.fromkeys(("image_size", "imsize", "max_size", "resolution", "width"), "size"),
    **dict.fromkeys(("model", "backbone", "vgg"), "network"),
    **dict.fromkeys(("optimizer",), "optimiser"),
    **dict.fromkeys(("color", "preserve_color", "original_colors"), "colour"),
    "lr": "learning_rate",
}


@dataclass(frozen=True)
class Recipe:
    """The settings of one style transfer; immutable and hashable. docs/reference/plans.md describes each key.

    `alpha` weighs the content, `beta` the style and `tv_weight` the total variation, in the units of `convention`.
    `ratio` is alpha / beta. Empty `style_weights` mean 1 / the number of style layers each. Lengths are in pixels,
    and `size` is the longest side. Noise is in grey levels (0 to 255) around the network's mean. With method
    "feedforward", `network` is the file of a trained network; only `size`, `shape` and `precision` count beside it.
    With "strotss" and "nnst" `ratio` is the paper's content weight α, and `style_layers` are those of its features.
    """

    preset: str = ""
    method: str = "optimised"
    network: str = "vgg16"
    content_layers: tuple[str, ...] = ("conv4_2",)
    style_layers: tuple[str, ...] = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
    style_weights: tuple[float, ...] = ()
    style_loss: str = "gram"
    convention: str = "paper"
    alpha: float = 1e-3
    beta: float = 1.0
    tv_weight: float = 0.0
    tv_form: str = "l2"
    tv_beta: float = 2.0
    range_weight: float = 0.0
    pooling: str = "max"
    activation: str = "after"
    padding: str = "zero"
    legacy_mean_order: bool = False
    init: str = "noise"
    noise: str = "uniform"
    noise_mean: float = 0.0
    noise_scale: float = 127.5
    noise_share: float = 0.6
    optimiser: str = "lbfgs-b"
    evaluations: int = 200
    first_evaluations: int = 0
    round_evaluations: int = 0
    memory: int = 10
    learning_rate: float = 1.0
    clamp: bool = False
    averaging: float = 0.0
    stop_change: float = 0.0
    size: int = 512
    shape: str = "aspect"
    style_scale: float = 1.0
    style_shape: str = "aspect"
    pyramid_min: int = 0
    pyramid_step: float = math.sqrt(2)
    colour: str = "none"
    precision: str = "auto"

    def __post_init__(self) -> None:
        for key in ("content_layers", "style_layers", "style_weights"):
            object.__setattr__(self, key, _as_tuple(getattr(self, key)))
        for field in fields(self):
            object.__setattr__(
                self, field.name, _checked(field.name, getattr(self, field.name), field.default)
            )
        if self.method == "feedforward":
            self._check_file()
            return
        self._check_layers()
        self._check_weights()
        if self.method in KOLKIN:
            self._check_content_weight()

    def _check_content_weight(self) -> None:
        if not self.beta or not self.style_layers:
            raise RecipeError(f'method = "{self.method}" needs beta > 0 and style_layers')
        if self.method == "strotss" and not self.ratio:
            raise RecipeError('ratio = 0: method = "strotss" divides by it; give it more than 0, such as 16')
        if self.method == "nnst" and self.ratio > 1:
            raise RecipeError(f'ratio = {self.ratio:g} should be from 0 to 1 with method = "nnst"')

    def _check_file(self) -> None:
        if not is_file(self.network):
            raise RecipeError(
                f'network = {self.network!r}: with method = "feedforward" it should be a file that `train_style` made'
            )

    def _check_layers(self) -> None:
        try:
            architecture = architecture_of(self.network)
        except WeightsError as error:
            raise RecipeError(f"network: {error}") from error
        for key in _LAYER_KEYS:
            try:
                named = tuple(layers.canonical(name, architecture) for name in getattr(self, key))
            except LayerError as error:
                raise RecipeError(f"{key}: {error}") from error
            if len(set(named)) < len(named):
                raise RecipeError(f"{key} = {list(named)}: names a layer twice")
            object.__setattr__(self, key, named)

    def _check_weights(self) -> None:
        if self.style_weights:
            if len(self.style_weights) != len(self.style_layers):
                raise RecipeError(
                    f"style_weights: {len(self.style_weights)} for {len(self.style_layers)} style_layers; give one each"
                )
            if min(self.style_weights) < 0 or sum(self.style_weights) <= 0:
                raise RecipeError(
                    f"style_weights = {list(self.style_weights)} should be 0 or more, and not all 0"
                )
        pulls = (self.alpha and self.content_layers, self.beta and self.style_layers, self.tv_weight)
        if not any(pulls):
            raise RecipeError("alpha, beta and tv_weight leave nothing to minimise; give one of them a value")

    @property
    def ratio(self) -> float:
        """alpha / beta, comparable within one convention only."""
        return self.alpha / self.beta if self.beta else math.inf

    @property
    def relative_style_weights(self) -> tuple[float, ...]:
        """One weight for each style layer, as given, or 1 / number of layers."""
        return self.style_weights or (1.0 / max(1, len(self.style_layers)),) * len(self.style_layers)

    def pairs(self, budget: int) -> int:
        """Return how many pairs of images the optimiser remembers at a level: no more than it has evaluations there."""
        if self.method != "optimised" or self.optimiser == "adam":
            return 0
        return min(self.memory, budget)

    @cached_property
    def taps(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where the network is read, for content and for style; nowhere by a feed-forward network."""
        if self.method == "feedforward":
            return (), ()
        architecture = architecture_of(self.network)
        first, second = (
            tuple(layers.tap(name, architecture, self.activation) for name in named)
            for named in (self._content_read, self.style_layers if self.beta else ())
        )
        return first, second

    @property
    def _content_read(self) -> tuple[str, ...]:
        """The content layers that are read: none by a method that compares features of the style layers."""
        return self.content_layers if self.alpha and self.method not in KOLKIN else ()

    def replace(self, **overrides: Any) -> Self:
        """Return a copy with other settings. `ratio` sets alpha from beta; `content_layer` stands for a list of one.

        Raises:
            RecipeError: If a setting cannot be used; the message names the key and the fix.
        """
        return type(self).from_dict(overrides, base=self)

    def to_dict(self) -> dict[str, Any]:
        """Return every setting as JSON's own types."""
        return {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
        }

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], base: Self | None = None) -> Self:
        """Return a recipe of these settings, the rest from `base` or the defaults. Raises RecipeError."""
        given = dict(settings)
        for singular, plural in _SINGULAR.items():
            if singular in given:
                if plural in given:
                    raise RecipeError(f"{singular} and {plural} are both given; keep one")
                given[plural] = given.pop(singular)
        start = base if base is not None else cls()
        if "ratio" in given:
            if "alpha" in given:
                raise RecipeError("ratio and alpha are both given; ratio = alpha / beta, so keep one")
            ratio = _number("ratio", given.pop("ratio"), 0, 1e12)
            beta = _number("beta", given.get("beta", start.beta), *_RANGES["beta"])
            if not beta:
                raise RecipeError(
                    f"ratio = {ratio:g}: needs beta > 0, as alpha = ratio * beta; give alpha instead"
                )
            given["alpha"] = ratio * beta
        known = {field.name for field in fields(cls)}
        for key in given:
            if meant := _OTHER_NAMES.get(key.lower()):
                raise RecipeError(f"unknown key {key!r}: it is called {meant} here")
            if key not in known:
                raise RecipeError(f"unknown key {did_you_mean(key, [*sorted(known), 'ratio', *_SINGULAR])}")
        return dataclasses.replace(start, **given)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the sorted JSON of what decides the image and is not at its default.

        So a key that is added later leaves every recipe without it as it was; a default, once given, never changes.
        The preset's name sets nothing.
        """
        defaults = {field.name: field.default for field in fields(self)}
        deciding = _FEEDFORWARD_KEYS if self.method == "feedforward" else set(defaults) - {"preset"}
        settings = {key: getattr(self, key) for key in deciding if getattr(self, key) != defaults[key]}
        text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _checked(key: str, value: Any, default: Any) -> Any:
    """Return a setting in its own type. Raises RecipeError."""
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise RecipeError(f"{key} = {did_you_mean(value, _CHOICES[key])}")
        return value
    if key in _RANGES:
        number = _number(key, value, *_RANGES[key])
        if isinstance(default, int):
            if number != int(number):
                raise RecipeError(f"{key} = {value!r} should be a whole number")
            return int(number)
        return number
    if key == "style_weights":
        if not isinstance(value, tuple):
            raise RecipeError(f"{key} = {value!r} should be a list of numbers")
        return tuple(_number(key, weight, 0, 1e9) for weight in value)
    if key in _LAYER_KEYS:
        if not isinstance(value, tuple) or not all(isinstance(name, str) for name in value):
            raise RecipeError(f"{key} = {value!r} should be a list of layers' names")
        return value
    if not isinstance(value, type(default)):
        raise RecipeError(
            f"{key} = {value!r} should be {'true or false' if isinstance(default, bool) else 'a text'}"
        )
    return value


def _number(key: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecipeError(f"{key} = {value!r} should be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise RecipeError(f"{key} = {value!r} should be a number")
    if not least <= value <= most:
        raise RecipeError(f"{key} = {_brief(value)} should be from {least:g} to {most:g}")
    return float(value)


def _brief(value: float) -> str:
    """Return a number as it was written, in short where it has hundreds of digits."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} digits)"
