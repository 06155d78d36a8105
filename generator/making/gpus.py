"""The choice among several GPUs, so that parallel runs do not all use the first."""

from __future__ import annotations

import fcntl
import functools
import os
from itertools import count as numbers

from django.conf import settings


@functools.cache
def take(count: int) -> int:
    """Return the number of the GPU, of `count`, that the fewest processes of this installation use.

    The process keeps it until it ends. Then the system releases its locks.
    """
    if count == 1:
        return 0
    folder = settings.DATA_DIR / "gpus"
    folder.mkdir(parents=True, exist_ok=True)
    for round_ in numbers():
        for number in range(count):
            file = os.open(folder / f"{number}-{round_}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
            else:
                return number
    raise AssertionError  # numbers() is infinite
