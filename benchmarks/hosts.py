"""Many hosts on one machine: `python -m benchmarks.hosts [--people 8]`, as root, with nginx, PostgreSQL and `ip netns`.

Two web hosts behind one nginx, PostgreSQL, an object store and two image workers, each in a network namespace of its
own, as `deploy/compose.yaml` and `deploy/nginx/` lay them out. While people rate and the workers make images, each host
loses its power in turn: its line goes dead and its processes are killed at once; then it comes back. Afterwards every
acknowledged answer and every image is looked up. Prints Markdown and writes benchmarks/results/hosts.md. It exits with 1
where anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.bots import Tally, crowd, play
from benchmarks.object_store import BUCKET, KEYS
from benchmarks.site import ROOT, Site
from survey.simulation.client import Browser
from tests import postgres
from tests.faults.test_distributed import CELLS as IMAGES_ASKED
from tests.faults.test_distributed import write_plan
from tests.programs import POSTGRESQL

RESULT: Final = ROOT / "benchmarks/results/hosts.md"
#: Host -> last part of its address.
HOSTS: Final = {"front": 1, "database": 2, "store": 3, "web1": 11, "web2": 12, "worker1": 21, "worker2": 22}
NETWORK: Final = "10.77.0"
SLUG: Final = "load"
IMAGES: Final = 12
#: Evaluations of each cell: enough work for the workers to be killed at it.
EVALUATIONS: Final = 60
DOWN: Final = 5.0
PATIENCE: Final = 180


Row = tuple[str, int, int, float]


def address(host: str) -> str:
    """Return a host's address."""
    return f"{NETWORK}.{HOSTS[host]}"


class Network:
    """Hosts on one switch, each a network namespace. It is nobody else's: no other namespace is connected."""

    def __init__(self, name: str) -> None:
        self.name = name

    def namespace(self, host: str) -> str:
        """Return the name of a host's namespace."""
        return f"{self.name}-{host}"

    def make(self) -> None:
        """Make the namespaces and their lines to the switch."""
        switch = self.namespace("switch")
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for host in HOSTS:
            space = self.namespace(host)
            _ip("netns", "add", space)
            _ip("-n", switch, "link", "add", host, "type", "veth", "peer", "name", "line", "netns", space)
            _ip("-n", switch, "link", "set", host, "master", "bridge", "up")
            _ip("-n", space, "addr", "add", f"{address(host)}/24", "dev", "line")
            for device in ("lo", "line"):
                _ip("-n", space, "link", "set", device, "up")

    def remove(self) -> None:
        """Kill what still runs on the hosts, and remove them."""
        for host in ("switch", *HOSTS):
            self.kill(host)
            subprocess.run(
                ["ip", "netns", "del", self.namespace(host)], check=False, stderr=subprocess.DEVNULL
            )

    def command(self, host: str, *words: str) -> list[str]:
        """Return a command as it runs on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *words]

    def kill(self, host: str) -> None:
        """Kill every process of a host but those of this program."""
        found = subprocess.run(
            ["ip", "netns", "pids", self.namespace(host)], capture_output=True, text=True, check=False
        )
        for pid in set(map(int, found.stdout.split())) - {os.getpid()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def line(self, host: str, state: str) -> None:
        """Set a host's line `up` or `down`: nothing reaches it, and nobody is told."""
        _ip("-n", self.namespace("switch"), "link", "set", host, state)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Database(postgres.Server):
    """PostgreSQL on its host."""

    def __init__(self, folder: Path, network: Network) -> None:
        bin_folder = POSTGRESQL.find()
        if bin_folder is None:
            raise RuntimeError(POSTGRESQL.missing)
        super().__init__(folder, Path(bin_folder))
        self.url = self.url.replace("127.0.0.1", address("database"))
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0/24 trust\n")
        self._as = [*network.command("database"), *self._as]
        self._settings = ("-c", f"listen_addresses={address('database')}", "-c", "max_connections=100")


class Layout:
    """What runs on each host, and how it starts."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder, self.network = folder, network
        (folder / "database").mkdir()
        self.database = Database(folder / "database", network)
        self.site = Site(folder, self.database.url)
        self.site.env |= KEYS | {
            "MEDIA_S3_BUCKET": BUCKET, "MEDIA_S3_ENDPOINT": f"http://{address('store')}:9000",
            "SECRET_KEY": "of all hosts alike, and for this test alone", "TRUSTED_PROXIES": "1",
            "ALLOWED_HOSTS": f"127.0.0.1,{address('web1')},{address('web2')}",
            "GENERATOR_EXECUTOR": "procrastinate",
        }  # fmt: skip
        self._log = (folder / "log").open("ab")

    def start(self, host: str) -> None:
        """Start what a host runs."""
        if host == "database":
            self.database.start()
        elif host == "store":
            self._run(
                host, "-m", "benchmarks.object_store", str(self.folder / "objects"), address(host), "9000"
            )
        elif host == "front":
            self._popen(self.network.command(host, "nginx", "-c", str(self._nginx())))
        elif host.startswith("web"):
            bind = f"{address(host)}:8000"
            more = "--workers 1 --log-level error"
            self._run(host, "-m", "gunicorn", "nstsite.wsgi", "--bind", bind, *more.split())
        else:
            self._run(host, "manage.py", *["procrastinate", "worker", "-q", "images", "--concurrency", "1"])

    def _run(self, host: str, *words: str) -> None:
        # As systemd does: what ends is started again.
        again = ("sh", "-c", 'while :; do "$@"; sleep 1; done', "again")
        self._popen(self.network.command(host, *again, sys.executable, *words), self._env(host))

    def _popen(self, command: list[str], env: dict[str, str] | None = None) -> None:
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=self._log, stderr=self._log)

    def _env(self, host: str) -> dict[str, str]:
        """Return the settings of a host: those of all, and a data folder of its own."""
        data = self.folder / host
        if host == "store":
            return self.site.env
        if not data.exists():
            shutil.copytree(self.site.env["DATA_DIR"], data)
        return self.site.env | {"DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "nstsite.settings"}

    def _nginx(self) -> Path:
        """Return the file of `deploy/nginx/` for these hosts, without TLS."""
        text = (ROOT / "deploy/nginx/nstsite.conf").read_text()
        text = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", text, flags=re.S)
        text = re.sub(r"    (listen|ssl_\w+|access_log|error_log|server_name) [^\n]*\n", "", text)
        text = text.replace(
            "server 127.0.0.1:8000;", f"server {address('web1')}:8000; server {address('web2')}:8000;"
        )
        text = text.replace("server {\n", "server {\n    listen 127.0.0.1:8000;\n    access_log off;\n", 1)
        text = text.replace("/etc/nginx/nstsite-proxy.conf", str(ROOT / "deploy/nginx/nstsite-proxy.conf"))
        temporary = " ".join(
            f"{kind}_temp_path {self.folder}/nginx-{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        place = self.folder / "nginx.conf"
        place.write_text(
            f"user root; daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log emerg;\n"
            f"events {{}}\nhttp {{\n{temporary}\n{text}\n}}\n"
        )
        return place

    def lose(self, host: str) -> None:
        """Take a host's power."""
        if host != "front":
            self.network.line(host, "down")
            self.network.kill(host)
        else:
            # The people are on this host too.
            master = int((self.folder / "nginx.pid").read_text())
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            for pid in (master, *map(int, children)):
                os.kill(pid, signal.SIGKILL)

    def bring_back(self, host: str) -> None:
        """Give a host its power back."""
        if host != "front":
            self.network.line(host, "up")
        self.start(host)


async def _wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("waited too long")
        await asyncio.sleep(0.2)


async def harm(layout: Layout, host: str, people: int) -> tuple[Tally, float]:
    """Let people rate, take one host away and bring it back; return what they saw and their longest wait in seconds."""
    tally, is_over = Tally(), asyncio.Event()
    act = partial(play, 8000, SLUG, tally, lambda: not is_over.is_set(), 0.3, retry=True)
    bots = asyncio.create_task(crowd(people, act))

    async def served(more: int) -> None:
        wanted = len(tally.acknowledged) + more
        await _wait(lambda: len(tally.acknowledged) >= wanted)

    await served(2 * people)
    await asyncio.to_thread(layout.lose, host)
    await asyncio.sleep(DOWN)
    await asyncio.to_thread(layout.bring_back, host)
    await served(4 * people)
    is_over.set()
    await asyncio.wait_for(bots, PATIENCE)
    if host.startswith("web"):
        await _healthy(address(host))
    return tally, max(tally.seconds)


async def _healthy(host: str, path: str = "/healthz") -> None:
    """Wait until a host serves: the next one is harmed once all are there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, EOFError):
            if (await Browser(8000, host).ask("GET", path))[0] == 200:
                return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"{host} does not serve")


def inside(name: str, people: int) -> int:
    """Run the hosts, harm each, and report. It runs on the host `front`, where the people are."""
    with tempfile.TemporaryDirectory(prefix="nstsite-hosts-") as temporary:
        folder = Path(temporary)
        # The database's own user looks for its folder.
        folder.chmod(0o755)
        layout = Layout(folder, Network(name))
        (folder / "objects").mkdir()
        for host in ("database", "store"):
            layout.start(host)
        layout.site.publish(SLUG, IMAGES)
        for host in ("web1", "web2", "worker1", "worker2", "front"):
            layout.start(host)
        for host in ("web1", "web2", "front"):
            asyncio.run(_healthy("127.0.0.1" if host == "front" else address(host), "/readyz"))
        rows: list[Row] = []
        kept: list[str] = []
        plan = write_plan(folder / "plan", EVALUATIONS)
        command = [sys.executable, "manage.py", "generate", str(plan), "--distributed"]
        # It waits for its images, and ends where the database goes away: the workers make them all the same.
        subprocess.Popen(
            command, cwd=ROOT, env=layout.site.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        asyncio.run(_wait(lambda: bool(_cells(layout.database.url))))
        for host in ("worker1", "web1", "store", "web2", "database", "front", "worker2"):
            tally, longest = asyncio.run(harm(layout, host, people))
            kept += tally.acknowledged
            rows.append((host, len(tally.acknowledged), len(tally.errors), longest))
            print(_line(rows[-1]), flush=True)
        asyncio.run(_wait(lambda: _cells(layout.database.url).keys() <= {"done", "failed"}))
        cells = _cells(layout.database.url)
        made, files = cells.get("done", (0, 0))
        lost, doubled = layout.site.missing(kept)
        layout.database.stop()
    text = (
        f"{os.cpu_count()} cores for all hosts and the people (load {os.getloadavg()[0]:.1f}). {people} people rated at once through nginx. {len(kept)} acknowledged answers: {lost} lost, "
        f"{doubled} doubled. Images asked of the workers: {IMAGES_ASKED}; made: {made}, each in a file of its own: {files}.\n\n"
        "| host that lost its power for 5 s | answers acknowledged | sent again | longest wait for one |\n"
        "| --- | --- | --- | --- |\n" + "\n".join(map(_line, rows)) + "\n"
    )
    print(text)
    RESULT.write_text(text)
    return int(bool(lost or doubled) or (made, files) != (IMAGES_ASKED, IMAGES_ASKED))


def _line(row: Row) -> str:
    host, acknowledged, errors, longest = row
    return f"| {host} | {acknowledged} | {errors} | {longest:.1f} s |"


def _cells(url: str) -> dict[str, tuple[int, int]]:
    """Return {state: (cells, files)}."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT status, count(*), count(DISTINCT image) FROM generator_cell GROUP BY status"
        ).fetchall()
    return {status: (count, files) for status, count, files in found}


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Make the hosts for as long as the context lasts."""
    made = Network(f"nst{os.getpid()}")
    try:
        made.make()
        yield made
    finally:
        made.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=8, help="bots at once")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        sys.exit(inside(asked.inside, asked.people))
    if os.getuid() or not (shutil.which("ip") and shutil.which("nginx")):
        parser.error("needs root, iproute2 and nginx: apt-get install iproute2 nginx-light")
    with network() as made:
        again = [
            sys.executable,
            "-m",
            "benchmarks.hosts",
            "--inside",
            made.name,
            "--people",
            str(asked.people),
        ]
        sys.exit(subprocess.run(made.command("front", *again), cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
