"""A PostgreSQL server of one's own in a scratch folder: for the suite, the fault tests and the load benchmark.

    python -m tests.postgres COMMAND ...     runs COMMAND with DATABASE_URL pointing at a fresh server, which never waits
                                             for the disk: not for benchmarks

PostgreSQL refuses to run as root, so root starts it as the user `postgres` (Debian's package makes that user).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.programs import POSTGRESQL

USER = "nstsite"
SETTINGS = ("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-c", "shared_buffers=128MB")
# The fault tests, which kill the server, and the benchmarks have it as durable as in production. The suite loses its data anyway.
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class Server:
    """One server on a free port of 127.0.0.1; `url` is what DATABASE_URL takes."""

    def __init__(self, folder: Path, bin_folder: Path, settings: tuple[str, ...] = SETTINGS) -> None:
        self.data = folder / "data"
        self.bin = bin_folder
        self.port = free_port()
        self.url = f"postgres://{USER}@127.0.0.1:{self.port}/postgres"
        self._log = folder / "log"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._as: list[str] = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres")
        initdb = [
            f"{self.bin}/initdb",
            "-D",
            str(self.data),
            "-U",
            USER,
            "-E",
            "UTF8",
            "--no-locale",
            "-A",
            "trust",
        ]
        subprocess.run([*self._as, *initdb], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            f"{self.bin}/postgres",
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-k",
            "",
            *self._settings,
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*self._as, *command], cwd=self.data, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self.answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The server's first process, whose children are the others."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def answers(self) -> bool:
        """Say whether a client is let in."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Shut down, clients or no clients."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End every process of the server with SIGKILL, as a failing host would."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        postmaster = self.pid
        children = _children(postmaster) if number == signal.SIGKILL else []
        for pid in [postmaster, *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        self._process.wait(timeout=30)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(settings: tuple[str, ...] = SETTINGS) -> Iterator[Server]:
    """Run a fresh server for as long as the context lasts. Raises RuntimeError where PostgreSQL is not installed."""
    if (bin_folder := POSTGRESQL.find()) is None:
        raise RuntimeError(POSTGRESQL.missing)
    folder = Path(tempfile.mkdtemp(prefix="nstsite-postgres-"))
    try:
        postgres = Server(folder, Path(bin_folder), settings)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if POSTGRESQL.find() is None:
        sys.exit(POSTGRESQL.missing)
    with server(SETTINGS + NOT_DURABLE) as running:
        sys.exit(
            subprocess.run(
                sys.argv[1:], env=os.environ | {"DATABASE_URL": running.url}, check=False
            ).returncode
        )
