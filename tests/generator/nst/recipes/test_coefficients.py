"""A recipe's weights in common units."""

from __future__ import annotations

from dataclasses import asdict

from generator.nst import Recipe
from generator.nst.recipes.coefficients import coefficients
from generator.nst.recipes.conventions import CONVENTIONS, CONVERTED, Shape

SHAPES = {"image": Shape(3, 32, 48)}


def test_the_weights_that_a_convention_converts_are_those_that_mean_something_else_in_another():
    weights = {"alpha": 2.0, "beta": 3.0, "tv_weight": 5.0, "range_weight": 7.0}
    plain = Recipe().replace(**weights)
    shapes = {**SHAPES, **{tap: Shape(64, 16, 24) for taps in plain.taps for tap in taps}}

    def change(key: str, convention: str) -> str:
        """What one more of a weight changes."""
        before, after = (
            asdict(coefficients(plain.replace(convention=convention, **{key: weights[key] + more}), shapes))
            for more in (0, 1)
        )
        return str([(after[part], before[part]) for part in before if after[part] != before[part]])

    differ = {key for key in weights if len({change(key, name) for name in CONVENTIONS}) > 1}
    assert differ == set(CONVERTED)
