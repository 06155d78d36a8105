"""Contact sheets: the images of two factors in one picture, in labelled rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from generator.models import Cell, ImageSet
from generator.nst.recipes.errors import did_you_mean
from generator.sets.folder import value_text

GAP = 8
GREY = (127, 127, 127)  # favours neither dark nor light images
INK = (255, 255, 255)
MIN_SIDE = 16
MAX_PIXELS = 400_000_000


class SheetError(Exception):
    """A sheet that cannot be drawn; the one-line message gives the factor and the fix."""


def contact_sheet(
    image_set: ImageSet, rows: str, columns: str, where: Mapping[str, str] | None = None, side: int = 256
) -> Image.Image:
    """Return the images of a set, one row for each level of `rows`, one column for each of `columns`.

    Where several images would share a place, each further factor that tells them apart has a panel for each of its
    levels: the panels stand side by side. A cell that is not done shows its status.

    Args:
        image_set: The set.
        rows: Factor of the rows.
        columns: Factor of the columns.
        where: Levels of further factors, as text: the sheet shows their cells alone, and says so.
        side: Longest side of each image, in px.

    Raises:
        SheetError: If a factor is unknown, no factor tells two cells apart, the sheet has more than `MAX_PIXELS`,
            or `side` is below `MIN_SIDE`.
    """
    if side < MIN_SIDE:
        raise SheetError(f"images of {side} px are too small; give at least {MIN_SIDE}")
    everything = list(image_set.cells.all())
    cells = chosen(everything, [rows, columns, *(where or {})], where or {})
    # Images are never enlarged, so no place needs to exceed the largest image.
    side = min(side, max((max(cell.width or 0, cell.height or 0) for cell in cells), default=0) or side)
    across = [*_panels(cells, rows, columns), columns]
    row_levels = levels_of(cells, rows)
    order = [levels_of(cells, name) for name in across]
    column_levels = sorted(
        {_levels(cell, across) for cell in cells},
        key=lambda levels: [known.index(level) for known, level in zip(order, levels, strict=True)],
    )
    places = {(level_text(cell, rows), _levels(cell, across)): cell for cell in cells}
    if len(places) < len(cells):
        raise SheetError(
            f"several images have the same {', '.join([rows, *reversed(across)])}: they cannot be told apart"
        )
    grid = [[thumbnail(places.get((row, column)), side) for column in column_levels] for row in row_levels]
    fixed = ", ".join(f"{name} = {level}" for name, level in (where or {}).items())
    return draw(
        grid,
        row_levels,
        ["\n".join(levels) for levels in column_levels],
        corner=f"{rows} \\ {', '.join(across)}",
        title=f"{fixed}: {len(cells)} of {len(everything)} images" if len(cells) < len(everything) else "",
        side=side,
    )


def draw(
    grid: Sequence[Sequence[Image.Image | str]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    corner: str = "",
    title: str = "",
    side: int = 256,
) -> Image.Image:
    """Draw a labelled grid of images, each at most `side` px, under a title. Text replaces a missing image."""
    font = _font(side)
    left = int(max(font.getlength(label) for label in [*row_labels, corner])) + 2 * GAP
    line = int(font.getbbox("Ag")[3])
    above = line + GAP if title else 0
    top = above + max(label.count("\n") + 1 for label in [*column_labels, ""]) * (line + GAP // 2) + 2 * GAP
    size = left + len(column_labels) * (side + GAP), top + len(row_labels) * (side + GAP)
    if size[0] * size[1] > MAX_PIXELS:
        raise SheetError(
            f"the sheet would be {size[0]} × {size[1]} pixels; ask for smaller images or fewer levels"
        )
    sheet = Image.new("RGB", size, GREY)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), title, INK, font)
    pen.text((GAP, above + GAP), corner, INK, font)
    for column, label in enumerate(column_labels):
        _centred(pen, label, (left + column * (side + GAP), above), (side, top - above), font)
    for row, label in enumerate(row_labels):
        y = top + row * (side + GAP)
        _centred(pen, label, (0, y), (left, side), font)
        for column, entry in enumerate(grid[row]):
            _place(sheet, pen, entry, (left + column * (side + GAP), y), side, font)
    return sheet


def captioned(pictures: Sequence[tuple[str, Image.Image | str]], columns: int, side: int) -> Image.Image:
    """Draw pictures row by row, each at most `side` px, with captions above. Text replaces a missing picture."""
    font = _font(side)
    top = int(font.getbbox("Ag")[3]) + 2 * GAP
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (GAP + columns * (side + GAP), rows * (top + side) + GAP), GREY)
    pen = ImageDraw.Draw(sheet)
    for number, (caption, picture) in enumerate(pictures):
        at = GAP + number % columns * (side + GAP), number // columns * (top + side)
        _centred(pen, caption, at, (side, top), font)
        _place(sheet, pen, picture, (at[0], at[1] + top), side, font)
    return sheet


def _font(side: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which has the letters of most names (Pillow's own font has little beyond ASCII)."""
    from matplotlib import get_data_path

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), max(12, side // 14))


def _place(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    entry: Image.Image | str,
    at: tuple[int, int],
    side: int,
    font: ImageFont.FreeTypeFont,
) -> None:
    if isinstance(entry, str):
        _centred(pen, entry, at, (side, side), font)
    else:
        sheet.paste(entry, (at[0] + (side - entry.width) // 2, at[1] + (side - entry.height) // 2))


def _centred(
    pen: ImageDraw.ImageDraw,
    text: str,
    at: tuple[int, int],
    room: tuple[int, int],
    font: ImageFont.FreeTypeFont,
) -> None:
    pen.text((at[0] + room[0] / 2, at[1] + room[1] / 2), text, INK, font, anchor="mm", align="center")


def thumbnail(cell: Cell | None, side: int) -> Image.Image | str:
    """Return a cell's image, at most `side` px, or one word for why it is missing."""
    if cell is None:
        return "–"
    if cell.status != Cell.Status.DONE:
        return cell.status
    with cell.image.open() as file, Image.open(file) as image:
        picture = image.convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def chosen(cells: Sequence[Cell], names: Sequence[str], where: Mapping[str, str]) -> list[Cell]:
    """Return the cells at these levels.

    Raises:
        SheetError: If a factor among `names`, or a level, is unknown.
    """
    known = {name for cell in cells for name in cell.factors}
    for name in names:
        if name not in known:
            raise SheetError(f"unknown factor {did_you_mean(name, known)}")
    for name, value in where.items():
        levels = levels_of(cells, name)
        if value not in levels:
            raise SheetError(f"{name} has no level {did_you_mean(value, levels)}")
    return [cell for cell in cells if all(level_text(cell, name) == value for name, value in where.items())]


def _panels(cells: Sequence[Cell], rows: str, columns: str) -> list[str]:
    """Return the further factors that tell apart the images of one place: none where each has its own."""
    names = dict.fromkeys(name for cell in cells for name in cell.factors if name not in (rows, columns))
    panels: list[str] = []
    apart = _places(cells, [rows, columns])
    for name in names:
        if (more := _places(cells, [rows, columns, *panels, name])) > apart:
            panels.append(name)
            apart = more
    return panels


def _places(cells: Sequence[Cell], names: Sequence[str]) -> int:
    return len({_levels(cell, names) for cell in cells})


def _levels(cell: Cell, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(level_text(cell, name) for name in names)


def levels_of(cells: Sequence[Cell], name: str) -> list[str]:
    """Return a factor's levels in the order of the plan."""
    return list(dict.fromkeys(level_text(cell, name) for cell in cells))


def level_text(cell: Cell, name: str) -> str:
    """Return a cell's level of a factor, as pages and options write it."""
    value: Any = cell.factors.get(name)
    return str(value) if value is None else value_text(value)
