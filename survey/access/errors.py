"""Errors that the desk shows to the person who asked for a change."""

from __future__ import annotations


class DeskError(ValueError):
    """A change that cannot be made; the message is one line for the person who asked for it."""
