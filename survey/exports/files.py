"""All export formats: their files, and how to write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from survey.analysis.plots import EXPORTED
from survey.analysis.report.report import Drawing, draw, report_html
from survey.analysis.scale import number_text
from survey.exports.codebook import codebook
from survey.exports.folder import OutputError, sha256sums, write_file, write_folder, zipped
from survey.exports.interchange import p910_matrix, sujson_dataset, sureal_dataset
from survey.exports.latex import latex_table
from survey.exports.latex_effects import latex_effects
from survey.exports.methods import methods_text
from survey.exports.pairs import PAIR_FORMATS, collect_pairs
from survey.exports.psychds import psychds_files
from survey.exports.tables import csv_bytes, json_bytes, parquet_bytes
from survey.exports.workbook import workbook_bytes
from survey.models import Study
from survey.results.collect import collect
from survey.results.export import Export

Files = dict[str, bytes]

# What the scripts have in the place of the study's scales.
_USUAL_SCALES: Final = {"reproduce.py": '"": (1, 5, 1)', "reproduce.R": '"overall" = c(1, 5, 1)'}
SCRIPTS: Final = Path(__file__).parent / "scripts"
_README: Final = """\
{title}{simulated}

ratings.csv          one row a rating; codebook.csv gives the meaning of every column of every table
mos.csv              one row an image: n, MOS, SD, 95 % intervals, median, counts
p910_matrix_*.csv    images (rows as in mos.csv) by participants (columns as in observers.csv), nan where missing
effects.csv          effects of the images' factors, where they have any: tests, means, contrasts, slopes
own_answers.csv      answers to the study's own questions about images, if it asks any (those about people: participants.csv)
stops.csv            when the study's own rule paused it, if it did
split.csv            which images' votes split into two camps more than chance allows
covariates.csv       what was measured on the images against their MOS, where there is anything
groups.csv           groups of participants compared, where there are any; group_sessions.csv how many of each finished
results.xlsx         all tables in one workbook; results.json the same as JSON
mos.tex              tables of scores and effects for LaTeX; methods.txt the matching methods paragraph
sureal_*.json        for Netflix's SUREAL; sujson.json for suJSON; psych-ds/ a Psych-DS dataset
reproduce.py, .R     recompute mos.csv from ratings.csv, run in this folder
summary.json         agreement, tests and the stamp: data and program behind the numbers
report.html          tables, plots and the method on one page; plots/ the plots as SVG and PDF
SHA256SUMS           check with: sha256sum --check SHA256SUMS
"""


def csv_files(export: Export) -> Files:
    """Return every table as CSV, including the codebook."""
    tables = {
        "ratings": export.ratings,
        "items": export.items,
        **export.people_tables,
        **export.analysis.tables(),
        "codebook": codebook(export),
    }
    if len(export.excluded):
        tables["ratings_excluded"] = export.excluded
    return {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}


def results_json(export: Export) -> bytes:
    """Return study, ratings, tables, summary and stamp as one JSON document."""
    return json_bytes(
        {
            "study": export.slug,
            "title": export.title,
            "simulated": export.simulated,
            "stamp": export.analysis.stamp,
            "definition": export.definition,
            "summary": export.analysis.whole_summary,
            **export.analysis.tables(),
            "items": export.items,
            **export.people_tables,
            "ratings": export.ratings,
        }
    )


def results_xlsx(export: Export) -> bytes:
    """Return all tables as one workbook."""
    tables = {
        **export.analysis.tables(),
        "items": export.items,
        **export.people_tables,
        "ratings": export.ratings,
        "codebook": codebook(export),
    }
    simulated = {"note": export.said_simulated} if export.said_simulated else {}
    return workbook_bytes(tables, {"study": export.title, **simulated, **export.analysis.stamp})


def sureal_files(export: Export) -> Files:
    """Return one SUREAL dataset for each question."""
    return {
        f"sureal_{question.key}.json": json_bytes(sureal_dataset(export, question.key))
        for question in export.questions
    }


def plot_files(drawings: Sequence[Drawing]) -> Files:
    """Return every drawing in each of its formats."""
    return {
        f"plots/{drawing.question}_{drawing.plot.name}.{ending}": data
        for drawing in drawings
        for ending, data in drawing.files.items()
    }


def all_files(export: Export) -> Files:
    """Return every file of every format, and SHA256SUMS over them."""
    simulated = f"\n{export.said_simulated}" if export.said_simulated else ""
    drawings = draw(export.analysis, export.checked, EXPORTED)
    files = {
        **csv_files(export),
        "summary.json": json_bytes(export.analysis.whole_summary),
        **sureal_files(export),
        **{f"p910_matrix_{q.key}.csv": p910_matrix(export, q.key) for q in export.questions},
        **{f"psych-ds/{name}": data for name, data in psychds_files(export).items()},
        "sujson.json": json_bytes(sujson_dataset(export)),
        "results.xlsx": results_xlsx(export),
        "results.json": results_json(export),
        "ratings.parquet": parquet_bytes(export.ratings, export.analysis.stamp),
        "mos.tex": latex_tables(export).encode(),
        "methods.txt": methods_text(export).encode(),
        "study.json": json_bytes(export.definition),
        "report.html": report_html(export.analysis, drawings, report_title(export)).encode(),
        **reproduction(export),
        "README.txt": _README.format(title=export.title, simulated=simulated).encode(),
        **plot_files(drawings),
    }
    return files | {"SHA256SUMS": sha256sums(files)}


def latex_tables(export: Export) -> str:
    """Return the tables of scores, and those of the factors' effects where the images have factors, for LaTeX."""
    return latex_table(export) + latex_effects(export)


def reproduction(export: Export) -> Files:
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
    "xlsx": lambda export: {"results.xlsx": results_xlsx(export)},
    "tex": lambda export: {"mos.tex": latex_tables(export).encode()},
    "json": lambda export: {"results.json": results_json(export)},
    "parquet": lambda export: {"ratings.parquet": parquet_bytes(export.ratings, export.analysis.stamp)},
    "sureal": sureal_files,
    "sujson": lambda export: {"sujson.json": json_bytes(sujson_dataset(export))},
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


def packed(study: Study, file_format: str) -> tuple[str, bytes]:
    """Return the name and the bytes of one file: the format's only one, or all of its files in a ZIP.

    Raises:
        NoRatings, NoSuchExport: As in `study_files`.
    """
    files = study_files(study, file_format)
    if len(files) == 1:
        name, data = next(iter(files.items()))
    else:
        name, data = f"{file_format}.zip", zipped(files)
    return f"{study.slug}_{name}", data


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
    if file_format == "csv":
        files = {name: data for name, data in files.items() if name in ("ratings.csv", "choices.csv")}
    if len(files) > 1:
        raise OutputError(
            f"{output}: {file_format} needs {len(files)} files, one for each question; name a folder"
        )
    write_file(next(iter(files.values())), output)
    return [output]
