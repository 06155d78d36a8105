"""What comes twice, or half: a double click, a line that breaks in the middle, and a clock that jumps on a running server."""

from __future__ import annotations

import pytest

from benchmarks.site import Site
from tests.faults import harms

pytestmark = pytest.mark.slow


def test_lines_that_break_in_the_middle_of_an_answer_lose_and_double_nothing(site: Site) -> None:
    tally = harms.lines_cut(site)
    assert tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_an_answer_sent_twice_at_the_same_moment_counts_once(site: Site) -> None:
    tally = harms.answers_sent_twice(site)
    assert not tally.errors
    assert site.missing(tally.acknowledged) == (0, 0)


def test_a_clock_that_jumps_under_load_stops_nobody(sqlite_site: Site) -> None:
    tally = harms.clock_jumps(sqlite_site)
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)
