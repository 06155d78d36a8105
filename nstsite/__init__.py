"""The site: settings, addresses, health. Its version is defined here and nowhere else.

This module imports nothing, so that any layer may read the version.
"""

from __future__ import annotations

__version__ = "0.1.0"
