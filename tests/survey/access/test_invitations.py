"""An invitation makes one account, once, within its time, with the role that was chosen."""

from __future__ import annotations

import datetime as dt
import logging
import re

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from survey.access import accounts
from survey.access.errors import DeskError
from survey.access.roles import Role, role_of
from survey.models import AccountLink, AuditEntry
from tests.survey.access.conftest import PASSWORD, signed_in
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db
FORM = {"username": "mara", "password1": PASSWORD, "password2": PASSWORD}


def invited(admin: User, address: str = "/accounts/", **said: str) -> str:
    """Invite somebody on a page and return the path of the link."""
    page = signed_in(admin).post(address, {"note": "Mara", "role": "researcher", "days": "7"} | said)
    found = re.search(r"http://testserver(/join/[\w-]+/)", page.content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("role", Role.values)
def test_a_colleague_joins_with_the_chosen_role_and_signs_in(admin, role):
    path = invited(admin, role=role)
    assert "Make your account" in Client().get(path).content.decode()
    assert Client().post(path, FORM)["Location"] == "/sign-in/"
    mara = User.objects.get(username="mara")
    assert (role_of(mara), mara.is_staff) == (role, role == "admin")
    assert signed_in(mara).get("/studies/").status_code == 200


def test_it_works_once(admin):
    path = invited(admin)
    Client().post(path, FORM)
    assert Client().get(path).status_code == 410
    assert Client().post(path, FORM | {"username": "other"}).status_code == 410
    assert not User.objects.filter(username="other").exists()


def test_of_two_at_once_one_joins(admin):
    accounts.invite(admin, Role.VIEWER)
    link = AccountLink.objects.get()
    accounts.join(link, User(username="first"))
    with pytest.raises(DeskError, match="ended"):
        accounts.join(link, User(username="second"))
    assert not User.objects.filter(username="second").exists()


def test_it_ends_with_its_time(admin):
    path = invited(admin, days="1")
    AccountLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert Client().post(path, FORM).status_code == 410


def test_it_can_be_withdrawn(admin):
    path = invited(admin)
    browser = signed_in(admin)
    link = AccountLink.objects.get()
    assert "Mara" in browser.get("/accounts/").content.decode()
    browser.post(f"/accounts/invitations/{link.pk}/end/")
    assert Client().get(path).status_code == 410
    assert "Open invitations" not in browser.get("/accounts/").content.decode()


@pytest.mark.parametrize("act", ["off", "role"])
def test_who_is_no_administrator_any_more_has_no_invitations_left(admin, act):
    other = User.objects.create_superuser("other", password=PASSWORD)
    path = invited(other, role="admin")
    signed_in(admin).post(f"/accounts/{other.pk}/", {"act": act, "role": "viewer"})
    assert Client().get(path).status_code == 410


def test_only_a_hash_is_stored_and_the_link_is_shown_once(admin):
    secret = invited(admin).split("/")[2]
    assert secret not in str(AccountLink.objects.values()[0])
    assert secret not in str(list(AuditEntry.objects.values()))
    assert secret not in signed_in(admin).get("/accounts/").content.decode()


def test_no_log_line_holds_the_link(admin, caplog):
    path = invited(admin)
    secret = path.split("/")[2]
    with caplog.at_level(logging.DEBUG):
        Client().get(path)
        Client().get(path.rstrip("/") + "x/")
        logging.getLogger("django.request").warning("Gone: %s", path)
    from nstsite.requests import HideSecrets

    for line in caplog.records:
        HideSecrets().filter(line)
        assert secret not in line.getMessage()


def test_a_taken_name_and_a_weak_password_are_told_and_the_link_still_works(admin):
    path = invited(admin)
    page = Client().post(path, FORM | {"username": "ADMIN", "password2": "another one"})
    assert page.status_code == 422
    assert 'value="ADMIN"' in page.content.decode()
    assert "already exists" in page.content.decode()
    assert Client().post(path, FORM | {"password1": "short", "password2": "short"}).status_code == 422
    assert Client().post(path, FORM).status_code == 302


def test_the_log_says_who_invited_and_who_joined(admin):
    Client().post(invited(admin), FORM)
    acts = AuditEntry.objects.filter(act__startswith="account").order_by("pk")
    assert [(entry.act, entry.who) for entry in acts] == [
        ("account.invite", "admin"),
        ("account.join", "mara"),
    ]
    assert "Mara" not in str([entry.detail for entry in acts])


def test_an_owner_invites_a_reader_of_their_study_who_reads_nothing_else(admin, mara):
    study, other = make_study(), make_study(slug="other")
    study.owner = mara
    study.save()
    path = invited(mara, f"/studies/{study.slug}/sharing/invite/")
    Client().post(path, FORM | {"username": "ben"})
    ben = signed_in(User.objects.get(username="ben"))
    assert ben.get(f"/studies/{study.slug}/results/").status_code == 200
    assert ben.get(f"/studies/{other.slug}/results/").status_code == 404
    assert role_of(User.objects.get(username="ben")) == Role.VIEWER


def test_the_database_keeps_a_link_that_makes_no_sense_out(admin):
    ends = timezone.now()
    for wrong in ({"kind": "invite"}, {"kind": "reset"}, {"kind": "reset", "role": "admin", "user": admin}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AccountLink.objects.create(sha256="x", expires_at=ends, **wrong)
