"""The server's clock jumps while somebody rates."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from survey.models import Participant, Rating, Trial
from tests.survey.factories import answer, current, join, make_study

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("days", [-400, -1 / 24, 1 / 24, 400])
def test_each_answer_is_kept_once_and_the_session_ends_as_it_should(client, monkeypatch, days):
    person = join(client, make_study())
    total, real = person.trials.count(), timezone.now
    answer(client, current(person), 4)
    monkeypatch.setattr(timezone, "now", lambda: real() + dt.timedelta(days=days))
    while trial := person.trials.filter(outcome=Trial.Outcome.OPEN).order_by("position").first():
        assert client.get("/s/study/rate/").status_code == 200
        for _ in range(2):
            assert answer(client, trial, 4).status_code == 303
    assert client.get("/s/study/done/").status_code == 200
    person.refresh_from_db()
    assert person.state == Participant.State.FINISHED
    assert Rating.objects.count() == total
