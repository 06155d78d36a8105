"""Killed at any moment, a run loses at most the cell at work; runs side by side never make one twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from PIL import Image

from generator.making.render import render
from generator.models import Cell, ImageSet
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from tests.generator.conftest import PlanWriter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
EIGHT = '[factors]\ncontent_layer = ["conv1_1", "conv3_1"]\nratio = [0.01, 0.1, 0.5, 1.0]\n'


def database_url() -> str:
    """The address of the test database, for another process."""
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{own['NAME']}"
    user = f"{quote(own['USER'])}:{quote(own['PASSWORD'])}"
    return f"postgres://{user}@{quote(own['HOST'], safe='')}:{own['PORT']}/{own['NAME']}"


@pytest.fixture
def start(media: Path, tiny_network: Path):
    """Start processes that render an image set; kill what is left of them."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "nstsite.settings",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(django_settings.DATA_DIR),
        "MEDIA_ROOT": str(media),
        "OMP_NUM_THREADS": "1",
    }
    started: list[subprocess.Popen[str]] = []

    def start(image_set: ImageSet) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "tests.generator.making.render_process",
            image_set.slug,
            str(tiny_network),
        ]
        root = str(django_settings.BASE_DIR)
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert any(told.strip() == line for told in process.stdout), f"ended before it told {line!r}"


def made_by(process: subprocess.Popen[str]) -> int:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return int(output.strip().splitlines()[-1].removeprefix("made "))


def whole_images(image_set: ImageSet, media: Path) -> int:
    """Count the finished cells; each must have a file that reads to its end."""
    cells = image_set.cells.filter(status=Cell.Status.DONE)
    for cell in cells:
        with Image.open(media / str(cell.image.name)) as picture:
            picture.load()
    return cells.count()


def test_a_run_killed_in_mid_cell_is_taken_up_where_it_stopped(
    write_plan: PlanWriter, start, media: Path
) -> None:
    image_set = image_set_from_plan(load_plan(write_plan(EIGHT)))
    process = start(image_set)
    wait_for(process, "done 2 evaluation 3")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = dict(image_set.cells.filter(status=Cell.Status.DONE).values_list("key", "sha256"))
    assert whole_images(image_set, media) == len(kept) >= 2
    # No waiting for a lease: the kernel has let go of the dead process's lock.
    summary = render(image_set)
    assert summary.made == 8 - len(kept)
    assert whole_images(image_set, media) == 8
    assert kept.items() <= dict(image_set.cells.values_list("key", "sha256")).items()


def test_two_processes_side_by_side_share_a_set_and_make_no_cell_twice(
    write_plan: PlanWriter, start, media: Path
) -> None:
    image_set = image_set_from_plan(load_plan(write_plan(EIGHT)))
    processes = [start(image_set), start(image_set)]
    assert sum(made_by(process) for process in processes) == 8
    assert whole_images(image_set, media) == 8
    assert set(image_set.cells.values_list("attempts", flat=True)) == {1}
    assert len(list((media / "cells").rglob("*.png"))) == 8


def test_a_process_told_to_end_frees_its_cell(write_plan: PlanWriter, start) -> None:
    image_set = image_set_from_plan(load_plan(write_plan(EIGHT)))
    process = start(image_set)
    wait_for(process, "done 1 evaluation 2")
    process.send_signal(signal.SIGINT)
    process.wait()
    assert not image_set.cells.filter(status=Cell.Status.RUNNING).exists()
    assert image_set.cells.filter(status=Cell.Status.DONE).exists()
