"""Simulated participants with known true scores: the subject model of ITU-T P.910 Annex E, and careless people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from survey.analysis.table import CATEGORIES

Floats = NDArray[np.float64]

CARELESS = ("random", "constant", "fast", "inattentive")
"""Who clicks at random, gives one answer, rushes (twice the noise, a quarter of the time), or rates as the honest do but
does not read what a trap asks."""
KINDS = ("honest", *CARELESS)

_PACE_MS = {"fast": 700.0}
_HONEST_PACE_MS = 3000.0


@dataclass(frozen=True)
class Population:
    """How participants differ, and how many are careless.

    Attributes:
        bias_sd: SD of the bias over people, rating points.
        inconsistency: mean of a participant's noise SD, rating points; over people it has a gamma distribution
            with a coefficient of variation of ``inconsistency_cv``.
        random_share, constant_share: shares who answer at random, or always the same.
        drop_out: chance of leaving after each trial.
    """

    bias_sd: float = 0.4
    inconsistency: float = 0.7
    inconsistency_cv: float = 0.3
    random_share: float = 0.0
    constant_share: float = 0.0
    drop_out: float = 0.0


@dataclass(frozen=True)
class Simulated:
    """A simulated study and its truth.

    Attributes:
        table: a tidy table: ``participant,item,rating,position,rt_ms``.
        items: ``item,quality,mos``: latent quality, and the mean rating that honest people drawn from the population
            without end would give.
        participants: ``participant,kind,bias,inconsistency``.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    participants: pd.DataFrame


def simulate(
    qualities: Sequence[float] | Floats,
    participants: int,
    population: Population | None = None,
    *,
    per_participant: int | None = None,
    items: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
) -> Simulated:
    """Simulate a study: each participant rates items in a separate random order.

    Args:
        qualities: Latent qualities on the rating scale, shape (items,); may leave [1, 5].
        participants: Number of participants.
        population: How participants differ; None for the default.
        per_participant: trials of each, drawn without replacement; by default all items.
        items: names, by default ``item1`` and so on.
        kinds: what each participant is, of ``KINDS``; by default drawn by the population's shares.
        seed: The same seed gives the same study.
    """
    people = population or Population()
    rng = np.random.default_rng(seed)
    quality = np.asarray(qualities, np.float64)
    names = [f"item{i + 1}" for i in range(len(quality))] if items is None else list(items)
    trials = len(quality) if per_participant is None else min(per_participant, len(quality))
    who = _participants(people, participants, rng)
    if kinds is not None:
        who["kind"] = list(kinds)
    rows = [_session(person, quality, trials, people.drop_out, rng) for person in who.itertuples(index=False)]
    order = np.concatenate([order for order, _ in rows])
    length = [len(order) for order, _ in rows]
    pace = np.repeat(who["kind"].map(_PACE_MS).fillna(_HONEST_PACE_MS).to_numpy(), length)
    table = pd.DataFrame(
        {
            "participant": np.repeat(who["participant"].to_numpy(), length),
            "item": np.array(names, dtype=object)[order],
            "rating": np.concatenate([rating for _, rating in rows]),
            "position": np.concatenate([np.arange(1, n + 1) for n in length]),
            "rt_ms": np.round(pace * rng.lognormal(0, 0.4, len(order))),
        }
    )
    truth = pd.DataFrame({"item": names, "quality": quality, "mos": true_mos(quality, people)})
    return Simulated(table, truth, who)


def _participants(people: Population, n: int, rng: np.random.Generator) -> pd.DataFrame:
    kinds = np.array(["honest"] * n, dtype=object)
    order = rng.permutation(n)
    at_random, constant = round(people.random_share * n), round(people.constant_share * n)
    kinds[order[:at_random]] = "random"
    kinds[order[at_random : at_random + constant]] = "constant"
    shape = 1 / people.inconsistency_cv**2
    return pd.DataFrame(
        {
            "participant": [f"p{i + 1}" for i in range(n)],
            "kind": kinds,
            "bias": rng.normal(0, people.bias_sd, n),
            "inconsistency": rng.gamma(shape, people.inconsistency / shape, n),
        }
    )


def _session(
    person: Any, quality: Floats, trials: int, drop_out: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return items in the order shown, and the ratings."""
    order = rng.permutation(len(quality))[:trials]
    if drop_out > 0:
        order = order[: min(int(rng.geometric(drop_out)), trials)]
    if person.kind == "random":
        return order, rng.integers(1, len(CATEGORIES) + 1, len(order))
    if person.kind == "constant":
        return order, np.full(len(order), rng.integers(1, len(CATEGORIES) + 1))
    noise = person.inconsistency * (2 if person.kind == "fast" else 1)
    latent = quality[order] + person.bias + noise * rng.standard_normal(len(order))
    return order, np.clip(np.rint(latent), CATEGORIES[0], CATEGORIES[-1]).astype(np.int64)


def true_mos(quality: Floats, people: Population) -> Floats:
    """Return the mean rating of honest people without end: rounding and the ends of the scale bend the latent quality.

    The inconsistency is integrated by Gauss-Legendre over the quantiles of its gamma distribution, the bias and the
    noise are normal and in closed form.
    """
    shape = 1 / people.inconsistency_cv**2
    at, weight = np.polynomial.legendre.leggauss(60)
    noise = special.gammaincinv(shape, (at + 1) / 2) * people.inconsistency / shape
    sd = np.sqrt(people.bias_sd**2 + noise**2)
    edges = CATEGORIES[:-1] + 0.5
    above = special.ndtr((quality[:, None, None] - edges[None, :, None]) / sd[None, None, :])
    return np.asarray(CATEGORIES[0] + (above.sum(axis=1) @ weight) / 2)
