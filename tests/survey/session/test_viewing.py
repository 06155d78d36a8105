"""What people tell of their screens is kept once, as they told it, and comes back in tables and words."""

from __future__ import annotations

import pytest

from survey.exports.methods import methods_text
from survey.exports.viewing import viewing_words
from survey.models import Participant
from survey.results.collect import collect
from survey.session import starting
from survey.simulation.people import simulate
from survey.study import erasure
from survey.study.lifecycle import copy
from survey.study.preregistration import preregistration
from tests.survey.exports.studies import rated_study
from tests.survey.factories import join, make_study

pytestmark = pytest.mark.django_db

BOTH = "[viewing]\ncard = true\ndistance = true\n"
MATCHED = {"pixels_per_mm": "3.77953", "dpr": "1.5"}


@pytest.fixture
def person(client) -> Participant:
    """Somebody who has just begun."""
    return join(client, make_study(BOTH))


def send(client, **fields):
    return client.post("/s/study/viewing/", fields)


def kept(person):
    person.refresh_from_db()
    return person.viewing


def test_the_page_comes_before_the_images(client, person):
    assert client.get("/s/study/rate/")["Location"] == "/s/study/viewing/"
    assert client.get("/s/study/viewing/").status_code == 200


def test_what_was_matched_and_said_is_kept(client, person):
    assert send(client, **MATCHED, distance="said", distance_cm="55.5")["Location"] == "/s/study/rate/"
    assert kept(person) == {"pixels_per_mm": 3.78, "dpr": 1.5, "distance_by": "said", "distance_cm": 55.5}
    # A second answer changes nothing.
    send(client, **MATCHED, distance="arm")
    starting.tell_viewing(person, {"distance_by": "arm"})
    assert kept(person)["distance_by"] == "said"


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"no_card": "on", "distance": "arm"}, (None, None, "arm", 60.0)),
        # Both: what was unticked last counts, and the page clears the other.
        ({**MATCHED, "no_card": "on", "distance": "unknown"}, (None, None, "unknown", None)),
        ({**MATCHED, "distance": "arm", "distance_cm": "nonsense"}, (3.78, 1.5, "arm", 60.0)),
    ],
)
def test_each_part_can_be_left_open(client, person, fields, row):
    send(client, **fields)
    assert tuple(kept(person)[name] for name in ("pixels_per_mm", "dpr", "distance_by", "distance_cm")) == row


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"distance": "arm"}, "Match the card, or say that you have none."),
        ({"pixels_per_mm": "99", "distance": "arm"}, "Match the card, or say that you have none."),
        ({"pixels_per_mm": "nan", "distance": "arm"}, "Match the card, or say that you have none."),
        ({"no_card": "on"}, "Please choose one answer."),
        ({"no_card": "on", "distance": "near"}, "Please choose one answer."),
        ({"no_card": "on", "distance": "said"}, "Give the distance in centimetres"),
        ({"no_card": "on", "distance": "said", "distance_cm": "5"}, "Give the distance in centimetres"),
    ],
)
def test_what_is_missing_or_impossible_is_asked_again(client, person, fields, said):
    page = send(client, **fields)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert kept(person) is None


def test_only_what_the_study_asks_for_is_asked_and_kept(client):
    person = join(client, make_study("[viewing]\ndistance = true\n"))
    assert "bank card" not in client.get("/s/study/viewing/").content.decode()
    send(client, **MATCHED, distance="arm")
    assert kept(person) == {"distance_by": "arm", "distance_cm": 60.0}


def test_the_first_page_says_what_is_stored(client):
    study = make_study(BOTH)
    assert "how far away you sit" in client.get(f"/s/{study.slug}/").content.decode()


@pytest.mark.slow
def test_the_participants_table_and_the_methods_say_it():
    study = rated_study(BOTH, people=12)
    for number, person in enumerate(study.participants.order_by("pk")):
        person.viewing = {"pixels_per_mm": 3 + number / 4, "dpr": 1, "distance_by": "said", "distance_cm": 60}
        person.save()
    study.participants.filter(pk=person.pk).update(
        viewing={"pixels_per_mm": None, "distance_by": "arm", "distance_cm": 60}
    )
    export = collect(study)
    table = export.participants.set_index("participant")
    assert table["pixels_per_degree"].notna().sum() == 11
    assert table["pixels_per_degree"].min() == pytest.approx(2 * 600 * 0.0087269 * 3, rel=1e-3)
    text = methods_text(export)
    assert (
        "Of 11 of 12 people it is known how large they saw the images: the median is 44.5 CSS pixels per degree"
        in text
    )
    assert "an arm’s length, said by 1, was taken as 60 cm" in text
    assert "Spearman’s ρ" not in text


def test_a_study_that_asks_nothing_has_no_such_columns():
    export = collect(rated_study(people=2))
    assert "pixels_per_mm" not in export.participants
    assert viewing_words(export.definition, export.participants) == ""


def test_the_pre_registration_says_what_is_asked():
    text = preregistration(make_study(BOTH + "min_width = 900\n"))
    assert "people match an outline with a bank card and say how far their eyes are from the screen." in text
    assert "Only windows at least 900 CSS pixels wide." in text


def test_simulated_people_have_screens():
    study = copy(make_study(BOTH), "simulated", None, simulated=True)
    simulate(study, participants=3, seed=1)
    assert collect(study).participants["pixels_per_degree"].between(10, 120).all()


def test_a_purge_keeps_the_screens_numbers(client, person):
    send(client, **MATCHED, distance="arm")
    erasure.purge(person.study, None)
    assert kept(person)["pixels_per_mm"] == 3.78


def test_the_results_show_a_point_for_each_person_and_the_median(client, django_user_model):
    study = rated_study(BOTH, people=8)
    study.owner = django_user_model.objects.create_user("mara")
    study.save()
    for number, person in enumerate(study.participants.order_by("pk")):
        person.viewing = {"pixels_per_mm": 3 + number / 4, "distance_by": "said", "distance_cm": 60}
        person.save()
    client.force_login(study.owner)
    page = client.get(f"/studies/{study.slug}/results/reliability/")
    html = page.content.decode()
    assert html.count("<circle") == 8
    assert "How people saw the images" in html
    strip = page.context["strip"]
    # Half of the points lie at either side of the median, all between the ends.
    assert sum(x < strip["median"] for x, _ in strip["points"]) == 4
    assert strip["band"][0] < strip["median"] < sum(strip["band"])
