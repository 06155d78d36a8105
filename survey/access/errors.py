"""The error of a change that is not possible: raised by services, shown in one line by the desk or a command."""

from __future__ import annotations


class DeskError(ValueError):
    """A change that is not possible; the one-line message is for the user."""
