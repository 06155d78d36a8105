"""Who comes with a window that is too small is told so before consent, and takes no place."""

from __future__ import annotations

import pytest

from survey.models import Participant
from survey.session import starting
from survey.session.refusals import Refused
from survey.simulation.people import simulate
from survey.study.lifecycle import copy
from tests.survey.factories import join, make_study

pytestmark = pytest.mark.django_db

DOOR = "[viewing]\nmin_width = 1000\nmin_height = 600\n"


@pytest.mark.parametrize("window", [None, (999, 600), (1000, 599)])
def test_a_small_or_unknown_window_takes_no_place(window):
    with pytest.raises(Refused, match="window"):
        starting.start(make_study(DOOR), window=window)
    assert not Participant.objects.exists()


def test_a_window_that_just_fits_does(client):
    assert join(client, make_study(DOOR), window_w="1000", window_h="600")


@pytest.mark.parametrize("side", ["min_width", "min_height"])
def test_one_side_alone_can_be_asked_for(side):
    study = make_study(f"[viewing]\n{side} = 700\n")
    starting.start(study, window=(700, 200) if side == "min_width" else (200, 700))
    with pytest.raises(Refused):
        starting.start(study, window=(200, 700) if side == "min_width" else (700, 200))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window_w": "390", "window_h": "844"}, "Make the window larger"),
        ({}, "Your browser runs no scripts here"),
        ({"window_w": "1e9", "window_h": "-5"}, "Your browser runs no scripts here"),
    ],
)
def test_the_refusal_says_why_and_leads_back_with_the_platforms_numbers(client, fields, said):
    study = make_study(
        DOOR + '[recruitment]\nplatform = "prolific"\ncomplete = "A"\nscreened_out = "B"\nwithdrew = "C"\n'
    )
    page = client.post(f"/s/{study.slug}/", {"consent": "on", "PROLIFIC_PID": "p1", **fields})
    assert page.status_code == 403
    html = page.content.decode()
    assert said in html
    assert '<input type="hidden" name="PROLIFIC_PID" value="p1">' in html


def test_a_study_without_a_door_says_nothing_of_windows(client):
    study = make_study()
    assert "window_w" not in client.get(f"/s/{study.slug}/").content.decode()
    assert join(client, study)


def test_programs_have_no_window():
    study = copy(make_study(DOOR), "simulated", None, simulated=True)
    simulate(study, participants=2, seed=1)
    assert study.participants.count() == 2
