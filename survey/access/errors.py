"""Errors that the desk shows to the person who asked for a change."""

from __future__ import annotations


class DeskError(ValueError):
    """A change that is not possible; the one-line message is for the user."""
