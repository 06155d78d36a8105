"""Several styles in one image, masks and maps: from the plan to an image that can be made again."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from PIL import Image

from generator.files import images
from generator.making.render import render
from generator.models import Cell, CellStyle, ImageSet, Source
from generator.plans.document import PlanError
from generator.plans.images import Pair
from generator.plans.plan import Plan, load_plan
from generator.sets.create import image_set_from_plan
from tests.generator.conftest import PlanWriter

pytestmark = pytest.mark.django_db

TWO = '[[blends]]\nname = "two"\nstyles = [{ file = "wave.png", weight = 7 }, { file = "storm.png", weight = 3 }]\n'
REGIONS = """
[[blends]]
name = "regions"
styles = [
    { file = "wave.png", where = "left.png", part = "left.png" },
    { file = "storm.png", where = "right.png" },
]
"""
MAPS = '[images.maps]\n"cat.png" = "cat-map.png"\n"wave.png" = "wave-map.png"\n'
WASSERSTEIN = 'style_loss = "wasserstein"\nconvention = "style-transfer-pytorch"\n'
PATCHES = 'style_loss = "patches"\nconvention = "li-wand2016"\nstyle_layers = ["conv2_1"]\n'


@pytest.fixture
def blend_plan(write_plan: PlanWriter):
    """Write a plan whose style is a blend; beside it lie a second style, masks and maps."""

    def write(tail: str, style: str = "wave.png", recipe: str = "") -> Path:
        path = write_plan(tail, recipe=recipe)
        path.write_text(path.read_text().replace('style = ["wave.png"]', f'style = ["{style}"]'))
        folder = path.parent
        half = np.zeros((40, 48), dtype=np.uint8)
        half[:, :24] = 255
        coloured = np.zeros((40, 48, 3), dtype=np.uint8)
        coloured[:, :24, 0] = coloured[:, 24:, 2] = 255
        drawn = {
            "storm": np.random.default_rng(7).integers(0, 256, (40, 48, 3), dtype=np.uint8),
            "left": half,
            "right": 255 - half,
            "black": 0 * half,
            "long": np.repeat(half, 2, axis=1),
            "cat-map": coloured,
            "wave-map": coloured[:, ::-1],
        }
        for name, pixels in drawn.items():
            Image.fromarray(pixels).save(folder / f"{name}.png")
        return path

    return write


def rows(path: Path) -> ImageSet:
    return image_set_from_plan(load_plan(path))


def pair(path: Path) -> Pair:
    (cell,) = load_plan(path).cells
    return cell.pair


def refusal(path: Path) -> str:
    with pytest.raises((PlanError, images.ImageError)) as caught:
        rows(path)
    assert "\n" not in str(caught.value)
    assert not ImageSet.objects.exists()
    return str(caught.value)


def test_a_blend_stands_for_a_style_and_its_weights_are_shares(blend_plan) -> None:
    plan: Plan = load_plan(blend_plan(TWO, "two"))
    (cell,) = plan.cells
    assert (cell.factors["style"], cell.label) == ("two", "cat × two")
    assert [(style.path.name, style.weight) for style in cell.pair.styles] == [
        ("wave.png", 0.7),
        ("storm.png", 0.3),
    ]


def test_the_same_shares_are_the_same_image_and_others_another(blend_plan) -> None:
    keys = []
    for weights in ((7, 3), (0.7, 0.3), (1, 1)):
        ImageSet.objects.all().delete()
        text = TWO.replace("weight = 7", f"weight = {weights[0]}").replace(
            "weight = 3", f"weight = {weights[1]}"
        )
        keys.append(rows(blend_plan(text, "two")).cells.get().key)
    assert keys[0] == keys[1] != keys[2]


def test_a_blend_of_one_style_is_that_style(blend_plan) -> None:
    plain = rows(blend_plan("")).cells.get().key
    ImageSet.objects.all().delete()
    one = rows(blend_plan('[[blends]]\nname = "one"\nstyles = [{ file = "wave.png", weight = 5 }]\n', "one"))
    assert one.cells.get().key == plain
    assert not CellStyle.objects.exists()


@pytest.mark.parametrize("name", ["left.png", "right.png", "storm.png"])
def test_every_further_picture_is_in_the_key(blend_plan, name: str) -> None:
    path = blend_plan(REGIONS, "regions")
    before = rows(path).cells.get().key
    ImageSet.objects.all().delete()
    with Image.open(path.parent / name) as picture:
        picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).rotate(90).resize((48, 40)).save(
            path.parent / name
        )
    assert rows(path).cells.get().key != before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tail", "style", "recipe"),
    [
        (TWO, "two", ""),
        (REGIONS, "regions", ""),
        (REGIONS, "regions", WASSERSTEIN),
        (MAPS, "wave.png", PATCHES),
    ],
    ids=["blend", "masks", "masks of modern", "maps"],
)
def test_it_is_made_when_the_files_are_gone_and_made_again_from_its_file(
    blend_plan, media: Path, tail: str, style: str, recipe: str
) -> None:
    # [images.maps] has to stand in [images]; the recipe comes after it.
    path = blend_plan("" if tail is MAPS else tail, style, recipe)
    if tail is MAPS:
        path.write_text(path.read_text().replace("[recipe]", f"{MAPS}[recipe]"))
    image_set = rows(path)
    shutil.rmtree(path.parent)
    assert render(image_set, exact=True).done == 1
    cell = image_set.cells.get()
    assert cell.provenance["styles"][0]["pixels"] == cell.style.pixels
    assert sum(each["weight"] for each in cell.provenance["styles"]) == pytest.approx(1)
    assert {"ssim", "style_loss", "colour_from_style"} <= cell.covariates.keys()
    out = io.StringIO()
    call_command("reproduce", media / str(cell.image.name), stdout=out)
    assert out.getvalue() == "largest difference 0 of 255, mean 0\n"


def test_masks_and_shares_decide_the_image(blend_plan, media: Path) -> None:
    pictures = []
    for tail, style in (("", "wave.png"), (TWO, "two"), (REGIONS, "regions")):
        ImageSet.objects.all().delete()
        image_set = rows(blend_plan(tail, style))
        render(image_set)
        pictures.append(image_set.cells.get().sha256)
    assert len(set(pictures)) == 3


def test_reproduce_takes_the_further_pictures_from_files(blend_plan, media: Path) -> None:
    path = blend_plan(REGIONS, "regions")
    render(rows(path), exact=True)
    made = media / str(Cell.objects.get().image.name)
    Cell.objects.all().delete()
    Source.objects.all().delete()
    folder = path.parent
    given = ["--content", folder / "cat.png", "--style", folder / "wave.png"]
    with pytest.raises(CommandError, match=r"left.png: not in the media store; give it with --other"):
        call_command("reproduce", made, *given)
    with pytest.raises(CommandError, match=r"black.png: is none of the pictures that were used \("):
        call_command("reproduce", made, *given, "--other", folder / "black.png")
    for name in ("left.png", "right.png", "storm.png"):
        given += ["--other", folder / name]
    out = io.StringIO()
    call_command("reproduce", made, *given, stdout=out)
    assert out.getvalue().startswith("largest difference 0 of 255")


def test_the_sources_of_a_cell_cannot_be_deleted(blend_plan) -> None:
    image_set = rows(blend_plan(REGIONS, "regions"))
    for source in Source.objects.all():
        assert source.is_used
        with pytest.raises(ProtectedError):
            source.delete()
    image_set.delete()
    assert not CellStyle.objects.exists()
    assert not any(source.is_used for source in Source.objects.all())


def test_the_database_refuses_a_share_of_nothing_and_a_place_taken_twice(blend_plan) -> None:
    style = rows(blend_plan(TWO, "two")).cells.get().styles.all()[0]
    for change in (
        {"weight": 0},
        {"weight": 1.5},
        {"place": 1},
        {"map": style.source, "where": style.source},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CellStyle.objects.filter(pk=style.pk).update(**change)


def test_maps_are_for_the_patch_loss_and_other_cells_go_without(blend_plan) -> None:
    path = blend_plan(
        '[factors]\nstyle_loss = ["gram", "patches"]\n',
        recipe=PATCHES.replace('style_loss = "patches"\n', ""),
    )
    path.write_text(path.read_text().replace("[recipe]", f"{MAPS}[recipe]"))
    gram, patches = load_plan(path).cells
    assert gram.pair.is_plain
    assert patches.pair.content_map == path.parent / "cat-map.png"
    assert patches.pair.styles[0].map == path.parent / "wave-map.png"


def test_a_dry_run_names_the_styles_with_their_shares_and_guides(blend_plan) -> None:
    out = io.StringIO()
    call_command("generate", blend_plan(REGIONS, "regions"), "--dry-run", stdout=out)
    line = (
        "cat × regions: 0.5 of wave.png where left.png from part left.png, 0.5 of storm.png where right.png"
    )
    assert line in out.getvalue()
    assert not ImageSet.objects.exists()


@pytest.mark.parametrize(
    ("tail", "style", "recipe", "message"),
    [
        (TWO, "tow", "", "is called 'tow'"),
        (TWO, "wave.png", "", "[[blends]] 'two': no style of [images] has this name"),
        (TWO + TWO, "two", "", "[[blends]] 'two': appears twice"),
        (TWO.replace('"two"', '"cat"'), "cat", "", "[[blends]] 'cat': an image has this name"),
        (TWO.replace("storm.png", "strom.png"), "two", "", "did you mean 'storm.png'?"),
        (TWO.replace("weight = 3", "weight = 0"), "two", "", "blends.1.styles.2.weight: "),
        (
            TWO.replace("weight = 3", "wieght = 3"),
            "two",
            "",
            "unknown key in [blends] 'wieght' (did you mean 'weight'?)",
        ),
        (REGIONS.replace("left", "black"), "regions", "", "black.png: is black everywhere; paint white"),
        (
            REGIONS.replace("left", "cat-map"),
            "regions",
            "",
            "cat-map.png: has colours; save the mask in grey",
        ),
        (REGIONS.replace("left", "long"), "regions", "", "96 × 40 pixels do not fit cat.png of 48 × 40"),
        (
            REGIONS,
            "regions",
            PATCHES,
            "blend 'regions' has masks, which style_loss = 'patches' cannot use",
        ),
    ],
)
def test_a_mistake_gets_one_line_that_names_the_place(blend_plan, tail, style, recipe, message) -> None:
    assert message in refusal(blend_plan(tail, style, recipe))


@pytest.mark.parametrize(("tail", "style"), [(TWO, "two"), (REGIONS, "regions")])
def test_nnst_and_strotss_take_one_style(blend_plan, tail: str, style: str) -> None:
    for method in ("nnst", "strotss"):
        told = refusal(blend_plan(tail, style, f'method = "{method}"\nratio = 0.5\n'))
        assert f'method = "{method}" has one style, without masks' in told


@pytest.mark.parametrize(
    ("maps", "recipe", "message"),
    [
        (MAPS, "", 'no cell uses them; set style_loss = "patches"'),
        (
            MAPS.replace('"wave.png" =', '"wav.png" ='),
            PATCHES,
            "the plan uses no 'wav.png' (did you mean 'wave.png'?)",
        ),
        (
            MAPS.replace('"wave.png" = "wave-map.png"\n', ""),
            PATCHES,
            "wave.png has none; give the content and every",
        ),
        (
            MAPS.replace("wave-map", "long"),
            PATCHES,
            "long.png: 96 × 40 pixels do not fit wave.png of 48 × 40",
        ),
    ],
)
def test_maps_that_cannot_be_followed_are_refused(blend_plan, maps, recipe, message) -> None:
    path = blend_plan("", recipe=recipe)
    path.write_text(path.read_text().replace("[recipe]", f"{maps}[recipe]"))
    assert message in refusal(path)
