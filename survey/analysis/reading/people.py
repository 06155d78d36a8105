"""One file or sheet for each participant, as PsychoPy writes them: joined where each part holds one person's ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from survey.analysis.reading.columns import listed, resolve
from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.table import Ratings, check

_COMMON: Final = 0.5
"""Share of the items that two people must have in common, for their files to be one study."""


def with_person(named: Named, name: str, source: str, options: ReadOptions) -> Named | None:
    """Return a table of items and ratings with the participant that its file or sheet is named after.

    None where the table names participants itself, has no item and rating, or has an item twice.
    """
    columns = resolve([str(column) for column in named.frame.columns], source, options)
    if named.matrix or "participant" in columns.of or {"item", "rating"} - set(columns.of):
        return None
    if named.frame.duplicated(columns.of["item"]).any():
        return None
    return replace(named, frame=named.frame.assign(participant=name))


def join_people(parts: Mapping[str, Ratings], what: str, source: str) -> Ratings | None:
    """Return the ratings of several files or sheets as one, None where they are not one person's each.

    Args:
        parts: name -> its ratings.
        what: what the parts are called, such as "files".
        source: the folder or workbook, for messages.
    """
    tables = [part.table.astype({"participant": "str", "item": "str"}) for part in parts.values()]
    first, *others = parts.values()
    people = [str(name) for table in tables for name in table["participant"].unique()]
    if len(tables) < 2 or len(people) != len(tables) or len(set(people)) != len(people):
        return None
    if any((part.scale, part.scales) != (first.scale, first.scales) for part in others):
        return None
    items = [set(table["item"]) for table in tables]
    if any(len(own & items[0]) < _COMMON * min(len(own), len(items[0])) for own in items):
        return None
    joined = check(
        pd.concat(tables, ignore_index=True), source=source, scale=first.scale, scales=first.scales
    )
    notes = {"people": f"{len(parts)} {what}, one for each participant, are joined: {listed(people)}"}
    for part in reversed(list(parts.values())):
        notes |= part.notes
    unrated = pd.concat([part.unrated for part in parts.values()]).drop_duplicates()
    rated = set().union(*items)
    return replace(
        joined, notes=notes | joined.notes, unrated=unrated[~unrated["item"].isin(rated)], terms=first.terms
    )
