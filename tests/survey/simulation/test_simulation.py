from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access.audit import record
from survey.access.studies import simulation_pass
from survey.models import AuditEntry, Participant, Preference, Rating, Study
from survey.results.tidy_table import tidy_table
from survey.session import starting
from survey.simulation.bots import player
from survey.simulation.people import SimulationError, simulate
from tests.survey.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


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
    assert len(simulate(study, participants=2, seed=1).kinds) == 2
    assert study.participants.filter(state=Participant.State.FINISHED).count() == 2


def test_it_leaves_a_study_with_answers_of_people_alone():
    study = make_study()
    starting.start(study)
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


def test_simulated_people_finish_where_screening_and_questions_about_the_person_are_set():
    study = make_study(WHOLE)
    simulate(study, participants=3, seed=1)
    for person in study.participants.all():
        assert person.state == Participant.State.FINISHED
        assert person.screening == {"display": "yes", "plate_1": "right", "plate_2": "right"}
        assert set(person.about or {}) == {"age"}


def test_a_study_made_by_command_just_now_is_simulated_unasked_and_logged():
    make_study()
    call_command("simulate", "study", participants=2, seed=4)
    entry = AuditEntry.objects.get(act="study.simulate")
    assert (entry.who, entry.slug, entry.detail) == (
        "(command)",
        "study",
        {"participants": 2, "seed": 4, "careless": 0.15},
    )


def published_by_hand(study):
    record("study.publish", study, User.objects.create_user("ada"))


def old(study):
    Study.objects.update(created_at=timezone.now() - dt.timedelta(hours=2))


def previewed(study):
    starting.start(study, preview_by=User.objects.create_user("ada"))


def invited(study):
    study.invitations.create()


@pytest.mark.parametrize("use", [published_by_hand, old, previewed, invited])
def test_a_study_in_use_is_simulated_only_after_a_yes(use):
    use(make_study())
    with pytest.raises(CommandError, match="--copy simulates a copy of it, --yes the study itself") as caught:
        call_command("simulate", "study", participants=1)
    assert caught.value.returncode == 2
    assert not Study.objects.get().is_simulated
    call_command("simulate", "study", participants=1, yes=True)
    assert Study.objects.get().is_simulated


@pytest.mark.parametrize(("answer", "simulated"), [("n\n", False), ("", False), ("y\n", True)])
def test_the_command_asks_at_a_terminal(monkeypatch, answer, simulated):
    published_by_hand(make_study())
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    if simulated:
        call_command("simulate", "study", participants=1)
    else:
        with pytest.raises(CommandError, match="nothing was simulated"):
            call_command("simulate", "study", participants=1)
    assert Study.objects.get().is_simulated is simulated


@pytest.mark.parametrize("yes", [False, True])
def test_a_study_with_answers_of_people_is_refused_at_once(yes):
    starting.start(make_study())
    with pytest.raises(CommandError, match="has answers of people: `simulate study --copy` sim") as caught:
        call_command("simulate", "study", participants=1, yes=yes)
    assert "--yes" not in str(caught.value)


def test_a_copy_is_simulated_while_the_study_with_its_answers_stays(capsys):
    study = make_study()
    study.owner = User.objects.create_user("ada")
    study.save()
    starting.start(study)
    for name in ("study-simulated", "study-simulated-2"):
        call_command("simulate", "study", "--copy", participants=1)
        made = Study.objects.get(slug=name)
        assert (made.title, made.is_simulated, made.stimuli.count()) == ("A study (simulated)", True, 6)
        assert made.owner == study.owner
    told = capsys.readouterr().out
    assert "took part in 'study-simulated-2'" in told
    assert "Its results: http://127.0.0.1:8000/studies/study-simulated-2/results/" in told
    study.refresh_from_db()
    assert (study.is_simulated, study.participants.count()) == (False, 1)


def test_the_desk_says_that_people_cannot_take_part_in_a_simulated_study():
    simulate(make_study(), participants=1, seed=1)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("setup", args=["study"])).content.decode()
    assert "a program made its participants" in page
    assert "has the link can take part" not in page


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"participants": 0}, "--participants 0: from 1 to 100000"),
        ({"participants": 3, "seed": -1}, "--seed -1: 0 or more"),
        ({"participants": 3, "careless": 1.5}, "--careless 1.5: a share from 0 to 1"),
        ({"participants": 3, "http": "http://example.org"}, "this machine's own server only"),
        ({"participants": 3, "http": "127.0.0.1:8000"}, "not a valid address; write one such as"),
        ({"participants": 3, "http": "http://127.0.0.1:9"}, "start the server first"),
    ],
)
def test_the_command_refuses_numbers_out_of_range(options, line):
    make_study()
    with pytest.raises(CommandError, match=line) as caught:
        call_command("simulate", "study", **options)
    assert caught.value.returncode == 2
    assert not Study.objects.get().is_simulated


def test_the_command_names_the_nearest_study():
    make_study(slug="paintings")
    with pytest.raises(CommandError, match="did you mean 'paintings'") as caught:
        call_command("simulate", "paintigs", participants=1)
    assert caught.value.returncode == 2


def test_the_careless_are_spread_evenly_and_told_apart():
    study = make_study("[images]\ntrap = 2\n")
    outcome = simulate(study, participants=10, seed=1, careless=0.4)
    assert sorted(outcome.kinds.values()) == ["constant", "fast", *["honest"] * 6, "inattentive", "random"]
    table = tidy_table(study)
    trap = table[table["phase"] == "trap"].set_index("participant")["rating"]
    time = table.groupby("participant", observed=True)["rt_ms"].median()
    for code, kind in outcome.kinds.items():
        assert trap[code] == 2 or kind not in ("honest", "fast")
        assert (time[code] < 1500) == (kind == "fast")
        if kind == "constant":
            assert table[table["participant"] == code]["rating"].nunique() == 1


def test_the_command_says_and_writes_what_the_analysis_got_back(tmp_path, capsys):
    make_study("[images]\ntrap = 2\n")
    call_command("simulate", "study", participants=12, seed=1, careless=0.25, output=tmp_path)
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "simulation.json").read_text())
    everyone = report["scores"][0]
    assert f"RMSE {everyone['rmse']:.3f}" in printed
    assert "9 honest: 0 false alarms" in printed
    assert f"{everyone['rmse']:.3f}" in (tmp_path / "simulation.html").read_text()
    assert [row["people"] for row in report["people"]] == [9, 1, 1, 1]


WHOLE = """
about = ["age"]
[[questions]]
key = "quality"
text = "How good is it?"
[session]
repeats = 1
[images]
practice = ["owl-weak"]
trap = 2
[screening]
display = true
plates = 2
required = true
[viewing]
min_width = 1000
card = true
distance = true
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_bots_play_whole_sessions_through_a_server(live_server):
    study = make_study(WHOLE)
    outcome = simulate(study, participants=3, seed=1, careless=0.34, play=player(live_server.url))
    people = {person.code: person for person in study.participants.all()}
    assert set(people) == set(outcome.kinds)
    for person in people.values():
        assert (person.state, person.is_simulated) == (Participant.State.FINISHED, True)
        assert person.screening == {"display": "yes", "plate_1": "right", "plate_2": "right"}
        assert person.about == {}
        assert person.viewing == {
            "pixels_per_mm": None,
            "dpr": None,
            "distance_by": "arm",
            "distance_cm": 60,
        }
    table = tidy_table(study)
    assert table["phase"].value_counts()[["main", "repeat", "trap", "practice"]].tolist() == [15, 3, 3, 3]
    assert table["rt_ms"].notna().all()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["pair", "dcr"])
def test_bots_say_through_a_server_what_the_services_would_be_told(live_server, method):
    """The page shows a reference first, and hides which image a study asks about behind an opaque name."""
    extra = '[images]\nreferences = ["*-strong"]\n' if method == "dcr" else ""
    one, two = (make_study(f'method = "{method}"\n{extra}', slug=slug) for slug in ("one", "two"))
    simulate(one, participants=2, seed=3, play=player(live_server.url))
    simulate(two, participants=2, seed=3)
    if method == "dcr":
        said = [tidy_table(study).groupby("item", observed=True)["rating"].sum() for study in (one, two)]
        assert said[0].to_dict() == said[1].to_dict()
    else:
        assert [
            Preference.objects.filter(trial__participant__study=study).count() for study in (one, two)
        ] == [6, 6]


def test_a_pass_opens_a_simulated_study_to_a_program_and_no_other(client):
    study, other = make_study(slug="one"), make_study(slug="two")
    Study.objects.update(is_simulated=True)
    for text, status in ((simulation_pass(study), 200), (simulation_pass(other), 410), ("1:x:y", 410)):
        assert client.get("/s/one/", {"simulation": text}).status_code == status
    Study.objects.update(is_simulated=False)
    client.post("/s/one/", {"consent": "on", "simulation": simulation_pass(study)})
    assert not study.participants.get().is_simulated


@pytest.mark.parametrize("fails", ["survey.session.starting.start", "survey.session.answering.rate"])
@pytest.mark.parametrize("by", ["services", "a server"])
def test_a_copy_that_nobody_could_take_part_in_is_gone_with_its_images(
    monkeypatch, settings, tmp_path, fails, by
):
    settings.MEDIA_ROOT = tmp_path
    study = make_study()
    before = sorted(tmp_path.rglob("*.png"))

    def lost(*_: object, **__: object) -> str:
        raise OperationalError("the database is away")

    monkeypatch.setattr(fails, lost)
    play = None if by == "services" else lost
    with pytest.raises(OperationalError, match="the database is away"):
        simulate(study, participants=2, seed=1, play=play, copy_as="trial")
    assert [left.slug for left in Study.objects.all()] == ["study"]
    assert not Study.objects.get().is_simulated
    assert sorted(tmp_path.rglob("*.png")) == before
