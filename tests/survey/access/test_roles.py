"""Roles and accounts that are switched off: by another administrator only, and never the last one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from survey.access import accounts, tokens
from survey.access.errors import DeskError
from survey.access.roles import Role, role_of
from survey.models import AuditEntry
from tests.survey.access.conftest import PASSWORD, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role.values)
def test_an_administrator_gives_each_role(admin, mara, role):
    page = signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "role", "role": role}, follow=True)
    assert f"mara is now {Role(role).label}." in page.content.decode()
    mara = User.objects.get(pk=mara.pk)
    assert (role_of(mara), mara.is_superuser, mara.is_staff) == (role, role == "admin", role == "admin")
    assert mara.groups.count() == (role != "admin")


def test_a_switched_off_account_is_out_at_once_and_its_tokens_too(admin, mara):
    browser, secret = signed_in(mara), tokens.make(mara, "a script")
    signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "off"})
    assert browser.get("/studies/").status_code == 302
    assert tokens.user_of(secret) is None
    form = {"username": "mara", "password": PASSWORD}
    assert browser.post("/sign-in/", form).status_code == 200
    signed_in(admin).post(f"/accounts/{mara.pk}/", {"act": "on"})
    assert browser.post("/sign-in/", form).status_code == 302


@pytest.mark.parametrize("form", [{"act": "off"}, {"act": "role", "role": "viewer"}])
def test_nobody_changes_their_own_account(admin, form):
    page = signed_in(admin).post(f"/accounts/{admin.pk}/", form)
    assert page.status_code == 422
    assert "Another administrator has to" in page.content.decode()
    assert role_of(User.objects.get(pk=admin.pk)) == Role.ADMIN


def test_the_last_administrator_stays(admin):
    # As if two administrators took each other's role away at the same time.
    other = User.objects.create_superuser("other")
    User.objects.filter(pk=other.pk).update(is_active=False)
    for change in (
        lambda: accounts.set_role(admin, Role.VIEWER, other),
        lambda: accounts.switch(admin, on=False, by=other),
    ):
        with pytest.raises(DeskError, match="last administrator"):
            change()


def test_nonsense_is_refused_in_one_line(admin, mara):
    browser = signed_in(admin)
    for form in ({}, {"act": "x"}, {"act": "role", "role": "king"}):
        assert browser.post(f"/accounts/{mara.pk}/", form).status_code == 422
    assert browser.post("/accounts/", {"role": "king", "days": "9999"}).status_code == 422


def test_the_log_says_each_change(admin, mara):
    accounts.set_role(mara, Role.VIEWER, admin)
    accounts.set_role(mara, Role.VIEWER, admin)
    accounts.switch(mara, on=False, by=admin)
    accounts.end_wait(mara, admin)
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.act for entry in entries] == ["account.role", "account.off", "account.unlock"]
    assert entries[0].detail == {"account": "mara", "before": "researcher", "role": "viewer"}


@pytest.mark.parametrize("email", [None, "ada@example.org"])
def test_the_first_account_needs_no_address(monkeypatch, email):
    """No mail is sent."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "seven calm otters")
    call_command("createsuperuser", interactive=False, username="ada", email=email, verbosity=0)
    made = User.objects.get(username="ada")
    assert (made.is_superuser, made.email) == (True, email or "")
    assert User.REQUIRED_FIELDS == ["email"]
