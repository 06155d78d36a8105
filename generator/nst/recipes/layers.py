"""Names of VGG layers: conv1_1 .. conv5_4, relu1_1 .., pool1 .. pool5, and the names that other programs use."""

from __future__ import annotations

import re
from functools import lru_cache

from generator.nst.recipes.errors import LayerError, did_you_mean

# Convolutions in each of the five blocks: Simonyan and Zisserman 2015, table 1, columns D and E.
ARCHITECTURES: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}

_ALIASES = (
    (re.compile(r"block(\d)_conv(\d)"), "conv{}_{}"),  # Keras
    (re.compile(r"block(\d)_pool"), "pool{}"),
    (re.compile(r"r(\d)(\d)"), "relu{}_{}"),  # Gatys's notebook
    (re.compile(r"c(\d)(\d)"), "conv{}_{}"),
    (re.compile(r"p(\d)"), "pool{}"),
    (re.compile(r"(conv|relu)_?(\d)[_-](\d)"), "{}{}_{}"),
)


def names(architecture: str) -> list[str]:
    """Return every layer of an architecture in the order of computation."""
    return list(_names(architecture))


@lru_cache
def _names(architecture: str) -> tuple[str, ...]:
    found: list[str] = []
    for block, count in enumerate(ARCHITECTURES[architecture], start=1):
        for index in range(1, count + 1):
            found += [f"conv{block}_{index}", f"relu{block}_{index}"]
        found.append(f"pool{block}")
    return tuple(found)


def convolutions(architecture: str) -> list[str]:
    """Return the convolutions of an architecture in order."""
    return [name for name in names(architecture) if name.startswith("conv")]


def normalised(name: str) -> str:
    """Return a name in the library's own spelling; a name of no known form is returned as it is."""
    lowered = str(name).strip().lower()
    for pattern, template in _ALIASES:
        if match := pattern.fullmatch(lowered):
            return template.format(*match.groups())
    return lowered


@lru_cache(maxsize=1024)
def canonical(name: str, architecture: str) -> str:
    """Return the library's own name of a layer.

    Raises:
        LayerError: If the architecture lacks it; the message suggests the nearest name.
    """
    known = names(architecture)
    wanted = normalised(name)
    if wanted not in known:
        raise LayerError(f"{architecture} has no layer {did_you_mean(str(name), known)}")
    return wanted


@lru_cache(maxsize=1024)
def tap(name: str, architecture: str, activation: str) -> str:
    """Return where to read a named layer: `conv3_1` is read after its ReLU if activation is "after".

    Raises:
        LayerError: If the architecture lacks it.
    """
    wanted = canonical(name, architecture)
    return wanted.replace("conv", "relu") if activation == "after" else wanted


def smallest_side(name: str) -> int:
    """Return the least side in pixels of an image that reaches a layer: each pooling before it halves, floored."""
    block = int(name[4])
    return 1 << (block if name.startswith("pool") else block - 1)


def check_reaches(name: str, height: int, width: int, positions: int = 1) -> None:
    """Check that a layer has at least positions x positions of an image of height x width pixels.

    Raises:
        LayerError: If it has fewer.
    """
    least = smallest_side(name) * positions
    if min(height, width) < least:
        what = "" if positions == 1 else f" with a patch of {positions} x {positions}"
        raise LayerError(
            f"an image of {width}x{height} pixels does not reach {name}{what}: at least {least} a side"
        )
