"""A plan that an earlier release carried out with another version of its preset."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.models import ImageSet
from generator.nst.recipes.presets import FORMER, PRESETS
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from generator.sets.earlier import made_otherwise

pytestmark = pytest.mark.django_db
DATED = "patel2019-2026-11-21"


def made_by_the_earlier_release(path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    with monkeypatch.context() as earlier:
        earlier.setitem(PRESETS, "patel2019", FORMER[DATED])
        return image_set_from_plan(load_plan(path))


def test_the_dated_name_of_a_preset_finds_the_images_of_its_release(write_plan, monkeypatch) -> None:
    path = write_plan()
    old = made_by_the_earlier_release(path, monkeypatch)
    path.write_text(path.read_text().replace('"patel2019"', f'"{DATED}"'))
    assert image_set_from_plan(load_plan(path)).pk == old.pk


def test_a_plan_whose_preset_has_changed_says_how_to_continue_its_set(write_plan, monkeypatch) -> None:
    path = write_plan(head='title = "Waves"')
    old = made_by_the_earlier_release(path, monkeypatch)
    (warning,) = made_otherwise(load_plan(path))
    assert 'image set "waves" was made from this plan by an earlier version of its preset' in warning
    setting = "legacy_mean_order = false"
    assert f"write {setting} under [recipe]" in warning
    assert image_set_from_plan(load_plan(path)).slug == "waves-2"
    assert made_otherwise(load_plan(path)) == []
    path.write_text(path.read_text().replace("[recipe]", f"[recipe]\n{setting}"))
    assert image_set_from_plan(load_plan(path)).pk == old.pk
    assert made_otherwise(load_plan(path)) == []
