"""How large people saw the images: pixels of a degree of their visual angle, by session."""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, radians, sqrt, tan, tanh
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from survey.analysis.distributions import ranks
from survey.analysis.items.intervals import Z

CARD_MM: Final = (85.60, 53.98)
"""Sides of a bank card: ISO/IEC 7810, format ID-1."""
ARM_CM: Final = 60.0
"""What "at arm's length" is taken for."""
_FEWEST_FOR_LINK: Final = 10


def pixels_per_degree(distance_cm: float, pixels_per_mm: float) -> float:
    """Return the CSS pixels of one degree in the middle of the screen: 2 d tan(0.5°) times the pixels of a length.

    Args:
        distance_cm: From the eyes to the screen, in cm.
        pixels_per_mm: CSS pixels of a millimetre of the screen.
    """
    return 20 * distance_cm * tan(radians(0.5)) * pixels_per_mm


def median_interval(values: ArrayLike) -> tuple[float, float] | None:
    """Return the 95 % interval of a median by order statistics, for any distribution; None of fewer than six values.

    Conover 1999, Practical Nonparametric Statistics, section 3.2: the ranks k and n + 1 - k of the binomial distribution.
    """
    ordered = np.sort(np.asarray(values, float))
    if not len(ordered):
        return None
    # Imported here, since it takes half a second and few need it.
    from scipy import stats

    rank = int(stats.binom.ppf(0.025, len(ordered), 0.5))
    return (float(ordered[rank - 1]), float(ordered[-rank])) if rank >= 1 else None


@dataclass(frozen=True)
class Viewing:
    """How people saw the images.

    Attributes:
        asked: People whose screens were asked about.
        known: Those of them whose pixels of a degree are known.
        median: Of these pixels, and its 95 % interval, None of fewer than six people.
        interval: See there.
        quartiles: Between which half of the people lie.
        degrees: Median width of an image as shown, in degrees; None where no image's size is known.
        rho: Spearman's correlation of the pixels with how much higher than others a person rates; None of fewer than ten people, or
            where they do not differ.
        rho_interval: Its 95 % interval (Bonett and Wright 2000, Psychometrika 65: Fisher's z with a variance of (1 + rho²/2)/(n - 3)).
    """

    asked: int
    known: int
    median: float
    interval: tuple[float, float] | None
    quartiles: tuple[float, float]
    degrees: float | None
    rho: float | None
    rho_interval: tuple[float, float] | None


def viewing(people: pd.DataFrame, ratings: pd.DataFrame | None = None) -> Viewing | None:
    """Return how people saw the images; None where nobody's pixels of a degree are known.

    Args:
        people: One row a person, with `participant` and `pixels_per_degree`, NaN where it is not known.
        ratings: The main ratings of a tidy table, if there are any.
    """
    pixels = people.set_index("participant")["pixels_per_degree"].dropna().astype(float)
    if pixels.empty:
        return None
    rho, rho_interval = (None, None) if ratings is None else _link(pixels, ratings)
    low, high = np.quantile(pixels, [0.25, 0.75])
    return Viewing(
        asked=len(people),
        known=len(pixels),
        median=float(pixels.median()),
        interval=median_interval(pixels),
        quartiles=(float(low), float(high)),
        degrees=None if ratings is None else _degrees(pixels, ratings),
        rho=rho,
        rho_interval=rho_interval,
    )


def _degrees(pixels: pd.Series[float], ratings: pd.DataFrame) -> float | None:
    widths = ratings["shown_w"].astype(float) / ratings["participant"].astype(object).map(pixels).astype(
        float
    )
    return float(widths.median()) if widths.notna().any() else None


def _link(pixels: pd.Series[float], ratings: pd.DataFrame) -> tuple[float | None, tuple[float, float] | None]:
    """Return the correlation with how much higher than others a person rates the same images."""
    scores = ratings["rating"].astype(float)
    above = scores - scores.groupby([ratings["question"], ratings["item"]], observed=True).transform("mean")
    bias = above.groupby(ratings["participant"].astype(object)).mean()
    both = pd.concat([pixels, bias], axis=1, join="inner").to_numpy(float)
    n = len(both)
    if n < _FEWEST_FOR_LINK or (np.ptp(both, axis=0) == 0).any():
        return None, None
    rho = float(np.corrcoef(ranks(both[:, 0]), ranks(both[:, 1]))[0, 1])
    reach = Z * sqrt((1 + rho**2 / 2) / (n - 3))
    z = atanh(min(max(rho, -0.999999), 0.999999))
    return rho, (tanh(z - reach), tanh(z + reach))
