"""Make an image set on all GPUs of the machine: one process for each GPU. They share the set by claims."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from generator.making.render import Listener, Summary
    from generator.models import ImageSet


def render_on_all(
    image_set: ImageSet,
    *,
    exact: bool = False,
    retry_failed: bool = False,
    progress: Listener | None = None,
) -> Summary:
    """Make a set as `render.render` does: in this process on the first GPU, and in one process on each other GPU.

    If a process dies, the others make its cells.

    Args:
        image_set: The set.
        exact: As in `render.render`.
        retry_failed: As in `render.render`.
        progress: As in `render.render`.

    Raises:
        Exception: As in `render.render`.
    """
    from generator.making import engine
    from generator.making.render import render
    from generator.sets import claims

    first, *others = engine.all_gpus()
    if retry_failed:
        claims.retry_failed(image_set)
    with _beside(image_set.pk, others, exact):
        return render(image_set, device=first, exact=exact, progress=progress)


@contextlib.contextmanager
def _beside(pk: int, devices: Sequence[str], exact: bool) -> Iterator[None]:
    """Run one process for each device on the set. End the processes if interrupted."""
    processes = [start(pk, device, exact) for device in devices]
    try:
        yield
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.join()


def start(pk: int, device: str, exact: bool) -> BaseProcess:
    """Start a process that makes cells of a set on one device."""
    # Spawned, not forked: CUDA fails after a fork.
    process = multiprocessing.get_context("spawn").Process(
        target=_make, args=(pk, device, exact), name=device
    )
    process.start()
    return process


def _make(pk: int, device: str, exact: bool) -> None:
    """Make cells; called in the started process."""
    django.setup()
    from generator.making.render import make_beside
    from generator.models import ImageSet

    make_beside(ImageSet.objects.get(pk=pk), device=device, exact=exact)
