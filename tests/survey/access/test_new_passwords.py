"""A new password by a link that an administrator makes, and one's own password."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from survey.models import AccountLink, AuditEntry
from tests.survey.access.conftest import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
NEW = "eight quiet herons"
FORM = {"new_password1": NEW, "new_password2": NEW}


def link_for(user: User, admin: User) -> str:
    page = signed_in(admin).post(f"/accounts/{user.pk}/", {"act": "link"})
    found = re.search(r"http://testserver(/new-password/[\w-]+/)", page.content.decode())
    assert found
    return found[1]


def may_sign_in(name: str, password: str) -> bool:
    return Client().post("/sign-in/", {"username": name, "password": password}).status_code == 302


def test_the_link_sets_a_new_password_once_and_ends_all_sessions(admin, mara):
    old = signed_in(mara)
    path = link_for(mara, admin)
    assert "mara" in Client().get(path).content.decode()
    assert old.get("/studies/").status_code == 200
    assert Client().post(path, FORM)["Location"] == "/sign-in/"
    assert old.get("/studies/").status_code == 302
    assert may_sign_in("mara", NEW)
    assert not may_sign_in("mara", PASSWORD)
    assert Client().post(path, FORM).status_code == 410


def test_it_ends_with_its_time_with_a_newer_one_and_with_the_account(admin, mara):
    first, second = link_for(mara, admin), link_for(mara, admin)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200
    mara.is_active = False
    mara.save()
    assert Client().get(second).status_code == 410
    mara.is_active = True
    mara.save()
    AccountLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert Client().post(second, FORM).status_code == 410


def test_an_invitation_sets_no_password_and_a_reset_makes_no_account(admin, mara):
    secret = link_for(mara, admin).split("/")[2]
    assert Client().get(f"/join/{secret}/").status_code == 404


def test_a_switched_off_account_gets_no_link(admin, mara):
    mara.is_active = False
    mara.save()
    page = signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "link"})
    assert page.status_code == 422
    assert "Switch it on first" in page.content.decode()


def test_a_weak_password_is_refused_and_the_link_still_works(admin, mara):
    path = link_for(mara, admin)
    assert Client().post(path, {"new_password1": "short", "new_password2": "short"}).status_code == 422
    assert Client().post(path, FORM).status_code == 302


def test_ones_own_password_changes_with_the_old_one_and_ends_other_sessions(admin, mara):
    path = link_for(mara, admin)
    here, there = signed_in(mara), signed_in(mara)
    form = {"old_password": PASSWORD} | FORM
    assert here.post("/account/password/", form | {"old_password": "wrong"}).status_code == 422
    assert may_sign_in("mara", PASSWORD)
    assert here.post("/account/password/", form)["Location"] == "/account/"
    assert here.get("/studies/").status_code == 200
    assert there.get("/studies/").status_code == 302
    assert may_sign_in("mara", NEW)
    assert Client().get(path).status_code == 410, "a link made before still works"


def test_the_log_says_who_made_the_link_and_who_used_it(admin, mara):
    Client().post(link_for(mara, admin), FORM)
    acts = AuditEntry.objects.filter(act__startswith="account").order_by("pk")
    assert [(entry.act, entry.who) for entry in acts] == [
        ("account.reset_link", "admin"),
        ("account.reset", "mara"),
    ]
    assert NEW not in str(list(AuditEntry.objects.values()))


def test_djangos_admin_has_no_other_way_to_a_password(admin):
    browser = signed_in(admin)
    assert browser.get("/admin/password_change/")["Location"] == "/account/password/"
    page = browser.get(f"/admin/auth/user/{admin.pk}/password/", follow=True)
    assert 'type="password"' not in page.content.decode()
