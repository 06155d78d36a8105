"""The program and versions behind a result."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pandas as pd
import scipy

from nstsite import __version__


def computed_by() -> dict[str, Any]:
    """Return the program, its version and those of its libraries."""
    return {
        "program": f"nstsite {__version__}",
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (np, pd, scipy)},
        },
    }
