"""A machine with several GPUs, and several runs on one; played with functions of torch.cuda, for no GPU is needed."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import time
import weakref
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from generator import nst
from generator.making import engine, gpus, on_all_gpus, render
from generator.models import Cell, ImageSet
from generator.nst import preset
from generator.nst.gpu import memory
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from tests.generator.conftest import PlanWriter
from tests.generator.making.test_killed_runs import database_url

GPU = torch.device("cuda:0")
RECIPE = preset("patel2019").replace(size=512, precision="bf16")


class Card:
    """A GPU's memory as the processes on it see it."""

    def __init__(self, total: int) -> None:
        self.free = self.total = total

    def process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be a new process from now on: it has nothing reserved yet."""
        own = {"reserved": 0}

        def empty(size, *, dtype, device):
            if size > self.free + own["reserved"]:
                raise torch.OutOfMemoryError
            taken = max(0, size - own["reserved"])
            own["reserved"] += taken
            self.free -= taken

        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (self.free, self.total))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: own["reserved"])
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 0)
        monkeypatch.setattr(torch, "empty", empty)


def test_two_runs_on_one_gpu_never_plan_with_more_than_it_has(monkeypatch):
    card, planned = Card(4 * 10**9), 0
    size = engine.bytes_of_cell(GPU, RECIPE, 512**2, 200)
    for _ in range(2):
        card.process(monkeypatch)
        batch = int(engine.batch_size(GPU, size) * size)
        memory.reserve(GPU, batch)
        planned += batch
    assert planned <= card.total


def test_a_second_batch_is_as_large_as_the_first(monkeypatch):
    card = Card(8 * 10**9)
    card.process(monkeypatch)
    size = engine.bytes_of_cell(GPU, RECIPE, 512**2, 200)
    first = engine.batch_size(GPU, size)
    memory.reserve(GPU, int(first * size))
    assert engine.batch_size(GPU, size) == first > 1


def test_a_reservation_that_does_not_fit_is_left_to_the_batch_itself(monkeypatch):
    Card(10).process(monkeypatch)
    memory.reserve(GPU, 100)


@pytest.fixture
def _two_gpus(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("_two_gpus")
def test_runs_with_auto_spread_over_the_gpus():
    # `take` keeps its answer for the process; without its cache each call is another process.
    assert [gpus.take.__wrapped__(2) for _ in range(5)] == [0, 1, 0, 1, 0]


@pytest.mark.usefixtures("_two_gpus")
def test_a_process_stays_on_its_gpu_beside_another():
    assert gpus.take.__wrapped__(2) == 0  # as another process would
    gpus.take.cache_clear()
    try:
        assert engine.choose_device() == engine.choose_device("auto") == torch.device("cuda:1")
    finally:
        gpus.take.cache_clear()


def test_an_apple_gpu_is_taken_only_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert engine.choose_device("mps") == torch.device("mps")
    assert engine.choose_device("auto") == torch.device("cpu")
    # Half of what macOS recommends is free: two images, by 0.7 of it.
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 6 * 10**9)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 3 * 10**9)
    assert engine.batch_size(torch.device("mps"), 10**9) == 2


def test_the_provenance_of_an_apple_gpu_has_the_macos_that_its_kernels_come_from(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    chip = SimpleNamespace(stdout="Apple M4 Pro\n")
    monkeypatch.setattr(subprocess, "run", lambda *given, **named: chip)
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.3.2", ("", "", ""), "arm64"))
    found = engine.describe_device(torch.device("mps"))
    assert (found["device"]["type"], found["device"]["name"]) == ("mps", "Apple M4 Pro")
    assert found["versions"]["macos"] == "15.3.2"
    assert "macos" not in engine.describe_device(torch.device("cpu"))["versions"]


@pytest.mark.parametrize("name", ["mps", "mps:0", "cpu:1:2"])
def test_a_device_that_is_not_there_is_refused_in_one_line(name):
    with pytest.raises(engine.DeviceError, match=f"--device {name}: (this machine has|should be auto, cpu)"):
        engine.choose_device(name)


def test_every_gpu_is_refused_in_one_line_where_there_is_none(monkeypatch, write_plan: PlanWriter, db):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CommandError, match="--device all: this machine has") as error:
        call_command("generate", str(write_plan()), "--device", "all")
    assert error.value.returncode == 2


@pytest.mark.slow
@pytest.mark.django_db
def test_generate_on_every_gpu_runs_one_process_for_each(monkeypatch, write_plan: PlanWriter):
    began: list[object] = []

    class Process:
        def __init__(self, pk, device, exact):
            self.device = device
            began.append((device, exact))

        def wait(self):
            began.append("waited")

        def account(self):
            return on_all_gpus.Account(2)

    monkeypatch.setattr(on_all_gpus, "Beside", Process)
    monkeypatch.setattr(engine, "all_gpus", lambda: ["cpu", "cuda:1", "cuda:2"])
    out = StringIO()
    call_command("generate", str(write_plan()), "--device", "all", "--exact", stdout=out)
    assert began == [("cuda:1", True), ("cuda:2", True), "waited", "waited"]
    assert ImageSet.objects.get().cells.get().status == Cell.Status.DONE
    assert "5 of them made now" in out.getvalue()


@pytest.mark.django_db
def test_a_process_beside_makes_what_waits(write_plan: PlanWriter):
    image_set = image_set_from_plan(load_plan(write_plan()))
    render.make_beside(image_set, device="cpu", exact=False)
    assert image_set.cells.get().status == Cell.Status.DONE


@pytest.mark.django_db
def test_a_batch_that_failed_is_out_of_memory_before_its_halves_are_made(write_plan: PlanWriter, monkeypatch):
    real = nst.transfer_batch
    failed: list[weakref.ref] = []

    def small_memory(jobs, **options):
        assert not any(ref() is not None for ref in failed)
        if len(jobs) > 1:
            activations = torch.empty(3)
            failed.append(weakref.ref(activations))
            raise torch.OutOfMemoryError
        return real(jobs, **options)

    monkeypatch.setattr(nst, "transfer_batch", small_memory)
    monkeypatch.setattr(engine, "batch_size", lambda device, size: 4)
    plan: Path = write_plan("[factors]\nratio = [0.01, 0.1, 0.2, 0.3]\n")
    gc.disable()
    try:
        assert render.render(image_set_from_plan(load_plan(plan))).done == 4
    finally:
        gc.enable()
    assert len(failed) == 3


@pytest.fixture
def _processes_beside(monkeypatch, media: Path):
    """Let spawned processes find the test's database and media."""
    for key, value in {
        "DJANGO_SETTINGS_MODULE": "nstsite.settings",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(django_settings.DATA_DIR),
        "MEDIA_ROOT": str(media),
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(key, value)


EIGHT = '[factors]\ncontent_layer = ["conv1_1", "conv3_1"]\nratio = [0.01, 0.1, 0.5, 1.0]\n'


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_processes_beside")
def test_two_processes_share_a_set_and_make_no_cell_twice(monkeypatch, write_plan: PlanWriter):
    image_set = image_set_from_plan(load_plan(write_plan(EIGHT)))
    monkeypatch.setattr(engine, "all_gpus", lambda: ["cpu", "cpu"])
    others: list[int] = []
    account = on_all_gpus.Beside.account

    def look(self):
        others.append(account(self).made)
        return on_all_gpus.Account(others[-1])

    def until_both_work(step: render.Step) -> None:
        ends = time.monotonic() + 300
        while image_set.cells.exclude(status=Cell.Status.WAITING).count() < 2 + step.done and not others:
            if time.monotonic() > ends or not image_set.cells.filter(status=Cell.Status.WAITING).exists():
                return
            time.sleep(0.05)

    monkeypatch.setattr(on_all_gpus.Beside, "account", look)
    summary = on_all_gpus.render_on_all(image_set, progress=until_both_work)
    assert (summary.done, summary.made, summary.troubles) == (8, 8, ())
    assert others[0] > 0
    assert all(cell.attempts == 1 for cell in image_set.cells.all())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_processes_beside")
def test_a_process_that_fails_is_reported_and_the_others_make_its_cells(
    monkeypatch, write_plan: PlanWriter, capsys
):
    monkeypatch.setattr(engine, "all_gpus", lambda: ["cpu", "cuda:7"])
    err = StringIO()
    call_command("generate", str(write_plan()), "--device", "all", stderr=err)
    assert "warning: cuda:7: DeviceError: --device cuda:7: this machine has" in err.getvalue()
    assert ImageSet.objects.get().cells.get().status == Cell.Status.DONE


def test_a_process_that_was_killed_is_reported_by_its_exit_code():
    beside = on_all_gpus.Beside.__new__(on_all_gpus.Beside)
    beside._device = "cuda:1"
    vars(beside).update(_accounts=SimpleNamespace(empty=lambda: True), _process=SimpleNamespace(exitcode=-9))
    assert beside.account().trouble == "cuda:1: its process ended with exit code -9"
