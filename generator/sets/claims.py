"""Claims of cells with a lease, so that parallel runs share a set and a dead run loses nothing.

A claim is one UPDATE; its count of rows says which run won. A live run renews its claims. Other runs free the claims
of a run that is dead (the kernel releases its lock on this machine) or silent for longer than the lease. Times come
from the database, because the clocks of hosts differ.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
import uuid
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from generator.models import Cell, ImageSet

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 3
_FREE: dict[str, Any] = {"claim_token": "", "claim_host": "", "claimed_at": None}


class Run:
    """One run of `render`, from start to end: claims cells, keeps its claims alive, frees them when it ends."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self.host = socket.gethostname()
        self._lock: int | None = None
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="claims", daemon=True)

    def __enter__(self) -> Self:
        path = _lock_path(self.token)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewer.join()
        assert self._lock is not None  # noqa: S101
        try:
            # The cells are not to blame, so the attempt does not count.
            self._mine().update(status=Cell.Status.WAITING, attempts=F("attempts") - 1, **_FREE)
            _lock_path(self.token).unlink(missing_ok=True)
        finally:
            os.close(self._lock)

    def claim(self, cell: Cell) -> bool:
        """Claim a waiting cell; False if another run was faster or makes the same key for another set."""
        try:
            with transaction.atomic():
                won = Cell.objects.filter(pk=cell.pk, status=Cell.Status.WAITING).update(
                    status=Cell.Status.RUNNING,
                    claim_token=self.token,
                    claim_host=self.host,
                    claimed_at=Now(),
                    attempts=F("attempts") + 1,
                )
        except IntegrityError:
            return False
        # Checked after the claim: from now on no other run can finish the same key unnoticed.
        return bool(won) and not self._adopted(cell)

    def finish(self, cell: Cell, **made: Any) -> bool:
        """Save what was made; False, with nothing saved, if the claim was lost meanwhile."""
        fields = made | _FREE | {"status": Cell.Status.DONE, "made_at": Now()}
        return bool(self._mine().filter(pk=cell.pk).update(**fields))

    def fail(self, cell: Cell, reason: str) -> bool:
        """Mark a cell as failed with the reason."""
        return bool(self._mine().filter(pk=cell.pk).update(status=Cell.Status.FAILED, reason=reason, **_FREE))

    def _mine(self) -> Any:
        return Cell.objects.filter(status=Cell.Status.RUNNING, claim_token=self.token)

    def _adopted(self, cell: Cell) -> bool:
        twin = Cell.objects.filter(key=cell.key, status=Cell.Status.DONE).first()
        return twin is not None and bool(self._mine().filter(pk=cell.pk).update(**_as_made(twin), **_FREE))

    def _renew(self) -> None:
        while not self._ended.wait(LEASE.total_seconds() / 4):
            try:
                self._mine().update(claimed_at=Now())
            except DatabaseError as error:
                log.warning("claims not renewed, trying again: %s", error)
        connections.close_all()


def _lock_path(token: str) -> Path:
    return Path(settings.DATA_DIR) / "runs" / token


def _as_made(twin: Cell) -> dict[str, Any]:
    names = ("image", "width", "height", "sha256", "made_at", "provenance", "covariates")
    return {"status": Cell.Status.DONE, "reason": ""} | {name: getattr(twin, name) for name in names}


def adopt(image_set: ImageSet) -> int:
    """Give waiting and failed cells the image of the same key from another set; return how many."""
    open_cells = image_set.cells.filter(status__in=[Cell.Status.WAITING, Cell.Status.FAILED])
    twins = Cell.objects.filter(status=Cell.Status.DONE, key__in=open_cells.values("key"))
    return sum(open_cells.filter(key=twin.key).update(**_as_made(twin)) for twin in twins)


def free_abandoned() -> None:
    """Free the cells whose run is dead. A cell fails after MAX_ATTEMPTS dead runs."""
    running = Cell.objects.filter(status=Cell.Status.RUNNING)
    here = running.filter(claim_host=socket.gethostname()).values_list("claim_token", flat=True).distinct()
    for token in [token for token in here if _is_dead(token)]:
        _free(running.filter(claim_token=token))
        _lock_path(token).unlink(missing_ok=True)
    _free(running.filter(claimed_at__lt=Now() - LEASE))


def _free(cells: Any) -> None:
    reason = f"the run that made it ended in the middle, {MAX_ATTEMPTS} times (out of memory?)"
    cells.filter(attempts__gte=MAX_ATTEMPTS).update(status=Cell.Status.FAILED, reason=reason, **_FREE)
    cells.filter(attempts__lt=MAX_ATTEMPTS).update(status=Cell.Status.WAITING, **_FREE)


def _is_dead(token: str) -> bool:
    """Return whether the run's lock exists and nobody holds it. Without a lock the lease decides."""
    try:
        lock = os.open(_lock_path(token), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def retry_failed(image_set: ImageSet) -> int:
    """Set failed cells back to waiting, with all attempts available; return how many."""
    failed = image_set.cells.filter(status=Cell.Status.FAILED)
    return failed.update(status=Cell.Status.WAITING, reason="", attempts=0)
