"""Exports of rated studies, each made once for all tests that only read it."""

from __future__ import annotations

from typing import BinaryIO

import pytest
from matplotlib.figure import Figure

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


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are composed, but their files are empty pictures: rendering them takes most of an export's time."""

    def savefig(figure: Figure, file: BinaryIO, **options: object) -> None:
        file.write(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>')

    monkeypatch.setattr(Figure, "savefig", savefig)


@pytest.fixture(scope="session")
def files(exports) -> dict[str, bytes]:
    """All files of the study of one question."""
    return dict(all_files(exports["one"]))
