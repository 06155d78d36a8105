"""Accounts, and browsers in which they are signed in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from survey.access.roles import Role, give_role, make_groups

PASSWORD = "seven calm otters"


@pytest.fixture
def admin(db) -> User:
    """An administrator."""
    make_groups()
    return User.objects.create_superuser("admin", password=PASSWORD)


@pytest.fixture
def mara(admin: User) -> User:
    """A researcher."""
    user = User.objects.create_user("mara", password=PASSWORD)
    give_role(user, Role.RESEARCHER)
    return user


def signed_in(user: User) -> Client:
    """Return a browser in which `user` is signed in by name and password."""
    client = Client()
    form = {"username": user.get_username(), "password": PASSWORD}
    assert client.post("/sign-in/", form).status_code == 302
    return client
