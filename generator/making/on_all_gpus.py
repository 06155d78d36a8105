"""Make an image set on all GPUs of the machine: one process for each GPU. They share the set by claims."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
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

    If a process fails or dies, the others make its cells, and the summary's `troubles` say so.

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
    with _beside(image_set.pk, others, exact) as processes:
        summary = render(image_set, device=first, exact=exact, progress=progress)
    accounts = [process.account() for process in processes]
    made = summary.made + sum(account.made for account in accounts)
    return replace(
        summary, made=made, troubles=tuple(account.trouble for account in accounts if account.trouble)
    )


@dataclass(frozen=True)
class Account:
    """What a process did: how many cells it made, and why it ended before its work did ("" if it did not)."""

    made: int = 0
    trouble: str = ""


class Beside:
    """A process that makes cells of a set on one device, beside this one."""

    def __init__(self, pk: int, device: str, exact: bool) -> None:
        # Spawned, not forked: CUDA fails after a fork.
        context = multiprocessing.get_context("spawn")
        self._device = device
        self._accounts = context.SimpleQueue()
        self._process = context.Process(target=_make, args=(pk, device, exact, self._accounts), name=device)
        self._process.start()

    def end(self) -> None:
        """Have it free its cells and end."""
        self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.join()

    def account(self) -> Account:
        """Return what it did, once it has ended."""
        if not self._accounts.empty():
            found: Account = self._accounts.get()
            return found
        return Account(trouble=f"{self._device}: its process ended with exit code {self._process.exitcode}")


@contextlib.contextmanager
def _beside(pk: int, devices: Sequence[str], exact: bool) -> Iterator[list[Beside]]:
    """Run one process for each device on the set. End the processes if interrupted."""
    processes = [Beside(pk, device, exact) for device in devices]
    try:
        yield processes
    except BaseException:
        for process in processes:
            process.end()
        raise
    finally:
        for process in processes:
            process.wait()


def _make(pk: int, device: str, exact: bool, accounts: SimpleQueue[Account]) -> None:
    """Make cells and tell how many; called in the started process."""
    django.setup()
    from generator.making.render import make_beside
    from generator.models import ImageSet

    try:
        accounts.put(Account(make_beside(ImageSet.objects.get(pk=pk), device=device, exact=exact)))
    except Exception as error:
        accounts.put(Account(trouble=f"{device}: {type(error).__name__}: {error}"))
