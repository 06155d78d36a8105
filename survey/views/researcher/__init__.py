"""The researcher's pages: thin; each finds its study by `survey.access` and calls one function."""

from __future__ import annotations
