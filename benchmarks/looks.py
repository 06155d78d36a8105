"""What looking again and again does to intervals and to rules that stop a study: a part of `benchmarks.coverage`.

Simulated participants as in the other parts: bias, own taste for an image, noise, rounded and cut to 1..5.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from survey.analysis.items.intervals import Ends, always_valid, sos_wilson, student_t
from survey.analysis.items.sos import pooled_a
from survey.analysis.items.tally import Tally, tally_moments
from survey.analysis.planning.stopping import FEWEST_PEOPLE, a_for_any_look, stopping_half_widths

Floats = NDArray[np.float64]

BIAS_SD, TASTE_SD, NOISE_SD = 0.45, 0.5, 0.6
PLANNED = 35
LONGEST = 150
"""Participants after which a study ends that its rule has not stopped."""
OPINIONS = {
    "mean 3.9, SD 0.8": (0.01, 0.05, 0.20, 0.50, 0.24),
    "mean 3.1, SD 1.2": (0.10, 0.20, 0.30, 0.27, 0.13),
    "mean 4.8, SD 0.5": (0.0, 0.005, 0.02, 0.195, 0.78),
    "two camps, SD 1.8": (0.38, 0.10, 0.04, 0.10, 0.38),
}
"""Shares of the ratings 1 to 5."""
RULES = ((1, 0.5), (3, 0.5), (6, 0.5), (9, 0.5), (10, 0.5), (10, 0.4), (12, 0.5), (12, 0.4), (40, 0.5))
"""Images, and the half width at which the study stops."""


class Stopped(NamedTuple):
    """One study at its stop: participants, and the share of images whose interval of each kind holds the truth."""

    people: int
    t: float
    bounded: float
    any_look: float


def often_wrong(studies: int) -> str:
    """Return the table of one image's intervals under a look after each participant."""
    rows = []
    for name, share in OPINIONS.items():
        p = np.array(share) / sum(share)
        value = np.arange(1, 6)
        truth = float(p @ value)
        a = float(p @ (value - truth) ** 2) / ((truth - 1) * (5 - truth))
        ratings = np.random.default_rng(0).choice(value, (100, 5 * studies), p=p)
        rows.append([name, *_looks(ratings.astype(float), truth, a)])
    heads = [
        "ratings",
        *(f"{kind}: {what}" for kind in ("t", "bounded", "whenever you look") for what in _WHAT),
    ]
    return (
        f"### Looks while data come in\n\nOne image, {5 * studies} simulated studies each, a look after each of 5 to 100 "
        "participants. Mean half width after 15 / 30 / 45 participants; share of studies in which any look's interval "
        f"misses the true mean, ± the simulation's standard error. The interval for any look is tuned to {PLANNED}.\n\n"
        + markdown(pd.DataFrame(rows, columns=heads))
    )


_WHAT = ("half width", "ever wrong")


def _looks(ratings: Floats, truth: float, a: float) -> list[str]:
    kinds = {
        "t": student_t,
        "bounded": partial(sos_wilson, a=a),
        "always": partial(always_valid, a=a, planned=PLANNED),
    }
    wrong = {kind: np.zeros(ratings.shape[1], bool) for kind in kinds}
    widths: dict[str, list[str]] = {kind: [] for kind in kinds}
    for people in range(5, len(ratings) + 1):
        items = _tally(ratings[:people])
        for kind, interval in kinds.items():
            low, high = interval(items)
            # Where all agree, Student's t is not defined and so not wrong.
            wrong[kind] |= (low > truth) | (high < truth)
            if people in (15, 30, 45):
                widths[kind].append(f"{np.nanmean(high - low) / 2:.2f}")
    return [cell for kind in kinds for cell in (" / ".join(widths[kind]), share(wrong[kind]))]


def stopping_rules(studies: int) -> str:
    """Return the table of studies that stop when every half width is small enough."""
    rows = []
    for images, half_width in RULES:
        with ProcessPoolExecutor() as pool:
            run = partial(_stopped, images, half_width)
            found = list(pool.map(run, range(studies), chunksize=10))
        plain, ruled = zip(*found, strict=True)
        cells = [_median(plain), _mean_of([stop.t for stop in plain]), _median(ruled)]
        cells += [_mean_of([stop[kind] for stop in ruled]) for kind in (1, 2, 3)]
        rows.append([images, half_width, *cells])
    heads = ["images", "half width", "by t: people", "t held", "by a study’s rule: people"]
    heads += ["t held", "bounded held", "whenever you look held"]
    return (
        f"### Studies that stop by the width of their intervals\n\n{studies} simulated studies each, a look after each "
        f"participant from {FEWEST_PEOPLE} to {LONGEST}, stopped when every image's half width is small enough: by Student's t "
        "whatever the number of images, and by the rule of a study (fewer than ten images: the interval for any look). "
        "Median participants; share of intervals at the stop that hold the true mean, ± the simulation's standard error "
        f"(nominal 0.95). Half widths of {PLANNED} planned participants.\n\n"
        + markdown(pd.DataFrame(rows, columns=heads))
    )


def _stopped(images: int, half_width: float, seed: int) -> tuple[Stopped, Stopped]:
    """Return where one study stops by Student's t, and by the rule of a study."""
    rng = np.random.default_rng([images, seed])
    quality = np.linspace(1.6, 4.6, images) if images > 1 else np.array([rng.uniform(1.6, 4.6)])
    ratings, truth = _rated(rng, quality)
    found: list[Stopped | None] = [None, None]
    for people in range(FEWEST_PEOPLE, LONGEST + 1):
        items = _tally(ratings[:people])
        low, high = student_t(items)
        plain = np.where(np.isnan(low), np.inf, (high - low) / 2)
        for i, half in enumerate((plain, stopping_half_widths(items, PLANNED))):
            if found[i] is None and (half.max() <= half_width or people == LONGEST):
                any_look = always_valid(items, a_for_any_look(items), PLANNED)
                found[i] = Stopped(
                    people, *(_held(ends, truth) for ends in ((low, high), _bounded(items), any_look))
                )
        if None not in found:
            break
    first, second = found
    assert first is not None
    assert second is not None
    return first, second


def _bounded(items: Tally) -> Ends:
    return sos_wilson(items, pooled_a(items))


def _held(ends: Ends, truth: Floats) -> float:
    return float(np.mean((ends[0] <= truth) & (truth <= ends[1])))


def differences(studies: int) -> str:
    """Return how often a rule on significance finds a difference between two images that have none."""
    runs = 5 * studies
    rng = np.random.default_rng(1)
    pairs = np.stack([_rated(rng, np.array([3.0, 3.0]), people=60)[0] for _ in range(runs)])
    gap = pairs[:, :, 0] - pairs[:, :, 1]
    n = np.arange(1, 61)
    mean = gap.cumsum(1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = ((gap**2).cumsum(1) - n * mean**2) / (n - 1)
        p = 2 * special.stdtr(np.maximum(n - 1, 1), -np.abs(mean) / np.sqrt(variance / n))
    below = (p < 0.05)[:, 4:]
    rows = [
        ["after each of 5 to 60 participants", share(below.any(1))],
        ["after every fifth", share(below[:, ::5].any(1))],
        ["once, after 60", share(below[:, -1])],
    ]
    return (
        f"### A rule on significance\n\nShare of {runs} simulated studies that find p < 0.05 (paired t) between two images "
        "of the same quality, ± the simulation's standard error.\n\n"
        + markdown(pd.DataFrame(rows, columns=["looks", "false alarms"]))
    )


def _rated(rng: np.random.Generator, quality: Floats, people: int = LONGEST) -> tuple[Floats, Floats]:
    """Return ratings (people, images) and the true means."""
    noise = rng.normal(0, np.hypot(TASTE_SD, NOISE_SD), (people, len(quality)))
    latent = quality + rng.normal(0, BIAS_SD, (people, 1)) + noise
    sd = np.sqrt(BIAS_SD**2 + TASTE_SD**2 + NOISE_SD**2)
    truth = 1 + special.ndtr((quality[:, None] - np.array([1.5, 2.5, 3.5, 4.5])) / sd).sum(1)
    return np.clip(np.rint(latent), 1, 5), truth


def _tally(ratings: Floats) -> Tally:
    people, images = ratings.shape
    return tally_moments(np.full(images, people), ratings.mean(0), ratings.var(0, ddof=1))


def share(hits: ArrayLike) -> str:
    """Return a share with its standard error."""
    values = np.asarray(hits, np.float64)
    found = values.mean()
    return f"{found:.3f} ± {np.sqrt(found * (1 - found) / len(values)):.3f}"


def _median(stops: Sequence[Stopped]) -> str:
    return f"{np.median([stop.people for stop in stops]):.0f}"


def _mean_of(shares: list[float]) -> str:
    # Images of one study share its participants, so studies are the unit.
    return f"{np.mean(shares):.3f} ± {np.std(shares, ddof=1) / np.sqrt(len(shares)):.3f}"


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    rows = [
        [str(name) for name in table.columns],
        ["---"] * len(table.columns),
        *table.astype("str").to_numpy().tolist(),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
