"""A plan becomes rows: keys by what has an effect, pictures read once and not held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.files.images import ImageError
from generator.models import Cell
from generator.plans.document import PlanError
from generator.plans.plan import load_plan
from generator.sets import create

pytestmark = pytest.mark.django_db


def keys(path: Path) -> list[str]:
    plan = load_plan(path)
    return create.cell_keys(plan, create.read_references(plan))


def test_a_key_holds_only_what_has_an_effect(write_plan) -> None:
    still = 'init = "content"\n'
    plain = keys(write_plan(recipe=still))
    assert keys(write_plan(recipe=f"{still}seed = 7\nnoise_scale = 3\nlearning_rate = 0.5\n")) == plain
    assert keys(write_plan(recipe=f"{still}ratio = 0.7\n")) != plain
    assert keys(write_plan(recipe='init = "noise"\nseed = 7\n')) != keys(
        write_plan(recipe='init = "noise"\n')
    )


def test_an_image_made_under_a_key_of_all_settings_is_found_again(write_plan, monkeypatch) -> None:
    path = write_plan(recipe='init = "content"\nseed = 7\nnoise_scale = 3\n')
    with monkeypatch.context() as earlier:
        earlier.setattr(create, "effective_sha256", lambda recipe: recipe.sha256)
        earlier.setattr(create, "idle", lambda recipe: {})
        before = create.image_set_from_plan(load_plan(path))
        (old,) = before.cells.values_list("key", flat=True)
    assert keys(path) == [old]
    assert create.image_set_from_plan(load_plan(path)).pk == before.pk
    Cell.objects.all().delete()
    assert keys(path) != [old]


def test_two_files_of_one_picture_are_refused_by_their_names(write_plan) -> None:
    path = write_plan()
    (path.parent / "again.png").write_bytes((path.parent / "cat.png").read_bytes())
    path.write_text(path.read_text().replace('["cat.png"]', '["cat.png", "again.png"]'))
    with pytest.raises(PlanError, match=r"/cat\.png and .*/again\.png are the same picture: leave one out"):
        keys(path)


def test_references_hold_no_pixels_and_notice_a_change(write_plan) -> None:
    path = write_plan()
    references = create.read_references(load_plan(path))
    reference = references[path.parent / "cat.png"]
    assert not any(isinstance(value, Image.Image | np.ndarray) for value in vars(reference).values())
    assert reference.picture().size == reference.size
    Image.new("RGB", reference.size).save(path.parent / "cat.png")
    with pytest.raises(ImageError, match=r"cat\.png: has changed while the plan was read"):
        reference.picture()


def test_a_panorama_begins_at_a_level_that_fits(write_plan) -> None:
    path = write_plan(recipe='shape = "aspect"\npyramid_min = 32\npyramid_step = 2.0\n')
    path.write_text(path.read_text().replace("size = 32", "size = 128"))
    wide = np.random.default_rng(0).integers(0, 256, (40, 280, 3), dtype=np.uint8)
    for name in ("cat.png", "wave.png"):
        Image.fromarray(wide).save(path.parent / name)
        create.read_references(load_plan(path))
    flat = np.random.default_rng(0).integers(0, 256, (40, 900, 3), dtype=np.uint8)
    Image.fromarray(flat).save(path.parent / "cat.png")
    with pytest.raises(ImageError, match=r"cat\.png: 900 × 40 pixels, 128 × 6 once scaled; relu"):
        create.read_references(load_plan(path))
