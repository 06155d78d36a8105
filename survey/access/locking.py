"""Rows that are changed: locked, and still there."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Manager, Model
from django.shortcuts import get_object_or_404

Row = TypeVar("Row", bound=Model)


def locked(rows: Manager[Row], pk: int) -> Row:
    """Return a row, locked until the transaction ends.

    Raises:
        Http404: It went away after it was looked up: somebody else, or a second click, was faster.
    """
    return get_object_or_404(rows.select_for_update(), pk=pk)
