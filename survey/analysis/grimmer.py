"""Whether a printed mean and SD can come from whole ratings: GRIM and GRIMMER by counting every possible case.

Sources: N. Brown and J. Heathers 2017, "The GRIM test"; A. Allard 2018, "Analytic-GRIMMER"; J. Heathers et al. 2018,
"Recovering data from summary statistics (SPRITE)".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from survey.analysis.scale import Scale

MAX_WORK: Final = 3e9
"""Bytes moved up to which every case is counted: a second or two."""
MAX_RATINGS: Final = 10_000
_MAX_SUMS: Final = 100_000
_MAX_DECIMALS: Final = 12
HOW: Final = {
    "half up": "rounded, halves up",
    "half even": "rounded, halves to the even digit",
    "half down": "rounded, halves down",
    "cut off": "cut off after the last digit",
}


@dataclass(frozen=True)
class Printed:
    """A number as it is printed: its digits count, 4.0 and 4.00 differ."""

    value: Fraction
    unit: Fraction

    def may_be(
        self, how: str, at_least: Callable[[Fraction], bool], equals: Callable[[Fraction], bool]
    ) -> bool:
        """Say whether an exact number is printed like this.

        Args:
            how: one of HOW.
            at_least: whether the exact number is at least so large.
            equals: whether it is exactly so large.
        """
        if how == "cut off":
            return at_least(self.value) and not at_least(self.value + self.unit)
        low, high = self.value - self.unit / 2, self.value + self.unit / 2
        if equals(low):
            return how == "half up" or (how == "half even" and self._even)
        if equals(high):
            return how == "half down" or (how == "half even" and self._even)
        return at_least(low) and not at_least(high)

    @property
    def _even(self) -> bool:
        return (self.value / self.unit) % 2 == 0


@dataclass(frozen=True)
class Verdicts:
    """What each way of rounding allows.

    Attributes:
        mean: way of rounding -> whether the mean is possible.
        sd: way of rounding -> the divisors, "n − 1" and "n", with which the SD is possible too; None where no SD is
            given, or there are too many cases to count.
    """

    mean: Mapping[str, bool]
    sd: Mapping[str, tuple[str, ...]] | None


def printed(text: str) -> Printed:
    """Read a printed number. Raises ValueError for what is none."""
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no finite number")
    if not -_MAX_DECIMALS <= int(number.as_tuple().exponent) <= _MAX_DECIMALS:
        raise ValueError(f"{text!r} has more than {_MAX_DECIMALS} decimals or zeros")
    return Printed(Fraction(number), Fraction(Decimal(1).scaleb(min(int(number.as_tuple().exponent), 0))))


def verdicts(mean: str, sd: str | None, n: int, scale: Scale) -> Verdicts:
    """Judge a mean, and an SD beside it, of n ratings.

    Args:
        mean: as printed.
        sd: as printed, or None.
        n: number of ratings, at least 1; for an SD at least 2.
        scale: of the ratings.

    Raises:
        ValueError: a text is no number, n is too small or too large, the SD is negative, or the scale has no step.
    """
    if scale.step is None:
        raise ValueError("a continuous scale allows every mean: give its step, such as 0:100:1")
    if n < (1 if sd is None else 2):
        raise ValueError("a mean is of at least 1 rating, an SD of at least 2")
    if n > MAX_RATINGS:
        raise ValueError(f"of more than {MAX_RATINGS} ratings every printed mean is possible")
    low, step = (Fraction(repr(float(value))) for value in (scale.low, scale.step))
    top = int((Fraction(repr(float(scale.high))) - low) / step)
    if n * top > _MAX_SUMS:
        raise ValueError(f"{n} ratings on so fine a scale are too many to count")
    of_mean = printed(mean)
    sums = {how: _sums(of_mean, how, n, low, step, top) for how in HOW}
    means = {how: bool(found) for how, found in sums.items()}
    if sd is None:
        return Verdicts(means, None)
    of_sd = printed(sd)
    if of_sd.value < 0:
        raise ValueError(f"an SD is never negative, as {sd} is")
    wanted = set().union(*sums.values())
    squares = _squares(n, top, wanted)
    if squares is None:
        return Verdicts(means, None)
    return Verdicts(means, {how: _divisors(of_sd, how, n, step, sums[how], squares) for how in HOW})


def _sums(of_mean: Printed, how: str, n: int, low: Fraction, step: Fraction, top: int) -> set[int]:
    """Return the sums of n whole numbers 0..top whose mean on the scale is printed like that."""
    near = int((of_mean.value - low) * n / step)
    around = int(of_mean.unit * n / step) + 2
    found = set()
    for total in range(max(near - around, 0), min(near + around, n * top) + 1):
        exact = low + step * total / n
        if of_mean.may_be(how, lambda x, exact=exact: exact >= x, lambda x, exact=exact: exact == x):  # type: ignore[misc]
            found.add(total)
    return found


def _squares(n: int, top: int, wanted: set[int]) -> dict[int, list[int]] | None:
    """Return the possible sums of squares of n whole numbers 0..top for each wanted sum; None if there are too many.

    The sums of squares are the bits of one integer for each sum.
    """
    if not wanted:
        return {}
    if n * (n * top) * (top + 1) * (n * top**2) / 8 > MAX_WORK:
        return None
    most = max(wanted)
    bits = [1] + [0] * most
    for _ in range(n):
        after = [0] * (most + 1)
        for total, known in enumerate(bits):
            if known:
                for k in range(min(top, most - total) + 1):
                    after[total + k] |= known << (k * k)
        bits = after
    return {total: [q for q in range(bits[total].bit_length()) if bits[total] >> q & 1] for total in wanted}


def _divisors(
    of_sd: Printed, how: str, n: int, step: Fraction, sums: set[int], squares: Mapping[int, list[int]]
) -> tuple[str, ...]:
    found = []
    for name, divisor in (("n − 1", n - 1), ("n", n)):
        variances = {
            (q - Fraction(total**2, n)) / divisor * step**2 for total in sums for q in squares[total]
        }
        if any(_is_root(of_sd, how, variance) for variance in variances):
            found.append(name)
    return tuple(found)


def _is_root(of_sd: Printed, how: str, variance: Fraction) -> bool:
    return of_sd.may_be(how, lambda x: x <= 0 or variance >= x**2, lambda x: x >= 0 and variance == x**2)


def sentence(mean: str, sd: str | None, n: int, scale: Scale, found: Verdicts) -> str:
    """Return the verdict in one plain sentence. It never says why a number is not possible."""
    what = f"The mean {mean}" if sd is None else f"The mean {mean} with SD {sd}"
    of = f"{n} ratings on the scale {scale}"
    good = found.mean if found.sd is None else {how: bool(divisors) for how, divisors in found.sd.items()}
    rounded = [how for how in HOW if how != "cut off" and good[how]]
    unknown = (
        " (the SD was not judged: there are too many cases)" if sd is not None and found.sd is None else ""
    )
    if rounded:
        return f"{what} can come from {of}{unknown}."
    if good["cut off"]:
        return f"{what} cannot come from {of} by rounding, but can if further digits were cut off{unknown}."
    return f"{what} cannot come from {of}{unknown}."
