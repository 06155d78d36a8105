"""What breaks while people rate: no answer that was acknowledged is lost or doubled, and the site comes back by itself.

The bots send an answer again until it is acknowledged, as the page's outbox does. What they were told is looked up in
the database afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.site import Site
from tests import postgres as scratch
from tests.faults import harms
from tests.faults.conftest import copy, empty_database
from tests.faults.harms import Served, serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def on_sqlite_served(on_sqlite: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Workers that start in no time: it is the other server's that each load the program, as in production."""
    with serve(copy(on_sqlite, tmp_path_factory.mktemp("served")), preload=True) as served:
        yield served


@pytest.fixture(scope="module")
def on_postgres_served(
    on_postgres: Site, postgres: scratch.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    database = empty_database(postgres, "harmed", "published")
    with serve(copy(on_postgres, tmp_path_factory.mktemp("served"), database)) as served:
        yield served


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest) -> Served:
    """Each of the two, one after the other."""
    chosen: Served = request.getfixturevalue(f"on_{request.param}_served")
    return chosen


def test_web_workers_killed_under_load_lose_and_double_nothing(served: Served) -> None:
    tally = harms.web_workers_killed(served)
    assert tally.errors
    assert served.site.missing(tally.acknowledged) == (0, 0)


def test_postgresql_killed_and_gone_for_ten_seconds(
    postgres: scratch.Server, on_postgres_served: Served
) -> None:
    tally = harms.postgresql_killed(on_postgres_served, postgres)
    assert tally.errors
    assert on_postgres_served.site.missing(tally.acknowledged) == (0, 0)


def test_a_full_disk_refuses_answers_and_loses_none(on_sqlite_served: Served) -> None:
    tally = harms.disk_full(on_sqlite_served)
    assert tally.errors
    assert on_sqlite_served.site.missing(tally.acknowledged) == (0, 0)


def test_with_read_only_media_people_go_on_and_the_site_says_that_it_is_not_ready(
    on_postgres_served: Served,
) -> None:
    tally = harms.media_read_only(on_postgres_served)
    assert not tally.errors
    assert on_postgres_served.site.missing(tally.acknowledged) == (0, 0)


def test_clients_that_connect_and_send_nothing_give_way_within_seconds(on_sqlite_served: Served) -> None:
    tally = harms.silent_clients(on_sqlite_served)
    assert not tally.errors
    assert on_sqlite_served.site.missing(tally.acknowledged) == (0, 0)


def test_lines_that_break_in_the_middle_of_an_answer_lose_and_double_nothing(served: Served) -> None:
    tally = harms.lines_cut(served)
    assert tally.errors
    assert served.site.missing(tally.acknowledged) == (0, 0)


def test_an_answer_sent_twice_at_the_same_moment_counts_once(served: Served) -> None:
    tally = harms.answers_sent_twice(served)
    assert not tally.errors
    assert served.site.missing(tally.acknowledged) == (0, 0)


def test_a_clock_that_jumps_under_load_stops_nobody(sqlite_site: Site) -> None:
    tally = harms.clock_jumps(sqlite_site, preload=True)
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)
