"""The scripts of an export rebuild its MOS table from its ratings, whatever the ratings are."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from survey.analysis import analyse
from survey.exports.files import SCRIPTS
from survey.exports.tables import csv_bytes
from tests.programs import R
from tests.survey.exports.studies import ratings_frame

needs_r = pytest.mark.skipif(R.find() is None, reason=R.missing)

NAMES = (
    '="x"',
    "a,b",
    'say "hi"',
    "two\nlines",
    "NA",
    "007",
    "TRUE",
    "née 猫 é",
    "a\\b",
    "#1",
    "-",
    "' apostrophe",
)
"""Names that a reader could take for a formula, a number, a missing value, a comment or two cells."""


def again() -> pd.DataFrame:
    """Every participant rates every item, some of them two or three times."""
    once, rng = ratings_frame(7, 6), np.random.default_rng(1)
    repeats = [once.sample(frac=0.5, random_state=i) for i in range(2)]
    table = pd.concat([once, *repeats], ignore_index=True)
    return table.assign(rating=np.clip(table["rating"] + rng.integers(-1, 2, len(table)), 1, 5))


def named() -> pd.DataFrame:
    table = ratings_frame(len(NAMES), len(NAMES))
    places = {
        name: dict(zip(sorted(table[name].unique()), NAMES, strict=True)) for name in ("item", "participant")
    }
    return table.assign(**{name: table[name].map(place) for name, place in places.items()})


def questions() -> pd.DataFrame:
    """Two questions whose names and items could be taken for each other when put together."""
    table = ratings_frame(2, 5)
    return pd.concat(
        [
            table.assign(question="a", item=table["item"].map({"item000": "b.c", "item001": "c"})),
            table.assign(question="a.b", item=table["item"].map({"item000": "c", "item001": "b"})),
        ]
    )


STUDIES = {
    "plain": ratings_frame(),
    "one item": ratings_frame(items=1),
    "one participant": ratings_frame(people=1),
    "one rating": ratings_frame(1, 1),
    "unanimous": ratings_frame().assign(rating=4),
    "one rating each": ratings_frame(6, 6).iloc[::7],
    "repeats": again(),
    "few repeats": pd.concat([ratings_frame(3, 4), ratings_frame(3, 4).head(3).assign(rating=5)]),
    "one participant again": pd.concat([ratings_frame(people=1), ratings_frame(people=1, seed=1)]),
    "odd names": named(),
    "questions": questions(),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """What the scripts read of an export, for each study."""
    made = {}
    for name, table in STUDIES.items():
        folder = made[name] = tmp_path_factory.mktemp(name.replace(" ", "-"))
        other = table.head(2).assign(phase="practice", rating=1)
        rows = pd.concat([table.assign(phase="main"), other], ignore_index=True)
        (folder / "ratings.csv").write_bytes(csv_bytes(rows))
        (folder / "mos.csv").write_bytes(csv_bytes(analyse(rows).mos))
        for script in ("reproduce.py", "reproduce.R"):
            shutil.copy(SCRIPTS / script, folder)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_python_rebuilds_the_table_of_every_export(folders, name, capsys):
    runpy.run_path(str(folders[name] / "reproduce.py"), run_name="__main__")
    assert "mos.csv is reproduced" in capsys.readouterr().out


@pytest.mark.slow
@needs_r
def test_r_rebuilds_the_table_of_every_export(folders):
    run = run_r(folders.values(), "C.UTF-8")
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.count("mos.csv is reproduced") == len(STUDIES)


@needs_r
def test_r_reads_names_as_they_are_in_any_locale(folders):
    run = run_r([folders["odd names"]], "C")
    assert run.returncode == 0, run.stderr[-2000:]


def run_r(folders: Iterable[Path], locale: str) -> subprocess.CompletedProcess[str]:
    """Run the scripts of all folders in one R: it takes longer to start than to compute."""
    lines = [f'source("{folder / "reproduce.R"}", chdir = TRUE, local = new.env())' for folder in folders]
    return subprocess.run(
        ["Rscript", "--vanilla", "-e", "; ".join(lines)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"LC_ALL": locale},
    )
