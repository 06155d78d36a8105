"""Django's admin lists everything, finds it, shows no secret and changes nothing that has rules."""

from __future__ import annotations

from typing import cast

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from survey.access import accounts, tokens
from survey.access.roles import Role
from survey.models import (
    AccountLink,
    ApiToken,
    AuditEntry,
    Invitation,
    OwnAnswer,
    Participant,
    ProlificLink,
    Recruit,
    ShareLink,
    StimulusProvenance,
    Stored,
    Study,
    Trial,
)
from survey.session import starting
from survey.study import decisions, stored
from survey.study.lifecycle import invite
from tests.survey.desk.conftest import client_of
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db

OURS = [model for app in ("survey", "generator") for model in apps.get_app_config(app).get_models()]


@pytest.fixture
def boss(db) -> Client:
    """A browser in which an administrator is signed in."""
    return client_of(User.objects.create_superuser("admin"))


@pytest.fixture
def everything(study: Study, owner: User) -> Study:
    """A row in each of the survey's tables."""
    person = study.participants.all()[0]
    decisions.exclude(person, "a test", owner)
    decisions.share(study, owner)
    decisions.add_viewer(study, "owner", owner)
    invite(study, 1, owner)
    tokens.make(owner, "a script")
    accounts.invite(owner, Role.VIEWER, note="Mara")
    Recruit.objects.create(study=study, participant=person, platform="prolific", person="p1")
    ProlificLink.objects.create(study=study, secret="locked", account="Mara")
    StimulusProvenance.objects.create(stimulus=study.stimuli.all()[0], account={"key": "a"})
    OwnAnswer.objects.create(trial=person.trials.all()[0], key="why", words="Dull")
    stored.ask(study, "csv")
    stored.keep(cast(Stored, stored.take()), "a.csv", [b"a"])
    pairs = make_study('method = "pair"\n', slug="pairs")
    rate_all(starting.start(pairs))
    return study


def address(model: type[Model], page: str, *keys: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=keys)


def test_every_table_is_there():
    assert {model for model in OURS if not admin.site.is_registered(model)} == set()


@pytest.mark.parametrize("model", OURS, ids=lambda model: str(model.__name__))
def test_every_list_opens_searches_and_filters(everything, boss, model):
    registered = admin.site._registry[model]
    assert registered.search_fields, "nothing to search by"
    assert boss.get(address(model, "changelist")).status_code == 200
    assert boss.get(address(model, "changelist"), {"q": "cat"}).status_code == 200


@pytest.mark.parametrize(
    "model", list(apps.get_app_config("survey").get_models()), ids=lambda model: str(model.__name__)
)
def test_every_row_opens(everything, boss, model):
    row = model._default_manager.first()
    html = boss.get(address(model, "change", row.pk)).content.decode()
    assert str(row).split(":")[0] in html.replace("&#x27;", "'")


def test_nobody_finds_out_what_is_hidden_by_filtering_for_it(everything, boss):
    """A list filtered by the first letters of a secret tells them one by one, and one filtered by a person tells who they are."""
    open_to_filters: list[tuple[str, str]] = []
    models: list[type[Model]] = [*OURS, User]
    for model in models:
        for name in admin.site._registry[model].exclude or ():
            field = model._meta.get_field(name)
            for lookup in (f"{name}__startswith", name, f"{field.attname}", f"{name}__isnull", f"{name}__pk"):
                if boss.get(address(model, "changelist"), {lookup: "1"}).status_code != 400:
                    open_to_filters.append((model.__name__, lookup))
    assert open_to_filters == []


def test_no_secret_is_shown(everything, boss):
    secrets = {
        Participant: ("token", "withdrawal"),
        Trial: ("token",),
        Invitation: ("token",),
        ShareLink: ("token",),
        ApiToken: ("sha256",),
        AccountLink: ("sha256",),
        ProlificLink: ("secret",),
    }
    for model, names in secrets.items():
        row = model._default_manager.all()[0]
        pages = address(model, "change", row.pk), address(model, "changelist")
        html = "".join(boss.get(page).content.decode() for page in pages)
        assert not [name for name in names if str(getattr(row, name)) in html], model


@pytest.mark.parametrize(
    "model", list(apps.get_app_config("survey").get_models()), ids=lambda model: str(model.__name__)
)
def test_nothing_with_rules_is_added_changed_or_deleted_by_hand(everything, boss, model):
    row = model._default_manager.first()
    before = list(model._default_manager.values())
    assert boss.post(address(model, "add"), {}).status_code == 403
    assert boss.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    if model is not Study:
        assert boss.post(address(model, "change", row.pk), {}).status_code == 403
    assert list(model._default_manager.values()) == before


def test_a_study_gets_another_owner_and_the_log_says_so(study, boss):
    other = User.objects.create_user("other")
    form = {"owner": other.pk, "state": "closed", "title": "Changed"}
    for inline in ("questions", "viewers"):
        form |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    assert boss.post(address(Study, "change", study.pk), form).status_code == 302
    study.refresh_from_db()
    assert (study.owner, study.state, study.title) == (other, "open", "A study")
    entry = study.audit.get(act="study.owner")
    assert (entry.who, entry.detail) == ("admin", {"owner": "other"})


def test_staff_without_permissions_see_nothing(study):
    staff = client_of(User.objects.create_user("staff", is_staff=True))
    assert staff.get(address(Study, "changelist")).status_code == 403


def test_an_account_is_looked_at_here_and_changed_on_the_desk(boss):
    other = User.objects.create_user("other", password="a password of theirs")
    html = boss.get(address(User, "change", other.pk)).content.decode()
    assert "other" in html
    assert other.password not in html
    assert boss.post(address(User, "change", other.pk), {"is_superuser": "on"}).status_code == 403
    assert boss.post(address(User, "add"), {"username": "x"}).status_code == 403


def test_deleting_an_account_is_logged_and_ones_own_stays(boss):
    boss_account, other = User.objects.get(username="admin"), User.objects.create_user("other")
    assert boss.post(address(User, "delete", other.pk), {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.get(act="account.delete").detail == {"account": "other"}
    assert boss.post(address(User, "delete", boss_account.pk), {"post": "yes"}).status_code == 403
    assert list(User.objects.all()) == [boss_account]


def test_no_key_of_a_second_factor_is_listed():
    assert not [model for model in admin.site._registry if model._meta.app_label.startswith("otp_")]
