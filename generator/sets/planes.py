"""A set's cells by two factors, as its page shows them; further factors are switches."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from generator.models import Cell
from generator.sets.sheets import level_text, levels_of

ALL: Final = ""


@dataclass(frozen=True)
class Switch:
    """A further factor: its levels as text, and the level shown (`ALL` for every level)."""

    name: str
    levels: list[str]
    chosen: str


@dataclass(frozen=True)
class Plane:
    """A set's cells by rows and columns. `grid` has, for each row level, the cells of each column level: mostly one."""

    rows: str
    columns: str
    row_levels: list[str]
    column_levels: list[str]
    grid: list[tuple[str, list[list[Cell]]]]
    factors: list[str]
    switches: list[Switch]

    @property
    def fixed(self) -> dict[str, str]:
        """Return the chosen level of each further factor, without factors that show all levels."""
        return {switch.name: switch.chosen for switch in self.switches if switch.chosen != ALL}

    @property
    def cells(self) -> list[Cell]:
        """Return the cells on the plane, row by row."""
        return [cell for _, places in self.grid for place in places for cell in place]

    @property
    def shown(self) -> int:
        """Return the number of cells on the plane."""
        return len(self.cells)

    @property
    def is_sparse(self) -> bool:
        """Return whether two thirds of the places are empty, as for plans that list pairs without crossing."""
        places = [place for _, places in self.grid for place in places]
        return 3 * sum(map(bool, places)) <= len(places)


def plane(
    cells: Sequence[Cell], rows: str = "", columns: str = "", wanted: Mapping[str, str] | None = None
) -> Plane:
    """Arrange cells by two factors.

    A factor that is not given, or does not exist, is chosen so that the most cells are visible.

    Args:
        cells: The cells of a set.
        rows: Factor of the rows; "" to choose one.
        columns: Factor of the columns; "" to choose one.
        wanted: Levels of further factors. A factor without a level shows its first level if cells would
            otherwise share a place.
    """
    factors = _varying(cells)
    if rows not in factors or columns not in factors or rows == columns:
        rows, columns = _widest(cells, factors, rows, columns)
    switches = []
    for name in factors:
        if name in (rows, columns):
            continue
        levels = levels_of(cells, name)
        chosen = (wanted or {}).get(name)
        if chosen is None or chosen not in (ALL, *levels):
            chosen = levels[0] if _crowded(cells, rows, columns) else ALL
        switches.append(Switch(name, levels, chosen))
        cells = [cell for cell in cells if chosen in (ALL, level_text(cell, name))]
    places: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        places.setdefault((level_text(cell, rows), level_text(cell, columns)), []).append(cell)
    row_levels, column_levels = levels_of(cells, rows), levels_of(cells, columns)
    grid = [(row, [places.get((row, column), []) for column in column_levels]) for row in row_levels]
    return Plane(rows, columns, row_levels, column_levels, grid, factors, switches)


def _varying(cells: Sequence[Cell]) -> list[str]:
    """Return the factors with more than one level, those of the recipe first; at least two."""
    names = dict.fromkeys(name for cell in cells for name in cell.factors)
    ordered = [name for name in names if name not in ("content", "style")] + ["content", "style"]
    varying = [name for name in ordered if len(levels_of(cells, name)) > 1]
    return (
        varying + [name for name in ("content", "style") if name not in varying][: max(0, 2 - len(varying))]
    )


def _widest(cells: Sequence[Cell], factors: Sequence[str], rows: str, columns: str) -> tuple[str, str]:
    """Return the two factors that give the most cells a separate place; among equals, those with the fullest plane.

    rows, columns: the first of them that is a factor keeps its side.
    """

    def worth(pair: tuple[str, str]) -> tuple[int, int]:
        places = {(level_text(cell, pair[0]), level_text(cell, pair[1])) for cell in cells}
        return len(places), -len(levels_of(cells, pair[0])) * len(levels_of(cells, pair[1]))

    asked = next((name for name in (rows, columns) if name in factors), "")
    pairs = [pair for pair in itertools.combinations(factors, 2) if not asked or asked in pair]
    first, second = max(pairs, key=worth)
    if rows in factors:
        turned = second == rows
    elif columns in factors:
        turned = first == columns
    else:
        turned = second == "content"
    return (second, first) if turned else (first, second)


def _crowded(cells: Sequence[Cell], rows: str, columns: str) -> bool:
    places = Counter((level_text(cell, rows), level_text(cell, columns)) for cell in cells)
    return any(count > 1 for count in places.values())
