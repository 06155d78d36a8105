"""A study that recruits by Prolific."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from survey.models import ProlificLink, Study
from survey.study.definition import definition_of
from survey.study.lifecycle import set_state
from survey.study.prolific import acts
from survey.study.prolific.draft import proposal
from survey.study.prolific.link import connect
from tests.prolific_server import TOKEN, Prolific
from tests.survey.factories import make_study

RECRUITMENT = """
[consent]
organiser = "A laboratory"
contact = "mara@example.org"
[recruitment]
platform = "prolific"
complete = "DONE1234"
screened_out = "OUT12345"
withdrew = "LEFT1234"
"""
ADDRESS = "https://survey.example.org/s/study/"


@pytest.fixture
def owner(db) -> User:
    """A researcher."""
    return User.objects.create_user("mara")


@pytest.fixture
def study(owner: User) -> Study:
    """An open study of theirs that recruits by Prolific."""
    study = make_study(RECRUITMENT)
    study.owner = owner
    study.save()
    set_state(study, Study.State.OPEN, owner)
    study.refresh_from_db()
    return study


@pytest.fixture
def link(study: Study, owner: User, prolific: Prolific) -> ProlificLink:
    """The study, connected."""
    return connect(study, TOKEN, owner)


@pytest.fixture
def remote(study: Study, owner: User, link: ProlificLink) -> str:
    """The draft on Prolific: its id."""
    acts.create(study, proposal(study, definition_of(study.version), "GBP"), ADDRESS, owner)
    link.refresh_from_db()
    return link.remote
