"""Whatever is asked of whatever address, the answer is one that was meant: never a 500, never a redirect elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client, override_settings
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.queue import worker
from survey.access import tokens
from survey.models import Participant
from survey.session.starting import return_token
from tests.nstsite.hostile import address, routes
from tests.survey.desk.access_table import ROWS
from tests.survey.desk.world import filled, make_world
from tests.survey.exports.studies import rated_study
from tests.survey.factories import current, join, make_study, rate_all

pytestmark = pytest.mark.django_db

FIELDS = ["trial", "revision", "q-overall", "consent", "rt_ms", "dpr", "reason", "code", "next", "action"]
FIELDS += ["invitation", "preview", "language", "question", "panel", "ci", "username", "password"]
METHODS = ("get", "post", "head", "put", "delete", "options")
VISITORS = ("stranger", "admin", "program")
#: Answers of what exists that are meant all the same: no METRICS_KEY is set.
ABSENT = {"metrics"}
#: Buttons of participants, and a page that these studies do not have: they lead on to where the person is.
ONWARD = {"skip", "undo", "again", "before", "viewing"}
#: FUZZ_EXAMPLES=200 for a long run: so many thought-up requests to each address.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
#: Script or style within a page, which its Content-Security-Policy would keep from running.
INLINE = re.compile(
    rb"""<script(?![^>]*(src=|type="application/json"))|<style|\sstyle=|\son[a-z]+=["']|javascript:""", re.I
)


ROUTES = routes(get_resolver())
#: Studies in which a person is at the first image, the screening, the last questions, and the end.
STUDIES = {"open": "", "screened": "[screening]\nplates = 1\n", "asked": 'about = ["age"]\n', "thanked": ""}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
forms = st.dictionaries(
    st.sampled_from(FIELDS) | texts,
    texts
    | st.sampled_from(["5", "-1", "1e999", "NaN", "on", "None", "\x00", "../../etc/passwd", "9" * 5000]),
    max_size=6,
)


class Site:
    """A rated study, an open one with a person in it, image sets, and a client for each kind of visitor."""

    def __init__(self) -> None:
        owner = User.objects.create_user("owner")
        study = rated_study(people=2)
        study.owner = owner
        study.save()
        stimulus = study.stimuli.all()[0].name
        self.world = make_world(study, owner) | {"number": 1, "name": stimulus, "file_format": "csv"}
        self.clients = {who: Client(raise_request_exception=False) for who in VISITORS}
        admin = User.objects.get(username="admin")
        self.clients["admin"].force_login(admin)
        self.clients["program"].defaults["HTTP_AUTHORIZATION"] = f"Bearer {tokens.make(admin, 'a test')}"
        # A participant's own pages are those of the study, and of the place in it, that they are at.
        self.worlds = {
            slug: self.world | {"slug": slug, "name": self.join(slug, toml)} for slug, toml in STUDIES.items()
        }
        for slug, world in self.worlds.items():
            world["token"] = return_token(Participant.objects.get(study__slug=slug))
        for slug in ("asked", "thanked"):
            rate_all(Participant.objects.get(study__slug=slug))
        self.trial = current(Participant.objects.get(study__slug="open"))

    def join(self, slug: str, toml: str) -> str:
        """Publish a study and let somebody take part; return the name of one of its images."""
        study = make_study(toml, slug=slug)
        # A client each: the test client keeps one cookie of a name, whatever its path.
        self.clients[slug] = Client(raise_request_exception=False)
        join(self.clients[slug], study)
        return str(study.stimuli.all()[0].name)

    def ask(
        self, who: str, method: str, address: str, data: dict[str, Any], accept: str = "text/html"
    ) -> HttpResponseBase:
        """Send a request, check what holds for every answer, and undo what the request did."""
        with transaction.atomic():
            send = getattr(self.clients[who], method)
            response: HttpResponseBase
            if method in ("get", "post", "head"):
                response = send(address, data, headers={"Accept": accept})
            else:
                response = send(address)
            body = response.getvalue()
            transaction.set_rollback(True)
        assert response.status_code < 500 or address == "/readyz", f"{method} {address} {data}"
        if location := response.headers.get("Location"):
            assert urlsplit(location).netloc == ""
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        if response["Content-Type"].startswith("text/html"):
            assert not INLINE.search(body), f"{method} {address}"
        return response


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One site for all addresses; its rows go at the end."""
    with (
        django_db_blocker.unblock(),
        override_settings(
            MEDIA_ROOT=tmp_path_factory.mktemp("media"), DATA_DIR=tmp_path_factory.mktemp("data")
        ),
        pytest.MonkeyPatch.context() as patch,
        transaction.atomic(),
    ):
        patch.setattr(worker, "_start", lambda name, lock: None)
        yield Site()
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", ROUTES)
def test_every_address_answers_as_meant_and_is_reached(site: Site, name: str) -> None:
    row = ROWS.get(name)
    known = filled(row.keys, site.world) if row else {}
    trial = {"trial": site.trial.token, "revision": site.trial.revision, "reason": "failed"}
    form = filled(row.form, site.world) if row else trial
    statuses = {
        site.ask(who, method, address(ROUTES[name], world | known), form).status_code
        for world in (site.worlds.values() if ROUTES[name].startswith("s/") else [site.world])
        for who in {*VISITORS, world["slug"]} & set(site.clients)
        for method in ("get", "post")
    }
    assert statuses & ({303} if name in ONWARD else {200, 302}) or name in ABSENT, statuses


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUTES)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_address_bears_any_request(site: Site, name: str, data: st.DataObject) -> None:
    row = ROWS.get(name)
    known = site.worlds["open"] | (filled(row.keys, site.world) if row else {})
    thought_up = {key: value for key in known if (value := data.draw(st.just("") | texts).replace("/", ""))}
    form = data.draw(forms)
    if data.draw(st.booleans()):
        form = form | {"trial": site.trial.token}
    site.ask(
        data.draw(st.sampled_from([*VISITORS, "open"])),
        data.draw(st.sampled_from(METHODS)),
        address(ROUTES[name], known | thought_up),
        form,
        data.draw(st.sampled_from(["text/html", "application/json"])),
    )


@pytest.mark.parametrize("name", ["..%2f..%2fsecret_key", "../../secret_key", "%2e%2e/secret_key", "x\x00"])
def test_no_image_name_leads_out_of_the_study(name, client):
    study = make_study(slug="other")
    join(client, study)
    assert client.get(f"/s/other/image/{name}").status_code == 404
