"""How many ratings a study needs, and which differences given ratings can detect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from survey.analysis.distributions import t_critical
from survey.analysis.items.intervals import Z
from survey.analysis.items.sos import sos_curve
from survey.analysis.scale import ACR, Scale

POWER = 0.8
HALF_WIDTHS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""On a scale from 1 to 5; on others the same shares of the range."""

_MEAN_SPREAD = 3.25
"""Mean of (m - 1)(5 - m) over m from 1.5 to 4.5, where most scores lie."""


def sample_size(half_width: float, *, a: float, mos: float | None = None, scale: Scale = ACR) -> int:
    """Return the ratings of an item needed for a 95 % interval of MOS ± ``half_width``: n = a(m - L)(H - m)(1.96/d)².

    Args:
        half_width: in rating points, above 0.
        a: SOS parameter, of a pilot or an earlier study (0.13 to 0.22: media in a laboratory; 0.33 to 0.40:
            generated images).
        mos: where on the scale; by default in its middle, the worst case.
        scale: from L to H.

    Raises:
        ValueError: a half width not above 0.
    """
    if not half_width > 0:
        raise ValueError("the half width must be above 0")
    at = (scale.low + scale.high) / 2 if mos is None else mos
    return max(1, int(np.ceil(float(sos_curve(a, at, scale)) * (Z / half_width) ** 2 - 1e-9)))


def detectable_difference(residual_variance: float, participants: float, *, power: float = POWER) -> float:
    """Return the smallest difference of two items that a 5 % test detects with this power.

    The same participants rate both items.

    Args:
        residual_variance: Of the model rating = item + participant + residual, in rating points squared.
        participants: Number of people who rate both items.
        power: Chance of detecting the difference.
    """
    z = Z + float(special.ndtri(power))
    return float(z * np.sqrt(2 * residual_variance / participants))


def ratings_needed(
    mos: pd.DataFrame, half_width: float, *, a: float, scale: Scale = ACR
) -> NDArray[np.int64]:
    """Return the ratings still needed for each row of a MOS table for MOS ± ``half_width`` by the SOS hypothesis.

    Items without ratings count as in the middle of the scale.
    """
    # At the ends the hypothesis would give a variance of 0.
    margin, middle = scale.range / 16, (scale.low + scale.high) / 2
    at = mos["mos"].fillna(middle).clip(scale.low + margin, scale.high - margin)
    wanted = np.array([sample_size(half_width, a=a, mos=m, scale=scale) for m in at], dtype=np.int64)
    return np.asarray(np.maximum(wanted - mos["n"].to_numpy(np.int64), 0))


def half_widths(n: ArrayLike, *, a: float, mos: float = 3.0) -> NDArray[np.float64]:
    """Return the half width of the 95 % interval of n ratings of an item, by the SOS hypothesis."""
    t = t_critical(np.maximum(np.asarray(n, np.float64) - 1, 1))
    return np.asarray(t * np.sqrt(sos_curve(a, mos) / np.asarray(n, np.float64)))


@dataclass(frozen=True)
class Design:
    """A planned study.

    Attributes:
        images: Number of images.
        each: Number of images that every participant rates.
        drop_out: Share of sessions that are stopped or excluded before they count, 0 to below 1.
    """

    images: int
    each: int
    drop_out: float = 0.0

    def participants(self, ratings: int) -> int:
        """Return the number of people to invite so that every image gets `ratings` ratings."""
        finished = max(np.ceil(self.images * ratings / self.each), ratings)
        return int(np.ceil(finished / (1 - self.drop_out) - 1e-9))

    def in_common(self, ratings: float) -> float:
        """Return the number of people who rate both of two images, if subsets are drawn evenly."""
        return ratings if self.images < 2 else ratings * (self.each - 1) / (self.images - 1)


@dataclass(frozen=True)
class Cost:
    """What a study's sessions take.

    Attributes:
        hours: Of all participants together.
        pay: Of all participants, in the currency of the hourly pay.
        fee: Of the platform, in the same currency.
    """

    hours: float
    pay: float
    fee: float

    @property
    def total(self) -> float:
        """Pay and fee."""
        return self.pay + self.fee


def cost_of(participants: int, minutes: float, pay_an_hour: float = 0.0, fee_share: float = 0.0) -> Cost:
    """Return what the sessions of a number of people take.

    Args:
        participants: Number of people who are paid, those left out of the analysis included.
        minutes: Of one session.
        pay_an_hour: To each participant; 0 for unpaid ones.
        fee_share: What the platform takes on top, as a share of the pay.
    """
    hours = participants * minutes / 60
    return Cost(hours, hours * pay_an_hour, hours * pay_an_hour * fee_share)


def assumed_residual(a: float, scale: Scale = ACR) -> float:
    """Return the residual variance of participants' ratings for an SOS parameter, in rating points squared.

    It is the SOS variance averaged over scores from 1.5 to 4.5 on a scale from 1 to 5, and over the same part of others. It is slightly too large, as it includes biases.
    """
    return a * _MEAN_SPREAD * (scale.range / ACR.range) ** 2


def assumed_sd(a: float, scale: Scale = ACR) -> float:
    """Return the SD of opinions in the middle of the scale for an SOS parameter, where they differ most."""
    return float(np.sqrt(sos_curve(a, (scale.low + scale.high) / 2, scale)))


def plan_table(design: Design, *, a: float, residual_variance: float, scale: Scale = ACR) -> pd.DataFrame:
    """Return the cost of each precision.

    Returns:
        One row a half width of ``HALF_WIDTHS``, on this scale: ``half_width,ratings,participants,in_common,difference``: ratings of each
        image for a 95 % interval of that half width in the middle of the scale, people to invite, how many of them
        rate both of two images, and the difference of two images that they detect with 80 % power (NaN where nobody
        rates both).
    """
    rows = []
    for share in HALF_WIDTHS:
        half_width = round(share * scale.range / ACR.range, 9)
        ratings = sample_size(half_width, a=a, scale=scale)
        both = design.in_common(ratings)
        difference = detectable_difference(residual_variance, both) if both >= 1 else float("nan")
        rows.append((half_width, ratings, design.participants(ratings), both, difference))
    return pd.DataFrame(rows, columns=["half_width", "ratings", "participants", "in_common", "difference"])
