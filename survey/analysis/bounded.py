"""Reading of uploaded ratings files in a separate process, with limits on memory and time.

A small workbook may ask for gigabytes once it is unpacked; here it ends its own process and no other. One file is read
at a time by each process that asks.

Run as a program (`python -m survey.analysis.bounded FILE FOLDER MEGABYTES`), it takes the options as JSON on standard
input and writes what it read into the folder: `read.json`, and `ratings.parquet` or tables of statistics.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.preview import Preview, preview
from survey.analysis.reading.read import read_ratings
from survey.analysis.reading.statistics import StatisticsOnly
from survey.analysis.scale import parse_scale
from survey.analysis.table import Ratings, TableError
from survey.analysis.terms import Terms

MEGABYTES: Final = 3000
SECONDS: Final = 60
_ROOT: Final = Path(__file__).parents[2]
_TOLD: Final = "read.json"
_RATINGS: Final = "ratings.parquet"
_NO_MEMORY: Final = 3
_one_at_a_time: Final = threading.Lock()


class TooMuch(TableError):
    """A file takes more memory or time than one of a browser may; the message is one line."""


@dataclass(frozen=True)
class Statistics:
    """What was made of a file of means or counts: one sentence, the names of its tables, the summary."""

    what: str
    tables: tuple[str, ...]
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """What was read of a file.

    Attributes:
        folder: holds the tables.
        preview: how the columns were understood; None where no columns were found.
        refusal: why it holds no ratings, "" for ratings and statistics.
        statistics: of a file of means or counts.
        notes: what was read in another way than literally.
        about: of ratings, how many ``ratings``, ``items`` and ``participants`` there are.
    """

    folder: Path
    preview: Preview | None
    refusal: str
    statistics: Statistics | None
    notes: Mapping[str, str]
    about: Mapping[str, Any]

    def ratings(self) -> Ratings:
        """Return the ratings, as the reader returned them."""
        return Ratings(
            table=pd.read_parquet(self.folder / _RATINGS),
            rows_in=self.about["rows_in"],
            left_out=dict(self.about["left_out"]),
            notes=dict(self.notes),
            scale=parse_scale(self.about["scale"]),
            scales={name: parse_scale(text) for name, text in self.about["scales"].items()},
            unrated=pd.DataFrame(self.about["unrated"], dtype="object"),
            terms=Terms(*self.about["terms"]),
        )

    def table(self, name: str) -> pd.DataFrame:
        """Return one table of a file of means or counts."""
        return pd.read_parquet(self.folder / f"{name}.parquet")

    def report(self) -> str:
        """Return the report of a file of means or counts."""
        return (self.folder / "report.html").read_text()


def read_apart(
    path: Path, folder: Path, options: ReadOptions, *, megabytes: int = MEGABYTES, seconds: float = SECONDS
) -> None:
    """Read a file within these bounds and write what it holds into a folder.

    Raises:
        TooMuch: it takes more memory or time.
    """
    command = [sys.executable, "-m", "survey.analysis.bounded", str(path), str(folder), str(megabytes)]
    # NumPy reserves memory for each thread that it might use.
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    try:
        with _one_at_a_time:
            done = subprocess.run(  # noqa: S603
                command,
                input=json.dumps(_plain(options)).encode(),
                capture_output=True,
                cwd=_ROOT,
                env=environment,
                timeout=seconds,
            )
    except subprocess.TimeoutExpired:
        raise TooMuch(f"{path}: not read within {seconds:g} s: use the command `analyse`") from None
    if done.returncode == _NO_MEMORY or done.returncode < 0:
        raise TooMuch(f"{path}: takes more than {megabytes} MB of memory to read: use the command `analyse`")
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))


def write_reading(path: Path, folder: Path, options: ReadOptions) -> None:
    """Read a file and write what it holds into a folder."""
    about: dict[str, Any] = {}
    notes: Mapping[str, str] = {}
    refusal, statistics, kept = "", None, []
    try:
        ratings = read_ratings(path, options)
    except StatisticsOnly as error:
        statistics = _write_statistics(error, path, folder)
        notes = statistics.summary["notes"]
    except TableError as error:
        refusal = str(error)
    else:
        notes, kept = ratings.notes, list(ratings.table.columns)
        ratings.table.to_parquet(folder / _RATINGS)
        about = {
            "rows_in": ratings.rows_in,
            "left_out": ratings.left_out,
            "scale": str(ratings.scale),
            "scales": {name: str(scale) for name, scale in ratings.scales.items()},
            "unrated": ratings.unrated.to_dict("list"),
            "terms": [ratings.terms.item, ratings.terms.content],
            "labels": options.labels,
            "simulated": ratings.said_simulated,
            "ratings": len(ratings.table),
            "items": ratings.table["item"].nunique(),
            "participants": ratings.table["participant"].nunique(),
        }
    try:
        shown = asdict(preview(path, options, kept))
    except TableError:
        shown = None
    told = {
        "preview": shown,
        "refusal": refusal,
        "statistics": statistics and asdict(statistics),
        "notes": dict(notes),
        "about": about,
    }
    (folder / _TOLD).write_text(json.dumps(told))


def write_refusal(folder: Path, refusal: str) -> None:
    """Write that a file was not read, and why."""
    told: dict[str, Any] = {"preview": None, "refusal": refusal, "statistics": None, "notes": {}, "about": {}}
    (folder / _TOLD).write_text(json.dumps(told))


def load_reading(folder: Path) -> Reading:
    """Return what `write_reading` wrote. Raises FileNotFoundError where nothing was read."""
    told = json.loads((folder / _TOLD).read_text())
    shown = told["preview"]
    found = told["statistics"]
    return Reading(
        folder=folder,
        preview=shown and Preview(**shown | {"columns": [tuple(column) for column in shown["columns"]]}),
        refusal=told["refusal"],
        statistics=found and Statistics(**found | {"tables": tuple(found["tables"])}),
        notes=told["notes"],
        about=told["about"],
    )


def _write_statistics(error: StatisticsOnly, path: Path, folder: Path) -> Statistics:
    from survey.analysis.report.statistics import analyse_statistics

    done = analyse_statistics(error.found, f"Statistics of {path.name}")
    for name, table in done.tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    (folder / "report.html").write_text(done.report)
    return Statistics(done.what, tuple(done.tables), done.summary)


def _plain(options: ReadOptions) -> dict[str, Any]:
    """Return options as JSON has them."""
    scales = {question: str(scale) for question, scale in options.scales.items()}
    as_text = {"scale": options.scale and str(options.scale), "scales": scales}
    return {name: getattr(options, name) for name in options.__dataclass_fields__} | as_text


def _options(plain: dict[str, Any]) -> ReadOptions:
    scale = plain["scale"] and parse_scale(plain["scale"])
    scales = {question: parse_scale(text) for question, text in plain["scales"].items()}
    lists = {name: tuple(plain[name]) for name in ("labels", "missing")}
    return ReadOptions(**plain | lists | {"scale": scale, "scales": scales})


def _main(path: Path, folder: Path, megabytes: int) -> None:
    most = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        write_reading(path, folder, _options(json.load(sys.stdin)))
    except MemoryError:
        sys.exit(_NO_MEMORY)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
