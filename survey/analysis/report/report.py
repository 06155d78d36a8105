"""An analysis as one self-contained HTML page: tables, plots as inline SVG, the method in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from survey.analysis import Analysis, QuestionAnalysis
from survey.analysis.covariates import Links
from survey.analysis.covariates.labels import with_labels
from survey.analysis.groups import Comparison
from survey.analysis.plots import Plot, drawable, render_formats, select_question
from survey.analysis.report.answers import Answer, answer, condition_meaning, two_tests
from survey.analysis.report.headlines import Headline, findings, headlines, number
from survey.analysis.report.meanings import caution, in_sentences, shown_table, table_words
from survey.analysis.report.pages import page
from survey.analysis.report.used import glossary_of

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
    groups: list[str]
    drawings: list[tuple[Drawing, str]]
    tables: list[tuple[str, str, pd.DataFrame]]
    notes: list[str]
    marked: int


def draw(analysis: Analysis, rows: pd.DataFrame, file_formats: Sequence[str] = ("svg",)) -> list[Drawing]:
    """Draw every plot of every question; `rows` is the checked tidy table that was analysed."""
    return [
        Drawing(question, plot, table, render_formats(plot.draw, table, file_formats))
        for question in analysis.questions
        for plot, table in drawable(select_question(analysis, rows, question))
    ]


def report_html(analysis: Analysis, drawings: Sequence[Drawing], title: str, made: str = "") -> str:
    """Return the report of an analysis with its drawings. The same input gives the same bytes.

    made: how the images were made, in sentences; empty where nobody knows.
    """
    sections = [
        _section(name, part, [drawing for drawing in drawings if drawing.question == name])
        for name, part in analysis.questions.items()
    ]
    own = {key for part in analysis.questions.values() for key in part.summary["notes"]}
    return page(
        "report.html",
        {"cell": format_cell, "numeric": _numeric, "labelled": with_labels},
        title=title,
        made=made,
        simulated=analysis.summary["notes"].get("simulated", ""),
        ratings=analysis.summary["ratings"],
        stamp=analysis.stamp,
        stamp_rows=stamp_rows(analysis.stamp),
        sections=sections,
        glossary=glossary_of(analysis),
        most_cells=MAX_CELLS,
        # What was read in another way than literally; a question's own notes stand in its section.
        notes=in_sentences(
            {key: note for key, note in analysis.summary["notes"].items() if key not in {*own, "simulated"}}
        ),
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
    titles = {
        "mos": "Mean Opinion Scores",
        "conditions": "Conditions",
        "condition_comparisons": "Comparisons of conditions",
        "effects": "Effects of the factors",
        "covariates": "Covariates against the MOS",
        "groups": "Groups of participants",
        "comparisons": "Comparisons of items",
        "observers": "Participants",
        "recovered": "Recovered quality",
        "recovered_shrunken": "Recovered quality, shrunken variant",
        "split": "Votes that split into two camps",
    }
    notes = analysis.summary["notes"]
    shown = shown_table("recovered", notes)
    frames = {
        name: getattr(analysis, name) for name in titles if name == shown or not name.startswith("recovered")
    }
    return Section(
        question=question,
        answer=answer(analysis, thing="item"),
        headlines=headlines(analysis.summary),
        findings=[*findings(analysis.summary), *analysis.split_votes.found.sentences],
        effects=effects_said(analysis),
        covariates=covariates_said(analysis.covariate_links.result),
        groups=groups_said(analysis.group_comparison.result),
        drawings=[
            (drawing, " ".join(filter(None, [drawing.plot.caption, caution(drawing.plot.name, notes)])))
            for drawing in drawings
        ],
        tables=[
            (
                titles[name],
                " ".join(
                    filter(
                        None,
                        [
                            condition_meaning(analysis) if name == "conditions" else "",
                            table_words(name, notes),
                        ],
                    )
                ),
                with_labels(frame),
            )
            for name, frame in frames.items()
            if frame is not None
        ],
        notes=in_sentences(notes),
        marked=len(analysis.summary["participants_flagged"] or []),
    )


def effects_said(part: QuestionAnalysis) -> list[str]:
    """Return the finding on the factors, sentence by sentence, and what limits it; nothing without factors."""
    effects = part.factor_effects.result
    if effects is None:
        return []
    beside = two_tests(part, effects, part.factor_effects.terms)
    said = [effects.finding, *effects.sentences[1:], effects.ordinal.sentence, *effects.remarks, beside]
    return [sentence for sentence in said if sentence]


def covariates_said(links: Links | None) -> list[str]:
    """Return the finding on the covariates, sentence by sentence, and what limits it; nothing without covariates."""
    return [] if links is None else [*links.sentences, *links.remarks]


def groups_said(comparison: Comparison | None) -> list[str]:
    """Return the finding on the groups, sentence by sentence, and what limits it; nothing without groups."""
    return [] if comparison is None else [*comparison.sentences, *comparison.remarks]
