"""A factor of a plan as the page shows it: what is offered, what is ticked, what is the method's own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator.nst.recipes.effects import idle
from generator.nst.recipes.recipe import Recipe
from survey.desk.forms.methods import Method
from survey.desk.forms.plan_factors import Factor, layers_of, plain, suggestions

#: value, what it is called, whether it is ticked, whether it is not possible on this server
Option = tuple[str, str, bool, bool]


@dataclass(frozen=True)
class FactorInput:
    """One factor. blocks: of a network, with its layers and whether each is ticked; typed: what stands in the text field.

    is_idle: the method makes the same image whatever its value is.
    """

    factor: Factor
    name: str
    options: list[Option]
    blocks: list[tuple[int, list[tuple[str, bool]]]]
    own: str
    typed: str
    errors: list[str]
    is_idle: bool

    @property
    def chosen(self) -> int:
        """How many values are ticked."""
        bars = [ticked for _, layers in self.blocks for _, ticked in layers]
        return sum(ticked for _, _, ticked, _ in self.options) + sum(bars)

    @property
    def is_open(self) -> bool:
        """Whether it is shown unfolded."""
        return bool(self.chosen or self.typed or self.errors)

    @property
    def target(self) -> str:
        """The id of the field that an error leads to."""
        return f"id_{self.name}_other" if self.factor.kind in ("numbers", "repeats") else f"id_{self.name}"


def input_of(
    factor: Factor,
    name: str,
    ticked: Sequence[str],
    typed: str,
    errors: list[str],
    recipe: Recipe,
    methods: Sequence[Method],
) -> FactorInput:
    """Return a factor's input for the recipe of a method; whatever is ticked is there, possible or not."""
    options: list[Option] = []
    blocks: list[tuple[int, list[tuple[str, bool]]]] = []
    if factor.kind == "layers":
        known = layers_of(recipe.network)
        blocks = [(block, [(each, each in ticked) for each in names]) for block, names in known]
        present = {each for _, names in known for each in names}
        options = [(each, each, True, False) for each in ticked if each not in present]
    elif factor.key == "preset":
        options = [
            (each.name, each.title, each.name in ticked, each.is_ready is False)
            for each in methods
            if not each.is_whole_plan
        ]
    elif factor.kind == "choices":
        options = [(value, words, value in ticked, False) for value, words in factor.choices]
    elif factor.kind == "numbers":
        offered = [str(value) for value in suggestions(factor, recipe)]
        every = sorted({*offered, *ticked}, key=_as_number)
        options = [(value, value, value in ticked, False) for value in every]
    own, is_idle = own_value(factor, recipe), _is_idle(factor, recipe)
    return FactorInput(factor, name, options, blocks, own, typed, errors, is_idle)


def own_value(factor: Factor, recipe: Recipe) -> str:
    """Return a recipe's own value as text; empty for what no recipe holds."""
    if factor.key in ("repeats", "preset"):
        return ""
    if factor.key == "content_layer":
        return " and ".join(recipe.content_layers)
    value = recipe.ratio if factor.key == "ratio" else getattr(recipe, factor.key)
    for choice, words in factor.choices:
        if choice == value:
            # Without what the choice does.
            return re.split("[:,]", words)[0]
    return str(plain(value)) if isinstance(value, int | float) else str(value)


def _is_idle(factor: Factor, recipe: Recipe) -> bool:
    key = "content_layers" if factor.key == "content_layer" else factor.key
    return key in idle(recipe)


def _as_number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.inf
