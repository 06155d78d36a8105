"""What may vary in a plan that the form writes: each factor with the input of its kind, and its values checked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from django.core.exceptions import ValidationError

from generator.nst.recipes.layers import ARCHITECTURES, convolutions
from generator.nst.recipes.networks import REGISTRY
from generator.nst.recipes.recipe import Recipe
from survey.desk.forms.methods import WORDS, architecture

Level = int | float | str
#: Things that may vary at once, beside photographs and styles.
MAX_FACTORS: Final = 4
MAX_LEVELS: Final = 50


@dataclass(frozen=True)
class Factor:
    """A key of a plan that may vary.

    Attributes:
        one, many: a value in words, as in "3 ratios".
        kind: numbers to tick or type; layers of the network; choices to tick; or one number of repeats.
        least, most: the range of a number; `whole` where it has no fraction.
        choices: value -> what it is called; the values of the kind "choices".
        ends: what small and large numbers do.
    """

    key: str
    label: str
    one: str
    many: str
    kind: Literal["numbers", "layers", "choices", "repeats"]
    hint: str = ""
    least: float = 0
    most: float = 0
    whole: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    ends: tuple[str, str] = ("", "")


SIZE: Final = Factor(
    "size", "Size of the images", "size", "sizes", "numbers",
    "The longest side in pixels. Tick one for all images, or several to compare them.", 16, 8192, whole=True,
    ends=("quick to make", "more detail"),
)  # fmt: skip
FACTORS: Final = (
    Factor(
        "ratio", "Ratio of photograph to style", "ratio", "ratios", "numbers",
        "How much the photograph counts, compared with the style.", 1e-9, 1e9,
        ends=("more style", "more photograph"),
    ),
    Factor(
        "content_layer", "Layer that keeps the photograph", "layer", "layers", "layers",
        "Where in the network the photograph is compared. Early layers keep small detail, late ones only shapes.",
    ),
    Factor(
        "tv_weight", "Smoothing", "smoothing weight", "smoothing weights", "numbers",
        "The weight of the total variation loss. 0 is none.", 0, 1e9, ends=("sharp", "smooth"),
    ),
    Factor(
        "style_scale", "Scale of the style image", "style scale", "style scales", "numbers",
        "1 is the size of the image that is made. It is never enlarged beyond its own pixels.", 0.05, 8,
        ends=("small patterns", "large patterns"),
    ),
    Factor(
        "evaluations", "Steps", "number of steps", "numbers of steps", "numbers",
        "Evaluations of the network at each size: more take longer.", 1, 100_000, whole=True,
        ends=("quick to make", "further from the start"),
    ),
    Factor(
        "init", "Where the image starts", "start", "starts", "choices",
        choices=(
            ("noise", "From noise: the style decides more"),
            ("content", "From the photograph: its parts stay in place"),
            ("mix", "From the photograph mixed with noise"),
        ),
    ),
    Factor(
        "optimiser", "Optimiser", "optimiser", "optimisers", "choices",
        choices=(
            ("lbfgs-b", "L-BFGS-B: few steps, with a line search"),
            ("lbfgs", "L-BFGS: fixed steps"),
            ("adam", "Adam: many small steps"),
        ),
    ),
    Factor(
        "pooling", "Pooling in the network", "pooling", "poolings", "choices",
        choices=(("max", "Largest value, as the network was trained"), ("average", "Average, as Gatys used it")),
    ),
    Factor(
        "colour", "Colours", "way of colouring", "ways of colouring", "choices",
        choices=(
            ("none", "Those of the style"),
            ("luminance", "Those of the photograph: only brightness is stylised"),
            ("histogram", "The style’s, matched to the photograph’s histogram"),
            ("covariance", "The style’s, matched to the photograph’s mean and spread"),
            ("recoloured", "The photograph’s, matched to the style’s mean and spread"),
            ("matched", "Those of the image made, matched to the style’s mean and spread"),
        ),
    ),
    Factor("preset", "Method", "method", "methods", "choices", "Compare methods with each other."),
    Factor(
        "repeats", "Versions of each image", "version", "versions", "repeats",
        "Each version starts from other noise.", 1, 50, whole=True,
    ),
)  # fmt: skip


def suggestions(factor: Factor, recipe: Recipe) -> list[Level]:
    """Return the numbers that are offered for a recipe, its own among them."""
    if factor.key == "size":
        return sorted({128, 256, 512, 1024, recipe.size})
    if factor.key == "style_scale":
        return sorted({0.25, 0.5, 1, 2, plain(recipe.style_scale)})
    if factor.key == "ratio" and recipe.method == "nnst":
        # A share of the photograph, no quotient of weights.
        return sorted({0.25, 0.5, 0.75, 1, plain(recipe.ratio)})
    own = plain(recipe.ratio) if factor.key == "ratio" else plain(getattr(recipe, factor.key))
    if factor.key == "evaluations":
        return sorted({int(own), *(_rounded(own * share, whole=True) for share in (0.25, 0.5, 2, 4))})
    shares = (0.01, 0.03, 0.1, 0.3, 3, 10) if factor.key == "ratio" else (0.1, 10)
    near = {_rounded(share * (own or 1)) for share in shares}
    return sorted({own, *near} if factor.key == "ratio" else {0, own, *(near if own else {0.1, 1, 10})})


def layers_of(network: str) -> list[tuple[int, list[str]]]:
    """Return each block of a network with its convolutions, from the picture on."""
    architecture = REGISTRY[network].architecture
    names = convolutions(architecture)
    blocks = range(1, len(ARCHITECTURES[architecture]) + 1)
    return [(block, [name for name in names if name[4] == str(block)]) for block in blocks]


def levels(
    factor: Factor, ticked: Iterable[str], typed: str, network: str, ready: Iterable[str]
) -> list[Level]:
    """Return the chosen values of a factor, each once, numbers in their order. Raises ValidationError in plain words.

    network: whose layers may be named; ready: the presets whose weights are here.
    """
    if factor.kind in ("numbers", "repeats"):
        found = {value: None for word in ticked for value in [_number(word, factor)]}
        found |= dict.fromkeys(numbers_in(typed, factor))
        values: list[Level] = sorted(found)
    else:
        known = [value for value, _ in factor.choices]
        if factor.kind == "layers":
            known = [name for _, names in layers_of(network) for name in names]
        elif factor.key == "preset":
            known = list(ready)
        values = list(dict.fromkeys(ticked))
        for value in values:
            if value not in known:
                raise ValidationError(_unknown(factor, str(value), network))
        values.sort(key=lambda value: known.index(str(value)))
    if len(values) > MAX_LEVELS:
        raise ValidationError(f"These are {len(values)} values. At most {MAX_LEVELS} are possible.")
    return values


def numbers_in(typed: str, factor: Factor) -> list[float]:
    """Return the numbers of a text, with spaces, semicolons or commas between. Raises ValidationError."""
    words = [word.strip(",") for word in re.split(r"[\s;]+", typed)]
    found = []
    for word in filter(None, words):
        parts = word.split(",")
        if len(parts) == 2 and not re.search(r"[.eE]", word):
            raise ValidationError(
                f"“{word}” may be one number or two. Write a point, as in 0.5, and spaces between numbers."
            )
        found += [_number(part, factor, typed.strip()) for part in parts]
    return found


def plain(value: float) -> int | float:
    """Return a number without a fraction that is zero."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _number(word: str, factor: Factor, whole_text: str = "") -> int | float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in word or not word.isascii():
        text = whole_text or word
        raise ValidationError(f"“{text[:40]}” is not a list of numbers")
    if factor.whole and value != int(value):
        raise ValidationError(f"{word} is not a whole number")
    if not factor.least <= value <= factor.most:
        least, most = (f"{plain(end):,}" if end >= 1 else f"{end:g}" for end in (factor.least, factor.most))
        raise ValidationError(f"{word} is not between {least} and {most}")
    return plain(value)


def _unknown(factor: Factor, value: str, network: str) -> str:
    if factor.kind == "layers":
        return f"{value[:40]} is not in {architecture(network)}"
    if value in WORDS:
        return f"The weights for {WORDS[value][0]} are not installed on this server"
    return f"“{value[:40]}” is none of the choices"


def _rounded(value: float, *, whole: bool = False) -> int | float:
    """Return a number with at most two digits that count."""
    return plain(max(1.0, round(float(f"{value:.2g}")))) if whole else plain(float(f"{value:.2g}"))
