"""A contact sheet shows a factor plane, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generator.files import images, store
from generator.models import ImageSet
from generator.sets import sheets
from tests.generator.rows import make_set, mark_done

pytestmark = pytest.mark.django_db
COLOURS = {"a": (200, 0, 0), "b": (0, 200, 0), "c": (0, 0, 200), "d": (200, 200, 0)}


@pytest.fixture
def plane(settings, tmp_path: Path) -> ImageSet:
    """Two layers by two ratios, three of them done."""
    settings.MEDIA_ROOT = tmp_path
    image_set = make_set(keys="abcd")
    for place, cell in enumerate(image_set.cells.all()):
        cell.factors = {"content": "cat", "layer": f"conv{place // 2}", "ratio": [0.1, 0.5][place % 2]}
        cell.save()
        if cell.label != "d":
            picture = Image.new("RGB", (64, 32), COLOURS[cell.label])
            name, _ = store.put("cells", images.encode_png(picture), ".png")
            mark_done(cell, image=name, width=64, height=32)
    return image_set


def test_each_image_stands_in_the_row_and_column_of_its_levels(plane: ImageSet) -> None:
    sheet = sheets.contact_sheet(plane, "layer", "ratio", side=64)
    found = {colour for _, colour in sheet.getcolors(maxcolors=100_000) or []}
    assert {COLOURS[letter] for letter in "abc"} <= found
    assert COLOURS["d"] not in found
    box = {letter: sheet_box(sheet, COLOURS[letter]) for letter in "abc"}
    assert box["a"][1] == box["b"][1]
    assert box["a"][0] < box["b"][0]
    assert box["a"][0] == box["c"][0]
    assert box["a"][1] < box["c"][1]


def sheet_box(sheet: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int]:
    rows, columns = np.where((np.asarray(sheet) == colour).all(axis=-1))
    return int(columns.min()), int(rows.min())


def test_images_that_would_share_a_place_stand_in_panels(plane: ImageSet) -> None:
    sheet = sheets.contact_sheet(plane, "layer", "content", side=64)
    box = {letter: sheet_box(sheet, COLOURS[letter]) for letter in "abc"}
    assert box["a"][1] == box["b"][1] < box["c"][1]
    assert box["a"][0] == box["c"][0] < box["b"][0]


def test_it_says_which_level_of_how_many_it_shows(plane: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(
        ImageDraw.ImageDraw, "text", lambda pen, at, text, *rest, **more: written.append(text)
    )
    sheets.contact_sheet(plane, "layer", "content", where={"ratio": "0.1"}, side=32)
    assert "ratio = 0.1: 2 of 4 images" in written


def test_images_that_nothing_tells_apart_are_refused(plane: ImageSet) -> None:
    plane.cells.update(factors={"content": "cat", "layer": "conv1", "ratio": 0.1})
    with pytest.raises(
        sheets.SheetError, match="several images have the same layer, content: they cannot be told"
    ):
        sheets.contact_sheet(plane, "layer", "content")


@pytest.mark.parametrize(
    ("rows", "where", "message"),
    [
        ("layr", {}, "unknown factor 'layr' (did you mean 'layer'?)"),
        ("layer", {"ratio": "0.11"}, "ratio has no level '0.11' (did you mean '0.1'?)"),
    ],
)
def test_it_names_what_was_meant(plane: ImageSet, rows: str, where: dict[str, str], message: str) -> None:
    with pytest.raises(sheets.SheetError) as caught:
        sheets.contact_sheet(plane, rows, "ratio", where)
    assert str(caught.value) == message


def test_images_are_never_enlarged_and_their_places_no_larger_than_they(plane: ImageSet) -> None:
    wide = sheets.contact_sheet(plane, "layer", "ratio", side=4000)
    assert wide.size == sheets.contact_sheet(plane, "layer", "ratio", side=64).size


def test_it_refuses_a_sheet_that_no_program_would_open() -> None:
    with pytest.raises(sheets.SheetError, match="pixels; ask for smaller images"):
        sheets.draw([["a"]], ["row"], ["column"], side=50_000)


@pytest.mark.parametrize("label", ["cat × wave", "Süß", "–", "α/β", "Щука"])
def test_labels_are_drawn_letter_by_letter_and_not_as_boxes(label: str) -> None:
    font = sheets._font(256)
    box = bytes(font.getmask("\uffff"))
    assert not any(bytes(font.getmask(letter)) == box for letter in label if letter != " ")
