"""The study as a Psych-DS dataset: standard folders, JSON-LD metadata, and a description of every column."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pandas as pd

from survey.exports.codebook import codebook
from survey.exports.folder import Files
from survey.exports.tables import csv_parts, json_bytes
from survey.results.export import Export


def psychds_files(export: Export) -> Files:
    """Return the files of a Psych-DS dataset: `dataset_description.json`, `data/*_data.csv`, README.

    Each data file is named by keywords (`study-x_description-ratings_data.csv`); `variableMeasured` names every column.
    """
    tables = data_tables(export)
    data = {data_path(export, name): partial(csv_parts, table) for name, table in tables.items()}
    return Files(data) | {
        "dataset_description.json": json_bytes(_description(export, tables)),
        "README.md": _readme(export).encode(),
    }


def data_tables(export: Export) -> dict[str, pd.DataFrame]:
    """Return the tables of the dataset by their names, which they have as CSV files too."""
    return {
        "ratings": export.ratings,
        "items": export.items,
        "settings": export.settings,
        **export.people_tables,
    }


def data_path(export: Export, table: str) -> str:
    """Return where a table stands in the dataset."""
    study = re.sub("[^a-zA-Z0-9]", "", export.slug)
    return f"data/study-{study}_description-{table.replace('_', '')}_data.csv"


def _description(export: Export, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    meaning = codebook(export)
    used = meaning[meaning["table"].isin(tables)].drop_duplicates("column")
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": export.title,
        "description": _sentence(export),
        "schemaVersion": "Psych-DS 0.4.0",
        "identifier": export.analysis.stamp["data_sha256"],
        "measurementTechnique": export.method,
        "variableMeasured": [
            {
                "@type": "PropertyValue",
                "name": row["column"],
                "description": row["meaning"],
                **({"unitText": row["unit"]} if row["unit"] else {}),
            }
            for row in used.to_dict("records")
        ],
    }


def _sentence(export: Export) -> str:
    kind = export.kind.removesuffix(". ") or "Ratings"
    return (
        f"{kind} of {len(export.items)} images by {len(export.participants)} participants, "
        f"method {export.method.upper()}, {_scales(export)}."
    )


def _scales(export: Export) -> str:
    scales = dict.fromkeys(question.scale for question in export.questions)
    return " and ".join(
        f"{'categories' if scale.categories else 'ratings'} {scale.describe()}" for scale in scales
    )


def _readme(export: Export) -> str:
    questions = "\n".join(
        f"- `{question.key}`: {question.text} ({'; '.join(question.legend_parts)})"
        for question in export.questions
    )
    return f"# {export.title}\n\n{_sentence(export)}\n\n{questions}\n"
