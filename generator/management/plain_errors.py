"""Errors of the generator on the command line: one line, exit 2 for bad input, 1 for failed work."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError

from generator.files.images import ImageError
from generator.making.engine import DeviceError
from generator.plans.document import PlanError
from generator.sets.folder import FolderError
from generator.sets.sheets import SheetError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the generator's own errors into CommandError. Others are mistakes in the program, and pass."""
    from generator.nst import NstError

    try:
        yield
    except (PlanError, ImageError, SheetError, FolderError, DeviceError, NstError) as error:
        raise CommandError(str(error), returncode=2) from error
    except OSError as error:
        raise CommandError(
            f"{error.filename or 'media store'}: {error.strerror or error}", returncode=1
        ) from error


@contextmanager
def stops_on_request() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does: claims are freed, and the command exits with 130 and one line."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        line = "stopped: finished images are kept; run the same command again to continue"
        raise CommandError(line, returncode=130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
