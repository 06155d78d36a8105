#!/usr/bin/env python
"""The command line of the project; `python manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys

# Modules that requirements.txt adds to requirements-web.txt.
MAKING = {"torch", "torchvision", "skimage", "numba", "safetensors", "onnx", "h5py", "av"}


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nstsite.settings")
    try:
        from nstsite.command_line import CommandLine
    except ImportError as error:
        sys.exit(
            f"Django cannot be imported ({error}). Run `make setup`, then use .venv/bin/python manage.py ..."
        )
    try:
        CommandLine(sys.argv).execute()
    except ModuleNotFoundError as error:
        if error.name not in MAKING:
            raise
        sys.exit(
            f"This command makes images, which needs {error.name}, and it is not installed here: "
            "pip install -r requirements.txt && pip install --no-deps -r requirements-files.txt"
        )


if __name__ == "__main__":
    main()
