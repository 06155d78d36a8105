"""What the workers of a run make once: the first that needs it makes it, the others wait, which takes no processor."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name that all workers of the run share, filled by the first of them.

    Args:
        factory: pytest's, which knows the run's folder.
        name: What the folder is called.
        make: Fills an empty folder.
    """
    run = run_folder(factory)
    folder, unfinished = run / name, run / f"{name}-unfinished"
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of the run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
