"""How many participants a design needs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey.results.collect import collect
from tests.survey.desk.conftest import client_of
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(researcher: Client) -> Client:
    return researcher


def text(client: Client, status: int = 200, **asked: str | float) -> str:
    response = client.get(reverse("planning"), {name: str(value) for name, value in asked.items()})
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def own_study(owner: User, toml: str, slug: str = "fresh") -> None:
    """Publish a study of the owner's that nobody has rated."""
    study = make_study(toml, slug=slug)
    study.owner = owner
    study.save()


def test_it_answers_for_an_assumed_noise(desk):
    page = text(desk, images=20, half_width=0.2, a=0.25, drop_out=0)
    assert "97 participants" in page
    assert "97 ratings of each of 20 images" in page


def test_studies_of_equal_titles_are_told_apart(desk, owner):
    for slug, title in (("first", "Taste"), ("second", "Taste"), ("third", "Smell")):
        own_study(owner, f'title = "{title}"\n', slug)
    for page in (text(desk), desk.get(reverse("account")).content.decode()):
        assert '<option value="first">Taste (first)</option>' in page
        assert '<option value="second">Taste (second)</option>' in page
        assert '<option value="third">Smell</option>' in page


def test_subsets_and_lost_sessions_need_more_people(desk):
    # 97 ratings of 20 images are 1940; by 10 each 194 people; of 20 % lost, 243.
    assert "243 participants" in text(desk, images=20, each=10, half_width=0.2, a=0.25, drop_out=20)


def test_it_takes_the_noise_of_an_earlier_study(desk, study):
    page = text(desk, noise=study.slug)
    assert f"as in “{study.title}”: a = {collect(study).analysis.summary['sos_a_used']:.3f}" in page


def test_it_begins_with_the_studys_own_images_and_goal(desk, study):
    page = text(desk, noise=study.slug)
    rated = study.stimuli.filter(role="main").count()
    assert rated != 30
    assert f'name="images" value="{rated}"' in page
    assert f"of each of {rated} images" in page
    assert "the form begins with its own images" in page
    assert "of each of 12 images" in text(desk, noise=study.slug, images=12), "what is typed counts"


def test_a_study_that_nobody_has_rated_says_what_it_assumes(desk, owner):
    own_study(owner, "[session]\nimages = 3\n[goal]\nhalf_width = 0.4\n")
    page = text(desk, noise="fresh")
    assert "assumed: a = 0.35, as nobody has rated “A study” yet" in page
    assert "of each of 6 images, 3 images for each participant" in page
    assert "95 % interval of ±0.4" in page


def test_it_says_where_the_tests_of_all_pairs_need_more_people(desk):
    # 28 pairs need 11 people: 28 × 2/2^11 is 0.027.
    plan: dict[str, Any] = {"images": 8, "a": 0.1, "drop_out": 0}
    page = text(desk, **plan, half_width=0.4)
    assert "10 ratings of each of 8 images" in page
    assert (
        "with 28 pairs, 11 people must rate both of two images, or no difference can be significant." in page
    )
    assert "no difference can be significant" not in text(desk, **plan, half_width=0.35)


def test_it_gives_the_hours_and_with_a_pay_the_cost(desk):
    plan: dict[str, Any] = {"images": 20, "half_width": 0.2, "a": 0.25, "drop_out": 0}
    page = text(desk, **plan)
    # 20 images of 12 seconds; 97 people.
    assert "A session takes about 4 minutes: 6.5 hours of people’s time in all." in page
    assert "It costs" not in page
    page = text(desk, **plan, minutes=10, pay=12, fee=25)
    assert "<strong>242.50</strong>: 194.00 for the participants and 48.50 for the platform" in page
    assert '<td class="number">242.50</td>' in page, "the half width of 0.2 is in the table"
    assert "for the platform" not in text(desk, **plan, minutes=10, pay=12)


def test_the_minutes_begin_as_the_study_says(desk, owner):
    own_study(owner, "[consent]\nminutes = 7\n")
    page = text(desk, noise="fresh")
    assert 'name="minutes" value="7"' in page
    assert "A session takes about 7 minutes" in page


def test_another_persons_study_is_not_offered(desk, study):
    study.owner = None
    study.save()
    assert study.title not in text(desk)
    text(desk, 422, noise=study.slug)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"images": 5, "each": 6}, "There are only 5 images."),
        ({"images": 0}, "greater than or equal to 1"),
        ({"half_width": "wide"}, "Enter a number."),
        ({"half_width": 3}, "On a scale of 1 to 5 this is 0.05 to 2."),
        ({"scale": "0:100", "half_width": 0.25}, "On a scale of 0 to 100, continuous this is 1.25 to 50."),
        ({"scale": "5:1"}, "the low end of a scale must be below its high end"),
        ({"drop_out": 100}, "less than or equal to 90"),
    ],
)
def test_it_says_what_cannot_be_planned(desk, asked, words):
    assert words in text(desk, 422, **asked)


def test_who_may_not_make_studies_does_not_plan_them(study):
    assert client_of(User.objects.create_user("viewer")).get(reverse("planning")).status_code == 404


def test_study_pages_lead_there(desk, study):
    assert (
        f'href="/planning/?noise={study.slug}"'
        in desk.get(reverse("setup", args=[study.slug])).content.decode()
    )
    assert 'href="/planning/"' in desk.get(reverse("studies")).content.decode()


@pytest.mark.parametrize(
    ("scale", "half_width", "sd"),
    [
        ("1:7", 0.3, "1.50"),
        ("1:9", 0.4, "2.00"),
        ("0:10", 0.5, "2.50"),
        ("0:100", 5, "25.00"),
        ("1:5:0.5", 0.2, "1.00"),
    ],
)
def test_a_scale_needs_as_many_people_for_the_same_share_of_its_range(desk, scale, half_width, sd):
    page = text(desk, images=20, scale=scale, half_width=half_width, a=0.25, drop_out=0)
    assert "97 participants" in page
    assert f"an SD of {sd} points in the middle of the scale: 25 % of its range" in page


def test_a_study_on_another_scale_is_planned_on_it(desk, owner):
    questions = '[[questions]]\nkey = "liking"\ntext = "How much?"\nscale = "0:100"\n'
    own_study(owner, questions, "slider")
    page = text(desk, noise="slider")
    assert "interval of ±6.25 points around a MOS in the middle of a scale of 0 to 100, continuous" in page
    assert "±12.5<" in page, "0.5 points of four are 12.5 of a hundred"
