"""Networks by name (from WEIGHTS_DIR) or by file, and the algorithm of a recipe. Functions import torch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from generator.nst.recipes import algorithms
from generator.nst.recipes.networks import REGISTRY
from generator.nst.weights import cache

if TYPE_CHECKING:
    from generator.nst import Recipe, Weights
    from generator.nst.feedforward.network import Network
    from generator.nst.recipes.networks import Entry


def algorithm(recipe: Recipe) -> str:
    """Return the version of a recipe's algorithm, which is part of each cell's key."""
    return algorithms.OF_METHOD[recipe.method]


def network_of(recipe: Recipe) -> Weights | Network:
    """Return the network that makes a recipe's images.

    Raises:
        nst.WeightsError: If it is missing; the message says how to get it.
    """
    return trained(recipe.network) if recipe.method == "feedforward" else weights(recipe.network)


def weights_hash(recipe: Recipe) -> str:
    """Return the SHA-256 (hex) of the network that makes a recipe's images; fetches it if it is missing."""
    if recipe.method != "feedforward" and recipe.network in REGISTRY:
        path = cache.cached(recipe.network, settings.WEIGHTS_DIR)
        if path.exists():
            return cache.hash_of_file(path)
    return network_of(recipe).sha256


def to_fetch(recipe: Recipe) -> Entry | None:
    """Return the registry's entry of a recipe's network if the cache lacks it, else None."""
    entry = REGISTRY.get(recipe.network) if recipe.method != "feedforward" else None
    return entry if entry and not cache.cached(entry.name, settings.WEIGHTS_DIR).exists() else None


@lru_cache(maxsize=8)
def trained(path: str) -> Network:
    """Return the feed-forward network in a file.

    Raises:
        nst.WeightsError: If the file cannot be read.
    """
    from generator.nst.feedforward.network import load_network

    return load_network(path)


@lru_cache(maxsize=2)
def weights(network: str) -> Weights:
    """Return a network by its name, from the cache in WEIGHTS_DIR (fetched on first use), or from a file.

    Raises:
        nst.WeightsError: If it is missing or damaged; the message gives the fix.
    """
    from generator import nst

    return nst.load(network, settings.WEIGHTS_DIR)
