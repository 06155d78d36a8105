"""All export formats: their files, and how to write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from survey.analysis.plots import EXPORTED
from survey.analysis.report.report import Drawing, draw, report_html
from survey.analysis.scale import number_text
from survey.exports.codebook import codebook
from survey.exports.folder import Files, OutputError, Pieces, with_sums, write_file, write_folder, zipped
from survey.exports.interchange import p910_parts, sujson_dataset, sureal_dataset
from survey.exports.latex import latex_table
from survey.exports.latex_effects import latex_effects
from survey.exports.making_words import making_words
from survey.exports.methods import methods_text
from survey.exports.pairs import PAIR_FORMATS, collect_pairs
from survey.exports.psychds import data_path, data_tables, psychds_files
from survey.exports.readme import OF_RATINGS, readme
from survey.exports.tables import csv_of, json_bytes, json_parts, parquet_bytes
from survey.exports.workbook import stamp_of, workbook_parts
from survey.models import Study
from survey.results.collect import collect
from survey.results.export import Export
from survey.results.settings import with_recipes

# What the scripts have in the place of the study's scales.
_USUAL_SCALES: Final = {"reproduce.py": '"": (1, 5, 1)', "reproduce.R": '"overall" = c(1, 5, 1)'}
SCRIPTS: Final = Path(__file__).parent / "scripts"


def csv_files(export: Export) -> Files:
    """Return every table as CSV, including the codebook."""
    tables = {
        "ratings": export.ratings,
        "items": export.items,
        "settings": export.settings,
        **export.people_tables,
        **export.analysis.tables(),
        "codebook": codebook(export),
    }
    if len(export.excluded):
        tables["ratings_excluded"] = export.excluded
    return csv_of(tables)


def results_document(export: Export) -> dict[str, Any]:
    """Return study, ratings, tables, summary and stamp as one document."""
    return {
        "study": export.slug,
        "title": export.title,
        "simulated": export.simulated,
        "stamp": export.analysis.stamp,
        "definition": export.definition,
        "summary": export.analysis.whole_summary,
        **export.analysis.tables(),
        "items": export.items,
        "settings": with_recipes(export.settings),
        **export.people_tables,
        "ratings": export.ratings,
    }


def _json(export: Export) -> Files:
    return Files({"results.json": lambda: json_parts(results_document(export))})


def _xlsx(export: Export) -> Files:
    """Return all tables as one workbook."""
    tables = {
        **export.analysis.tables(),
        "items": export.items,
        "settings": export.settings,
        **export.people_tables,
        "ratings": export.ratings,
        "codebook": codebook(export),
    }
    stamp = stamp_of(export.title, export.said_simulated, export.analysis.stamp)
    return Files({"results.xlsx": lambda: workbook_parts(tables, stamp)})


def _parquet(export: Export) -> Files:
    return Files({"ratings.parquet": lambda: [parquet_bytes(export.ratings, export.analysis.stamp)]})


def _tex(export: Export) -> Files:
    return Files({"mos.tex": lambda: [latex_tables(export).encode()]})


def _sureal(export: Export) -> Files:
    """Return one SUREAL dataset for each question."""

    def parts(key: str) -> Pieces:
        return json_parts(sureal_dataset(export, key))

    return Files({f"sureal_{q.key}.json": partial(parts, q.key) for q in export.questions})


def _sujson(export: Export) -> Files:
    return Files({"sujson.json": lambda: json_parts(sujson_dataset(export))})


def plot_files(drawings: Sequence[Drawing]) -> dict[str, bytes]:
    """Return every drawing in each of its formats."""
    return {
        f"plots/{drawing.question}_{drawing.plot.name}.{ending}": data
        for drawing in drawings
        for ending, data in drawing.files.items()
    }


def all_files(export: Export) -> Files:
    """Return every file of every format, and SHA256SUMS over them."""
    drawings = draw(export.analysis, export.checked, EXPORTED)
    psych_ds = psychds_files(export)
    same = {f"psych-ds/{data_path(export, name)}": f"{name}.csv" for name in data_tables(export)}
    made = making_words(export.settings, export.items)
    files = (
        csv_files(export)
        | {"summary.json": json_bytes(export.analysis.whole_summary)}
        | _sureal(export)
        | Files({f"p910_matrix_{q.key}.csv": partial(p910_parts, export, q.key) for q in export.questions})
        | Files({f"psych-ds/{name}": partial(psych_ds.pieces, name) for name in psych_ds})
        | _sujson(export)
        | _xlsx(export)
        | _json(export)
        | _parquet(export)
        | _tex(export)
        | {
            "methods.txt": methods_text(export).encode(),
            "study.json": json_bytes(export.definition),
            "report.html": report_html(export.analysis, drawings, report_title(export), made).encode(),
            **reproduction(export),
            **plot_files(drawings),
        }
    )
    about = readme(OF_RATINGS, files, export.title, export.said_simulated)
    return with_sums((files | {"README.txt": about}).with_copies(same))


def latex_tables(export: Export) -> str:
    """Return the tables of scores, and those of the factors' effects where the images have factors, for LaTeX."""
    return latex_table(export) + latex_effects(export)


def reproduction(export: Export) -> dict[str, bytes]:
    """Return the scripts that recompute the MOS table, with the study's scales written into them."""
    scales = {
        question.key: (question.scale.low, question.scale.high, question.scale.step or 0)
        for question in export.questions
    }
    numbers = {key: ", ".join(map(number_text, scale)) for key, scale in scales.items()}
    filled = {
        "reproduce.py": ", ".join(f'"{key}": ({some})' for key, some in numbers.items()),
        "reproduce.R": ", ".join(f'"{key}" = c({some})' for key, some in numbers.items()),
    }
    texts = {name: (SCRIPTS / name).read_text(encoding="utf-8") for name in filled}
    return {name: text.replace(_USUAL_SCALES[name], filled[name], 1).encode() for name, text in texts.items()}


def report_title(export: Export) -> str:
    """Return the report's heading, with a remark if the ratings are simulated."""
    told = "simulated" in export.title.lower()
    return f"{export.title} (simulated)" if export.simulated and not told else export.title


FORMATS: Final[Mapping[str, Callable[[Export], Files]]] = {
    "csv": csv_files,
    "xlsx": _xlsx,
    "tex": _tex,
    "json": _json,
    "parquet": _parquet,
    "sureal": _sureal,
    "sujson": _sujson,
    "psych-ds": psychds_files,
    "all": all_files,
}
# The suffix of a format's single file.
_FILE_SUFFIX: Final[Mapping[str, str]] = {
    "csv": ".csv",
    "xlsx": ".xlsx",
    "tex": ".tex",
    "json": ".json",
    "parquet": ".parquet",
    "sureal": ".json",
    "sujson": ".json",
}


class NoSuchExport(ValueError):
    """A format that does not fit a study's answers; the one-line message lists those that do."""


def formats_of(study: Study) -> list[str]:
    """Return the export formats for a study's answers."""
    return list(PAIR_FORMATS if study.method == Study.Method.PAIR else FORMATS)


def study_files(study: Study, file_format: str) -> Files:
    """Return the files of a study in one format.

    Args:
        study: The study.
        file_format: A name of FORMATS.

    Raises:
        NoRatings: If nobody has answered yet.
        NoSuchExport: If the format is for ratings and the study compares pairs.
    """
    if file_format not in formats_of(study):
        raise NoSuchExport(
            f"study {study.slug!r} ({study.method}) has no format {file_format!r}; there are "
            f"{', '.join(formats_of(study))}"
        )
    if study.method == Study.Method.PAIR:
        return PAIR_FORMATS[file_format](collect_pairs(study))
    return FORMATS[file_format](collect(study))


def packed(study: Study, file_format: str) -> tuple[str, Pieces]:
    """Return the name and the pieces of one file: the format's only one, or all of its files in a ZIP.

    Raises:
        NoRatings, NoSuchExport: As in `study_files`.
    """
    files = study_files(study, file_format)
    if len(files) > 1:
        return f"{study.slug}_{file_format}.zip", zipped(files)
    (name,) = files
    return f"{study.slug}_{name}", files.pieces(name)


def write_export(study: Study, file_format: str, output: Path) -> list[Path]:
    """Write a study in one format to `output` and return the written paths.

    Args:
        study: The study.
        file_format: A name of FORMATS.
        output: A path with the suffix of the format (`.csv`, `.xlsx`, ...) becomes that file; for csv it has the
            tidy ratings (or choices). Any other path becomes a folder with all files of the format.

    Raises:
        OutputError: If `output` cannot be written, or is a file although the format needs several.
        NoRatings: As in `study_files`.
        NoSuchExport: As in `study_files`.
    """
    files = study_files(study, file_format)
    if output.suffix.lower() != _FILE_SUFFIX.get(file_format) or output.is_dir():
        write_folder(files, output)
        return [output / name for name in files]
    names = [name for name in files if file_format != "csv" or name in ("ratings.csv", "choices.csv")]
    if len(names) > 1:
        raise OutputError(
            f"{output}: {file_format} needs {len(names)} files, one for each question; name a folder"
        )
    write_file(files.pieces(names[0]), output)
    return [output]
