"""Exports of rated studies, each made once for all tests that only read it."""

from __future__ import annotations

import pytest

from survey.exports.files import all_files
from survey.results.collect import collect
from survey.results.export import Export
from tests.survey.exports.studies import TWO_QUESTIONS, nasty_picture, rated_study


@pytest.fixture(scope="session")
def exports(django_db_setup, django_db_blocker) -> dict[str, Export]:
    """One study of one question with a nasty name in it, and one of two questions."""
    from django.db import transaction

    made = {}
    with django_db_blocker.unblock(), transaction.atomic():
        made["one"] = collect(rated_study(slug="one", extra=[nasty_picture()]))
        made["two"] = collect(rated_study(TWO_QUESTIONS, slug="two", seed=1))
        for export in made.values():
            # Read when first asked for, which must be while the study is there.
            assert len(export.settings)
        transaction.set_rollback(True)
    return made


@pytest.fixture
def export(exports: dict[str, Export]) -> Export:
    """The study of one question."""
    return exports["one"]


@pytest.fixture
def export_of_two(exports: dict[str, Export]) -> Export:
    """The study of two questions."""
    return exports["two"]


@pytest.fixture(scope="session")
def files(exports) -> dict[str, bytes]:
    """All files of the study of one question."""
    return dict(all_files(exports["one"]))
