"""The object store is gone: people rate on, images fail until it is back, and nobody has to restart anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bots import Tally
from benchmarks.object_store import BUCKET, KEYS, Store
from benchmarks.site import Site
from tests import postgres as scratch
from tests.faults.conftest import ask, harmed

pytestmark = pytest.mark.slow


@pytest.fixture
def store(sqlite_site: Site) -> Iterator[Store]:
    store = Store(Path(sqlite_site.env["DATA_DIR"]) / "media", "127.0.0.1", scratch.free_port())
    sqlite_site.env |= KEYS | {"MEDIA_S3_BUCKET": BUCKET, "MEDIA_S3_ENDPOINT": store.url}
    store.start()
    yield store
    store.kill()


def test_people_rate_on_without_the_object_store_and_see_images_once_it_is_back(
    sqlite_site: Site, store: Store
) -> None:
    image = next(path.stem for path in store.folder.rglob("*.*") if "stimuli" in path.parts)
    token = sqlite_site.manage("shell", "--verbosity", "0", "-c", A_PERSON).split()[-1]
    with sqlite_site.serve() as (port, _):

        def shown() -> int:
            return ask(port, f"/s/load/image/{image}", {"participant": token})[0]

        assert shown() == 200

        def lose_it(_: Tally) -> None:
            store.kill()
            assert ask(port, "/readyz")[0] == 503
            assert shown() == 503

        tally = harmed(port, lose_it)
        store.start()
        assert shown() == 200
        assert ask(port, "/readyz")[0] == 200
    assert not tally.errors
    assert sqlite_site.missing(tally.acknowledged) == (0, 0)


A_PERSON = (
    "from survey.models import Study; from survey.session.starting import start; "
    "print(start(Study.objects.get(slug='load')).token)"
)
