"""The figures that the pages of a large study show: read once in the background, and kept as JSON.

They are the numbers of the live page, what marks participants, and the scores, all of one moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import pandas as pd

from survey.analysis.pairs.preferences import analyse_preferences
from survey.analysis.participants.rules import RULES
from survey.analysis.participants.screening import flagged, screen
from survey.analysis.planning.monitoring import LiveScores
from survey.analysis.viewing import Viewing
from survey.models import Study
from survey.results.collect import NoRatings, conditions_of, items_table, mos_tables
from survey.results.monitor import Watch, counting_rows, look
from survey.results.seen import Seen, screens_of, seen_of
from survey.results.tidy_table import column_names, scales_of


@dataclass(frozen=True)
class Figures:
    """What pages show of a large study.

    Attributes:
        watch: the live page's numbers.
        marks: {participant: what marks them, in words}.
        mos: {question: its MOS table}; empty where nobody counts, and in a pair study.
        choices: {question: the scores of its images}; only in a pair study.
        seen: how people saw the images; None where it is not known of anybody.
    """

    watch: Watch
    marks: dict[str, list[str]]
    mos: dict[str, pd.DataFrame]
    choices: dict[str, pd.DataFrame]
    seen: Seen | None = None


def figures_of(study: Study, tell: Callable[[str], None] = lambda step: None) -> Figures:
    """Read and compute them. tell: is told what is being done."""
    tell("reading the answers")
    rows = counting_rows(study)
    if study.method == Study.Method.PAIR:
        return _of_pairs(study, rows, tell)
    tell("screening the participants")
    scales = scales_of(study)
    verdicts = [screen(part, scales[str(key)]) for key, part in rows.groupby("question", observed=True)]
    marks = marks_of(pd.concat(verdicts)) if verdicts else {}
    tell("counting the votes")
    watch = look(study, rows)
    tell("looking at what people saw")
    seen = seen_of(screens_of(study), rows if "participant" in rows else None)
    del rows
    tell("computing the scores")
    try:
        mos = mos_tables(study)
    except NoRatings:
        mos = {}
    return Figures(watch, marks, mos, {}, seen)


def _of_pairs(study: Study, rows: pd.DataFrame, tell: Callable[[str], None]) -> Figures:
    tell("counting the choices")
    watch, seen = look(study, rows), seen_of(screens_of(study))
    if not watch.ratings:
        return Figures(watch, {}, {}, {}, seen)
    tell("computing the scores")
    analysis = analyse_preferences(rows, conditions_of(items_table(study, *column_names(study))))
    scores = {key: part.scores for key, part in analysis.questions.items()}
    return Figures(watch, {}, {}, scores, seen)


def marks_of(screening: pd.DataFrame) -> dict[str, list[str]]:
    """Return {participant: what flagged them, in words} of those whom a rule flags that may put them out."""
    rows = screening[(screening["verdict"] == "flagged") & screening["participant"].isin(flagged(screening))]
    marks: dict[str, list[str]] = {}
    for name, rule, value, detail in zip(
        rows["participant"].astype("str"), rows["rule"], rows["value"], rows["detail"], strict=True
    ):
        marks.setdefault(name, []).append(f"{RULES[rule].words}: {value:.2f} ({detail})")
    return marks


def to_json(figures: Figures) -> bytes:
    """Return the figures as JSON, with every digit."""
    return json.dumps(
        {
            "watch": {
                **{name: getattr(figures.watch, name) for name in _PLAIN},
                "reached": written_table(figures.watch.reached),
                "scores": {
                    key: {
                        "images": written_table(scores.images),
                        "conditions": None if scores.conditions is None else written_table(scores.conditions),
                        "a": scores.a,
                    }
                    for key, scores in figures.watch.scores.items()
                },
            },
            "marks": figures.marks,
            "mos": {key: written_table(table) for key, table in figures.mos.items()},
            "choices": {key: written_table(table) for key, table in figures.choices.items()},
            "seen": None if figures.seen is None else asdict(figures.seen),
        }
    ).encode()


def from_json(data: bytes) -> Figures:
    """Return the figures that `to_json` wrote."""
    found = json.loads(data)
    scores = {
        key: LiveScores(
            read_table(part["images"]),
            None if part["conditions"] is None else read_table(part["conditions"]),
            part["a"],
        )
        for key, part in found["watch"]["scores"].items()
    }
    watch = {
        **dict.fromkeys(_NOT_KEPT),
        **found["watch"],
        "reached": read_table(found["watch"]["reached"]),
        "scores": scores,
    }
    mos, choices = (
        {key: read_table(table) for key, table in found.get(name, {}).items()} for name in ("mos", "choices")
    )
    return Figures(Watch(**watch), found["marks"], mos, choices, _read_seen(found.get("seen")))


def _read_seen(written: dict[str, Any] | None) -> Seen | None:
    if written is None:
        return None
    of_all: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in written["viewing"].items()
    }
    return Seen(Viewing(**of_all), written["pixels"])


#: Written as tables. Pairs that come next are not kept: they are others after each answer.
_TABLES: Final = ("reached", "scores")
_NOT_KEPT: Final = ("next_pairs",)
_PLAIN: Final = tuple(field.name for field in fields(Watch) if field.name not in (*_TABLES, *_NOT_KEPT))


def written_table(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table in JSON types, with the type of each column."""
    columns = {
        str(name): table[name].astype("object").where(table[name].notna(), None).tolist() for name in table
    }
    return {"columns": columns, "types": {name: str(table[name].dtype) for name in columns}}


def read_table(written: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table that `written_table` wrote."""
    return pd.DataFrame(
        {name: pd.Series(values, dtype=written["types"][name]) for name, values in written["columns"].items()}
    )
