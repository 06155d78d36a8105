"""The SOS hypothesis: how the variance of opinions depends on their mean.

Source: T. Hossfeld, R. Schatz, S. Egger, "SOS: The MOS is not enough!", QoMEX 2011; T. Hossfeld,
P. E. Heegaard, M. Varela, S. Moeller, arXiv:1607.00321, eq. 35 to 38.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from survey.analysis.items.tally import Tally
from survey.analysis.scale import ACR, Scale

FEWEST_ITEMS = 5
DEFAULT_A = 0.35
"""Of ratings of generated images on five categories, where it was 0.33 to 0.40."""
RANGE_OF_A = (0.05, 1.0)


def sos_a(items: Tally) -> float:
    """Return the least-squares ``a`` of variance = a (m - L)(H - m) on a scale from L to H, over items with two ratings or more.

    Returns:
        ``a`` (0: all agree, 0.25: binomial on five categories, 1: only the ends are used); NaN where no item
        determines it.
    """
    usable = items.n >= 2
    z = (items.mean[usable] - items.scale.low) / items.scale.range
    q = z * (1 - z)
    v = items.variance[usable] / items.scale.range**2
    denominator = float(np.sum(q**2))
    return float(np.sum(q * v) / denominator) if denominator > 0 else float("nan")


def pooled_a(items: Tally) -> float:
    """Return the ``a`` for intervals: clamped to [0.05, 1], or 0.35 if fewer than five items have two ratings."""
    a = sos_a(items)
    enough = int(np.sum(items.n >= 2)) >= FEWEST_ITEMS
    return float(np.clip(a, *RANGE_OF_A)) if enough and np.isfinite(a) else DEFAULT_A


def sos_curve(a: float, mean: ArrayLike, scale: Scale = ACR) -> NDArray[np.float64]:
    """Return the variance by the hypothesis at each mean opinion score."""
    m = np.asarray(mean, np.float64)
    return a * (m - scale.low) * (scale.high - m)
