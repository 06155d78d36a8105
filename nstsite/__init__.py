"""The site: settings, URLs and health. This is the only place that defines the version.

This module imports nothing, so that any layer may read the version.
"""

from __future__ import annotations

__version__ = "0.1.0"
