"""One background process of a name on this machine, by a lock that it inherits.

The web process takes the lock and passes it to the process that it starts. The kernel frees it when that process
ends, for any reason. The process outlives the web server.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings


def acquire(name: str) -> int | None:
    """Acquire and return the lock of a name, or return None if another process holds it."""
    path = folder() / f"{name}.lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def start(name: str, lock: int, *command: str) -> None:
    """Start `manage.py COMMAND --lock LOCK` in a new session, with the lock and a log file."""
    with (folder() / f"{name}.log").open("ab") as output:
        subprocess.Popen(  # noqa: S603 - no argument comes from users
            [sys.executable, "manage.py", *command, "--lock", str(lock)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            start_new_session=True,
        )


def wake(name: str, command: str, waits: Callable[[], bool]) -> None:
    """Start a command if something `waits` for it and no process of the name is at work; it is asked with the lock held."""
    lock = acquire(name)
    if lock is None:
        return
    try:
        if waits():
            start(name, lock, command)
    finally:
        os.close(lock)


def work_off(name: str, lock: int | None, do_all: Callable[[], None], waits: Callable[[], bool]) -> None:
    """Do all that waits until nothing does, or another process does it. `lock` is an inherited lock."""
    lock = acquire(name) if lock is None else lock
    while lock is not None:
        try:
            do_all()
        finally:
            os.close(lock)
        # What was asked for while the lock was held started no process.
        lock = acquire(name) if waits() else None


def folder() -> Path:
    """Return the folder of locks, logs and temporary files of background processes."""
    path = Path(settings.DATA_DIR) / "runs"
    path.mkdir(parents=True, exist_ok=True)
    return path
