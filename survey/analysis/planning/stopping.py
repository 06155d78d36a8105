"""Whether every image's score is known well enough to stop, whatever the number of looks.

The rule looks at widths, never at differences, so it favours no image. ``benchmarks/coverage.py`` (part ``looks``)
shows what it does to the intervals: nothing with ten images or more, each rated by ten participants or more. With
fewer images, one that happens to look narrow stops the study too early. Then the interval must hold at all looks.

In a pair study the intervals are those of the scores that its results show.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.items.intervals import always_valid, sos_wilson, student_t
from survey.analysis.items.sos import DEFAULT_A, FEWEST_ITEMS, RANGE_OF_A, pooled_a, sos_a
from survey.analysis.items.tally import Tally
from survey.analysis.pairs.preferences import scores_of

FEWEST_PEOPLE: Final = 10
"""Participants of each image before which the rule does not stop."""
FEWEST_IMAGES: Final = 10
"""Images from which on ordinary intervals do: with fewer, those that hold at all looks."""


def stopping_half_widths(items: Tally, planned: int) -> NDArray[np.float64]:
    """Return the half width of each item by which a study may stop; infinite before ``FEWEST_PEOPLE`` participants.

    With ``FEWEST_IMAGES`` items or more it is that of Student's t interval, and of the bounded one where all ratings
    agree. With fewer it is that of ``always_valid``.

    Args:
        items: All items of one question.
        planned: Participants that each item is to have, for which ``always_valid`` is narrowest.
    """
    if len(items.n) >= FEWEST_IMAGES:
        half = _half(*student_t(items))
        half = np.where(np.isnan(half), _half(*sos_wilson(items, pooled_a(items))), half)
    else:
        half = _half(*always_valid(items, a_for_any_look(items), planned))
    return np.where(items.participants >= FEWEST_PEOPLE, half, np.inf)


def widest_of_choices(choices: pd.DataFrame) -> float:
    """Return the widest half width of any score of a pair study's question, in log odds: that which its results show.

    Infinite before ``FEWEST_PEOPLE`` participants, and while the choices do not place every image.

    Args:
        choices: as `preferences.analyse_preferences` takes them, of one question.
    """
    if choices["participant"].nunique() < FEWEST_PEOPLE:
        return float("inf")
    scores = scores_of(choices)
    half = _half(scores["ci_low"].to_numpy(np.float64), scores["ci_high"].to_numpy(np.float64))
    return float(half.max()) if np.isfinite(half).all() else float("inf")


def stopping_interval(images: int, *, of_pairs: bool = False) -> str:
    """Return a sentence on which interval the rule looks at. of_pairs: in a pair study."""
    if of_pairs:
        return (
            "The widths are those of the intervals of the scores, in log odds, with participants as clusters."
        )
    if images >= FEWEST_IMAGES:
        return "The widths are those of Student's t intervals."
    return "With so few images, the widths are those of intervals that hold at all looks together."


def a_for_any_look(items: Tally) -> float:
    """Return the ``a`` for ``always_valid``: that of the bounded interval, of few items at least its usual value.

    The bounded interval takes the usual value for fewer than five items. That is too small where opinions split.
    """
    own = sos_a(items)
    if np.isfinite(own) and np.sum(items.n >= 2) < FEWEST_ITEMS:
        return float(np.clip(max(own, DEFAULT_A), *RANGE_OF_A))
    return pooled_a(items)


def _half(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((high - low) / 2)
