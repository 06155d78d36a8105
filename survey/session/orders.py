"""Orders that balance: Williams's Latin squares, in which each thing follows each other one equally often.

Source: E. J. Williams 1949, "Experimental designs balanced for the estimation of residual effects of treatments",
Australian Journal of Scientific Research A 2.
"""

from __future__ import annotations


def rows_of(things: int) -> int:
    """Return how many rows the square of so many things has: as many, or twice as many for an odd number."""
    return things if things % 2 == 0 or things == 1 else 2 * things


def williams(things: int, row: int) -> list[int]:
    """Return one row of the square: the numbers from 0 to `things` − 1 in order.

    Over all rows each thing stands in each place equally often, and comes right after each other thing equally often:
    once for an even number, twice for an odd one.
    """
    # 0, 1, n−1, 2, n−2, ...: neighbours differ by each distance once. Further rows add a number to all.
    first = [(place + 1) // 2 if place % 2 else (things - place // 2) % things for place in range(things)]
    turned = first if row < things else first[::-1]
    return [(thing + row) % things for thing in turned]
