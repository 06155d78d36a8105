"""What a result was computed by."""

from __future__ import annotations

import platform
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import scipy

_PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"


def computed_by() -> dict[str, Any]:
    """The program and the versions of what it computes with."""
    return {
        "program": f"nstsite {tomllib.loads(_PROJECT.read_text())['project']['version']}",
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (np, pd, scipy)},
        },
    }
