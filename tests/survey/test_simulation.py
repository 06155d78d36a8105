from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from survey import services
from survey.models import Participant, Rating, Study
from survey.ratings import tidy_table
from survey.simulation import SimulationError, simulate
from tests.survey.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_each_simulated_person_rates_every_image_and_finishes():
    study = make_study()
    simulate(study, participants=4, seed=1)
    assert tidy_table(study).groupby("participant", observed=True)["item"].nunique().tolist() == [6] * 4
    assert set(study.participants.values_list("state", "is_simulated")) == {
        (Participant.State.FINISHED, True)
    }


def test_the_study_is_marked_as_simulated():
    study = make_study()
    simulate(study, participants=1, seed=1)
    assert Study.objects.get().is_simulated


def test_the_same_seed_gives_the_same_scores():
    first, second = make_study(slug="one"), make_study(slug="two")
    for study in (first, second):
        simulate(study, participants=5, seed=7)
    scores = [tidy_table(study).groupby("item", observed=True)["rating"].mean() for study in (first, second)]
    assert scores[0].equals(scores[1])


def test_people_added_later_are_others():
    study = make_study()
    simulate(study, participants=2, seed=7)
    simulate(study, participants=2, seed=7)
    table = tidy_table(study).pivot_table(index="participant", columns="item", values="rating", observed=True)
    assert len(table) == 4
    assert len(table.drop_duplicates()) > 2


def test_people_differ_in_what_they_see_and_images_in_quality():
    study = make_study()
    simulate(study, participants=12, seed=3)
    table = tidy_table(study)
    assert table.groupby("item", observed=True)["rating"].mean().std() > 0.2
    assert table.groupby("item", observed=True)["rating"].std().min() > 0.3


def test_a_repeated_image_is_judged_anew():
    study = make_study("[session]\nrepeats = 3\n")
    simulate(study, participants=8, seed=5)
    table = tidy_table(study)
    again = table[table["phase"] == "repeat"].merge(
        table[table["phase"] == "main"], on=["participant", "item"]
    )
    assert len(again) == 24
    assert 0 < (again["rating_x"] == again["rating_y"]).mean() < 1


@pytest.mark.parametrize("method", ["pair", "dcr"])
def test_every_method_can_be_simulated(method):
    extra = '[images]\nreferences = ["*-strong"]\n' if method == "dcr" else ""
    study = make_study(f'method = "{method}"\n{extra}')
    assert simulate(study, participants=2, seed=1) == 2
    assert study.participants.filter(state=Participant.State.FINISHED).count() == 2


def test_it_leaves_a_study_with_answers_of_people_alone():
    study = make_study()
    services.start(study)
    with pytest.raises(SimulationError, match="answers of people"):
        simulate(study, participants=1, seed=1)
    assert not Study.objects.get().is_simulated
    assert not Rating.objects.exists()


def test_people_cannot_join_a_simulated_study(client):
    study = make_study()
    simulate(study, participants=1, seed=1)
    page = client.get("/s/study/")
    assert page.status_code == 410
    assert "closed" in page.content.decode()
    client.post("/s/study/", {"consent": "on"})
    assert study.participants.filter(is_simulated=False).count() == 0


def test_it_does_not_open_a_closed_study():
    study = make_study()
    Study.objects.update(state=Study.State.CLOSED)
    with pytest.raises(SimulationError, match="open it first"):
        simulate(study, participants=1, seed=1)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"participants": 0}, "--participants 0: from 1 to 100000"),
        ({"participants": 3, "seed": -1}, "--seed -1: 0 or more"),
    ],
)
def test_the_command_refuses_numbers_out_of_range(options, line):
    make_study()
    with pytest.raises(CommandError, match=line) as caught:
        call_command("simulate", "study", **options)
    assert caught.value.returncode == 2


def test_the_command_names_the_nearest_study():
    make_study(slug="paintings")
    with pytest.raises(CommandError, match="did you mean 'paintings'") as caught:
        call_command("simulate", "paintigs", participants=1)
    assert caught.value.returncode == 2
