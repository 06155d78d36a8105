"""Where a VGG's convolutions lie in a file that Keras wrote: weights alone, a whole model, or a `.keras` archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import ARCHITECTURES, convolutions

_NAMED = re.compile(r"block(\d)_conv(\d)")
# Keras 3 names the layers in a file by their class and order: conv2d, conv2d_1, ...
_ORDERED = re.compile(r"(.*/)?conv2d(?:_(\d+))?/vars/[01]")


def datasets(file: Any) -> dict[str, Any]:
    """Return the datasets of a VGG in a Keras file. What an optimiser remembers is left out.

    Args:
        file: An open h5py.File.

    Returns:
        The HDF5 datasets of `conv1_1.weight`, `conv1_1.bias` and so on; {} where the file holds no VGG.

    Raises:
        WeightsError: If the file holds two different networks.
    """
    found: dict[str, Any] = {}
    for path, dataset in _weights(file):
        if match := list(_NAMED.finditer(path)):
            block, number = match[-1].groups()
            key = f"conv{block}_{number}.{'weight' if dataset.ndim == 4 else 'bias'}"
            if key in found and not bool((found[key][()] == dataset[()]).all()):
                raise WeightsError(f"holds two different {key}: {found[key].name} and {dataset.name}")
            found.setdefault(key, dataset)
    return found or _in_order(file)


def _weights(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield path and dataset of each weight of the model, without its optimiser's."""
    listed: list[tuple[str, Any]] = []

    def visit(path: str, item: Any) -> None:
        if hasattr(item, "ndim") and item.ndim in (1, 4) and not path.lower().startswith("optimizer"):
            listed.append((path, item))

    file.get("model_weights", file).visititems(visit)
    yield from listed


def _in_order(file: Any) -> dict[str, Any]:
    """Name numbered layers by their order, where they are as many as a VGG has."""
    kernels: dict[int, dict[str, Any]] = {}
    for path, dataset in _weights(file):
        if match := _ORDERED.fullmatch(path):
            kind = "weight" if dataset.ndim == 4 else "bias"
            kernels.setdefault(int(match[2] or 0), {})[kind] = dataset
    for architecture in ARCHITECTURES:
        names = convolutions(architecture)
        if len(names) == len(kernels):
            return {
                f"{name}.{kind}": dataset
                for name, number in zip(names, sorted(kernels), strict=True)
                for kind, dataset in kernels[number].items()
            }
    return {}
