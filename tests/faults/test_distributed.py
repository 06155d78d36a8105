"""An image set made by workers: one is killed in the middle, and nothing is lost or made twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from benchmarks.site import Site
from tests.faults.conftest import empty_database

CELLS = 8
pytestmark = [pytest.mark.slow]


def write_plan(folder: Path, evaluations: int) -> Path:
    """Write a plan of CELLS small images on a narrow network with random weights."""
    from generator.nst.recipes.networks import CAFFE
    from generator.nst.weights.layouts import LoadedWeights, save_canonical
    from tests.generator.nst.tiny import tiny_tensors

    folder.mkdir()
    save_canonical(LoadedWeights(tiny_tensors(), CAFFE, "canonical"), folder / "tiny-vgg16.safetensors", {})
    for seed, name in enumerate(("cat.png", "wave.png")):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    ratios = [round(0.1 * (i + 1), 1) for i in range(CELLS)]
    plan = folder / "grid.toml"
    plan.write_text(
        'preset = "patel2019"\n[images]\ncontent = ["cat.png"]\nstyle = ["wave.png"]\n'
        f'[recipe]\nnetwork = "{folder}/tiny-vgg16.safetensors"\nsize = 32\nevaluations = {evaluations}\n'
        f"[factors]\nratio = {ratios}\n"
    )
    return plan


def ask(url: str, query: str) -> list:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def tables(postgres, tmp_path_factory) -> str:
    """The name of a database with the tables of program and queue, to be copied."""
    site = Site(tmp_path_factory.mktemp("tables"), empty_database(postgres, "tables"))
    site.env["GENERATOR_EXECUTOR"] = "procrastinate"
    site.manage("migrate", "--verbosity", "0", "--skip-checks")
    return "tables"


@pytest.fixture
def url(postgres, tables, installation) -> str:
    """A database of its own on the scratch server, set in the installation's environment."""
    address = empty_database(postgres, "distributed", tables)
    installation |= {"DATABASE_URL": address, "GENERATOR_EXECUTOR": "procrastinate"}
    return address


def counts(url: str) -> dict[str, int]:
    return dict(ask(url, "SELECT status, count(*) FROM generator_cell GROUP BY status"))


def test_cells_of_a_killed_worker_are_made_by_another_once_each(manage, url, tmp_path) -> None:
    command = manage("generate", str(write_plan(tmp_path / "plan", evaluations=60)), "--distributed")
    worker = ("procrastinate", "worker", "-q", "images", "--concurrency", "1")
    first = manage(*worker)
    wait_for(lambda: counts(url).get("running", 0) > 0)
    first.kill()
    first.wait()
    assert counts(url)["running"] > 0
    made_by_first = ask(url, "SELECT index, sha256, made_at FROM generator_cell WHERE status = 'done'")

    manage(*worker)
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 0, output
    cells = ask(
        url, "SELECT index, sha256, made_at, status, attempts, image FROM generator_cell ORDER BY index"
    )
    assert [cell[3] for cell in cells] == ["done"] * CELLS
    assert set(made_by_first) <= {cell[:3] for cell in cells}
    assert {cell[4] for cell in cells} <= {1, 2}
    assert max(cell[4] for cell in cells) == 2
    files = list((tmp_path / "data/media/cells").rglob("*.png"))
    assert len(files) == len({cell[5] for cell in cells}) == CELLS
    assert f"{CELLS} images" in output


def test_a_set_that_is_taken_back_stops_its_workers_and_keeps_the_command_honest(
    manage, url, tmp_path
) -> None:
    command = manage("generate", str(write_plan(tmp_path / "plan", evaluations=100_000)), "--distributed")
    manage("procrastinate", "worker", "-q", "images", "--concurrency", "1")
    wait_for(lambda: counts(url).get("running", 0) > 0)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE generator_imageset SET is_queued = false")
    wait_for(lambda: counts(url) == {"waiting": CELLS})
    output, _ = command.communicate(timeout=30)
    assert command.returncode == 1
    assert "somebody stopped the set" in output


def test_a_queue_on_sqlite_is_refused(manage, installation) -> None:
    installation["GENERATOR_EXECUTOR"] = "procrastinate"
    check = manage("check", "--tag", "generator")
    output, _ = check.communicate()
    assert check.returncode == 1
    assert "generator.E002" in output
