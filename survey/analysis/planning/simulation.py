"""Simulated participants with known true scores: the subject model of ITU-T P.910 Annex E, and careless people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from survey.analysis.scale import ACR, Scale

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

    def on(self, scale: Scale) -> Population:
        """The same people on another scale than 1 to 5: their points become the same share of its range."""
        times = scale.range / ACR.range
        return replace(self, bias_sd=self.bias_sd * times, inconsistency=self.inconsistency * times)


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
    scale: Scale = ACR,
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
        scale: Of the ratings. The population's points, those of a scale from 1 to 5, become as much of its range.
    """
    people = (population or Population()).on(scale)
    rng = np.random.default_rng(seed)
    quality = np.asarray(qualities, np.float64)
    names = [f"item{i + 1}" for i in range(len(quality))] if items is None else list(items)
    trials = len(quality) if per_participant is None else min(per_participant, len(quality))
    who = _participants(people, participants, rng)
    if kinds is not None:
        who["kind"] = list(kinds)
    rows = [
        _session(person, quality, trials, people.drop_out, rng, scale)
        for person in who.itertuples(index=False)
    ]
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
    truth = pd.DataFrame({"item": names, "quality": quality, "mos": true_mos(quality, people, scale)})
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
    person: Any, quality: Floats, trials: int, drop_out: float, rng: np.random.Generator, scale: Scale
) -> tuple[NDArray[np.int64], Floats | NDArray[np.int64]]:
    """Return items in the order shown, and the ratings."""
    order = rng.permutation(len(quality))[:trials]
    if drop_out > 0:
        order = order[: min(int(rng.geometric(drop_out)), trials)]
    answers = _answers(scale)
    if person.kind == "random":
        return order, answers[rng.integers(0, len(answers), len(order))]
    if person.kind == "constant":
        return order, np.full(len(order), answers[rng.integers(0, len(answers))])
    noise = person.inconsistency * (2 if person.kind == "fast" else 1)
    latent = quality[order] + person.bias + noise * rng.standard_normal(len(order))
    place = np.rint((latent - scale.low) / scale.resolution).clip(0, len(answers) - 1)
    return order, answers[place.astype(np.int64)]


def _answers(scale: Scale) -> Floats | NDArray[np.int64]:
    """Return the answers that people can give: the categories, or the places of a slider."""
    if scale.categories is not None:
        return np.asarray(scale.categories)
    places = np.arange(int(scale.range / scale.resolution + 1e-9) + 1)
    return np.asarray(scale.snap(np.round(scale.low + scale.resolution * places, 12)))


def true_mos(quality: Floats, people: Population, scale: Scale = ACR) -> Floats:
    """Return the mean rating of honest people without end: rounding and the ends of the scale bend the latent quality.

    The inconsistency is integrated by Gauss-Legendre over the quantiles of its gamma distribution, the bias and the
    noise are normal and in closed form.

    Args:
        quality: Latent qualities, points of the scale, shape (items,).
        people: The population, with its points those of the scale, see ``Population.on``.
        scale: Of the ratings.
    """
    shape = 1 / people.inconsistency_cv**2
    at, weight = np.polynomial.legendre.leggauss(60)
    noise = special.gammaincinv(shape, (at + 1) / 2) * people.inconsistency / shape
    sd = np.sqrt(people.bias_sd**2 + noise**2)
    answers = _answers(scale)
    edges = (answers[:-1] + answers[1:]) / 2
    above = special.ndtr((quality[:, None, None] - edges[None, :, None]) / sd[None, None, :])
    return np.asarray(answers[0] + np.diff(answers) @ above @ weight / 2)
