"""Whatever is asked of whatever address, the answer is one that was meant: never a 500, never a redirect elsewhere."""

from __future__ import annotations

import os
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from survey.models import ShareLink
from tests.survey.factories import join, make_study

FIELDS = ["trial", "revision", "q-overall", "consent", "rt_ms", "dpr", "reason", "code", "next", "action"]
FIELDS += ["invitation", "preview", "language", "question", "panel", "ci", "username", "password"]
METHODS = ("get", "post", "head", "put", "delete", "options")


def patterns(resolver: URLResolver, prefix: str = "") -> list[str]:
    """Return every route under a resolver, as written."""
    found = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            # The admin's own pages are Django's to test.
            found += [] if route == "admin/" else patterns(entry, route)
        elif isinstance(entry, URLPattern):
            found.append(route)
    return found


ROUTES = patterns(get_resolver())
#: FUZZ_EXAMPLES=20000 for a long run; `pytest -s` shows what was answered.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
#: Script or style within a page, which its Content-Security-Policy would keep from running.
INLINE = re.compile(
    rb"""<script(?![^>]*(src=|type="application/json"))|<style|\sstyle=|\son[a-z]+=["']|javascript:""", re.I
)
answered: Counter[tuple[str, int]] = Counter()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
forms = st.dictionaries(
    st.sampled_from(FIELDS) | texts,
    texts
    | st.sampled_from(["5", "-1", "1e999", "NaN", "on", "None", "\x00", "../../etc/passwd", "9" * 5000]),
    max_size=6,
)


class TestEveryAddress(TestCase):
    """One study with a person in it, asked anything by a stranger, by that person, and by an admin."""

    def setUp(self) -> None:
        from django.contrib.auth.models import User

        study = make_study()
        self.person = Client(raise_request_exception=False)
        self.trial = join(self.person, study).trials.all()[0]
        self.admin = Client(raise_request_exception=False)
        admin = User.objects.create_superuser("admin", password="x")
        self.admin.force_login(admin)
        link = ShareLink.objects.create(study=study)
        self.known = {
            "slug": "study",
            "name": study.stimuli.all()[0].name,
            "token": link.token,
            "number": "1",
        }

    def address(self, route: str, parts: list[str]) -> str:
        """Fill a route with what exists and, where `parts` says so, with what was thought up."""
        filled, rest = "", route
        for part in parts + [""] * 5:
            before, found, rest = rest.partition("<")
            filled += before
            if not found:
                break
            name, _, rest = rest.partition(">")
            kind, _, name = name.rpartition(":")
            filled += part.replace("/", "") or self.known.get(name, "1" if kind == "int" else "x")
        return "/" + filled

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        route=st.sampled_from(ROUTES),
        method=st.sampled_from(METHODS),
        who=st.sampled_from(["stranger", "person", "admin"]),
        parts=st.lists(st.just("") | texts, max_size=3),
        data=forms,
        trial=st.booleans(),
        accept=st.sampled_from(["text/html", "application/json"]),
    )
    def test_answers_as_meant(self, route, method, who, parts, data, trial, accept) -> None:
        client = {"person": self.person, "admin": self.admin}.get(who) or Client(
            raise_request_exception=False
        )
        if trial:
            data = data | {"trial": self.trial.token}
        address = self.address(route, parts)
        if method in ("get", "post", "head"):
            response = getattr(client, method)(address, data, headers={"Accept": accept})
        else:
            response = getattr(client, method)(address)
        assert response.status_code < 500 or route == "readyz", f"{method} {address} {data}"
        answered[route, response.status_code] += 1
        if location := response.headers.get("Location"):
            assert urlsplit(location).netloc == ""
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        if response["Content-Type"].startswith("text/html") and not response.streaming:
            assert not INLINE.search(response.content), f"{method} {address}"


def test_the_routes_were_found():
    statuses = Counter(status for _, status in answered.elements())
    print(
        f"{len(ROUTES)} routes, {answered.total()} requests at {len({r for r, _ in answered})} of them: {dict(statuses)}"
    )
    assert {"s/<slug:slug>/rate/", "healthz"} <= set(ROUTES)


@pytest.mark.parametrize("name", ["..%2f..%2fsecret_key", "../../secret_key", "%2e%2e/secret_key", "x\x00"])
@pytest.mark.django_db
def test_no_image_name_leads_out_of_the_study(name, client):
    study = make_study()
    join(client, study)
    assert client.get(f"/s/study/image/{name}").status_code == 404
