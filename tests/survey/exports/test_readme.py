"""README.txt of a whole export has one line for each file that was written, and none for another."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from survey.exports.codebook import _DESCRIBED
from survey.exports.pair_words import _DESCRIBED as _OF_PAIRS
from survey.exports.pairs import PAIR_FORMATS, collect_pairs
from survey.exports.readme import OF_PAIRS, OF_RATINGS, readme
from tests.survey.exports.studies import without_rendering
from tests.survey.factories import join, make_study, rate_all

pytestmark = [pytest.mark.django_db]


def listed(text: bytes) -> list[str]:
    """Return the patterns that a README lists."""
    return [line.split()[0] for line in text.decode().rpartition("\n\n")[2].splitlines()]


@pytest.mark.one_database
def test_every_file_of_a_whole_export_has_its_line(files):
    assert_complete(files)


def test_every_file_of_a_pair_studys_export_has_its_line(client):
    study = make_study('method = "pair"\n')
    rate_all(join(client, study))
    with without_rendering():
        assert_complete(dict(PAIR_FORMATS["all"](collect_pairs(study))))


def assert_complete(files: dict[str, bytes]) -> None:
    patterns = listed(files["README.txt"])
    assert [name for name in files if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in files)] == []


def test_every_table_that_an_export_may_hold_has_a_line():
    assert {f"{table}.csv" for table in _DESCRIBED} <= set(OF_RATINGS)
    assert {f"{table}.csv" for table in _OF_PAIRS} <= set(OF_PAIRS)


def test_remarks_stand_between_title_and_list():
    text = readme(OF_RATINGS, ["mos.csv"], "Taste", "", "Simulated.").decode()
    assert text.startswith("Taste\nSimulated.\n\nmos.csv     one row an image")
    assert listed(text.encode()) == ["mos.csv", "README.txt", "SHA256SUMS"]
