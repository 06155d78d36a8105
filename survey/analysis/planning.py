"""How many ratings a study needs, and what the ones at hand can show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from survey.analysis.intervals import CONFIDENCE, Z
from survey.analysis.sos import sos_curve

POWER = 0.8


def sample_size(half_width: float, *, a: float, mos: float = 3.0) -> int:
    """Ratings of an item for a 95 % interval of MOS ± ``half_width``: n = a(m - 1)(5 - m)(1.96/d)².

    Args:
        half_width: in rating points, above 0.
        a: SOS parameter, of a pilot or an earlier study (0.13 to 0.22: media in a laboratory; 0.33 to 0.40:
            generated images).
        mos: where on the scale; 3 is the worst case.

    Raises:
        ValueError: a half width not above 0.
    """
    if not half_width > 0:
        raise ValueError("the half width must be above 0")
    return max(1, int(np.ceil(float(sos_curve(a, mos)) * (Z / half_width) ** 2 - 1e-9)))


def detectable_difference(residual_variance: float, participants: int, *, power: float = POWER) -> float:
    """Smallest difference of two items, rated by the same participants, that a 5 % test finds with that power.

    Args:
        residual_variance: of the model rating = item + participant + residual, rating points squared.
    """
    z = Z + float(special.ndtri(power))
    return float(z * np.sqrt(2 * residual_variance / participants))


def ratings_needed(mos: pd.DataFrame, half_width: float, *, a: float) -> NDArray[np.int64]:
    """Ratings still needed for each row of a MOS table until the SOS hypothesis gives MOS ± ``half_width``.

    Items without ratings count as in the middle of the scale.
    """
    at = mos["mos"].fillna(3.0).clip(1.25, 4.75)  # at the very ends the hypothesis would promise certainty
    wanted = np.array([sample_size(half_width, a=a, mos=m) for m in at], dtype=np.int64)
    return np.asarray(np.maximum(wanted - mos["n"].to_numpy(np.int64), 0))


def half_widths(n: ArrayLike, *, a: float, mos: float = 3.0) -> NDArray[np.float64]:
    """Half width of the 95 % interval that so many ratings of an item give, by the SOS hypothesis."""
    t = special.stdtrit(np.maximum(np.asarray(n, np.float64) - 1, 1), 0.5 + CONFIDENCE / 2)
    return np.asarray(t * np.sqrt(sos_curve(a, mos) / np.asarray(n, np.float64)))
