"""How OpenMP's threads wait for work. OpenMP reads the environment when PyTorch is first imported."""

from __future__ import annotations

from collections.abc import Mapping

# They take turns with Winograd's threads at the same cores. Those that spin for some milliseconds, as GNU's do by default,
# take a third of the speed; those that sleep at once come late to the next small step. So GNU's spin for a fraction of a
# millisecond; others know only the first of the two, and sleep.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "30000"}


def unless_chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """Return WAITING, or nothing if the environment has one of its names."""
    return WAITING if WAITING.keys().isdisjoint(environment) else {}
