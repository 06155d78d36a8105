"""What `manage.py check` says of the generator's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connection


@register("generator")
def executor_fits_database(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an unknown executor, and the task queue without the database that carries it."""
    executor = settings.GENERATOR_EXECUTOR
    if executor not in ("local", "procrastinate"):
        return [Error(f"GENERATOR_EXECUTOR={executor!r}: use local or procrastinate", id="generator.E001")]
    if executor == "procrastinate" and connection.vendor != "postgresql":
        return [
            Error(
                f"GENERATOR_EXECUTOR=procrastinate needs PostgreSQL, not {connection.vendor}",
                hint="set DATABASE_URL=postgres://..., or GENERATOR_EXECUTOR=local",
                id="generator.E002",
            )
        ]
    return []
