"""A table as its cells: text, before anything is known of what the columns mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """Every cell of a table as text.

    Attributes:
        frame: columns 0, 1, ...; the index holds each row's number in the file, from 1; "" for an empty cell.
        lengths: how many cells each row has in the file, shape (rows,); None where every row has all.
    """

    frame: pd.DataFrame
    lengths: NDArray[np.int64] | None = None

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.frame.shape[1])

    def row(self, place: int) -> list[str]:
        """Return the cells of the row at a place (from 0)."""
        return [str(cell).strip() for cell in self.frame.iloc[place]]

    def body(self, start: int) -> Cells:
        """Return the rows from a place on, without those that are blank."""
        frame = self.frame.iloc[start:]
        filled = np.zeros(len(frame), bool)
        for name in frame.columns:
            filled |= (frame[name] != "").to_numpy(bool)
        lengths = None if self.lengths is None else self.lengths[start:][filled]
        return Cells(frame[filled], lengths)

    def without(self, out: NDArray[np.bool_]) -> Cells:
        """Return the rows that the mask does not name."""
        return Cells(self.frame[~out], None if self.lengths is None else self.lengths[~out])


def cells_of(rows: list[list[str]]) -> Cells:
    """Return rows of cells as a table; short rows are filled up."""
    width = max(map(len, rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows]
    frame = pd.DataFrame(filled, columns=range(width), dtype="str", index=range(1, len(rows) + 1))
    return Cells(frame)
