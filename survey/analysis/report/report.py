"""An analysis as one self-contained HTML page: tables, plots as inline SVG, the method in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from survey.analysis import Analysis, QuestionAnalysis
from survey.analysis.covariates import Links
from survey.analysis.effects import Effects
from survey.analysis.plots import Plot, drawable, render_formats, select_question
from survey.analysis.report.answers import Answer, answer
from survey.analysis.report.headlines import Headline, findings, headlines, number
from survey.analysis.report.pages import page
from survey.analysis.report.words import GLOSSARY

MAX_CELLS: Final = 3000
"""Longer tables are in the CSV files only: a page of a million cells helps nobody."""


@dataclass(frozen=True)
class Drawing:
    """One plot of one question, drawn; `files` holds it by format."""

    question: str
    plot: Plot[Any]
    table: pd.DataFrame
    files: Mapping[str, bytes]

    @property
    def inline(self) -> Markup:
        """The drawing as an element of a page: without XML declaration and doctype."""
        text = self.files["svg"].decode()
        return Markup(text[text.index("<svg") :])  # noqa: S704


@dataclass(frozen=True)
class Section:
    """One question's part of the report."""

    question: str
    answer: Answer
    headlines: list[Headline]
    findings: list[str]
    effects: list[str]
    covariates: list[str]
    drawings: list[Drawing]
    tables: dict[str, pd.DataFrame]
    notes: Mapping[str, str]


def draw(analysis: Analysis, rows: pd.DataFrame, file_formats: Sequence[str] = ("svg",)) -> list[Drawing]:
    """Draw every plot of every question; `rows` is the checked tidy table that was analysed."""
    return [
        Drawing(question, plot, table, render_formats(plot.draw, table, file_formats))
        for question in analysis.questions
        for plot, table in drawable(select_question(analysis, rows, question))
    ]


def report_html(analysis: Analysis, drawings: Sequence[Drawing], title: str) -> str:
    """Return the report of an analysis with its drawings. The same input gives the same bytes."""
    sections = [
        _section(name, part, [drawing for drawing in drawings if drawing.question == name])
        for name, part in analysis.questions.items()
    ]
    return page(
        "report.html",
        {"cell": format_cell, "numeric": _numeric},
        title=title,
        simulated=analysis.summary["notes"].get("simulated", ""),
        ratings=analysis.summary["ratings"],
        stamp=analysis.stamp,
        stamp_rows=stamp_rows(analysis.stamp),
        sections=sections,
        glossary=GLOSSARY,
        most_cells=MAX_CELLS,
        # What was read in another way than literally; a question's own notes stand in its section.
        notes={
            key: note
            for key, note in analysis.summary["notes"].items()
            if key not in {*sections[0].notes, "simulated"}
        },
    )


def stamp_rows(stamp: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the stamp's entries as lines of text, "none" for an empty one."""
    return [
        (
            key,
            [f"{name}: {item}" for name, item in value.items()] or ["none"]
            if isinstance(value, Mapping)
            else [str(value)],
        )
        for key, value in stamp.items()
    ]


def format_cell(value: Any) -> str:
    """Return a table's cell for people to read: three significant decimals, nothing for missing."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool) or (hasattr(value, "dtype") and value.dtype == bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if pd.isna(value) else number(value)
    return str(value)


def _numeric(frame: pd.DataFrame) -> list[bool]:
    return [pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]


def _section(question: str, analysis: QuestionAnalysis, drawings: list[Drawing]) -> Section:
    tables = {
        "Mean Opinion Scores": analysis.mos,
        "Conditions": analysis.conditions,
        "Comparisons of conditions": analysis.condition_comparisons,
        "Effects of the factors": analysis.effects,
        "Covariates against the MOS": analysis.covariates,
        "Comparisons of items": analysis.comparisons,
        "Participants": analysis.observers,
        "Recovered quality": analysis.recovered,
    }
    return Section(
        question=question,
        answer=answer(analysis, thing="item"),
        headlines=headlines(analysis.summary),
        findings=findings(analysis.summary),
        effects=effects_said(analysis.factor_effects.result),
        covariates=covariates_said(analysis.covariate_links.result),
        drawings=drawings,
        tables={name: table for name, table in tables.items() if table is not None},
        notes=_grouped(analysis.summary["notes"]),
    )


def effects_said(effects: Effects | None) -> list[str]:
    """Return the finding on the factors, sentence by sentence, and what limits it; nothing without factors."""
    if effects is None:
        return []
    said = [*effects.sentences, effects.ordinal.sentence, *effects.remarks]
    return [sentence for sentence in said if sentence]


def covariates_said(links: Links | None) -> list[str]:
    """Return the finding on the covariates, sentence by sentence, and what limits it; nothing without covariates."""
    return [] if links is None else [*links.sentences, *links.remarks]


def _grouped(notes: Mapping[str, str]) -> dict[str, str]:
    """Return the notes with those of the same words put together."""
    keys: dict[str, list[str]] = {}
    for key, note in notes.items():
        keys.setdefault(note, []).append(key)
    return {", ".join(names): note for note, names in keys.items()}
