"""What programs read over the API, by its kind: results as the export `json`, and the tidy table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pandas as pd

from survey.exports.files import study_files
from survey.exports.pairs import collect_pairs
from survey.exports.tables import csv_parts, json_bytes, json_parts
from survey.models import Study
from survey.results.collect import counted_ratings


def _results(study: Study) -> bytes:
    (data,) = study_files(study, "json").values()
    return data


def _results_without_people(study: Study) -> bytes:
    codes = frozenset(study.participants.values_list("code", flat=True))
    return json_bytes(_without_people(json.loads(_results(study)), codes))


def _without_people(value: Any, codes: frozenset[str]) -> Any:
    """Return a document without the tables of participants and without lists of their codes, at any depth."""
    if not isinstance(value, dict):
        return value
    return {
        key: _without_people(inner, codes)
        for key, inner in value.items()
        if not _tells_of_people(inner, codes)
    }


def _tells_of_people(value: Any, codes: frozenset[str]) -> bool:
    return isinstance(value, list) and any(
        "participant" in row if isinstance(row, dict) else row in codes
        for row in value
        if not isinstance(row, list)
    )


def _answers(study: Study) -> pd.DataFrame:
    return collect_pairs(study).choices if study.method == Study.Method.PAIR else counted_ratings(study)


#: Name of the file -> what makes its pieces of a study; each raises NoRatings where nobody has answered.
DOCUMENTS: Final[Mapping[str, Callable[[Study], Iterable[bytes]]]] = {
    "results.json": lambda study: [_results(study)],
    "results_only.json": lambda study: [_results_without_people(study)],
    "ratings.csv": lambda study: csv_parts(_answers(study)),
    "ratings.json": lambda study: json_parts(_answers(study)),
}
