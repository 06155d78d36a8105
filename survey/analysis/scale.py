"""The rating scale of a question: its ends and its step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_CATEGORIES = 1001
FEW_STEPS = 10
"""Without a step, a text such as ``0:10`` means whole numbers up to so many steps, and a continuous scale beyond."""

MAX_BUTTONS = 11
"""Categories up to which each has a button; more are a slider, as a continuous scale is."""
MAX_DECIMALS = 9
_LARGEST_WHOLE = 1e12
_NOISE = 1e-6
"""How far a stored rating may miss its value, in steps: rounding of binary fractions only."""


class Whole(NamedTuple):
    """Ratings as whole numbers: rating = ``origin`` + ``unit`` × ``number``."""

    number: NDArray[np.int64]
    unit: float
    origin: float


@dataclass(frozen=True)
class Scale:
    """Ratings from ``low`` to ``high`` in steps of ``step``; ``step`` None is a continuous scale.

    The default is the five-category scale of ITU-T P.910 (ACR).

    Raises:
        ValueError: the ends are not finite, ``low`` is not below ``high``, or the steps do not lead from one end to
            the other.
    """

    low: float = 1
    high: float = 5
    step: float | None = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("the ends of a scale must be finite numbers")
        if self.low >= self.high:
            raise ValueError(
                f"the low end of a scale must be below its high end, not {self.low:g} and {self.high:g}"
            )
        if self.step is None:
            return
        if not math.isfinite(self.step) or self.step <= 0:
            raise ValueError(f"the step of a scale must be above 0, not {self.step:g}")
        steps = (_exact(self.high) - _exact(self.low)) / _exact(self.step)
        if steps != steps.to_integral_value():
            raise ValueError(f"steps of {self.step:g} do not lead from {self.low:g} to {self.high:g}")
        if steps >= MAX_CATEGORIES:
            raise ValueError(
                f"a scale of {int(steps) + 1} values: at most {MAX_CATEGORIES} are possible; "
                "leave it continuous (step 0)"
            )

    @cached_property
    def categories(self) -> tuple[float, ...] | None:
        """The values of the scale from low to high; None on a continuous scale."""
        if self.step is None:
            return None
        low, step = _exact(self.low), _exact(self.step)
        steps = int((_exact(self.high) - low) / step)
        return tuple(plain_number(float(low + k * step)) for k in range(steps + 1))

    @property
    def is_slider(self) -> bool:
        """Whether people answer on a slider; on other scales each category has a button."""
        return self.categories is None or len(self.categories) > MAX_BUTTONS

    @property
    def range(self) -> float:
        """The distance between the ends."""
        return self.high - self.low

    @property
    def resolution(self) -> float:
        """The distance of two neighbouring answers.

        On a continuous scale it is a power of ten, between a hundredth and a thousandth of the range.
        """
        return self.step or float(f"1e{math.floor(math.log10(self.range / 100))}")

    @property
    def is_acr(self) -> bool:
        """Return whether this is the default scale: the five categories 1 to 5."""
        return self == Scale()

    def contains(self, value: float) -> bool:
        """Return whether ``value`` is on the scale, apart from the rounding of binary fractions."""
        return not math.isnan(float(self.snap(value)))

    def snap(self, values: ArrayLike) -> NDArray[np.float64]:
        """Replace each value by the value of the scale that it stands for.

        Args:
            values: numbers, of any shape; NaN stays NaN.

        Returns:
            The same shape; NaN where a value is not on the scale.
        """
        value = np.asarray(values, np.float64)
        if self.step is None:
            noise = _NOISE * self.range / 100
            inside = (value >= self.low - noise) & (value <= self.high + noise)
            return np.where(inside, np.clip(value, self.low, self.high), np.nan)
        known = np.asarray(self.categories, np.float64)
        with np.errstate(invalid="ignore"):
            place = np.rint((np.nan_to_num(value) - self.low) / self.step).clip(0, len(known) - 1)
        nearest = known[place.astype(np.int64)]
        return np.where(np.abs(value - nearest) <= _NOISE * self.step, nearest, np.nan)

    def whole(self, values: NDArray[np.float64]) -> Whole:
        """Write ratings as whole numbers, so that sums and ties are exact.

        A continuous scale is taken in the decimals that the values have, at most nine.

        Args:
            values: ratings on the scale, shape (rows,).
        """
        if self.step is None:
            most = max(abs(self.low), abs(self.high))
            for decimals in range(MAX_DECIMALS + 1):
                number = values * 10.0**decimals
                if decimals == MAX_DECIMALS or most * 10.0 ** (decimals + 1) > _LARGEST_WHOLE:
                    break
                if np.abs(number - np.rint(number)).max(initial=0) <= _NOISE:
                    break
            return Whole(np.rint(number).astype(np.int64), 10.0**-decimals, 0.0)
        through_zero = _exact(self.low) % _exact(self.step) == 0
        origin = 0.0 if through_zero else float(self.low)
        return Whole(np.rint((values - origin) / self.step).astype(np.int64), float(self.step), origin)

    def __str__(self) -> str:
        """Return the scale as ``parse_scale`` reads it."""
        ends = f"{number_text(self.low)}:{number_text(self.high)}"
        if self == parse_scale(ends):
            return ends
        return f"{ends}:{number_text(self.step or 0)}"

    def describe(self) -> str:
        """Return the scale in words, such as "1 to 5" or "0 to 10 in steps of 0.5"."""
        ends = f"{self.low:g} to {self.high:g}"
        if self.step is None:
            return f"{ends}, continuous"
        return ends if self.step == 1 else f"{ends} in steps of {self.step:g}"


def parse_scale(text: str) -> Scale:
    """Read ``LOW:HIGH`` or ``LOW:HIGH:STEP``.

    Without STEP the scale has whole numbers where its ends are whole and at most ten apart (``1:7``, ``0:10``), and is
    continuous otherwise (``0:100``). STEP 0 asks for a continuous scale.

    Raises:
        ValueError: the text is no scale; the message is one line.
    """
    parts = [part.strip() for part in text.split(":")]
    try:
        numbers = [float(_decimal(part)) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise ValueError(
            f"{text!r} is no scale: write LOW:HIGH or LOW:HIGH:STEP, such as 1:7, 0:100 or 1:5:0.5"
        )
    low, high, *rest = numbers
    if rest:
        step = rest[0] or None
    else:
        step = 1 if low.is_integer() and high.is_integer() and high - low <= FEW_STEPS else None
    try:
        return Scale(low, high, step)
    except ValueError as error:
        raise ValueError(f"{text!r} is no scale: {error}") from None


def plain_number(value: float) -> float:
    """Return a whole number as an int, which is written without a point."""
    return int(value) if float(value).is_integer() else float(value)


def number_text(value: float) -> str:
    """Write a rating in the fewest digits that read back as the same number, whole numbers without a point."""
    return str(plain_number(value))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def _exact(number: float) -> Decimal:
    """Return the number as it is written, so that 0.1 is a tenth."""
    return Decimal(repr(float(number)))


ACR = Scale()
"""Absolute category rating, ITU-T P.910 clause 8.1: 1 to 5."""
