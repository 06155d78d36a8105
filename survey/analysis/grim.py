"""The GRIM test (Brown and Heathers 2017), in exact integers: whether a printed mean can come from whole ratings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

from survey.analysis.scale import Scale

Verdict = Literal["possible", "if cut off", "impossible", "cannot judge"]


@dataclass(frozen=True)
class Grim:
    """The result of one test.

    Attributes:
        verdict: ``possible`` by rounding (half up, half even or half down); ``if cut off`` only where further digits
            were cut off; ``impossible``; ``cannot judge`` where every printed mean is possible, or the scale has no
            step.
        nearest: the possible means next to the printed one, as printed, where it is not possible by rounding.
    """

    verdict: Verdict
    nearest: tuple[str, ...] = ()


def grim(mean: str, n: int, scale: Scale) -> Grim:
    """Test a printed mean.

    Args:
        mean: the mean as it is printed: its digits count, 4.0 and 4.00 differ.
        n: how many ratings it is the mean of, at least 1.
        scale: the scale of the ratings.

    Raises:
        ValueError: ``mean`` is no number, or ``n`` is below 1.
    """
    try:
        printed = Decimal(mean.strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"{mean!r} is no number") from None
    if n < 1 or not printed.is_finite():
        raise ValueError("a mean is of at least one rating, and finite")
    unit = Fraction(Decimal(1).scaleb(min(int(printed.as_tuple().exponent), 0)))
    if scale.step is None or Fraction(repr(float(scale.step))) / n <= unit:
        return Grim("cannot judge")
    low, step = Fraction(repr(float(scale.low))), Fraction(repr(float(scale.step)))
    value = Fraction(printed)
    # Whole numbers k with mean = low + step k / n: those next to the printed mean are enough.
    k = (value - low) * n / step
    around = [
        low + step * j / n
        for j in range(int(k) - 1, int(k) + 3)
        if 0 <= j <= (Fraction(repr(float(scale.high))) - low) / step * n
    ]
    if any(abs(mean_ - value) <= unit / 2 for mean_ in around):
        return Grim("possible")
    nearest = tuple(dict.fromkeys(_printed(mean_, unit) for mean_ in around if abs(mean_ - value) < step / n))
    cut = any(0 <= mean_ - value < unit for mean_ in around)
    return Grim("if cut off" if cut else "impossible", nearest)


def _printed(value: Fraction, unit: Fraction) -> str:
    digits = len(str(unit.denominator)) - 1
    return f"{float(round(value / unit) * unit):.{digits}f}"


def most_sd(mean: float, n: int, scale: Scale) -> float:
    """Return the largest sample SD that ``n`` ratings of this mean can have: all at the ends of the scale but one."""
    if n < 2:
        return float("nan")
    share = (mean - scale.low) * n / scale.range
    at_top = int(share + 1e-9)
    between = mean * n - scale.high * at_top - scale.low * (n - at_top - 1)
    values = [scale.high] * at_top + ([between] if at_top < n else []) + [scale.low] * (n - at_top - 1)
    return float((sum((v - mean) ** 2 for v in values) / (n - 1)) ** 0.5)
