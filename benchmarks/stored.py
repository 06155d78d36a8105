"""Speed of what is read out of a database: `python -m benchmarks.stored`.

A separate SQLite database has a study of 20,000 ratings (1000 images with factors and covariates, 200 participants) and
one of a million (of 20,000 participants). Measured
in a fresh process each: the default results page with nothing cached, the export of everything, and the MOS table of a
million ratings with its peak memory. Prints Markdown and writes benchmarks/results/stored.md. Times are wall and
processor seconds: on a busy machine only the latter tell.
"""

from __future__ import annotations

import gc
import io
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "stored.md"
COVARIATES = 8
STUDIES = {"small": (1000, 200, 100), "large": (1000, 20000, 50)}
"""Slug -> images, participants, ratings of each participant."""


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "nstsite.settings",
            # As gunicorn.conf.py sets it.
            "OPENBLAS_NUM_THREADS": "1",
        }
        for task in ("fill", "page", "export", "million"):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.stored", task],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rows += json.loads(done.stdout.splitlines()[-1])
    lines = [f"| {what} | {wall:.2f} s | {cpu:.2f} s | {peak:.0f} MB |" for what, wall, cpu, peak in rows]
    head = ["| what | wall | processor | peak memory |", "| --- | --- | --- | --- |"]
    text = "\n".join([machine(), "", *head, *lines]) + "\n"
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)


def machine() -> str:
    """Return the machine and its versions in a line."""
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}, load {os.getloadavg()[0]:.1f} from elsewhere included), "
        f"Python {platform.python_version()}, SQLite."
    )


def _timed(what: str, run: Callable[[], Any]) -> tuple[str, float, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return what, wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fill() -> list[tuple[str, float, float, float]]:
    """Make the database."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    for slug, sizes in STUDIES.items():
        fill_study(slug, *sizes)
    return []


# What differs between rows is drawn by the database, which makes a million in seconds.
_TRIALS = """
insert into survey_trial (participant_id, stimulus_id, position, phase, token, revision, outcome, reason,
                          shown_at, answered_at)
select p.id, s.id, row_number() over (partition by p.id order by random()), 'main', lower(hex(randomblob(11))), 0,
       'rated', '', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:08.678901'
from survey_participant p join survey_stimulus s on s.study_id = p.study_id
where p.study_id = %s and (s.id + p.id) %% %s = 0
"""
_RATINGS = """
insert into survey_rating (trial_id, question_id, value, first_value, changes, rt_ms, input, created_at)
select id, %s, value, value, 0, 3000, '', '2026-01-02 03:04:08.678901'
from (select t.id, 1 + abs(random()) %% (2 + t.stimulus_id %% 4) as value
      from survey_trial t join survey_participant p on p.id = t.participant_id where p.study_id = %s)
"""


def fill_study(slug: str, images: int, people: int, each: int) -> None:
    """Make a study with ratings that the database draws."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.db import connection, transaction
    from django.utils import timezone
    from PIL import Image

    from survey.models import Participant, Stimulus, Study
    from survey.study.definition import Definition
    from survey.study.publish import save_study
    from survey.study.tables import Session

    now = timezone.now()
    picture = io.BytesIO()
    Image.new("RGB", (1, 1)).save(picture, "PNG")
    name = default_storage.save("benchmark.png", ContentFile(picture.getvalue()))
    with transaction.atomic():
        definition = Definition(title=slug, session=Session(images=each))
        study = save_study(slug, definition, None, Study.State.OPEN, is_simulated=True)
        question, version = study.questions.get(), study.version
        Stimulus.objects.bulk_create(
            Stimulus(
                study=study,
                item=f"image{i:04d}",
                image=name,
                width=1,
                height=1,
                sha256=f"{i:064x}",
                content=f"content{i // 20:02d}",
                style=f"style{i % 4}",
                condition=f"style{i % 4} layer{i // 4 % 5}",
                factors={"layer": i // 4 % 5},
                covariates={f"measure{k}": math.sin((k + 1) * i) for k in range(COVARIATES)},
            )
            for i in range(images)
        )
        Participant.objects.bulk_create(
            Participant(
                study=study, version=version, consent_version="1", consented_at=now, is_simulated=True
            )
            for _ in range(people)
        )
        with connection.cursor() as cursor:
            cursor.execute(_TRIALS, [study.pk, images // each])
            cursor.execute(_RATINGS, [question.pk, study.pk])


def page() -> list[tuple[str, float, float, float]]:
    """The default results page, nothing cached, twice: the first one imports what it needs."""
    from django.contrib.auth.models import User
    from django.test import Client

    from survey.results import collect

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("benchmark"))

    def load() -> None:
        assert client.get("/studies/small/results/").status_code == 200

    rows = [_timed("results page of 20,000 ratings, with imports", load)]
    best = []
    for _ in range(3):
        collect._collect.cache_clear()
        best.append(_timed("results page of 20,000 ratings, uncached", load))
    return [*rows, min(best, key=lambda row: row[1])]


def export() -> list[tuple[str, float, float, float]]:
    """Everything there is to take away of 20,000 ratings."""
    from survey.exports.files import write_export
    from survey.models import Study

    study = Study.objects.get(slug="small")
    with tempfile.TemporaryDirectory() as folder:
        what = "export of all files of 20,000 ratings"
        # As manage.py does when it has imported a command.
        gc.collect()
        gc.freeze()
        return [_timed(what, lambda: write_export(study, "all", Path(folder)))]


def million() -> list[tuple[str, float, float, float]]:
    """A million ratings out of SQLite into a MOS table: by counts, as the page of a large study has it, and whole."""
    from survey.analysis.items.mos import mos_table
    from survey.analysis.table import check, code
    from survey.models import Study
    from survey.results.collect import mos_tables
    from survey.results.tidy_table import tidy_table

    study = Study.objects.get(slug="large")
    return [
        _timed("MOS table of a million ratings", lambda: mos_tables(study)),
        _timed("the same by way of the tidy table", lambda: mos_table(code(check(tidy_table(study)).table))),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        import django

        django.setup()
        print(json.dumps(globals()[sys.argv[1]]()))
