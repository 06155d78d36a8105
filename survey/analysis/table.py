"""The tidy table: one row for each rating. This module checks and codes it.

Columns: ``participant``, ``item`` (text) and ``rating`` (1..5) are required. Used when there: ``question``,
``condition``, ``content``, ``phase``, ``repeat`` (which presentation of the item to the participant), ``reference``
(the item's hidden reference), ``rt_ms``, ``position``, ``expected`` (the answer that a gold or trap trial expects),
``simulated`` (whether the participant is a program).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.duplicates import repeat_notes
from survey.analysis.scale import ACR, Scale, Whole
from survey.analysis.simulated import COLUMN, flags, told_of
from survey.analysis.terms import IMAGES, Terms

#: Columns of the tidy table of a study, in order. Its factors and covariates follow.
COLUMNS = (
    "study",
    "version",
    "participant",
    "language",
    "group",
    "simulated",
    "trial",
    "position",
    "block",
    "phase",
    "repeat",
    "item",
    "content",
    "style",
    "condition",
    "reference",
    "question",
    "question_scale",
    "rating",
    "first_rating",
    "changes",
    "rt_ms",
    "shown_at",
    "answered_at",
    "input",
    "viewport_w",
    "viewport_h",
    "dpr",
    "zoom",
    "shown_w",
    "shown_h",
    "enlarged",
    "load_ms",
    "expected",
    "image_sha256",
)
#: Columns that describe a rating or an item but are no factor of the items.
# Of the program that measured the images, as an export has it: the same in every row.
_MEASURED_BY = "covariate_version"
NOT_FACTORS = frozenset(
    {*COLUMNS, "expected_low", "expected_high", _MEASURED_BY} - {"content", "style", "condition", "group"}
)
REQUIRED = ("participant", "item", "rating")
PHASES = ("practice", "stabilising", "main", "repeat", "gold", "trap")
CATEGORIES = np.arange(1, 6)
"""The five categories of an absolute category rating scale, ITU-T P.910 clause 7.1."""

_LABELS = ("question", "content", "style", "condition", "phase", "reference")
_SHOWN = 5


class TableError(ValueError):
    """A ratings table that cannot be analysed; the message is one line that gives the location and the fix."""


@dataclass(frozen=True)
class Ratings:
    """A checked table, and what was left out of it on the way.

    Attributes:
        table: one row for each valid rating; ``participant`` and ``item`` categories in the order of their names,
            ``rating`` int64 where the values of the scale are whole numbers, else float64.
        rows_in: rows that came in.
        left_out: reason -> number of rows left out.
        notes: remarks for the reader of the results, each a sentence.
        scale: of every question that ``scales`` does not name.
        scales: question -> its scale.
        unrated: ``item`` and, where the table has it, ``question``: those of the main phase whose ratings are all
            empty.
        terms: what items and contents are called in sentences.
    """

    table: pd.DataFrame
    rows_in: int
    left_out: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    scale: Scale = ACR
    scales: Mapping[str, Scale] = field(default_factory=dict)
    unrated: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"item": []}, dtype="object"))
    terms: Terms = IMAGES

    def scale_of(self, question: str) -> Scale:
        """Return the scale of one question."""
        return self.scales.get(question, self.scale)

    @property
    def said_simulated(self) -> str:
        """The sentence that says whether a program made the ratings; empty where people did."""
        return told_of(main_phase(self.table))

    def unrated_items(self, question: str) -> list[str]:
        """Return the items of a question without any rating, by name; ``""`` where the table has no questions."""
        rows = self.unrated
        if question and "question" in rows.columns:
            rows = rows[rows["question"] == question]
        return sorted(rows["item"])

    def listed_items(self, rows: pd.DataFrame, question: str) -> list[str]:
        """Return the items of a question that the tables have, rated in ``rows`` or not, by name."""
        if "question" in rows.columns and question:
            rows = rows[rows["question"] == question]
        return sorted({*map(str, rows["item"].unique()), *self.unrated_items(question)})

    def without(self, people: Collection[str]) -> Ratings:
        """Return the ratings of everybody else; an item that only these people rated has no rating then."""
        out = self.table["participant"].isin(people)
        left = self.table[~out].reset_index(drop=True)
        lost = _unrated(self.table[out], left)
        both = pd.concat([self.unrated, lost], ignore_index=True) if len(lost) else self.unrated
        return replace(self, table=left, unrated=both)


@dataclass(frozen=True)
class Coded:
    """Ratings of one question as integer codes, rows in the table's order.

    Attributes:
        item, participant: int64 codes, shape (rows,), into ``items`` and ``participants`` (sorted text).
        rating: on the scale, shape (rows,).
        repeat: int64 presentation number of the item for that participant, from 1, shape (rows,).
    """

    item: NDArray[np.int64]
    participant: NDArray[np.int64]
    rating: NDArray[np.float64]
    repeat: NDArray[np.int64]
    items: NDArray[np.object_]
    participants: NDArray[np.object_]
    scale: Scale = ACR

    @cached_property
    def whole(self) -> Whole:
        """The ratings as whole numbers."""
        return self.scale.whole(self.rating)

    @property
    def categories(self) -> NDArray[np.float64] | None:
        """The values of the scale, shape (categories,); None on a continuous scale."""
        return None if self.scale.categories is None else np.asarray(self.scale.categories, np.float64)

    @cached_property
    def category(self) -> NDArray[np.int64]:
        """Place of each rating among the categories, from 0, shape (rows,).

        Raises:
            ValueError: the scale is continuous.
        """
        if self.scale.step is None:
            raise ValueError("a continuous scale has no categories")
        return np.rint((self.rating - self.scale.low) / self.scale.step).astype(np.int64)


def check(
    frame: pd.DataFrame,
    *,
    source: str = "the table",
    scale: Scale = ACR,
    scales: Mapping[str, Scale] | None = None,
) -> Ratings:
    """Validate a table of ratings.

    Rows with an empty rating are left out and counted; anything else that is not a rating is refused, because
    dropping it in silence would change the result. Repeated rows of a participant and item stay and are noted.

    Args:
        frame: the table as read; its order is kept.
        source: what to call it in an error message.
        scale: of every question that ``scales`` does not name.
        scales: question -> its scale.

    Raises:
        TableError: a required column is missing, a row holds no valid participant, item, rating or phase, or no
            row is of the main phase.
    """
    frame = frame.rename(columns=lambda name: str(name).strip())
    if "repetition" in frame.columns and "repeat" not in frame.columns:
        frame = frame.rename(columns={"repetition": "repeat"})
    _require_columns(frame, source)
    blank = frame[list(REQUIRED)].isna().all(axis=1)
    frame = frame[~blank]
    if frame.empty:
        raise TableError(f"{source}: no ratings")
    scales = {} if scales is None else scales
    rating, missing = _ratings(frame, source, scale, scales)
    left_out = {"empty rating": int(missing.sum())} if missing.any() else {}
    notes = {"empty_ratings": f"empty ratings left out: {_rows(missing)}"} if missing.any() else {}
    table = frame.assign(rating=rating)[~missing.to_numpy()]
    if table.empty:
        raise TableError(f"{source}: every rating is empty")
    used = [scale, *scales.values()]
    if all(float(value).is_integer() for one in used for value in one.categories or (0.5,)):
        table = table.assign(rating=table["rating"].astype(np.int64))
    for name in ("participant", "item"):
        table[name] = _named(table[name], name, source)
    for name in _LABELS:
        if name in table.columns:
            table[name] = _categories(table[name])
    _check_question(table, source)
    _check_phase(table, source)
    table = _with_flags(table, source)
    if main_phase(table).empty:
        raise TableError(f"{source}: no rating of the main phase")
    notes |= repeat_notes(table, _rows)
    return Ratings(table, len(frame), left_out, notes, scale, scales, _unrated(frame[missing], table))


def _unrated(empty: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the items (of each question) of ``empty``, rows without a rating, that have none in ``table`` either."""
    keys = ["item", *(["question"] if "question" in table.columns else [])]
    empty = main_phase(empty)
    names = pd.DataFrame({key: _categories(empty[key]).astype("object") for key in keys}).dropna()
    rated = pd.MultiIndex.from_frame(main_phase(table)[keys].astype("object"))
    names = names.drop_duplicates()
    return names[~pd.MultiIndex.from_frame(names).isin(rated)].reset_index(drop=True)


def _require_columns(frame: pd.DataFrame, source: str) -> None:
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns[:20]))
        raise TableError(f"{source}: no column {', '.join(map(repr, missing))}; found: {found}")


def _ratings(
    frame: pd.DataFrame, source: str, scale: Scale, scales: Mapping[str, Scale]
) -> tuple[pd.Series, pd.Series]:
    column = frame["rating"]
    number = pd.to_numeric(column, errors="coerce")
    missing = (
        column.isna() | (column.astype("str").str.strip() == "") if number.isna().any() else number.isna()
    )
    snapped = pd.Series(scale.snap(number), index=column.index)
    for question, own in scales.items():
        mine = frame["question"] == question
        snapped[mine] = own.snap(number[mine])
    bad = ~missing & snapped.isna()
    if bad.any():
        value = column[bad].iloc[0]
        shown = repr(value.strip()) if isinstance(value, str) else f"{value:.17g}"
        more = f" ({int(bad.sum())} such ratings: {_rows(bad)})" if bad.sum() > 1 else ""
        wanted = scales.get(frame["question"][bad].iloc[0], scale) if scales else scale
        kind = "a whole number from 1 to 5" if wanted.is_acr else f"on the scale {wanted.describe()}"
        raise TableError(f"{source}: {_row(bad)}: rating {shown} is not {kind}{more}")
    return snapped, missing


def _named(column: pd.Series, name: str, source: str) -> pd.Series:
    result = _categories(column)
    empty = result.isna()
    if empty.any():
        raise TableError(f"{source}: {_row(empty)}: {name} is empty")
    return result


def _categories(column: pd.Series) -> pd.Series:
    """Return the column as categories in the order of their names, surrounding blanks stripped, empty as missing."""
    codes, names = pd.factorize(column)
    text = pd.Series(names).astype("str").str.strip()
    merged, sorted_names = pd.factorize(text.where(text != ""), sort=True)
    codes = np.where(codes < 0, -1, np.r_[merged, -1][codes])
    values = pd.Categorical.from_codes(codes, pd.Index(sorted_names, dtype="object"))
    return pd.Series(values, index=column.index, name=column.name)


def _check_question(table: pd.DataFrame, source: str) -> None:
    """Refuse a rating without a question among others with one; it would become a separate question without a name."""
    if "question" in table.columns and table["question"].notna().any():
        empty = table["question"].isna()
        if empty.any():
            raise TableError(f"{source}: {_row(empty)}: question is empty, but other rows name one")


def _check_phase(table: pd.DataFrame, source: str) -> None:
    if "phase" not in table.columns:
        return
    unknown = table["phase"].notna() & ~table["phase"].isin(PHASES)
    if unknown.any():
        value = str(table["phase"][unknown].iloc[0])
        near = difflib.get_close_matches(value, PHASES, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else f"; it is one of {', '.join(PHASES)}"
        raise TableError(f"{source}: {_row(unknown)}: unknown phase {value!r}{hint}")


def _with_flags(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the table with ``simulated`` as true and false, where it has that column."""
    if COLUMN not in table.columns:
        return table
    marked = flags(table[COLUMN])
    if marked is None:
        raise TableError(
            f"{source}: column {COLUMN!r} says true or false of each participant, and nothing else"
        )
    return table.assign(**{COLUMN: marked})


def _row(mask: pd.Series) -> str:
    return f"row {_line(mask.index[mask][0])}"


def _rows(mask: pd.Series) -> str:
    labels = mask.index[mask.to_numpy()].unique()
    lines = [str(_line(label)) for label in labels[:_SHOWN]]
    rest = len(labels) - len(lines)
    return f"row{'s' if len(labels) > 1 else ''} {', '.join(lines)}" + (f" and {rest} more" if rest else "")


def _line(label: object) -> object:
    """Return a spreadsheet's row number: the header is row 1."""
    return label + 2 if isinstance(label, int | np.integer) else label


def main_phase(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count in a MOS: phase ``main`` or none given."""
    if "phase" not in table.columns:
        return table
    return table[table["phase"].isna() | (table["phase"] == "main")]


def code(table: pd.DataFrame, scale: Scale = ACR, items: Sequence[str] | None = None) -> Coded:
    """Code one question's rows; items and participants sorted by name.

    A missing ``repeat`` is the number of the row among its participant's rows of that item.

    Args:
        table: rows as ``check`` gives them.
        scale: of the question.
        items: the items, in order, where some may have no rating; by default those that occur. Rows of other items
            are left out.
    """
    if items is not None:
        table = table[table["item"].isin(list(items))]
    item, names = _codes(table["item"])
    if items is not None:
        place = pd.Index(items).get_indexer(pd.Index(names))
        item, names = place[item].astype(np.int64), np.array([*items, None], dtype=object)[:-1]
    participant, people = _codes(table["participant"])
    if "repeat" in table.columns and table["repeat"].notna().all():
        repeat = pd.factorize(table["repeat"], sort=True)[0].astype(np.int64) + 1
    else:
        repeat = _occurrence(item * len(people) + participant)
    rating = table["rating"].to_numpy(np.float64)
    return Coded(item, participant, rating, repeat, names, people, scale)


def _codes(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the codes and the sorted names that occur."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        column = _categories(column)
    codes = column.cat.codes.to_numpy(np.int64)
    used = np.bincount(codes, minlength=len(column.cat.categories)) > 0
    return (np.cumsum(used) - 1)[codes], column.cat.categories.to_numpy(object)[used]


def _occurrence(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 for the first row of a key, 2 for the second, and so on."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]]
    index = np.arange(len(key))
    result = np.empty(len(key), np.int64)
    result[order] = index - np.maximum.accumulate(np.where(starts, index, 0)) + 1
    return result


IDENTIFYING = ("question", "participant", "item", "repeat", "phase", "rating")


def data_hash(table: pd.DataFrame, columns: tuple[str, ...] = IDENTIFYING) -> str:
    """SHA-256 of the ratings, whatever the order of rows and of other columns.

    Hashed for each of ``columns`` that is there: its name and its sorted distinct values, each ended by a newline;
    then the rows as indices into those values (-1: missing), sorted by row, little-endian int32.
    """
    digest = hashlib.sha256()
    coded = []
    for name in columns:
        if name in table.columns:
            codes, values = pd.factorize(table[name], sort=True)
            digest.update("".join(f"{value}\n" for value in (name, *values)).encode())
            coded.append(codes.astype("<i4"))
    rows = np.column_stack(coded)
    digest.update(rows[np.lexsort(coded[::-1])].tobytes())
    return digest.hexdigest()
