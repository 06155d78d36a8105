"""Every preset on one pair of pictures: what docs/reference/presets.md shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from PIL import Image

from generator.making.preset_sheet import preset_plan, small
from generator.models import Cell
from generator.nst import PRESETS
from generator.nst.recipes.sizes import level_sizes
from tests.generator.conftest import PlanWriter

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.slow
@pytest.mark.django_db
def test_every_preset_makes_its_image_and_finds_its_place(
    write_plan: PlanWriter, tiny_network: Path, tmp_path: Path
) -> None:
    folder = write_plan().parent
    options = {"size": 96, "evaluations": 1, "network": str(tiny_network)}
    sheet = tmp_path / "sheet.jpg"
    call_command("preset_sheet", folder / "cat.png", folder / "wave.png", output=sheet, **options)
    assert {cell.label for cell in Cell.objects.filter(attempts=1)} == set(PRESETS)
    with Image.open(sheet) as picture:
        assert picture.width == 8 + 4 * 152
    call_command("preset_sheet", folder / "cat.png", folder / "wave.png", output=sheet, **options)
    assert Cell.objects.count() == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_small_recipe_has_as_many_levels_and_comes_as_far(name: str) -> None:
    recipe = PRESETS[name].recipe
    less = small(recipe, (600, 600), 192, 50, "vgg16")
    assert len(level_sizes((192, 192), less)) == len(level_sizes((recipe.size, recipe.size), recipe))
    if recipe.method == "nnst":
        assert less.learning_rate == recipe.learning_rate
    elif recipe.optimiser == "adam":
        assert less.learning_rate * less.evaluations == pytest.approx(
            recipe.learning_rate * recipe.evaluations
        )
    assert less.alpha == recipe.alpha
    assert less.taps == recipe.replace(network="vgg16").taps


def test_levels_too_small_for_the_layers_are_left_out() -> None:
    less = small(PRESETS["li-wand2016"].recipe, (600, 300), 96, 50, "vgg16")
    assert level_sizes((48, 96), less) == [(24, 48), (48, 96)]


def test_the_sheets_plan_names_every_preset(write_plan: PlanWriter, tiny_network: Path) -> None:
    folder = write_plan().parent
    plan = preset_plan(folder / "cat.png", folder / "wave.png", size=64, evaluations=2, network="vgg16")
    assert [cell.factors["preset"] for cell in plan.cells] == list(PRESETS)


def test_the_documentation_has_a_row_for_every_preset() -> None:
    text = (DOCS / "reference/presets.md").read_text(encoding="utf-8")
    assert [name for name in PRESETS if f"| `{name}` |" not in text] == []
