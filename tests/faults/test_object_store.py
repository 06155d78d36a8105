"""Images in an object store (S3) that goes away and comes back."""

from __future__ import annotations

import pytest

from benchmarks.site import Site
from tests.faults import harms

pytestmark = pytest.mark.slow


def test_people_rate_on_without_the_object_store_and_see_images_once_it_is_back(sqlite_site: Site) -> None:
    tally = harms.object_store_away(sqlite_site, preload=True)
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)
