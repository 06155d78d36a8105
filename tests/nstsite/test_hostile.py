"""Hostile values, to every address and in every header: the answer is one that was meant, never a 500."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from generator.queue import worker
from survey.simulation import example
from tests.generator.plans.test_toml import HOSTILE
from tests.nstsite.hostile import (
    MAY_FAIL,
    VALUES,
    Prey,
    Request,
    address,
    attacks,
    make_prey,
    spoiled,
    visitors,
)
from tests.survey.exports.studies import without_rendering

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
#: The suite sends one hostile value to each header and field; `python -m benchmarks.attack` sends all.
STRIDE = len(VALUES)
#: What no request of these gets into: METRICS_KEY is not set, the token is another's, and a picture is passed over for
#: a reason that the site knows, or not at all. A file is removed once, by whichever request comes first.
SHUT = {"metrics", "revoke_token", "skip", "remove_ratings_file"}


@pytest.fixture
def prey(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Prey:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(worker, "_start", lambda name, lock: None)
    monkeypatch.setattr(example, "PARTICIPANTS", 1)
    return make_prey()


def send(request: Request) -> HttpResponseBase:
    """Send a request, and undo what it did: the next one finds everything there.

    A download holds the plots that have addresses of their own: they are drawn there.
    """
    client = Client(raise_request_exception=False)
    drawn = without_rendering() if request.name.endswith("download") else nullcontext()
    with drawn, transaction.atomic():
        ask = getattr(client, request.method)
        response: HttpResponseBase = ask(request.path, request.form, headers=request.headers)
        response.getvalue()
        transaction.set_rollback(True)
    return response


def test_no_header_field_or_part_breaks_any_address(prey):
    seen: dict[str, set[int]] = {name: set() for name in prey.routes}
    broken = []
    for request in attacks(prey, STRIDE):
        status = send(request).status_code
        seen[request.name].add(status)
        if status >= 500 and request.name not in MAY_FAIL:
            broken.append((request, status))
    assert broken == []
    assert {name for name, statuses in seen.items() if statuses <= {400, 401, 403, 404, 405}} <= SHUT


def test_no_field_of_a_form_that_is_else_right_breaks_its_page(prey):
    broken, tried = [], 0
    for number, (name, route) in enumerate(prey.routes.items()):
        path = address(route, prey.keys[name])
        for who in visitors(route):
            plain = Request(who, "get", name, path, headers=prey.headers[who])
            page = send(plain)
            if page.status_code == 200 and page["Content-Type"].startswith("text/html"):
                for form in spoiled(page.getvalue().decode(), number):
                    tried += 1
                    status = send(replace(plain, method="post", form=form)).status_code
                    broken += [(name, form, status)] * (status >= 500)
    assert broken == []
    assert tried > 150


@pytest.mark.parametrize("name", ["new_plan", "study_file"])
def test_no_toml_breaks_the_pages_that_take_it(prey, name):
    path = address(prey.routes[name], prey.keys[name])
    for text in HOSTILE.values():
        form = {"text": text, "plan": text}
        response = send(Request("admin", "post", name, path, form, prey.headers["admin"]))
        assert response.status_code == 422
