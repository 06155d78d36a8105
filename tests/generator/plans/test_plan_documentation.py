"""docs/reference/plans.md says of every key of a recipe what it takes and what it is without a preset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.nst import Recipe
from generator.nst.recipes.recipe import _CHOICES, _RANGES

ROWS = {
    key: (values, default)
    for key, values, default in re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$",
        (Path(__file__).parents[3] / "docs/reference/plans.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


def test_every_key_of_a_recipe_has_its_row_and_no_other() -> None:
    assert set(ROWS) == set(Recipe().to_dict()) - {"preset"}


@pytest.mark.parametrize("key", ROWS)
def test_a_row_has_the_default_of_the_recipe(key: str) -> None:
    value = getattr(Recipe(), key)
    told = ", ".join(value) if isinstance(value, tuple) else str(value)
    if isinstance(value, bool):
        told = str(value).lower()
    elif isinstance(value, int | float):
        told = f"{value:g}"
    assert ROWS[key][1] == (told or "none")


@pytest.mark.parametrize("key", [*_CHOICES, *_RANGES])
def test_a_row_has_the_values_that_are_taken(key: str) -> None:
    if key in _CHOICES:
        assert ROWS[key][0] == ", ".join(_CHOICES[key])
    else:
        least, most = _RANGES[key]
        plain = [
            f"{value:.0f}"
            if value == int(value) and abs(value) <= 100_000
            else f"{value:g}".replace("e+", "e")
            for value in (least, most)
        ]
        assert ROWS[key][0] == " to ".join(plain)
