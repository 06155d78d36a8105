"""Ratings files of every form: read right, refused with the reason, or read with a note."""

from __future__ import annotations
