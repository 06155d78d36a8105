"""A pair study's choices, their analysis and their export files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from survey.analysis.pairs.preferences import Preferences, analyse_preferences
from survey.analysis.plots import EXPORTED, drawable_of, render_formats
from survey.analysis.plots.preferences import PAIR_PLOTS
from survey.analysis.simulated import told_of
from survey.analysis.summary import named
from survey.exports.folder import Files, with_sums
from survey.exports.pair_words import pair_codebook, pair_methods_text
from survey.exports.readme import OF_PAIRS, readme
from survey.exports.tables import csv_of, json_bytes, json_parts, parquet_bytes
from survey.exports.workbook import stamp_of, workbook_parts
from survey.models import Stimulus, Study, Trial
from survey.results.collect import (
    NoRatings,
    conditions_of,
    exclusions,
    fingerprint,
    items_table,
    own_answers_table,
    participants_table,
    stops_table,
    texts_of,
    with_whole_numbers,
)
from survey.results.export import QuestionText
from survey.results.settings import settings_table, with_recipes
from survey.results.tidy_table import column_names, preference_table

_NO_MOS: Final = "There is no MOS: people chose between images and rated no single image."


@dataclass(frozen=True)
class PairExport:
    """A pair study, its choices and their analysis. The fields are as in `export.Export`."""

    fingerprint: str
    slug: str
    title: str
    simulated: bool
    definition: Mapping[str, Any]
    questions: tuple[QuestionText, ...]
    choices: pd.DataFrame
    excluded: pd.DataFrame
    items: pd.DataFrame
    settings: pd.DataFrame
    participants: pd.DataFrame
    own_answers: pd.DataFrame
    stops: pd.DataFrame
    analysis: Preferences

    @property
    def said_simulated(self) -> str:
        """The sentence that says whether a program made the choices; empty where people did."""
        return told_of(self.choices[self.choices["phase"] == Trial.Phase.MAIN], answers="choices")

    @property
    def unshown(self) -> str:
        """The sentence that names images about which nobody has chosen; empty where there are none."""
        main = self.choices[self.choices["phase"] == Trial.Phase.MAIN]
        shown = {*main["first"].astype(str), *main["second"].astype(str)}
        asked = self.items.loc[self.items["role"] == Stimulus.Role.MAIN, "item"]
        names = [item for item in asked if item not in shown]
        some = "1 image has" if len(names) == 1 else f"{len(names)} images have"
        return f"{some} no choice yet, and no row: {named(names)}." if names else ""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its file name without suffix."""
        tables = {
            "choices": self.choices,
            **self.analysis.tables(),
            "items": self.items,
            "settings": self.settings,
            "participants": self.participants,
            **({"own_answers": self.own_answers} if len(self.own_answers) else {}),
            **({"stops": self.stops} if len(self.stops) else {}),
        }
        return tables | ({"choices_excluded": self.excluded} if len(self.excluded) else {})


def collect_pairs(study: Study) -> PairExport:
    """Return a pair study's choices and their analysis. The result is cached until something changes.

    Raises:
        NoRatings: If there is no choice.
    """
    return _collect(study.pk, fingerprint(study))


@lru_cache(maxsize=4)
def _collect(pk: int, fingerprint_: str) -> PairExport:
    study = Study.objects.get(pk=pk)
    votes = with_whole_numbers(preference_table(study))
    excluded = exclusions(study)
    out = votes["participant"].isin(list(excluded))
    counted = votes[~out].reset_index(drop=True)
    if not (counted["phase"] == Trial.Phase.MAIN).any():
        raise NoRatings(f"study {study.slug!r} has no choice that counts yet")
    items = items_table(study, *column_names(study))
    return PairExport(
        fingerprint=fingerprint_,
        slug=study.slug,
        title=study.title,
        simulated=study.is_simulated,
        definition=study.version.definition,
        questions=texts_of(study),
        choices=counted,
        excluded=votes[out].reset_index(drop=True),
        items=items,
        settings=settings_table(study),
        participants=participants_table(study, excluded),
        own_answers=own_answers_table(study, excluded),
        stops=stops_table(study),
        analysis=analyse_preferences(counted, conditions_of(items)),
    )


def _csv(export: PairExport) -> Files:
    return csv_of({**export.tables(), "codebook": pair_codebook(export)})


def _xlsx(export: PairExport) -> Files:
    stamp = stamp_of(export.title, export.said_simulated, export.analysis.stamp)
    tables = {**export.tables(), "codebook": pair_codebook(export)}
    return Files({"results.xlsx": lambda: workbook_parts(tables, stamp)})


def pair_document(export: PairExport) -> dict[str, Any]:
    """Return study, choices, tables, summary and stamp as one document."""
    return {
        "study": export.slug,
        "title": export.title,
        "simulated": export.simulated,
        "stamp": export.analysis.stamp,
        "definition": export.definition,
        "summary": {key: part.summary for key, part in export.analysis.questions.items()},
        **export.tables(),
        "settings": with_recipes(export.settings),
        "codebook": pair_codebook(export),
    }


def _json(export: PairExport) -> Files:
    return Files({"results.json": lambda: json_parts(pair_document(export))})


def _parquet(export: PairExport) -> Files:
    return Files({"choices.parquet": lambda: [parquet_bytes(export.choices, export.analysis.stamp)]})


def _plots(export: PairExport) -> dict[str, bytes]:
    files = {}
    for key, part in export.analysis.questions.items():
        for plot, table in drawable_of(PAIR_PLOTS, part):
            for ending, data in render_formats(plot.draw, table, EXPORTED).items():
                files[f"plots/{key}_{plot.name}.{ending}"] = data
    return files


def _all(export: PairExport) -> Files:
    files = (
        _csv(export)
        | _xlsx(export)
        | _json(export)
        | _parquet(export)
        | {
            **_plots(export),
            "study.json": json_bytes(export.definition),
            "methods.txt": pair_methods_text(export).encode(),
        }
    )
    about = readme(OF_PAIRS, files, export.title, export.said_simulated, _NO_MOS)
    return with_sums(files | {"README.txt": about})


PAIR_FORMATS: Final[Mapping[str, Callable[[PairExport], Files]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
    "parquet": _parquet,
    "all": _all,
}
