"""Runs share a set without making a cell twice; a dead run loses nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import timedelta
from multiprocessing.connection import Connection

import pytest
from django.db import IntegrityError, connection
from django.db.models import F
from django.utils import timezone

from generator.models import Cell
from generator.sets import claims
from generator.sets.claims import Run
from tests.generator.rows import made, make_set, mark_done

pytestmark = pytest.mark.django_db


def states(image_set) -> list[str]:
    return [cell.status for cell in image_set.cells.all()]


def test_a_cell_is_claimed_once() -> None:
    cell = make_set().cells.get(index=0)
    with Run() as one, Run() as other:
        assert one.claim(cell)
        assert not one.claim(cell)
        assert not other.claim(cell)


def test_a_key_that_runs_for_one_set_is_not_claimed_for_another() -> None:
    first, second = make_set("first"), make_set("second")
    with Run() as one, Run() as other:
        assert one.claim(first.cells.get(label="a"))
        assert not other.claim(second.cells.get(label="a"))
        assert other.claim(second.cells.get(label="b"))


def test_a_key_that_is_done_elsewhere_is_adopted_instead_of_claimed() -> None:
    first, second = make_set("first"), make_set("second")
    mark_done(first.cells.get(label="a"), image="cells/a.png")
    twin = second.cells.get(label="a")
    with Run() as run:
        assert not run.claim(twin)
    twin.refresh_from_db()
    assert twin.status == Cell.Status.DONE
    assert twin.image.name == "cells/a.png"
    assert twin.provenance == {"seed": 1}


def test_adopting_takes_over_every_image_that_is_there() -> None:
    first, second = make_set("first"), make_set("second", keys="bcd")
    for cell in first.cells.all():
        mark_done(cell)
    assert claims.adopt(second) == 2
    assert states(second) == ["done", "done", "waiting"]


def _interrupted_after_one(image_set) -> None:
    with Run() as run:
        for cell in image_set.cells.all():
            run.claim(cell)
        run.finish(image_set.cells.get(index=0), **made())
        raise KeyboardInterrupt


def test_a_run_that_ends_frees_its_cells_and_counts_no_attempt() -> None:
    image_set = make_set()
    with pytest.raises(KeyboardInterrupt):
        _interrupted_after_one(image_set)
    assert states(image_set) == ["done", "waiting", "waiting"]
    assert [cell.attempts for cell in image_set.cells.all()] == [1, 0, 0]


def test_a_run_that_lost_its_claim_writes_nothing() -> None:
    cell = make_set(keys="a").cells.get()
    with Run() as slow, Run() as quick:
        slow.claim(cell)
        Cell.objects.update(claimed_at=timezone.now() - 2 * claims.LEASE)
        claims.free_abandoned()
        assert quick.claim(cell)
        assert not slow.finish(cell, **made("cells/slow.png"))
        assert not slow.fail(cell, "NaN")
        assert quick.finish(cell, **made("cells/quick.png"))
    cell.refresh_from_db()
    assert cell.image.name == "cells/quick.png"


def test_a_lease_that_is_kept_up_is_not_taken() -> None:
    cell = make_set(keys="a").cells.get()
    with Run() as run:
        run.claim(cell)
        Cell.objects.update(claimed_at=timezone.now() - claims.LEASE + timedelta(seconds=30))
        claims.free_abandoned()
        cell.refresh_from_db()
        assert cell.claim_token == run.token


def test_a_cell_that_its_run_dies_on_again_and_again_fails_with_the_reason() -> None:
    cell = make_set(keys="a").cells.get()
    for _ in range(claims.MAX_ATTEMPTS):
        with Run() as run:
            assert run.claim(cell)
            Cell.objects.update(claimed_at=timezone.now() - 2 * claims.LEASE)
            claims.free_abandoned()
    cell.refresh_from_db()
    assert cell.status == Cell.Status.FAILED
    assert "3 times" in cell.reason


def test_failed_cells_wait_again_only_when_asked() -> None:
    image_set = make_set()
    with Run() as run:
        run.claim(image_set.cells.get(index=0))
        run.fail(image_set.cells.get(index=0), "black image")
    assert states(image_set) == ["failed", "waiting", "waiting"]
    assert claims.retry_failed(image_set) == 1
    assert states(image_set) == ["waiting"] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"status": "finished"},
        {"status": "running"},
        {"status": "done"},
        {"status": "failed"},
        {"claim_token": "x"},
        {"reason": "why"},
        {"index": 1},
        {"key": "b" * 64},
    ],
    ids=str,
)
def test_the_database_refuses_a_cell_in_an_impossible_state(change: dict) -> None:
    cell = make_set().cells.get(index=0)
    with pytest.raises(IntegrityError):
        Cell.objects.filter(pk=cell.pk).update(**change)


def _claim_all(pk: int, pipe: Connection) -> None:
    """Another process: claims what it can get, reports, then waits to be killed."""
    won = []
    with Run() as run:
        for cell in Cell.objects.filter(image_set_id=pk):
            if run.claim(cell):
                won.append(cell.pk)
        pipe.send(won)
        pipe.recv()


@pytest.fixture
def processes():
    """Start processes that claim all cells of a set; kill what is left of them."""
    context = multiprocessing.get_context("fork")
    started = []

    def start(image_set):
        # A forked process must not share its parent's connections.
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]
        here, there = context.Pipe()
        process = context.Process(target=_claim_all, args=(image_set.pk, there))
        process.start()
        started.append(process)
        return process, here

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.django_db(transaction=True)
def test_processes_side_by_side_never_claim_the_same_cell(processes) -> None:
    image_set = make_set(keys="abcdefghijklmnopqrstuvwxyz")
    won = [pipe.recv() for _, pipe in [processes(image_set) for _ in range(3)]]
    claimed = [pk for each in won for pk in each]
    assert sorted(claimed) == sorted(image_set.cells.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_cells_of_a_killed_process_are_free_at_once_and_those_of_a_live_one_are_not(processes) -> None:
    first, second = make_set("first", keys="abc"), make_set("second", keys="def")
    (dead, dead_pipe), (_, live_pipe) = processes(first), processes(second)
    assert len(dead_pipe.recv()) == len(live_pipe.recv()) == 3
    os.kill(dead.pid, signal.SIGKILL)
    dead.join()
    claims.free_abandoned()
    assert states(first) == ["waiting"] * 3
    assert states(second) == ["running"] * 3
    assert not Cell.objects.exclude(attempts=F("attempts") * 0 + 1).exists()
