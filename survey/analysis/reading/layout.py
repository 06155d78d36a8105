"""One row for each rating, from long and wide tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from survey.analysis.reading.columns import Columns, listed, missing_column, refuse_rivals
from survey.analysis.reading.header import Named
from survey.analysis.reading.heads import GROUPED, questions_of
from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import (
    NO_RATINGS,
    NUMBERS,
    QUESTION_WORDS,
    REQUIRED,
    RESPONSE_WORDS,
    TEXT,
    holds_no_ratings,
    is_summary,
    plain,
    role_of,
)
from survey.analysis.reading.values import hint_of_range, parse_numbers, parse_ratings
from survey.analysis.table import TableError

COLUMN: Final = "\0column"
"""The column of a long table that holds the wide column each rating was in."""

_PARTICIPANT_NAME: Final = re.compile(
    r"(?:p|s|o|r|w|u|vp|vpn|sub|subj|subject|participant|part|observer|obs|rater|worker|user|judge|j|viewer|listener|"
    r"assessor|person|respondent|tester|evaluator|annotator|teilnehmer|proband)[ _.\-#]*\d+",
    re.IGNORECASE,
)
_ITEM_NAME: Final = re.compile(
    r".*\.(?:png|jpe?g|webp|tiff?|bmp|gif|avif|mp4|avi|yuv|mkv|webm|wav|mp3|flac|y4m)|"
    r"(?:img|image|pic|picture|photo|pvs|stim|stimulus|item|clip|video|vid|sample|src|hrc|q|question|i|bild|wine)[ _.\-#]*\d+.*",
    re.IGNORECASE,
)
_OFTEN: Final = 0.2
_MOST: Final = 0.75
_FEW: Final = 8
_WORDS: Final = 101


def rating_columns(
    frame: pd.DataFrame, columns: Columns, options: ReadOptions, notes: dict[str, str]
) -> list[str]:
    """Return the columns of a wide table that hold ratings by their values and names; notes say what was not taken."""
    shares: dict[str, float] = {}
    empty: list[str] = []
    doubtful: list[str] = []
    by_name: list[str] = []
    for name in frame.columns:
        if name in columns.known() or not name:
            continue
        texts = frame[name].unique()
        if holds_no_ratings(name):
            if not is_summary(name) and not parse_ratings(texts, options).bad.any():
                by_name.append(name)
            continue
        parsed = parse_ratings(texts, options)
        sizes = frame[name].value_counts().reindex(texts).to_numpy()
        good, bad = sizes[~np.isnan(parsed.number)].sum(), sizes[parsed.bad].sum()
        if good + bad == 0:
            empty.append(name)
        elif good >= bad:
            shares[name] = good / (good + bad)
        elif (good or name.isdigit()) and not parse_numbers(frame[name], options)[1].any():
            # Numbers, but most of another scale: refused where its neighbours are ratings, not passed over.
            doubtful.append(name)
    found = _in_brackets(list(shares), notes)
    shapes = [_shape(name) for name in found]
    usual = max(set(shapes), key=shapes.count) if shapes else ""
    if "#" in usual and len(found) > 3 and shapes.count(usual) >= _MOST * len(found):
        odd = [name for name, shape in zip(found, shapes, strict=True) if shape != usual]
        if odd:
            notes["not_ratings"] = (
                f"not read as ratings, for their names are unlike the others': {listed(odd)}"
            )
            found = [name for name in found if name not in odd]
    if found and by_name:
        notes["not_ratings_by_name"] = f"not read as ratings, by their names: {listed(by_name)}"
    alike = {_shape(name) for name in found}
    more = [
        name
        for name in (*empty, *doubtful)
        if _shape(name) in alike or (name in doubtful and _is_coded(frame[name], options))
    ]
    return [name for name in frame.columns if name in found or name in more]


def _is_coded(column: pd.Series, options: ReadOptions) -> bool:
    """Whether one single number is no rating and looks like the code of a missing one, such as -1 or 99."""
    texts = column.unique()
    bad = texts[parse_ratings(texts, options).bad]
    return len(bad) == 1 and re.fullmatch(r"\s*(?:-\d+|8+|9+)(?:\.0)?\s*", str(bad[0])) is not None


def _in_brackets(names: list[str], notes: dict[str, str]) -> list[str]:
    """Return the columns named ``Text [item]`` where several are: other questions of the form have none."""
    inside = [name for name in names if GROUPED.match(name)]
    if len(inside) < 2 or len(inside) < len(names) / 2 or len(inside) == len(names):
        return names
    notes["not_ratings"] = (
        f"not read as ratings, for their names are unlike the others': {listed([n for n in names if n not in inside])}"
    )
    return inside


def shaped_alike(names: list[str]) -> bool:
    """Whether two or more names are equal but for their numbers, or all have one file ending."""
    return len(names) > 1 and len({_shape(name) for name in names}) == 1


def _shape(name: str) -> str:
    """Return a name with every number as ``#``; of a file, its ending."""
    ending = re.search(r"\.[A-Za-z]\w{1,4}$", name)
    return ending[0].casefold() if ending else re.sub(r"\d+", "#", name)


def long_table(
    named: Named, columns: Columns, source: str, options: ReadOptions, notes: dict[str, str]
) -> pd.DataFrame:
    """Return a long file's rows under the names of the tidy table; several rating columns become questions.

    Raises:
        TableError: a required column is missing, or two could be it.
    """
    names = [str(name) for name in named.frame.columns]
    missing = [role for role in REQUIRED if role not in columns.of]
    if missing and {"first", "second", "answer"} <= set(names):
        raise TableError(f"{source}: choices between the images of pairs, not ratings")
    if missing:
        plural = "s" if len(missing) > 1 else ""
        shown = ", ".join(missing_column(role, names, columns.hints.get(role, [])) for role in missing)
        hint = _rating_hint(named, columns, missing, options) or _hint_of_words(named, columns, missing)
        if not hint and "--columns" not in shown:
            hint = f"; say which it is by --columns {','.join(f'{role}=NAME' for role in missing)}"
        raise TableError(f"{source}: no column{plural} {shown}; found: {listed(names)}{hint}")
    refuse_rivals(columns, source, REQUIRED)
    base = _base(named.frame, columns)
    ratings = columns.of["rating"]
    if len(ratings) == 1:
        return base.assign(rating=named.frame[ratings[0]])
    notes["questions_read"] = f"{len(ratings)} rating columns, each a question: {listed(ratings)}"
    labels = [ratings[i] for _ in range(len(base)) for i in range(len(ratings))]
    return _melted(base, named.frame, ratings, {"question": ratings}, notes).assign(**{COLUMN: labels})


def _rating_hint(named: Named, columns: Columns, missing: list[str], options: ReadOptions) -> str:
    if missing != ["rating"]:
        return ""
    if hint := _off_scale_hint(named, columns, options):
        return hint
    found = rating_columns(named.frame, columns, options, {})
    return f"; if these hold the ratings, add --columns rating={'+'.join(found[:8])}" if found else ""


def _off_scale_hint(named: Named, columns: Columns, options: ReadOptions) -> str:
    """Return a hint where a single column is left for the ratings, and holds numbers of another scale."""
    free = [
        name
        for name in map(str, named.frame.columns)
        if name and name not in columns.known() and not holds_no_ratings(name)
    ]
    if len(free) != 1:
        return ""
    column = named.frame[free[0]]
    numbers, bad = parse_numbers(column, options)
    if bad.any() or np.isnan(numbers).all():
        return ""
    off = column[parse_ratings(column, options).bad]
    if off.empty:
        return ""
    return (
        f"; if {free[0]!r} holds the ratings (--columns rating={free[0]}), {off.iloc[0]} is not on the scale "
        f"{options.used_scale.describe()}"
        f"{hint_of_range(numbers, options.used_scale)}"
    )


def _hint_of_words(named: Named, columns: Columns, missing: list[str]) -> str:
    """Return a hint where several columns share a few values: ratings in words, or on another scale."""
    free = [
        name
        for name in map(str, named.frame.columns)
        if name not in columns.known() and not holds_no_ratings(name)
    ]
    if "rating" not in missing or len(missing) < 2 or len(free) < 3:
        return ""
    texts = {name: set(named.frame[name].str.strip()) - {""} for name in free}
    words = set().union(*texts.values())
    shared = [word for word in words if sum(word in own for own in texts.values()) > 1]
    if not 2 <= len(words) <= _WORDS or len(shared) < len(words) / 2:
        return ""
    return (
        f"; if {listed(free[:3])} ... hold ratings, name their scale by --scale LOW:HIGH, or their labels ({listed(sorted(words)[:5])}) "
        "by --labels, lowest first"
    )


def _base(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the columns that have a role, under its name, then the others under their own."""
    result = {}
    for role in (*REQUIRED[:2], *TEXT, *NUMBERS):
        if names := columns.of.get(role):
            result[role] = frame[names[0]]
            for name in names[1:]:
                result[role] = result[role] + "_" + frame[name]
    known = columns.known()
    others = {
        str(name): frame[name]
        for name in frame.columns
        if name not in known and str(name) not in result and name not in ("rating", "")
    }
    return pd.DataFrame(result | others, index=frame.index)


def _melted(
    base: pd.DataFrame,
    frame: pd.DataFrame,
    ratings: list[str],
    more: dict[str, Sequence[str]],
    notes: dict[str, str],
) -> pd.DataFrame:
    """Return each row once for each rating column, row by row; ``more`` are columns with a value for each of them."""
    count = len(ratings)
    table = (
        base.loc[base.index.repeat(count)]
        if base.index.is_unique
        else base.iloc[np.repeat(np.arange(len(base)), count)]
    )
    values = frame[ratings].to_numpy(object).ravel()
    for name, parts in more.items():
        if name == "question" and "question" in base.columns:
            table = table.assign(
                question=[
                    f"{q} {part}" for q, part in zip(table["question"], list(parts) * len(base), strict=True)
                ]
            )
        else:
            table = table.assign(**{name: list(parts) * len(base)})
    return table.assign(rating=pd.Series(values, index=table.index, dtype="str"))


def is_wide(named: Named, columns: Columns, ratings: list[str], options: ReadOptions) -> bool:
    """Whether the table has one column for each participant or item."""
    if options.wide != "auto":
        return options.wide != "no"
    if "rating" in options.columns and len(columns.of["rating"]) == 1:
        return False
    if named.matrix:
        return True
    both = "participant" in columns.of and "item" in columns.of
    return not both and len(ratings) >= 2 and not _says_more(named.frame, columns, ratings)


def _says_more(frame: pd.DataFrame, columns: Columns, ratings: list[str]) -> bool:
    """Whether rows need another column of names to be told apart: the table is long, and that column lacks its role."""
    key = columns.one("participant") or columns.one("item")
    if key is None or frame[key].is_unique:
        return False
    # Somebody may fill in a form twice, but not most people.
    keys = [
        name
        for role in ("participant", "item", "question", "phase", "repeat")
        for name in columns.of.get(role, [])
    ]
    if frame.duplicated(keys).mean() > _OFTEN:
        return True
    others = [name for name in frame.columns if name not in ratings and name not in columns.known()]
    return any(frame[name].nunique() > 1 and not frame.duplicated([key, name]).any() for name in others)


def wide_table(
    named: Named,
    columns: Columns,
    ratings: list[str],
    source: str,
    options: ReadOptions,
    notes: dict[str, str],
) -> pd.DataFrame:
    """Return a wide table as one row for each rating.

    Raises:
        TableError: it cannot be told whether rows are items or participants.
    """
    if not ratings:
        raise TableError(
            f"{source}: --wide {options.wide}: no column holds ratings; found: {listed(list(named.frame.columns))}"
        )
    questions, heads = questions_of(ratings, named, options)
    rows_are, row_names = _orientation(named, columns, ratings, heads, source, options, notes)
    other = "participant" if rows_are == "item" else "item"
    if named.matrix:
        heads = _numbered(other, len(ratings))
    base = _base(named.frame, columns)
    base = base.drop(columns=[name for name in (*ratings, "participant", "item") if name in base.columns])
    base.insert(0, rows_are, row_names)
    more: dict[str, Sequence[str]] = {other: heads}
    if questions:
        more["question"] = questions
    table = _melted(base, named.frame, ratings, more, notes).assign(**{COLUMN: list(ratings) * len(base)})
    names = list(dict.fromkeys(heads))
    size = f"{len(named.frame)} {rows_are}s in rows by {len(names)} {other}s in columns ({_some(names)})"
    asked = f", questions {listed(list(dict.fromkeys(questions)))}" if questions else ""
    notes["wide"] = f"a wide table: {size}{asked}"
    if odd := _unlike(names):
        notes["unlike"] = (
            f"{other}s whose names begin unlike the others': {listed(odd)}; if they are none, name the columns of ratings by "
            "--columns rating=A+B"
        )
    return table


def _some(names: list[str]) -> str:
    """Return names for a note: all of a few, else the first and the last, where other columns are found."""
    return listed(names) if len(names) <= _FEW else f"{listed(names[:4])} ... {listed(names[-2:])}"


def _unlike(names: list[str]) -> list[str]:
    """Return the names that do not begin with the two words with which most others do."""
    starts = [" ".join(name.split()[:2]) for name in names]
    usual = max(set(starts), key=starts.count)
    if (
        len(names) < _FEW / 2
        or " " not in usual
        or not _MOST * len(names) <= starts.count(usual) < len(names)
    ):
        return []
    return [name for name, start in zip(names, starts, strict=True) if start != usual]


def _orientation(
    named: Named,
    columns: Columns,
    ratings: list[str],
    heads: list[str],
    source: str,
    options: ReadOptions,
    notes: dict[str, str],
) -> tuple[str, pd.Series]:
    """Return what rows are (``item`` or ``participant``) and their names."""
    frame = named.frame
    role = {"items": "item", "participants": "participant"}.get(options.wide)
    if role is None:
        given = [name for name in ("item", "participant") if name in columns.of]
        role = given[0] if len(given) == 1 else None
    if role is not None and role in columns.of:
        names = _base(frame, columns)[role]
        return role, names
    first = next(
        (name for name in frame.columns if name not in ratings and not _is_role(name, columns)), None
    )
    if role is None and named.matrix:
        role = "item"
    if role is None and any(plain(str(name)) in RESPONSE_WORDS for name in frame.columns):
        role = "participant"
    if role is None:
        role = _guess(frame[first] if first is not None else None, heads)
    if role is None:
        raise TableError(
            f"{source}: a wide table, but it cannot be told whether its rows are items or participants: add --wide items or "
            "--wide participants"
        )
    if first is not None and plain(str(first)) not in NO_RATINGS - {
        "id",
        "nr",
        "no",
        "number",
        "index",
        "idx",
        "order",
        "response_id",
        "lfdn",
    }:
        return role, _row_names(frame, str(first), ratings, columns, role, notes)
    notes["row_names"] = f"no column names the {role}s: each row is one, named by its number"
    return role, pd.Series(_numbered(role, len(frame)), index=frame.index, dtype="str")


def _row_names(
    frame: pd.DataFrame, first: str, ratings: list[str], columns: Columns, role: str, notes: dict[str, str]
) -> pd.Series:
    """Return the names of the rows: the first column, with another one of text where rows would share their names.

    A sheet with columns ``Scene`` and ``Method`` has a row for each of their combinations.
    """
    if role != "item" or frame[first].is_unique:
        return frame[first]
    for name in frame.columns:
        worded = not frame[name].str.strip().str.fullmatch(r"[+-]?\d+(?:[.,]\d+)?|").any()
        if name in ratings or name in columns.known() or name == first or not worded:
            continue
        if not frame.duplicated([first, name]).any():
            notes["row_names"] = f"rows are named by columns {first!r} and {name!r} together"
            return frame[first] + "_" + frame[name]
    return frame[first]


def _numbered(role: str, count: int) -> list[str]:
    """Return names for what has none: ``item 01`` ..."""
    digits = len(str(count))
    return [f"{role} {n:0{digits}d}" for n in range(1, count + 1)]


def _is_role(name: str, columns: Columns) -> bool:
    return any(name in names for role, names in columns.of.items() if role not in REQUIRED)


def _guess(rows: pd.Series | None, heads: list[str]) -> str | None:
    """Return what rows are by how their names and the columns' look; None where that does not say."""
    votes = _vote(heads)
    if rows is not None:
        votes -= _vote([str(name) for name in rows.unique()])
    return "item" if votes > 0 else "participant" if votes < 0 else None


def _vote(names: list[str]) -> int:
    """1 where most names look like participants', -1 like items', 0 where neither."""
    people = sum(bool(_PARTICIPANT_NAME.fullmatch(name.strip())) for name in names)
    items = sum(bool(_ITEM_NAME.fullmatch(name.strip())) for name in names)
    return int(people > len(names) / 2) - int(items > len(names) / 2)


def asked_by_name(columns: Columns, ratings: list[str]) -> bool:
    """Whether a table of participants and items has rating columns that are named after questions."""
    return (
        "participant" in columns.of
        and "item" in columns.of
        and "rating" not in columns.of
        and bool(ratings)
        and all(plain(name) in QUESTION_WORDS or role_of(name) == "rating" for name in ratings)
    )
