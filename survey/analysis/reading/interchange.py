"""Ratings in other programs' formats: SUREAL, suJSON, JSON records, Parquet, P.910's matrix, Psych-DS folders."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from survey.analysis.reading.columns import listed
from survey.analysis.reading.header import Named
from survey.analysis.reading.label_studio import is_label_studio, label_studio_rows
from survey.analysis.reading.roles import role_of
from survey.analysis.table import Ratings, TableError, main_phase

PARQUET: Final = b"PAR1"
_UNNAMED: Final = "unnamed"


def parquet_table(path: Path, data: bytes) -> Named:
    """Return a Parquet file's columns as text."""
    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except Exception as error:  # pyarrow reports damage by many types.
        raise TableError(
            f"{path}: not a Parquet file that can be read ({str(error).splitlines()[0]})"
        ) from None
    return _named(frame.reset_index() if frame.index.name else frame)


def json_value(path: Path, text: str) -> Any:
    """Return what a JSON file holds, a list for one with a JSON value on each line; None where it is no JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        try:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
            # JATOS writes one list of trials for each participant.
            return (
                [row for part in lines for row in part] if all(isinstance(x, list) for x in lines) else lines
            )
        except ValueError:
            if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
                raise TableError(f"{path}: not JSON: {error}") from None
    except RecursionError:
        raise TableError(f"{path}: not JSON of ratings: nested too deeply") from None
    return None


def json_table(path: Path, value: Any, notes: dict[str, str]) -> Named:
    """Return the ratings of a JSON document as a table of text.

    Raises:
        TableError: it is none of the forms that hold ratings.
    """
    try:
        if isinstance(value, dict) and "dis_videos" in value:
            notes["format"] = "a dataset of SUREAL"
            return _table(path, _sureal(value))
        if isinstance(value, dict) and {"scores", "pvs", "subjects"} <= set(value):
            notes["format"] = "suJSON"
            return _table(path, _sujson(value))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise TableError(f"{path}: {notes['format']}, but not as the format has it: {error!r}") from None
    if is_label_studio(value):
        notes["format"] = "tasks of Label Studio"
        return _of_one_question(_table(path, label_studio_rows(value, notes)))
    rows = _records(value)
    if rows is None:
        raise TableError(
            f"{path}: JSON, but neither SUREAL, suJSON nor a list of records with a rating in each"
        )
    return _table(path, rows)


def _sureal(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    contents = {ref["content_id"]: ref.get("content_name") for ref in value.get("ref_videos", [])}
    videos = value["dis_videos"]
    paths = [video.get("path") for video in videos]
    named = all(paths) and len(set(paths)) == len(paths)
    for video in videos:
        item = video["path"] if named else f"asset {video['asset_id']}"
        scores = video["os"]
        digits = len(str(len(scores)))
        people = (
            scores.items()
            if isinstance(scores, dict)
            else ((f"participant {n:0{digits}d}", score) for n, score in enumerate(scores, 1))
        )
        content = contents.get(video.get("content_id"))
        for person, given in people:
            for repeat, score in enumerate(given if isinstance(given, list) else [given]):
                row = {"participant": person, "item": item, "rating": score, "repeat": repeat}
                row |= {"question_scale": value["scale"]} if "scale" in value else {}
                row |= {"simulated": person in value["simulated"]} if "simulated" in value else {}
                yield row if content in (None, _UNNAMED) else row | {"content": content}


def _sujson(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def names(key: str, field: str = "name") -> dict[Any, Any]:
        return {entry["id"]: entry.get(field, entry["id"]) for entry in value.get(key, [])}

    people, contents, conditions = names("subjects"), names("src"), names("hrc")
    questions = {
        entry["id"]: entry.get("characteristics", {}).get("key") or entry.get("question", entry["id"])
        for entry in value.get("questions", [])
    }
    programs = {
        entry["id"]
        for entry in value.get("subjects", [])
        if entry.get("characteristics", {}).get("simulated") is True
    }
    scales = {entry["id"]: _sujson_scale(entry) for entry in value.get("scales", [])}
    scale_of = {entry["id"]: scales.get(entry.get("scale_id")) for entry in value.get("questions", [])}
    items = {entry["id"]: entry for entry in value["pvs"]}
    subject_of = {
        score: trial["subject_id"] for trial in value.get("trials", []) for score in trial.get("score_id", [])
    }
    shown_as = {
        score: trial["pvs_id"] for trial in value.get("trials", []) for score in trial.get("score_id", [])
    }
    for score in value["scores"]:
        item = items[score["pvs_id"] if "pvs_id" in score else shown_as[score["id"]]]
        person = score["subject_id"] if "subject_id" in score else subject_of[score["id"]]
        row = {
            "participant": people.get(person, person),
            "item": item.get("path") or item.get("name") or item["id"],
            "rating": score["score"],
        }
        if programs:
            row["simulated"] = person in programs
        if scale := scale_of.get(score.get("question_id", next(iter(scale_of), None))):
            row["question_scale"] = scale
        if len(questions) > 1:
            row["question"] = questions.get(score.get("question_id"), score.get("question_id"))
        for role, known, key in (("content", contents, "src_id"), ("condition", conditions, "hrc_id")):
            if (name := known.get(item.get(key))) not in (None, _UNNAMED):
                row[role] = name
        yield row


def _sujson_scale(entry: Mapping[str, Any]) -> str | None:
    """Return a scale of suJSON as ``parse_scale`` reads it; its name says how many categories it has."""
    limits = entry.get("range", {})
    if not {"min", "max"} <= set(limits):
        return None
    ends = f"{limits['min']}:{limits['max']}"
    if entry.get("type") == "interval":
        return f"{ends}:0"
    count = re.search(r"(\d+) categories", str(entry.get("name", "")))
    steps = int(count[1]) - 1 if count else 0
    return f"{ends}:{(limits['max'] - limits['min']) / steps!r}" if steps > 0 else ends


def _records(value: Any) -> list[dict[str, Any]] | None:
    """Return the records of a JSON document that have a rating: the document itself, or one of its lists."""
    if isinstance(value, dict):
        columns = {
            key: list(column.values()) if isinstance(column, dict) else column
            for key, column in value.items()
        }
        if (
            columns
            and all(isinstance(column, list) for column in columns.values())
            and any(map(role_of, columns))
        ):
            lengths = {len(column) for column in columns.values()}
            if len(lengths) == 1 and not any(
                isinstance(entry, dict) for column in columns.values() for entry in column
            ):
                return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        # The study's own document has the ratings under this name.
        if (
            value
            and all(isinstance(row, dict) and row for row in value.values())
            and not any(isinstance(cell, list | dict) for row in value.values() for cell in row.values())
        ):
            return [{"": name} | row for name, row in value.items()]
        for key in ("ratings", *value):
            if (rows := _records(value.get(key)) if isinstance(value.get(key), list) else None) is not None:
                return rows
        return None
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return None
    value = _unnested(value)
    roles = {role_of(str(name)) for row in value[:50] for name in row}
    return value if "rating" in roles or len(roles - {None}) > 1 else None


def _unnested(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a record for each of the records that a record holds, such as a participant's list of ratings."""
    keys = {key for row in rows for key, value in row.items() if _are_records(value)}
    if len(keys) != 1:
        return rows
    (key,) = keys
    inner = {role_of(str(name)) for row in rows for part in row.get(key) or () for name in part}
    outer = {role_of(str(name)) for row in rows for name in row if name != key}
    if not {"item", "rating"} <= inner and not {"participant", "rating"} <= inner:
        return rows
    if {"participant", "item", "rating"} <= outer:
        return rows
    return [
        {name: value for name, value in row.items() if name != key} | part
        for row in rows
        for part in row.get(key) or ()
    ]


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) for part in value)


def _of_one_question(named: Named) -> Named:
    """Return a table without its column ``question`` where that always says the same."""
    return Named(named.frame.drop(columns=["question"])) if named.frame["question"].nunique() == 1 else named


def _table(path: Path, rows: Iterable[dict[str, Any]]) -> Named:
    rows = list(rows)
    if not rows:
        raise TableError(f"{path}: no ratings")
    return _named(pd.DataFrame.from_records(rows))


def _named(frame: pd.DataFrame) -> Named:
    """Return a table of any types as text; "" for what is missing."""
    texts = {str(name): _texts(frame[name]) for name in frame.columns}
    return Named(pd.DataFrame(texts, index=range(1, len(frame) + 1)))


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.map(lambda value: "" if pd.isna(value) else value.isoformat())
    column = column.astype("object").map(_plain)
    codes, values = pd.factorize(column)
    texts = pd.Series([_text(value) for value in values] + [""], dtype="str").to_numpy(object)
    return pd.Series(texts[codes], index=range(1, len(column) + 1), dtype="str")


def _plain(value: Any) -> Any:
    """Return a cell that pandas can compare: the only value of an object such as {"rating": 4}, or the JSON of more."""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else str(value)


def name_matrix(path: Path, named: Named, notes: dict[str, str]) -> Named:
    """Return P.910's matrix with the names that mos.csv and observers.csv of its folder have, where they fit it.

    An export of this program has all three; rows are in the order of mos.csv, columns in that of observers.csv.
    """
    question = path.stem.removeprefix("p910_matrix_")
    items = _column(path.with_name("mos.csv"), "item", question)
    people = _column(path.with_name("observers.csv"), "participant", question)
    if named.frame.shape != (len(items), len(people)):
        notes["matrix"] = "a matrix without names: rows are items, columns are participants, both numbered"
        return named
    notes["matrix"] = (
        "a matrix without names: items are named by mos.csv, participants by observers.csv beside it"
    )
    frame = named.frame.set_axis(people, axis=1)
    frame.insert(0, "item", items)
    return Named(frame)


def with_unrated(path: Path, ratings: Ratings) -> Ratings:
    """Return an export's ratings with the images that nobody rated, as mos.csv beside the file names them.

    A mos.csv of other images tells nothing.
    """
    try:
        mos = pd.read_csv(path.with_name("mos.csv"), dtype="str", keep_default_na=False)
    except (OSError, ValueError):
        return ratings
    if not {"item", "n"} <= set(mos.columns) or "question" not in ratings.table.columns:
        return ratings
    rated = main_phase(ratings.table)
    none = mos["n"] == "0"
    if set(mos.loc[~none, "item"]) != set(rated["item"].astype(str)) or not none.any():
        return ratings
    questions = [str(name) for name in rated["question"].unique()]
    pairs = mos.loc[none, ["item"]] if "question" not in mos.columns else mos.loc[none, ["item", "question"]]
    unrated = (
        pairs if "question" in pairs.columns else pairs.merge(pd.DataFrame({"question": questions}), "cross")
    )
    told = (
        f"images that nobody rated are named by mos.csv beside it: {listed(list(unrated['item'].unique()))}"
    )
    return replace(ratings, unrated=unrated.reset_index(drop=True), notes=ratings.notes | {"unrated": told})


def _column(path: Path, name: str, question: str) -> list[str]:
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, ValueError):
        return []
    if "question" in table.columns:
        table = table[table["question"] == question]
    if "n" in table.columns:
        # An item that nobody has rated has no row in the matrix.
        table = table[table["n"] != "0"]
    return table[name].tolist() if name in table.columns else []


def rating_files(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold its ratings: of an export, of a Psych-DS dataset, or the only one.

    Raises:
        TableError: the folder has no such file.
    """
    named = [path for path in sorted(folder.iterdir()) if path.stem.lower() == "ratings" and path.is_file()]
    data = sorted(path for path in folder.glob("data/**/*_data.csv") if path.is_file())
    tables = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (".csv", ".tsv", ".xlsx", ".ods", ".parquet")
    ]
    csv = [path for path in named if path.suffix.lower() == ".csv"]
    found = csv or named or [path for path in data if "ratings" in path.stem.lower()] or data or tables
    if not found:
        raise TableError(f"{folder}: a folder without a ratings file: name the file")
    return found
