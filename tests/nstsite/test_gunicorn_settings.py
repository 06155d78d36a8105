"""What the production server's settings set, and that what it leaves behind when it is killed goes at its next start."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.site import Site

ROOT = Path(__file__).parents[2]


def test_folders_of_killed_servers_go_and_those_of_living_ones_stay(tmp_path, monkeypatch):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    gone, living, strange = (
        tmp_path / f"nstsite-latency-{name}"
        for name in (f"{dead.stdout.strip()}-a", f"{os.getppid()}-b", "x")
    )
    for folder in (gone, living, strange):
        folder.mkdir()
        (folder / "counter.db").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert settings["control_socket_disable"]
    own = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert own.parent == tmp_path
    assert [folder.exists() for folder in (gone, living, strange)] == [False, True, True]


@pytest.fixture
def settings_where(tmp_path, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Read the settings where the host sets a variable, or does not."""

    def read(name: str, value: str | None) -> dict[str, Any]:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
        monkeypatch.setenv(name, value or "")
        if value is None:
            monkeypatch.delenv(name)
        return runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    return read


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("4", "4")])
def test_linear_algebra_has_one_thread_unless_the_host_says_otherwise(settings_where, given, used):
    settings_where("OPENBLAS_NUM_THREADS", given)
    assert os.environ["OPENBLAS_NUM_THREADS"] == used


@pytest.mark.parametrize(("given", "used"), [(None, 2), ("", 2), ("5", 5)])
def test_two_processes_answer_unless_the_host_says_otherwise(settings_where, given, used):
    assert settings_where("WEB_CONCURRENCY", given)["workers"] == used


def test_processes_and_threads_are_set_in_one_file():
    """The command lines would override it."""
    for name in ("Makefile", "deploy/Containerfile", "deploy/systemd/nstsite.service"):
        text = (ROOT / name).read_text()
        assert "gunicorn nstsite.wsgi" in text.replace('", "', " ")
        assert not re.search("--(workers|threads|worker-class|keep-alive|max-requests)", text)


def listening(pid: int) -> set[str]:
    """Return what a process listens on: `port N`, or the name of a socket of this machine."""
    own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    tcp = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    ports = {
        f"port {int(row[1].rpartition(':')[2], 16)}"
        for row in tcp
        if row[3] == "0A" and f"socket:[{row[9]}]" in own
    }
    # The flag of a socket that accepts connections.
    return ports | {
        " ".join(row[7:]) for row in unix if int(row[3], 16) & 0x10000 and f"socket:[{row[6]}]" in own
    }


@pytest.mark.slow
def test_the_server_opens_no_other_socket(tmp_path):
    with Site(tmp_path, None).serve(workers=1) as (port, master):
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        assert len(children) == 1
        for pid in (master, *map(int, children)):
            assert listening(pid) == {f"port {port}"}
