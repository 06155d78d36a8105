"""How often votes are said to split into two camps: where people have one opinion, and where they have two."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from benchmarks import looks
from survey.analysis.items.split import split_votes
from survey.analysis.scale import ACR

BIAS, TASTE, NOISE = 0.45, 0.5, 0.6
IMAGES = 40
NAMES = np.array([str(image) for image in range(IMAGES)], object)
PEOPLE = (15, 24, 45, 100)

Votes = np.typing.NDArray[np.int64]


def camps(studies: int) -> str:
    """Share of studies and of images that are said to split."""
    rows = []
    for name, votes_of in _PANELS.items():
        rows.append([name, *(_cell(*_found(studies, people, votes_of)) for people in PEOPLE)])
        print(*rows[-1], sep=" | ", file=sys.stderr)
    return (
        "### Two camps\n\n"
        f"Share of {studies} studies of {IMAGES} images in which any image is said to split; in brackets the mean share of the "
        f"images. People differ in bias (SD {BIAS:g}), in taste ({TASTE:g}) and from vote to vote ({NOISE:g}).\n\n"
        + looks.markdown(pd.DataFrame(rows, columns=["votes", *(f"{people} people" for people in PEOPLE)]))
    )


def _cell(hits: np.typing.NDArray[np.bool_], images: float) -> str:
    return f"{hits.mean():.2f} ({images:.3f})"


def _found(
    studies: int, people: int, votes_of: Callable[[np.random.Generator, int], Votes]
) -> tuple[np.typing.NDArray[np.bool_], float]:
    shares = []
    for seed in range(studies):
        votes = votes_of(np.random.default_rng(seed), people)
        counts = np.stack([np.bincount(image - 1, minlength=5) for image in votes])
        table = split_votes(NAMES, counts, ACR, seed=seed).table
        shares.append(float(table["split"].mean()))
    return np.array(shares) > 0, float(np.mean(shares))


def _rounded(latent: np.typing.NDArray[np.float64]) -> Votes:
    return np.clip(np.rint(latent), ACR.low, ACR.high).astype(np.int64)


def _votes(rng: np.random.Generator, quality: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
    bias = rng.normal(0, BIAS, quality.shape[1])
    return quality + bias + rng.normal(0, np.hypot(TASTE, NOISE), quality.shape)


def _of_one_opinion(rng: np.random.Generator, people: int) -> Votes:
    return _rounded(_votes(rng, np.repeat(rng.uniform(1.3, 4.7, (IMAGES, 1)), people, axis=1)))


def _careless(rng: np.random.Generator, people: int) -> Votes:
    votes = _of_one_opinion(rng, people)
    some = round(0.15 * people)
    votes[:, :some] = rng.integers(1, 6, (IMAGES, some))
    return votes


def _apart(gap: float, share: float) -> Callable[[np.random.Generator, int], Votes]:
    def votes(rng: np.random.Generator, people: int) -> Votes:
        low = rng.uniform(1.3, 4.7 - gap, (IMAGES, 1))
        return _rounded(_votes(rng, low + gap * (rng.random((1, people)) < share)))

    return votes


_PANELS: Final[Mapping[str, Callable[[np.random.Generator, int], Votes]]] = {
    "one opinion": _of_one_opinion,
    "one opinion, 15 % at random": _careless,
    "halves 2 points apart": _apart(2, 0.5),
    "halves 3 points apart": _apart(3, 0.5),
    "30 and 70 %, 3 points apart": _apart(3, 0.7),
}
