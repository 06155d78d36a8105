"""Ratings that programs pack: a choice as one column for each category, several answers as a JSON object in a cell."""

from __future__ import annotations

import ast
import json
import re
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.columns import Columns, listed
from survey.analysis.reading.header import Named
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import role_of
from survey.analysis.reading.values import parse_ratings

_PART: Final = re.compile(r"^(.+)[._\- ]([^._\- ]+)$")
_CHOSEN: Final = {"true": True, "false": False, "yes": True, "no": False, "": False}
_NUMBERED: Final = re.compile(r"^(.*?[^\d\s_.\-])[\s_.\-]?0*(\d{1,2})$")
_OFTEN: Final = 0.5


def with_choices(named: Named, columns: Columns, options: ReadOptions, notes: dict[str, str]) -> Named:
    """Return a table in which columns such as ``Answer.rating.1`` to ``.5`` of true and false are one rating column.

    Mechanical Turk writes radio buttons so. A table in any other form is returned as it is.
    """
    categories = options.used_scale.categories
    if "rating" in columns.of or categories is None or named.matrix:
        return named
    groups: dict[str, dict[float, str]] = {}
    for name in map(str, named.frame.columns):
        if found := _PART.match(name):
            number = float(parse_ratings([found[2]], options).number[0])
            if not np.isnan(number):
                groups.setdefault(found[1], {})[number] = name
    for head, group in groups.items():
        if set(group) != set(map(float, categories)):
            continue
        cells = named.frame[list(group.values())]
        chosen = cells.apply(lambda column: column.str.strip().str.casefold().map(_CHOSEN))
        if chosen.isna().any(axis=None) or (chosen.sum(axis=1) > 1).any() or not chosen.any(axis=None):
            continue
        numbers = np.array(list(group))
        ratings = np.where(chosen.any(axis=1), numbers[chosen.to_numpy(bool).argmax(axis=1)], np.nan)
        texts = ["" if np.isnan(value) else f"{value:g}" for value in ratings]
        frame = named.frame.drop(columns=list(group.values()))
        frame[head] = pd.Series(texts, index=frame.index, dtype="str")
        columns.of["rating"] = [head]
        notes["choices"] = f"columns {listed(list(group.values()))} are the choices of one rating, {head!r}"
        return Named(frame, numbered=named.numbered)
    return named


def with_lists(named: Named, notes: dict[str, str]) -> Named:
    """Return a table in which each row with lists, such as ``[4, 2]`` of ratings and ``["A", "B"]`` of people, is unpacked.

    Every cell of such a column is a list, and the lists of a row are equally long.
    """
    frame = named.frame
    if any(role_of(str(name)) == "mean" for name in frame.columns):
        return named  # The list is an interval.
    lists = {
        name: [_list(str(cell)) for cell in frame[name]]
        for name in frame.columns
        if _starts_lists(frame[name])
    }
    lists = {name: cells for name, cells in lists.items() if all(cell is not None for cell in cells)}
    if not lists or not len(frame):
        return named
    if any(role_of(str(name)) == "rating" for name in frame.columns if name not in lists):
        return named  # One rating a row: the list says something of its item, such as its layers.
    lengths = [[len(cell or ()) for cell in cells] for cells in lists.values()]
    if any(other != lengths[0] for other in lengths[1:]) or (len(lists) < 2 and max(lengths[0]) < 2):
        return named
    grown = frame.iloc[np.repeat(np.arange(len(frame)), lengths[0])]
    for name, cells in lists.items():
        grown = grown.assign(**{str(name): [text for cell in cells for text in cell or ()]})
    notes["lists"] = (
        f"each row holds lists in {listed(list(map(str, lists)))}: one rating for each of their values"
    )
    return Named(grown.astype("str"), numbered=named.numbered)


def with_numbers(named: Named, notes: dict[str, str]) -> Named:
    """Return a table with a row for each of ``image1, rating1, image2, rating2 ...``: several items of one page."""
    frame = named.frame
    groups: dict[str, dict[str, dict[int, str]]] = {}
    for name in map(str, frame.columns):
        found = _NUMBERED.match(name)
        if found and (role := role_of(found[1])) in ("item", "rating", "question", "rt_ms"):
            groups.setdefault(str(role), {}).setdefault(found[1], {})[int(found[2])] = name
    items, ratings = groups.get("item", {}), groups.get("rating", {})
    if (
        len(items) != 1
        or len(ratings) != 1
        or {role_of(str(name)) for name in frame.columns} & {"item", "rating"}
    ):
        return named
    (numbers,) = {tuple(sorted(group)) for group in items.values()}
    stems = {
        stem: group
        for part in groups.values()
        for stem, group in part.items()
        if tuple(sorted(group)) == numbers
    }
    if len(numbers) < 2 or not set(ratings) <= set(stems):
        return named
    moved = {name for group in stems.values() for name in group.values()}
    rest = frame[[name for name in frame.columns if name not in moved]]
    parts = [
        rest.assign(**{stem: frame[group[number]] for stem, group in stems.items()}) for number in numbers
    ]
    grown = pd.concat(parts).sort_index(kind="stable")
    ((head, group),) = items.items()
    notes["numbered_columns"] = (
        f"each row holds {len(numbers)} items, {listed(list(group.values()))}: each is a row of its own"
    )
    return Named(grown[(grown[head] != "").to_numpy(bool)])


def _starts_lists(column: pd.Series) -> bool:
    return (
        bool(len(column))
        and str(column.iloc[0]).lstrip().startswith("[")
        and str(column.iloc[0]).rstrip().endswith("]")
    )


def _list(text: str) -> list[str] | None:
    """Return the values of a list in JSON or Python's notation as text, None for any other text."""
    try:
        value = ast.literal_eval(text.strip().replace("nan", "None").replace("null", "None"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(value, list | tuple) or any(isinstance(part, list | tuple | dict) for part in value):
        return None
    return ["" if part is None else f"{part:g}" if isinstance(part, float) else str(part) for part in value]


def with_objects(table: pd.DataFrame, notes: dict[str, str]) -> pd.DataFrame:
    """Return a long table in which a rating cell such as ``{"quality": 4, "appeal": 2}`` is a row for each answer."""
    codes, texts = pd.factorize(table["rating"])
    objects = [_object(str(text)) for text in texts]
    if not len(codes) or np.mean([objects[code] is not None for code in codes.tolist()]) < _OFTEN:
        return table
    keys = list(dict.fromkeys(key for one in objects if one for key in one))
    parts = [objects[code] or {"": str(texts[code])} for code in codes.tolist()]
    grown = table.iloc[np.repeat(np.arange(len(table)), [len(part) for part in parts])]
    grown = grown.assign(rating=[value for part in parts for value in part.values()])
    if len(keys) > 1:
        asked = [key for part in parts for key in part]
        if "question" in grown.columns:
            asked = [f"{old} {new}".strip() for old, new in zip(grown["question"], asked, strict=True)]
        grown = grown.assign(question=asked)
    notes["objects"] = (
        f"rating cells hold the answers {listed(keys)} as JSON: each is a question"
        if len(keys) > 1
        else (f"rating cells hold their answer {keys[0]!r} as JSON")
    )
    return grown.astype({"rating": "str"})


def _object(text: str) -> dict[str, str] | None:
    """Return the answers of a JSON object, None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not value or any(isinstance(answer, dict | list) for answer in value.values()):
        return None
    return {str(key): "" if answer is None else str(answer) for key, answer in value.items()}
