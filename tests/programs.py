"""The programs that tests need beside Python: Chromium and PostgreSQL, found or installed.

    python -m tests.programs      installs what is missing, and always exits with 0

A program that cannot be installed fails the tests that need it, not the others: their message is its `missing`.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.install import step
from survey.doctor import browser_path

# Seconds to wait for the host of Playwright's browsers.
HOST_TIMEOUT = 5
PLAYWRIGHT_HOST = "https://cdn.playwright.dev"
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=120", "-q")

_PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)


def find_chromium() -> str | None:
    """Return the path of a browser that starts: $CHROMIUM, one on PATH, or the one that Playwright installed."""
    if (path := browser_path()) and _starts(path):
        return path
    # In a process of its own: Playwright cannot be started twice in one.
    found = subprocess.run(
        [sys.executable, "-c", _PLAYWRIGHT_PATH], capture_output=True, text=True, check=False
    )
    path = found.stdout.strip()
    return path if path and _starts(path) else None


def find_driver() -> str | None:
    """Return how Playwright is started, if its own Node starts: a bare Debian lacks a library of it."""
    driver = [sys.executable, "-m", "playwright"]
    done = subprocess.run([*driver, "--version"], capture_output=True, check=False)
    return " ".join(driver) if done.returncode == 0 else None


def find_postgresql() -> str | None:
    """Return the folder of the newest PostgreSQL's programs, or None."""
    if found := shutil.which("initdb"):
        return str(Path(found).resolve().parent)
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return str(versions[-1]) if versions else None


def _starts(path: str) -> bool:
    """Say whether a browser runs: Playwright's own lacks system libraries on a bare machine."""
    try:
        return (
            subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass(frozen=True)
class Program:
    """A program, how to find it, and the Debian packages that bring it, or else the `fallback`."""

    name: str
    find: Callable[[], str | None]
    packages: tuple[str, ...]
    otherwise: str = ""
    fallback: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """The one line for whoever lacks the program."""
        how = f"as root, apt-get install {' '.join(self.packages)}"
        return f"{self.name} is not installed: {how}{self.otherwise}"


CHROMIUM = Program(
    "Chromium",
    find_chromium,
    ("chromium-headless-shell", "fonts-liberation"),
    "; or .venv/bin/playwright install --with-deps chromium; or set CHROMIUM=/path/to/it",
    fallback=("chromium", "fonts-liberation"),
)
DRIVER = Program("Playwright's library", find_driver, ("libatomic1",))
POSTGRESQL = Program("PostgreSQL", find_postgresql, ("postgresql",))
PROGRAMS = (DRIVER, CHROMIUM, POSTGRESQL)
R = Program(
    "R",
    lambda: shutil.which("Rscript"),
    ("r-base-core", "r-cran-lme4", "r-cran-ordinal", "r-cran-psych"),
)
"""Not among `PROGRAMS`: it takes long to install. Tests that need it are skipped without it; CI installs it."""
HEADLESS_SHELL = Program(
    "Chromium without a window", lambda: shutil.which("chromium-headless-shell"), CHROMIUM.packages
)
"""CI installs it beside another Chromium, as it takes half of the processor time."""


def require(program: Program) -> str:
    """Return where a program is, or fail the test with the one line that says how to get it."""
    # A failure, not a skip: the tests that need a program prove what no other test does.
    return program.find() or pytest.fail(program.missing, pytrace=False)


def require_browser() -> str:
    """Return the path of the browser, or fail the test with the one line that says what is missing."""
    require(DRIVER)
    return require(CHROMIUM)


def install(program: Program) -> bool:
    """Find or install a program; return whether it is there."""
    if program.find():
        return True
    if program is CHROMIUM and _playwright_reachable():
        playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
        if step("Chromium by Playwright", playwright) and program.find():
            return True
    root = _root_prefix()
    if root is not None and shutil.which("apt-get"):
        apt = (*root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *APT)
        apt_install = [*apt, "install", "-y", "--no-install-recommends"]
        if update(apt):
            for packages in filter(None, (program.packages, program.fallback)):
                if step(f"{program.name} by apt-get", [*apt_install, *packages]):
                    break
    return program.find() is not None


@functools.cache
def update(apt: tuple[str, ...]) -> bool:
    """Let apt-get read which packages there are, once for all programs; return whether it could."""
    return step("Debian's list of packages", [*apt, "update"])


def _playwright_reachable() -> bool:
    """Say whether the host of Playwright's browsers answers, whatever it answers."""
    host = os.environ.get("PLAYWRIGHT_DOWNLOAD_HOST", PLAYWRIGHT_HOST)
    try:
        request = urllib.request.Request(host, method="HEAD")  # noqa: S310
        urllib.request.urlopen(request, timeout=HOST_TIMEOUT).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _root_prefix() -> list[str] | None:
    """Return what runs a command as root without a question, or None."""
    if os.getuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if (
        shutil.which("sudo")
        and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    ):
        return sudo
    return None


def main() -> None:
    """Install each program; a line on standard error for each that could not be."""
    for program in PROGRAMS:
        if not install(program):
            print(f"{program.missing}. The tests that need it will fail.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
