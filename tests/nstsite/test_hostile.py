"""Hostile values, to every address and in every header: the answer is one that was meant, never a 500."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from survey.models import ShareLink
from tests.generator.plans.test_toml import HOSTILE
from tests.nstsite.test_every_address import ROUTES
from tests.survey.factories import join, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

VALUES = [
    "http://[bad",
    "//[::1",
    "\ud800",
    "٣",
    "9" * 5000,
    "-1",
    "1e999",
    "NaN",
    "%00",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}",
    "a" * 20_000,
    "2020-13-45",
    "é" * 300,
]
HEADERS = [
    "Origin",
    "Referer",
    "Host",
    "Accept",
    "Accept-Language",
    "Cookie",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
    "Authorization",
    "Content-Type",
    "Sec-Fetch-Site",
    "X-CSRFToken",
]
NAMES = [
    "trial",
    "revision",
    "q-overall",
    "rt_ms",
    "waited_ms",
    "dpr",
    "reason",
    "code",
    "action",
    "form",
    "consent",
    "language",
    "invitation",
    "preview",
    "simulation",
    "PROLIFIC_PID",
    "question",
    "panel",
    "ci",
    "page",
    "only",
    "v",
    "next",
    "text",
    "plan",
    "slug",
    "title",
    "count",
    "reason",
    "typed",
    "state",
    "username",
    "password",
    "started_from",
    "started_to",
    "came",
    "by",
    "name",
    "scope",
    "days",
    "study",
    "cell",
    "picture",
    "purge_on",
    "limits.grace_minutes",
]


@pytest.fixture
def world():
    study = make_study()
    person, admin = Client(raise_request_exception=False), Client(raise_request_exception=False)
    trial = join(person, study).trials.all()[0]
    admin.force_login(User.objects.create_superuser("admin", password="x"))
    known = {
        "<slug:slug>": "study",
        "<str:token>": ShareLink.objects.create(study=study).token,
        "<str:name>": study.stimuli.all()[0].name,
    }
    return [admin, person], known, trial


def filled(route: str, known: dict[str, str]) -> str:
    for part, value in known.items():
        route = route.replace(part, value)
    while "<" in route:
        before, _, rest = route.partition("<")
        kind, _, after = rest.partition(">")
        route = before + ("1" if kind.startswith("int") else "x") + after
    return f"/{route}"


def sendable(value: str) -> str:
    return value.encode("utf-8", "replace").decode().encode("latin-1", "replace").decode("latin-1")[:4000]


def test_no_header_breaks_any_address(world):
    clients, known, _ = world
    broken = []
    for number, route in enumerate(sorted(ROUTES)):
        for shift in range(0, len(VALUES), 4):
            client = clients[(number + shift // 4) % 2]
            headers = {
                header: sendable(VALUES[(number + shift + place) % len(VALUES)])
                for place, header in enumerate(HEADERS)
                if header != "Host" or shift == 0
            }
            for method in ("get", "post"):
                response = getattr(client, method)(filled(route, known), headers=headers)
                if response.status_code >= 500 and route != "readyz":
                    broken.append((method, route, headers, response.status_code))
    assert broken == []


def test_no_value_of_a_form_or_a_query_breaks_any_address(world):
    clients, known, trial = world
    broken = []
    for number, route in enumerate(sorted(ROUTES)):
        if route in ("sign-out/",):
            continue
        for place in range(0, len(VALUES), 8):
            values = [VALUES[(number + place + k) % len(VALUES)] for k in range(len(NAMES))]
            form = dict(zip(NAMES, values, strict=True)) | {"trial": trial.token}
            form = {key: value.encode("utf-8", "replace").decode() for key, value in form.items()}
            for client in clients:
                for method in ("get", "post"):
                    sent = {key: value[:200] for key, value in form.items()} if method == "get" else form
                    response = getattr(client, method)(filled(route, known), sent)
                    if response.status_code >= 500 and route != "readyz":
                        broken.append((method, route, response.status_code))
    assert broken == []


@pytest.mark.parametrize("address", ["/plans/new/", "/studies/study/setup/file/"])
def test_no_toml_breaks_the_pages_that_take_it(world, address):
    (admin, _), _, _ = world
    for text in HOSTILE.values():
        response = admin.post(address, {"text": text, "plan": text})
        assert response.status_code == 422
