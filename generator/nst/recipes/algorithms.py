"""Versions of the algorithms: part of every cell's key, and raised whenever the same recipe would give another image."""

from __future__ import annotations

from typing import Final

OPTIMISED: Final = "nst-1"
FEEDFORWARD: Final = "feedforward-1"
KOLKIN: Final = "kolkin-1"

#: By a recipe's method.
OF_METHOD: Final = {"optimised": OPTIMISED, "feedforward": FEEDFORWARD, "strotss": KOLKIN, "nnst": KOLKIN}
