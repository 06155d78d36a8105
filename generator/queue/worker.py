"""The process that checks plans from the browser and makes their images, one at a time.

There are two queues, so that a dry run does not wait for hours of images. A queue has at most one process on this
machine, by a lock (`generator.queue.process`). The process outlives the web server, and ends when no run waits.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from generator.models import Cell, ImageSet, PlanRun, Upload
from generator.queue import process
from generator.sets import claims

log = logging.getLogger(__name__)

State = PlanRun.State
SILENCE: Final = timedelta(minutes=15)
_DIED = "its process ended early (killed, or out of memory?); finished images are kept"
_ENDED = "its process was asked to end; finished images are kept"
_NO_PYTORCH = "this server makes no images: PyTorch is not installed on it (Help, “Run a server”, says how to install it)"
_OURS = "an error in the program, not in the plan; see the server's log"


@dataclass(frozen=True)
class Queue:
    """One kind of work. Runs go from state `waits` to `busy`, and to `dead` if the process dies."""

    waits: PlanRun.State
    busy: PlanRun.State
    dead: PlanRun.State
    work: Callable[[PlanRun], None]


def wake(name: str) -> None:
    """Record runs whose process died, and start a process if runs wait and none is at work."""
    lock = process.acquire(name)
    if lock is None:
        return
    try:
        queue = QUEUES[name]
        dead = _dead(queue)
        # Checked first: on SQLite even an UPDATE of no rows waits for every writer.
        if dead.exists():
            dead.update(state=queue.dead, problem=_DIED)
        waiting = PlanRun.objects.filter(state=queue.waits)
        if waiting.exists():
            if find_spec("torch") is None:
                waiting.update(state=queue.dead, problem=_NO_PYTORCH)
            else:
                _start(name, lock)
    finally:
        os.close(lock)


def _dead(queue: Queue) -> QuerySet[PlanRun]:
    """Return the queue's runs whose process is dead. The caller holds the queue's lock on this machine.

    A run on another machine (or container, whose name changes) counts as dead if it began long ago and no cell of
    its set is being made.
    """
    busy = PlanRun.objects.filter(state=queue.busy)
    silent = busy.filter(began__lt=Now() - SILENCE).exclude(image_set__cells__status=Cell.Status.RUNNING)
    return PlanRun.objects.filter(Q(pk__in=busy.filter(host=socket.gethostname())) | Q(pk__in=silent))


def work(name: str, lock: int | None = None) -> None:
    """Process a queue until no run waits or another process has the queue. `lock` is an inherited lock."""
    lock = process.acquire(name) if lock is None else lock
    while lock is not None:
        try:
            while run := _take(QUEUES[name]):
                QUEUES[name].work(run)
        finally:
            os.close(lock)
        # A run submitted while the lock was held started no process.
        waits = PlanRun.objects.filter(state=QUEUES[name].waits).exists()
        lock = process.acquire(name) if waits else None


def _start(name: str, lock: int) -> None:
    process.start(name, lock, "work", name)


def _take(queue: Queue) -> PlanRun | None:
    """Take the oldest waiting run, or return None."""
    while run := PlanRun.objects.filter(state=queue.waits).order_by("pk").first():
        taken = {"state": queue.busy, "host": socket.gethostname(), "began": Now()}
        if PlanRun.objects.filter(pk=run.pk, state=queue.waits).update(**taken):
            return run
    return None


def _look_through(run: PlanRun) -> None:
    from generator.making.dry_run import look_through
    from generator.plans.plan import load_plan

    with _ending(run, State.PLANNING, State.REFUSED), _laid_out(run) as path:
        found = look_through(load_plan(path, run.slug), owner=run.owner)
        _end(run, State.PLANNING, State.PLANNED, dry_run=asdict(found), title=found.title)


def _make(run: PlanRun) -> None:
    from generator.making.render import render, while_wanted
    from generator.queue import distributed

    with _ending(run, State.RUNNING, State.FAILED):
        image_set = run.image_set or _rows(run)
        if settings.GENERATOR_EXECUTOR == "procrastinate":
            if run.retries_failed:
                claims.retry_failed(image_set)
            distributed.enqueue(image_set)
        else:
            wanted = PlanRun.objects.filter(pk=run.pk, state=State.RUNNING)
            render(image_set, retry_failed=run.retries_failed, progress=while_wanted(wanted))
        _end(run, State.RUNNING, State.DONE)


def _rows(run: PlanRun) -> ImageSet:
    from generator.plans.document import PlanError
    from generator.plans.plan import load_plan
    from generator.sets.create import image_set_from_plan

    with _laid_out(run) as path:
        image_set = image_set_from_plan(load_plan(path, run.slug), owner=run.owner)
    try:
        PlanRun.objects.filter(pk=run.pk).update(image_set=image_set)
    except IntegrityError as error:
        raise PlanError(f'image set "{image_set.slug}" waits or is being made already') from error
    return image_set


QUEUES: Final = {
    "plans": Queue(State.NEW, State.PLANNING, State.REFUSED, _look_through),
    "sets": Queue(State.QUEUED, State.RUNNING, State.FAILED, _make),
}


@contextmanager
def _laid_out(run: PlanRun) -> Iterator[Path]:
    """Write the plan into a temporary folder with its owner's pictures; yield its path."""
    with tempfile.TemporaryDirectory(prefix=".plan-", dir=process.folder()) as name:
        folder = Path(name)
        for upload in Upload.objects.filter(owner=run.owner).select_related("source"):
            with upload.source.file.open() as file:
                (folder / upload.name).write_bytes(file.read())
        path = folder / f"{run.slug}.toml"
        path.write_text(run.plan, encoding="utf-8")
        yield path


@contextmanager
def _ending(run: PlanRun, busy: PlanRun.State, bad: PlanRun.State) -> Iterator[None]:
    """Record how the work on a run ended, if it failed."""
    from generator.files.images import ImageError
    from generator.making.engine import DeviceError
    from generator.making.render import TakenBack
    from generator.nst import NstError
    from generator.plans.document import PlanError

    try:
        yield
    except TakenBack:
        return
    except (PlanError, ImageError, DeviceError, NstError) as error:
        _end(run, busy, bad, problem=_without_folder(str(error)))
    except KeyboardInterrupt:
        _end(run, busy, bad, problem=_ENDED)
        raise
    except OSError as error:
        log.exception("run %s", run.pk)
        _end(run, busy, bad, problem=f"the server could not read or write: {error.strerror or error}")
    except Exception:
        log.exception("run %s", run.pk)
        _end(run, busy, bad, problem=_OURS)


def _end(run: PlanRun, busy: PlanRun.State, state: PlanRun.State, **more: Any) -> None:
    """End the busy state, unless somebody stopped or discarded the run meanwhile."""
    PlanRun.objects.filter(pk=run.pk, state=busy).update(state=state, **more)


def _without_folder(message: str) -> str:
    """Return a message with the owner's names of files."""
    folder = re.escape(f"{process.folder()}{os.sep}.plan-") + r"[^/\s:]*"
    return re.sub(folder, "your pictures", re.sub(folder + os.sep, "", message))
