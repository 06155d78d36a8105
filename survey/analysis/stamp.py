"""What a result was computed by."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pandas as pd
import scipy

from nstsite import __version__


def computed_by() -> dict[str, Any]:
    """Return the program and the versions of what it computes with."""
    return {
        "program": f"nstsite {__version__}",
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (np, pd, scipy)},
        },
    }
