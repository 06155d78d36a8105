"""For every test with a database."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the tests that commit be cleaned up: on SQLite that deletes rows, which the audit log's trigger refuses.

    tests/survey/access/test_audit.py puts the trigger back for its own tests.
    """
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_delete")


@pytest.fixture
def audit_protected(db: None) -> None:
    """The audit log as a deployment has it, for one test."""
    migration = import_module("survey.migrations.0003_audit_log")
    with connection.cursor() as cursor:
        # A schema editor, as SQLite's own does not work within a test's transaction.
        migration.protect(None, SimpleNamespace(connection=connection, execute=cursor.execute))
