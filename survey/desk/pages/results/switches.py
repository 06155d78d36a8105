"""The switches of the results page: question, panel, interval, factor; read from the address, kept in links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlencode

import pandas as pd
from django.http import QueryDict

from survey.analysis.factors import factor_columns
from survey.analysis.items.intervals import INTERVALS, Interval
from survey.results.export import Export, QuestionText
from survey.results.panels import PANELS, Panel, Selection


@dataclass(frozen=True)
class Switch:
    """One choice on the page: (value, label, chosen) for each option."""

    name: str
    label: str
    options: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Switches:
    """What the address asks for; a value that is not offered counts as not given."""

    question: str
    selection: Selection
    shown: list[Switch]
    refused: str = ""

    def of_everyone(self, why: str) -> Switches:
        """Return the same choice for everyone, where the panel that was asked for leaves nobody."""
        shown = [
            _switch(switch.name, switch.label, PANELS, "everyone") if switch.name == "panel" else switch
            for switch in self.shown
        ]
        selection = replace(self.selection, panel="everyone")
        return replace(
            self, selection=selection, shown=shown, refused=f"{why} These are the scores of everyone."
        )

    @property
    def query(self) -> str:
        """The same choice as a query string, for links to plots and tables."""
        only = "=".join(self.selection.only) if self.selection.only else ""
        chosen = {
            "question": self.question,
            "panel": self.selection.panel,
            "ci": self.selection.ci,
            "only": only,
        }
        return urlencode(chosen)


def read_switches(
    asked: QueryDict, questions: Iterable[QuestionText], items: pd.DataFrame, thing: str
) -> Switches:
    """Return the switches of a results page as `asked` in the address.

    Args:
        asked: the query of the page.
        questions: those with ratings.
        items: one row a rated item, with its factors; see `rated_items`.
        thing: what one of them is called.
    """
    levels = {f"{column}={level}": f"{column}: {level}" for column, level in _levels(items)}
    of_question, question = question_switch(asked, questions)
    panel = _chosen(asked, "panel", PANELS)
    ci = _chosen(asked, "ci", INTERVALS)
    only = _chosen(asked, "only", ["", *levels])
    column, _, level = only.partition("=")
    shown = [
        of_question,
        _switch("panel", "Participants", PANELS, panel),
        _switch("ci", "95 % interval", INTERVALS, ci),
        _switch("only", f"{thing.capitalize()}s", {"": "All", **levels}, only),
    ]
    return Switches(
        question=question,
        selection=Selection(
            ci=cast(Interval, ci), panel=cast(Panel, panel), only=(column, level) if only else None
        ),
        shown=[switch for switch in shown if len(switch.options) > 1],
    )


def question_switch(asked: QueryDict, questions: Iterable[QuestionText]) -> tuple[Switch, str]:
    """Return the switch between questions and the one chosen."""
    texts = {question.key: question.text for question in questions}
    key = _chosen(asked, "question", texts)
    return _switch("question", "Question", texts, key), key


def _chosen(asked: QueryDict, name: str, offered: Iterable[str]) -> str:
    values = list(offered)
    value = asked.get(name, values[0])
    return value if value in values else values[0]


def _switch(name: str, label: str, options: Mapping[str, str], chosen: str) -> Switch:
    return Switch(name, label, [(value, text, value == chosen) for value, text in options.items()])


def rated_items(export: Export) -> pd.DataFrame:
    """Return one row a rated image of a study, with its factors."""
    mos = export.analysis.mos
    rated = export.items[export.items["item"].isin(set(mos.loc[mos["n"] > 0, "item"]))]
    return rated.drop(columns=["role", "width", "height", "name", "sha256"])


def _levels(items: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (factor, level) of the items, levels in the order of their values."""
    return [
        (column, str(level))
        for column in factor_columns(items)
        for level in sorted(items[column].dropna().unique().tolist())
    ]
