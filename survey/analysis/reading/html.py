"""Tables of HTML pages, which some programs save under the name of a workbook (``.xls``)."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from survey.analysis.reading.cells import Cells, cells_of
from survey.analysis.table import TableError

_MAX_SPAN: Final = 1000


def is_html(text: str) -> bool:
    """Whether a text is an HTML page or a part of one."""
    start = text[:2000].lstrip().casefold()
    return start.startswith("<") and any(
        tag in text.casefold() for tag in ("<html", "<table", "<body", "<!doctype html")
    )


def html_cells(text: str, source: str, notes: dict[str, str]) -> Cells:
    """Return the cells of the largest table of a page; a note says which of several.

    Raises:
        TableError: the page has no table.
    """
    parser = _Tables()
    parser.feed(text)
    tables = [table for table in parser.tables if table]
    if not tables:
        raise TableError(
            f"{source}: an HTML page without a table, not a file of ratings: was the right page saved?"
        )
    largest = max(tables, key=lambda rows: sum(map(len, rows)))
    notes["format"] = (
        "a table of an HTML page"
        if len(tables) == 1
        else f"table {tables.index(largest) + 1} of {len(tables)} of an HTML page: the largest"
    )
    return cells_of(largest)


class _Tables(HTMLParser):
    """Collects the cells of all tables; those of a table inside a cell go on as a table of their own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.open: list[list[list[str]]] = []
        self.text: list[str] | None = None
        self.span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.open.append([])
            self.tables.append(self.open[-1])
        elif tag == "tr" and self.open:
            self._end_cell()
            self.open[-1].append([])
        elif tag in ("td", "th") and self.open:
            self._end_cell()
            span = dict(attrs).get("colspan") or "1"
            self.text, self.span = [], min(int(span), _MAX_SPAN) if span.isdigit() else 1
        elif tag == "br" and self.text is not None:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table" and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def _end_cell(self) -> None:
        if self.text is None or not self.open:
            return
        if not self.open[-1]:
            self.open[-1].append([])
        self.open[-1][-1] += [" ".join("".join(self.text).split()), *[""] * (self.span - 1)]
        self.text = None
