"""People who open the researcher's pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from survey.access.roles import make_groups
from survey.models import Study
from tests.survey.exports.studies import rated_study


@pytest.fixture
def owner(db) -> User:
    """The account that a study belongs to."""
    return User.objects.create_user("owner")


@pytest.fixture
def study(owner: User) -> Study:
    """A rated study of the owner's."""
    study = rated_study(people=3)
    study.owner = owner
    study.save()
    return study


def client_of(user: User) -> Client:
    """Return a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(owner: User) -> Client:
    """A browser in which the owner is signed in."""
    return client_of(owner)


@pytest.fixture
def researcher(owner: User) -> Client:
    """A browser in which the owner is signed in as a researcher, who may make studies."""
    make_groups()
    owner.groups.add(Group.objects.get(name="Researchers"))
    return client_of(owner)
