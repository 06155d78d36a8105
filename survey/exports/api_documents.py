"""What programs read over the API, by its kind: results as the export `json`, and the tidy table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from survey.exports.files import results_document
from survey.exports.pairs import collect_pairs, pair_document
from survey.exports.tables import csv_parts, json_parts
from survey.models import Study
from survey.results.collect import collect, counted_ratings


def _results(study: Study) -> dict[str, Any]:
    if study.method == Study.Method.PAIR:
        return pair_document(collect_pairs(study))
    return results_document(collect(study))


def _results_without_people(study: Study) -> dict[str, Any]:
    codes = frozenset(study.participants.values_list("code", flat=True))
    document: dict[str, Any] = _without_people(_results(study), codes)
    return document


def _without_people(value: Any, codes: frozenset[str]) -> Any:
    """Return a document without the tables of participants and without lists of their codes, at any depth."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_people(inner, codes)
        for key, inner in value.items()
        if not _tells_of_people(inner, codes)
    }


def _tells_of_people(value: Any, codes: frozenset[str]) -> bool:
    if isinstance(value, pd.DataFrame):
        return "participant" in value
    return isinstance(value, list | tuple | set | frozenset | np.ndarray | pd.Series) and any(
        "participant" in row if isinstance(row, Mapping) else row in codes
        for row in value
        if not isinstance(row, list | tuple | np.ndarray)
    )


def _answers(study: Study) -> pd.DataFrame:
    return collect_pairs(study).choices if study.method == Study.Method.PAIR else counted_ratings(study)


#: Name of the file -> what makes its pieces of a study; each raises NoRatings where nobody has answered.
DOCUMENTS: Final[Mapping[str, Callable[[Study], Iterable[bytes]]]] = {
    "results.json": lambda study: json_parts(_results(study)),
    "results_only.json": lambda study: json_parts(_results_without_people(study)),
    "ratings.csv": lambda study: csv_parts(_answers(study)),
    "ratings.json": lambda study: json_parts(_answers(study)),
}
