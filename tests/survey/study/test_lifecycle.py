"""From draft to deletion: what each step allows, keeps and takes away."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from survey.access.errors import DeskError
from survey.models import Invitation, Participant, Rating, Study
from survey.results.tidy_table import tidy_table
from survey.session import finishing, starting
from survey.study import lifecycle
from survey.study.definition import definition_of
from survey.study.pictures import PublishError
from tests.survey.desk.conftest import client_of
from tests.survey.factories import definition, join, make_study, rate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("owner")


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def desk(owner):
    return client_of(owner)


def closed(study: Study) -> Study:
    lifecycle.set_state(study, Study.State.CLOSED, None)
    study.refresh_from_db()
    return study


def files_of(study: Study) -> list[str]:
    return [str(name) for name in study.stimuli.values_list("image", flat=True)]


def test_a_study_does_not_become_a_draft_again(study):
    with pytest.raises(DeskError, match="cannot become a draft"):
        lifecycle.set_state(study, Study.State.DRAFT, None)


def test_a_study_past_its_purge_date_does_not_open(study):
    Study.objects.filter(pk=closed(study).pk).update(purge_on="2020-01-01")
    with pytest.raises(DeskError, match="Set a later day first"):
        lifecycle.set_state(study, Study.State.OPEN, None)


def test_a_copy_is_a_draft_with_the_same_images_and_nobody_in_it(study, owner):
    rate_all(starting.start(study))
    made = lifecycle.copy(study, "again", owner)
    assert (made.state, made.owner, made.title) == ("draft", owner, "A study (copy)")
    assert not made.participants.exists()
    ours, theirs = (dict(s.stimuli.values_list("item", "sha256")) for s in (study, made))
    assert ours == theirs
    assert not {*study.stimuli.values_list("name", flat=True)} & {
        *made.stimuli.values_list("name", flat=True)
    }
    assert definition_of(made.version) == definition().model_copy(update={"title": "A study (copy)"})


def test_a_copy_can_be_rated_when_the_first_is_gone(study, owner, client, django_capture_on_commit_callbacks):
    made = lifecycle.copy(study, "again", owner)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.delete(closed(study), "study", owner)
    lifecycle.set_state(made, Study.State.OPEN, owner)
    person = join(client, made)
    name = person.trials.all()[0].stimulus.name
    assert client.get(f"/s/again/image/{name}").status_code == 200


def test_a_copy_under_a_taken_name_leaves_nothing(study, owner):
    before = set(default_storage.listdir("stimuli")[1])
    with pytest.raises(PublishError, match="exists already"):
        lifecycle.copy(study, "study", owner)
    assert set(default_storage.listdir("stimuli")[1]) == before


def test_the_archive_is_off_the_list_and_comes_back(study, owner, desk):
    closed(study)
    desk.post(reverse("archive", args=["study"]))
    results = reverse("results", args=["study"])
    assert results not in desk.get(reverse("studies")).content.decode()
    assert results in desk.get(reverse("studies"), {"archived": 1}).content.decode()
    assert desk.get(results).status_code == 200
    desk.post(reverse("restore", args=["study"]))
    assert results in desk.get(reverse("studies")).content.decode()


def test_what_takes_people_is_neither_archived_nor_deleted(study, owner):
    for state in (Study.State.OPEN, Study.State.PAUSED):
        lifecycle.set_state(study, state, None)
        for act in (
            lambda: lifecycle.archive(study, owner),
            lambda: lifecycle.purge(study, "study", owner),
            lambda: lifecycle.delete(study, "study", owner),
        ):
            with pytest.raises(DeskError, match="Close it first"):
                act()
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.update(archived_at="2026-01-01T00:00Z")


def test_an_archived_study_does_not_open(study, owner):
    lifecycle.archive(closed(study), owner)
    with pytest.raises(DeskError, match="Take it out first"):
        lifecycle.set_state(study, Study.State.OPEN, None)


def test_nobody_makes_personal_links_that_would_be_deleted_at_once(study, owner):
    study.purge_on = timezone.localdate()
    with pytest.raises(DeskError, match="personal links are deleted on"):
        lifecycle.invite(study, 2, owner)
    assert not study.invitations.exists()


@pytest.mark.parametrize("act", ["purge", "delete_study"])
@pytest.mark.parametrize("typed", ["", "stduy", "STUDY"])
def test_nothing_goes_without_the_name_typed(study, desk, act, typed):
    rate_all(starting.start(study))
    closed(study)
    response = desk.post(reverse(act, args=["study"]), {"typed": typed}, follow=True)
    assert "Type study to confirm" in response.content.decode()
    assert Participant.objects.filter(token__isnull=False).count() == 1


def test_the_page_says_beforehand_what_will_be_deleted(study, owner, desk):
    rate_all(starting.start(study))
    lifecycle.invite(study, 7, owner)
    closed(study)
    html = " ".join(desk.get(reverse("end", args=["study"])).content.decode().split())
    for words in (
        "1 participant with 6 ratings",
        "6 images of this study",
        "7 personal links",
        "1 version",
    ):
        assert words in html


def test_deletion_takes_all_rows_and_files_and_leaves_other_studies(
    study, owner, django_capture_on_commit_callbacks
):
    other = make_study(slug="other")
    for one in (study, other):
        rate_all(starting.start(one))
    lifecycle.invite(study, 2, owner)
    gone, kept = files_of(study), files_of(other)
    closed(study)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.delete(study, "study", owner)
    assert not Study.objects.filter(slug="study").exists()
    assert Rating.objects.count() == 6
    assert not Invitation.objects.exists()
    assert not any(default_storage.exists(name) for name in gone)
    assert all(default_storage.exists(name) for name in kept)


def test_a_purge_cuts_answers_from_people_and_keeps_the_ratings(study, owner):
    rate_all(starting.start(study))
    before = tidy_table(study)["rating"].tolist()
    closed(study)
    assert lifecycle.purge(study, "study", owner) == 1
    person = Participant.objects.get()
    assert (person.token, person.withdrawal) == (None, None)
    assert tidy_table(study)["rating"].tolist() == before


@pytest.mark.parametrize("count", ["0", "-1", "10001", "x", "", "1e3", "９"])
def test_an_impossible_number_of_links_makes_none(study, desk, count):
    response = desk.post(reverse("invitations", args=["study"]), {"count": count}, follow=True)
    assert "1 to 10000" in response.content.decode()
    assert not Invitation.objects.exists()


def test_single_use_links_are_listed_until_they_are_used(study, desk, client):
    desk.post(reverse("invitations", args=["study"]), {"count": "2"})
    address = reverse("invitations_file", args=["study"])
    links = desk.get(address).content.decode().split()
    assert len(links) == 2
    client.post(links[0].removeprefix("http://testserver"), {"consent": "on"})
    assert desk.get(address).content.decode().split() == links[1:]
    assert "1 unused, 1 used" in desk.get(reverse("invitations", args=["study"])).content.decode()


def test_a_draft_is_seen_by_nobody_but_its_previewer(study, owner, desk, client):
    made = lifecycle.copy(study, "again", owner)
    assert client.get("/s/again/").status_code == 404
    desk.post("/s/again/?preview=1", {"consent": "on"})
    person = made.participants.get()
    assert person.is_preview
    rate_all(person)
    assert tidy_table(made).empty


def test_the_owner_deletes_a_participant_who_asks(study, desk):
    person = starting.start(study)
    rate_all(person)
    address = reverse("withdraw_participant", args=["study", person.pk])
    assert "type" in desk.post(address, {"typed": "no"}, follow=True).content.decode()
    assert Rating.objects.count() == 6
    desk.post(address, {"typed": person.code})
    assert not Participant.objects.exists()
    assert not Rating.objects.exists()


def test_the_list_counts_people_and_images_apart(study, owner, desk):
    starting.start(study, preview_by=owner)
    for _ in range(3):
        rate_all(starting.start(study))
    finishing.finish(Participant.objects.filter(is_preview=False)[0])
    (row,) = desk.get(reverse("studies")).context["studies"]
    assert (row.people, row.finished, row.images) == (3, 1, 6)
