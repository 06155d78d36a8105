"""The data of one study for all exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from survey.analysis import Analysis
from survey.analysis.groups import sessions_by_group
from survey.analysis.scale import ACR, Scale
from survey.analysis.simulated import told_of
from survey.analysis.table import main_phase
from survey.study.scales import anchors


@dataclass(frozen=True)
class QuestionText:
    """One question as it was asked. `labels` belong to its categories, low end first, or to its two ends."""

    key: str
    text: str
    labels: tuple[str, ...]
    scale: Scale = ACR

    @property
    def anchors(self) -> list[tuple[str, str]]:
        """(value, label) of each labelled place of the scale, low end first."""
        return anchors(self.scale, self.labels)

    @property
    def legend(self) -> str:
        """The labelled places in words, such as "1 Bad, 5 Excellent"."""
        return ", ".join(self.legend_parts)

    @property
    def legend_parts(self) -> list[str]:
        """Each labelled place in words, low end first; a label that says no more than its value is not repeated."""
        return [value if label == value else f"{value} {label}" for value, label in self.anchors]


@dataclass(frozen=True)
class Export:
    """A study, its ratings and their analysis.

    Attributes:
        fingerprint: Changes with any change of the data (`collect.fingerprint`).
        ratings: The tidy table of all phases, without previews and excluded participants.
        excluded: The ratings of excluded participants.
        checked: `ratings` as analysed.
        items: One row a stimulus.
        read_settings: Returns `settings`.
        participants: One row a person.
        own_answers: One row an answer to one of the study's own questions about images.
        stops: One row for each time that the study's rule paused it.
        own_questions: {key: wording} of its own questions, about the person and about images.
        factors: Names of the factor columns of `ratings` and `items`.
        descriptions: {column: its meaning} for columns that only this study has.
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
    read_settings: Callable[[], pd.DataFrame]
    participants: pd.DataFrame
    own_answers: pd.DataFrame
    stops: pd.DataFrame
    own_questions: Mapping[str, str]
    analysis: Analysis

    @cached_property
    def settings(self) -> pd.DataFrame:
        """How each stimulus was made (`settings.settings_table`), read when first asked for: pages show nothing of it."""
        return self.read_settings()

    @property
    def said_simulated(self) -> str:
        """The sentence that says whether a program made the ratings; empty where people did."""
        return told_of(main_phase(self.ratings))

    @property
    def kind(self) -> str:
        """What a caption calls the ratings before all else: "Simulated ratings. ", or nothing for those of people."""
        said = self.said_simulated
        return f"{said.partition(':')[0]} ratings. " if said else ""

    @property
    def people_tables(self) -> dict[str, pd.DataFrame]:
        """Tables about the sessions, by name: `participants`, and the others where there are any."""
        further = {
            "own_answers": self.own_answers,
            "stops": self.stops,
            "group_sessions": self.group_sessions,
        }
        return {"participants": self.participants, **{k: table for k, table in further.items() if len(table)}}

    @cached_property
    def group_sessions(self) -> pd.DataFrame:
        """One row a group: how many people started and finished; no row without groups."""
        return sessions_by_group(self.participants[self.participants["excluded"].isna()])
