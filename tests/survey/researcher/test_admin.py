"""Django's admin lists everything, shows no secret and changes no answer."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from survey.models import Participant, Rating, Trial
from tests.survey.researcher.conftest import client_of

pytestmark = pytest.mark.django_db


def test_every_list_opens_and_searches(study):
    client = client_of(User.objects.create_superuser("admin"))
    for model in admin.site._registry:
        if model._meta.app_label == "survey":
            address = reverse(f"admin:survey_{model._meta.model_name}_changelist")
            assert client.get(address, {"q": "cat"}).status_code == 200, model


def test_secrets_are_not_shown(study):
    client = client_of(User.objects.create_superuser("admin"))
    person, trial = Participant.objects.all()[0], Trial.objects.all()[0]
    for name, row in (("participant", person), ("trial", trial)):
        html = client.get(reverse(f"admin:survey_{name}_change", args=[row.pk])).content.decode()
        assert str(person.token) not in html
        assert trial.token not in html


def test_answers_cannot_be_changed(study):
    client = client_of(User.objects.create_superuser("admin"))
    rating = Rating.objects.first()
    assert rating is not None
    address = reverse("admin:survey_rating_change", args=[rating.pk])
    assert client.post(address, {"value": 6 - rating.value}).status_code == 403
    rating.refresh_from_db()
    assert client.post(reverse("admin:survey_rating_delete", args=[rating.pk])).status_code == 403
