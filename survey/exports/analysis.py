"""The files of one analysis, of a study or of any ratings file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from survey.analysis import Analysis, Ratings, ReadOptions, analyse, read_ratings
from survey.analysis.reading.statistics import StatisticsOnly
from survey.analysis.report.report import draw, report_html
from survey.analysis.report.statistics import analyse_statistics
from survey.exports.folder import write_folder
from survey.exports.tables import csv_bytes, json_bytes


@dataclass(frozen=True)
class Outcome:
    """What is said of an analysed file.

    Attributes:
        sentence: a summary.
        simulated: whether a program made the ratings, in a sentence; empty where people did.
        notes: on everything not read literally.
    """

    sentence: str
    simulated: str
    notes: Mapping[str, str]

    @property
    def remarks(self) -> list[str]:
        """What is said before the summary, line by line: first whether a program made the ratings."""
        return [*filter(None, [self.simulated]), *(f"Note: {note}" for note in self.notes.values())]


def analyse_file(path: Path, output: Path, options: ReadOptions) -> Outcome:
    """Analyse a ratings file and write its tables, summary and report into the folder `output`.

    From a table of means or counts it writes the results that need no single ratings.

    Args:
        path: The ratings file.
        output: The folder.
        options: How to read the file.

    Raises:
        TableError: If the file is not a table of ratings.
        OutputError: If `output` cannot be written.
    """
    try:
        ratings = read_ratings(path, options)
    except StatisticsOnly as error:
        return _write_statistics(error, path, output)
    analysis = analyse(ratings)
    write_folder(ratings_files(ratings, analysis, path.name), output)
    summary = analysis.summary
    return Outcome(
        f"{summary['ratings']} ratings of {summary['items']} items by {summary['participants']} participants",
        ratings.said_simulated,
        ratings.notes | _too_few(analysis),
    )


def _too_few(analysis: Analysis) -> dict[str, str]:
    """Return notes on each question with too few people: to compare pairs, or left by the screening."""
    notes: dict[str, str] = {}
    for name, part in analysis.questions.items():
        of = part.summary
        said = {key: of["notes"].get(key) for key in ("comparisons", "condition_comparisons")}
        if of["conclusions_depend_on_panel"] is None and of["participants_flagged"]:
            said["panels"] = of["conclusions"]
        about = f"question {name!r}: " if name else ""
        notes |= {f"{key}_{name}": f"{about}{text}" for key, text in said.items() if text}
    return notes


def _write_statistics(error: StatisticsOnly, path: Path, output: Path) -> Outcome:
    """Write the results of a file of means or counts."""
    done = analyse_statistics(error.found, f"Statistics of {path.name}")
    write_folder(statistics_files(done.tables, done.summary, done.report), output)
    notes = dict(done.summary["notes"])
    return Outcome(str(error), notes.pop("simulated", ""), notes)


def ratings_files(ratings: Ratings, analysis: Analysis, name: str) -> dict[str, bytes]:
    """Return {name: bytes} of all that an analysis of a ratings file makes. name: the file's."""
    report = report_html(analysis, draw(analysis, ratings.table), f"Opinion scores of {name}")
    return analysis_files(analysis) | {"report.html": report.encode()}


def statistics_files(
    tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any], report: str
) -> dict[str, bytes]:
    """Return {name: bytes} of all that is made of a file of means or counts."""
    files = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    return files | {"summary.json": json_bytes(summary), "report.html": report.encode()}


def analysis_files(analysis: Analysis) -> dict[str, bytes]:
    """Return {name: bytes} of the tables and of summary.json, all numbers in full precision."""
    files = {f"{name}.csv": csv_bytes(table) for name, table in analysis.tables().items()}
    return files | {"summary.json": json_bytes(analysis.whole_summary)}
