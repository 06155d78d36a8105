"""What every export of one study is made from, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from survey.analysis import Analysis


@dataclass(frozen=True)
class QuestionText:
    """One question as it was asked; `labels` are those of the categories 1 to 5."""

    key: str
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Export:
    """A study, its ratings and their analysis.

    fingerprint: changes whenever anything here does (`collect.fingerprint`).
    ratings: the tidy table, all phases, without previews and without the participants left out; theirs are in
    `excluded`. checked: `ratings` as analysed.
    items: one row a stimulus; participants: one row a person. factors: names of the factor columns of both tables.
    descriptions: {column: what it holds} for columns that only this study has.
    """

    fingerprint: str
    slug: str
    title: str
    method: str
    simulated: bool
    definition: Mapping[str, Any]
    questions: tuple[QuestionText, ...]
    factors: tuple[str, ...]
    descriptions: Mapping[str, str]
    ratings: pd.DataFrame
    checked: pd.DataFrame
    excluded: pd.DataFrame
    items: pd.DataFrame
    participants: pd.DataFrame
    analysis: Analysis
