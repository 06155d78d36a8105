"""Coming, going, coming back: consent, languages, invitations, platforms, screening, leaving, deletion, purge."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from survey.models import Invitation, Participant, Rating, Recruit, Study, Trial
from survey.session import finishing, starting
from survey.session.refusals import Refused
from survey.session.starting import start
from survey.study import erasure
from tests.survey.factories import answer, current, join, make_study, rate_all

pytestmark = pytest.mark.django_db

PROLIFIC = """
[recruitment]
platform = "prolific"
complete = "DONE1"
screened_out = "OUT1"
withdrew = "BYE1"
return_to = "https://app.prolific.com/submissions/complete?cc={code}"
"""


def test_looking_takes_no_place(client):
    """oTree: mail and chat programs open links, and used up participants."""
    make_study()
    client.get("/s/study/")
    client.head("/s/study/")
    assert not Participant.objects.exists()
    assert not client.cookies


def test_nobody_begins_without_consent(client):
    make_study()
    response = client.post("/s/study/")
    assert response.status_code == 422
    assert not Participant.objects.exists()


def test_the_consents_version_and_time_are_kept(client):
    person = join(client, make_study('[consent]\nversion = "2026-11"\n'))
    assert person.consent_version == "2026-11"
    assert person.consented_at is not None
    assert person.version.number == 1


def test_a_study_that_is_not_there_is_not_there(client):
    assert client.get("/s/nothing/").status_code == 404


@pytest.mark.parametrize(("state", "status"), [("draft", 404), ("paused", 503), ("closed", 410)])
def test_a_study_that_is_not_open_takes_nobody(client, state, status):
    study = make_study()
    study.state = state
    study.save()
    assert client.get("/s/study/").status_code == status
    assert client.post("/s/study/", {"consent": "on"}).status_code == status
    assert not Participant.objects.exists()


@pytest.mark.parametrize("page", ["", "rate/", "skip/", "undo/", "delete/", "leave/", "done/", "about/"])
def test_nobody_reads_a_drafts_title(client, page):
    study = make_study('title = "A secret plan"\n')
    Study.objects.update(state="draft")
    image = study.stimuli.first().name
    sent = [
        client.get(f"/s/study/{page}"),
        client.post(f"/s/study/{page}", {"code": "x", "trial": "x"}),
        client.post(f"/s/study/{page}", {"code": "x", "trial": "x"}, headers={"Accept": "application/json"}),
        client.post(f"/s/study/{page}", headers={"Origin": "https://evil.example"}),
        client.get(f"/s/study/image/{image}"),
    ]
    assert not [response for response in sent if b"secret plan" in response.content]
    assert not [response for response in sent if response.status_code == 200]


def test_an_origin_that_is_no_address_is_refused(client):
    make_study()
    response = client.post("/s/study/", {"consent": "on"}, headers={"Origin": "http://[bad"})
    assert response.status_code == 403


def test_a_study_past_its_purge_date_takes_nobody(client):
    make_study()
    Study.objects.update(purge_on="2020-01-01")
    assert client.post("/s/study/", {"consent": "on"}).status_code == 410


def test_a_form_from_another_site_is_refused(client):
    make_study()
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert client.post("/s/study/", {"consent": "on"}, headers=headers).status_code == 403
    assert not Participant.objects.exists()
    client.post("/s/study/", {"consent": "on"}, headers={"sec-fetch-site": "same-origin"})
    assert Participant.objects.count() == 1


def test_pages_are_neither_cached_nor_indexed(client):
    join(client, make_study())
    response = client.get("/s/study/rate/")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_the_browsers_language_is_used_where_the_study_has_it(client):
    make_study('languages = ["en", "de"]\n')
    german = client.get("/s/study/", headers={"accept-language": "de-AT,de;q=0.9"}).content.decode()
    assert 'lang="de"' in german
    french = client.get("/s/study/", headers={"accept-language": "fr"}).content.decode()
    assert 'lang="en"' in french


def test_the_language_is_kept_with_the_session_and_gives_its_labels(client):
    person = join(client, make_study('languages = ["en", "de"]\n'), language="de")
    assert person.language == "de"
    page = client.get("/s/study/rate/", headers={"accept-language": "en"}).content.decode()
    assert "Ausgezeichnet" in page
    assert "Excellent" not in page


def test_an_unknown_language_is_not_taken(client):
    assert join(client, make_study(), language="../../x").language == "en"


def test_a_guessed_image_is_shown_to_participants_of_its_study_only(client):
    study, other = make_study(), make_study(slug="other")
    name = study.stimuli.first().name
    assert client.get(f"/s/study/image/{name}").status_code == 404
    join(client, study)
    response = client.get(f"/s/study/image/{name}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert client.get(f"/s/study/image/{other.stimuli.first().name}").status_code == 404
    stranger = Client()
    join(stranger, other)
    assert stranger.get(f"/s/study/image/{name}").status_code == 404


def test_an_image_costs_a_participant_one_query(client, django_assert_num_queries):
    study = make_study()
    join(client, study)
    name = study.stimuli.first().name
    with django_assert_num_queries(1):
        assert client.get(f"/s/study/image/{name}").status_code == 200


def statements(captured: CaptureQueriesContext) -> list[str]:
    """Return what the database was asked to do, without transactions."""
    asked = [query["sql"].split()[0] for query in captured.captured_queries]
    return [verb for verb in asked if verb in ("SELECT", "INSERT", "UPDATE", "DELETE")]


def test_a_start_asks_the_database_eight_times_and_postgresql_once_more():
    """A start holds its study's row: 300 people who begin at once wait for each other's statements."""
    study = make_study()
    join(Client(), study)
    with CaptureQueriesContext(connection) as captured:
        assert Client().post("/s/study/", {"consent": "on"})["Location"] == "/s/study/rate/"
    # The study with its version, its locked row, its version; the images, the counts; the person; trials, new counts.
    selects = ["SELECT"] * 5
    if connection.vendor == "postgresql":
        # The person's key: so the start waits for PostgreSQL twice, here and when the transaction ends.
        selects.append("SELECT")
    assert statements(captured) == [*selects, "INSERT", "INSERT", "UPDATE"]


def test_the_first_image_page_asks_the_database_four_times(client):
    study = make_study()
    join(client, study)
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/s/study/rate/").status_code == 200
    # Who is here, the images ahead, that the first one is shown, how far they are.
    assert statements(captured) == ["SELECT", "SELECT", "UPDATE", "SELECT"]


def test_a_page_notes_again_that_somebody_is_here_after_half_a_minute(client):
    person = join(client, make_study())
    for ago, noted in ((10, False), (40, True)):
        before = timezone.now() - dt.timedelta(seconds=ago)
        Participant.objects.update(last_seen_at=before)
        client.get("/s/study/rate/")
        person.refresh_from_db()
        assert (person.last_seen_at > before) is noted


def test_an_image_missing_from_the_store_is_a_clear_404(client):
    study = make_study()
    join(client, study)
    stimulus = study.stimuli.first()
    stimulus.image.storage.delete(str(stimulus.image.name))
    assert client.get(f"/s/study/image/{stimulus.name}").status_code == 404


@pytest.mark.parametrize("page", ["rate", "screening", "about", "done", "leave"])
def test_whoever_has_no_place_is_led_to_the_first_page(client, page):
    make_study()
    response = client.get(f"/s/study/{page}/")
    assert (response.status_code, response.url) == (303, "/s/study/")


def test_pages_ahead_of_ones_turn_lead_back(client):
    join(client, make_study('about = ["age"]\n'))
    assert client.get("/s/study/done/").url == "/s/study/rate/"
    assert client.get("/s/study/about/").url == "/s/study/rate/"


def test_an_invitation_is_needed_where_the_study_says_so(client):
    study = make_study("invited_only = true\n")
    assert client.post("/s/study/", {"consent": "on"}).status_code == 403
    assert client.post("/s/study/", {"consent": "on", "invitation": "guess"}).status_code == 403
    ticket = Invitation.objects.create(study=study)
    page = client.get(f"/s/study/?invitation={ticket.token}").content.decode()
    assert f'name="invitation" value="{ticket.token}"' in page
    ticket.refresh_from_db()
    assert ticket.used_at is None
    assert join(client, study, invitation=ticket.token)
    ticket.refresh_from_db()
    assert ticket.used_at is not None


def test_an_invitation_gives_one_place_and_leads_back_to_it():
    study = make_study("invited_only = true\n")
    ticket = Invitation.objects.create(study=study)
    first = join(Client(), study, invitation=ticket.token)
    again = join(Client(), study, invitation=ticket.token)
    assert first == again
    assert Participant.objects.count() == 1


def test_an_invitation_of_someone_who_withdrew_is_used_up():
    study = make_study("invited_only = true\n")
    ticket = Invitation.objects.create(study=study)
    erasure.withdraw(start(study, invitation=ticket.token))
    with pytest.raises(Refused):
        start(study, invitation=ticket.token)


def test_the_same_person_of_a_platform_goes_on_with_their_session(client):
    study = make_study(PROLIFIC)
    link = {"PROLIFIC_PID": "p1", "SESSION_ID": "s1", "STUDY_ID": "x"}
    first = join(client, study, **link)
    rate_all(first, limit=1)
    again = client.get("/s/study/", link)
    assert (again.status_code, again.url) == (303, "/s/study/rate/")
    assert join(Client(), study, **(link | {"PROLIFIC_PID": "p2"})) != first
    recruit = Recruit.objects.get(person="p1")
    assert (recruit.platform, recruit.session, recruit.assignment) == ("prolific", "s1", "x")


def test_anothers_id_alone_opens_nothing_of_their_session():
    """The id is no secret: the platform shows it, and so do addresses in a browser's history."""
    study = make_study(PROLIFIC)
    first = join(Client(), study, PROLIFIC_PID="p1")
    stranger = Client()
    response = stranger.post("/s/study/", {"consent": "on", "PROLIFIC_PID": "p1"})
    assert response.status_code == 409
    assert "browser that you used before" in response.content.decode()
    assert not stranger.cookies
    assert stranger.post("/s/study/leave/", {"action": "delete-now", "PROLIFIC_PID": "p1"}).status_code == 303
    assert list(Participant.objects.all()) == [first]


def test_a_persons_own_link_brings_them_back_on_another_device(client):
    study = make_study(PROLIFIC)
    person = join(client, study, PROLIFIC_PID="p1")
    page = client.get("/s/study/leave/").content.decode()
    (link, *_) = re.findall(r"http://testserver(/s/study/return/[^\"<]+)", page)
    other = Client()
    assert other.get(link).status_code == 200
    assert not other.cookies
    assert other.post(link)["Location"] == "/s/study/rate/"
    assert other.cookies["participant"].value == person.token
    elsewhere = make_study(slug="other")
    assert other.post(link.replace("/s/study/", f"/s/{elsewhere.slug}/")).status_code == 404
    assert other.post(link[:-1] + ("a" if link[-1] != "a" else "b")).status_code == 404
    erasure.purge(study, None)
    assert Client().post(link).status_code == 404


def test_a_study_of_a_platform_takes_nobody_without_an_id_unless_it_says_so(client):
    make_study(PROLIFIC)
    for response in (
        client.get("/s/study/"),
        client.post("/s/study/", {"consent": "on"}),
        client.post("/s/study/", {"consent": "on", "PROLIFIC_PID": "  "}),
    ):
        assert response.status_code == 403
    assert not Participant.objects.exists()
    assert join(client, make_study(PROLIFIC + "open_to_others = true\n", slug="open"))


def test_a_preview_with_a_persons_id_is_a_preview_of_its_own(client):
    study = make_study(PROLIFIC)
    person = join(Client(), study, PROLIFIC_PID="p1")
    client.force_login(User.objects.create_superuser("admin", password="x"))
    preview = join(client, study, PROLIFIC_PID="p1", preview="1")
    assert preview != person
    assert preview.is_preview


def once(client: Client) -> str:
    (value,) = re.findall(r'name="form" value="([^"]+)"', client.get("/s/study/").content.decode())
    return str(value)


def test_a_double_click_on_consent_makes_one_participant(client):
    make_study()
    form = {"consent": "on", "form": once(client)}
    first, second = Client(), Client()
    assert {first.post("/s/study/", form).status_code, second.post("/s/study/", form).status_code} == {303}
    person = Participant.objects.get()
    assert first.cookies["participant"].value == second.cookies["participant"].value == person.token
    # Nobody can tell or choose a cookie by what stands in the page.
    assert person.token not in client.get("/s/study/").content.decode()
    assert form["form"] != person.token


def test_the_same_form_later_is_another_person_at_the_same_device(client):
    make_study()
    form = {"consent": "on", "form": once(client)}
    Client().post("/s/study/", form)
    Participant.objects.update(started_at=timezone.now() - dt.timedelta(minutes=5))
    Client().post("/s/study/", form)
    assert Participant.objects.count() == 2


def test_the_platforms_code_comes_only_when_all_is_kept(client):
    person = join(client, make_study(PROLIFIC), PROLIFIC_PID="p1")
    rate_all(person, limit=5)
    assert "DONE1" not in client.get("/s/study/done/", follow=True).content.decode()
    rate_all(person)
    page = client.get("/s/study/done/").content.decode()
    assert "DONE1" in page
    assert 'href="https://app.prolific.com/submissions/complete?cc=DONE1"' in page


def test_who_stops_gets_the_code_for_that_and_keeps_their_answers(client):
    person = join(client, make_study(PROLIFIC), PROLIFIC_PID="p1")
    rate_all(person, limit=2)
    response = client.post("/s/study/leave/", {"action": "keep"}, follow=True)
    assert "BYE1" in response.content.decode()
    assert Rating.objects.count() == 2


@pytest.mark.parametrize(
    ("toml", "place", "said"),
    [
        ("[screening]\nvision = true\n", "screening", "Please choose one answer."),
        ("[viewing]\ndistance = true\n", "viewing", "Please choose one answer."),
    ],
)
def test_a_form_without_any_answer_says_what_is_missing(client, toml, place, said):
    """A browser sends nothing at all for buttons of which none is chosen."""
    make_study(toml)
    client.post("/s/study/", {"consent": "on"})
    response = client.post(f"/s/study/{place}/", {})
    assert response.status_code == 422
    page = response.content.decode()
    assert f'<p class="alert">{said}</p>' in page
    assert "autofocus" in page


def test_withdrawing_deletes_everything_at_once(client):
    person = join(client, make_study(PROLIFIC), PROLIFIC_PID="p1")
    rate_all(person, limit=2)
    page = client.post("/s/study/leave/", {"action": "delete"}).content.decode()
    assert "Delete all your answers?" in page
    # One slip of the thumb deletes nothing (WCAG 3.3.4).
    assert Rating.objects.count() == 2
    response = client.post("/s/study/leave/", {"action": "delete-now"})
    assert "BYE1" in response.content.decode()
    counts = [model.objects.count() for model in (Participant, Trial, Rating, Recruit)]
    assert counts == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("day", "language", "said"),
    [
        (None, "en", "you can delete your answers at any time:"),
        (dt.date(2099, 3, 1), "en", "you can delete your answers before March 1, 2099:"),
        (dt.date(2099, 3, 1), "de", "Ihre Antworten vor dem 1. März 2099 löschen:"),
    ],
)
def test_the_withdrawal_code_is_shown_with_the_day_until_which_it_works(client, day, language, said):
    make_study('languages = ["en", "de"]\n')
    Study.objects.update(purge_on=day)
    client.post("/s/study/", {"consent": "on", "language": language})
    client.post("/s/study/leave/", {"action": "keep"})
    page = client.get("/s/study/done/").content.decode()
    assert said in page
    assert ("Please write it down." if language == "en" else "Bitte notieren Sie ihn.") in page


def test_the_withdrawal_code_deletes_afterwards_from_any_device(client):
    person = join(Client(), make_study())
    rate_all(person)
    code = str(person.withdrawal)
    spoken = f" {code[:4].lower()}-{code[4:8]} {code[8:]} "
    assert client.post("/s/study/delete/", {"code": spoken}).status_code == 200
    assert not Rating.objects.exists()


@pytest.mark.parametrize("code", ["", "WRONGCODE234", " - "])
def test_a_wrong_withdrawal_code_says_so(client, code):
    join(Client(), make_study())
    response = client.post("/s/study/delete/", {"code": code})
    assert response.status_code == 422
    # What was typed stands there still, to be compared.
    assert f'value="{code}"' in response.content.decode()
    assert Participant.objects.count() == 1


def test_a_withdrawal_code_of_another_study_deletes_nothing(client):
    person = join(Client(), make_study())
    make_study(slug="other")
    assert client.post("/s/other/delete/", {"code": person.withdrawal}).status_code == 422
    assert Participant.objects.count() == 1


def test_the_device_can_be_handed_to_another_person(client):
    study = make_study()
    first = join(client, study)
    rate_all(first)
    client.post("/s/study/leave/", {"action": "hand-over"})
    second = join(client, study)
    assert first != second


def test_screening_is_kept_as_data_and_ends_nothing_by_default(client):
    person = join(client, make_study("[screening]\ndisplay = true\nplates = 1\n"))
    assert client.get("/s/study/").url == "/s/study/screening/"
    assert client.post("/s/study/screening/", {"display": "no"}).status_code == 422
    client.post("/s/study/screening/", {"display": "no", "plate_1": "none"})
    person.refresh_from_db()
    assert person.screening == {"display": "no", "plate_1": "wrong"}
    assert client.get("/s/study/").url == "/s/study/rate/"


def test_a_required_screening_ends_the_session_with_its_code(client):
    person = join(
        client, make_study("[screening]\nvision = true\nrequired = true\n" + PROLIFIC), PROLIFIC_PID="a"
    )
    page = client.post("/s/study/screening/", {"vision": "no"}, follow=True).content.decode()
    assert "OUT1" in page
    person.refresh_from_db()
    assert person.state == Participant.State.SCREENED_OUT


@pytest.mark.parametrize(("misread", "passes"), [(0, True), (1, True), (2, False)])
def test_a_required_screening_forgives_one_misread_plate(misread, passes):
    plates = {f"plate_{number}": "wrong" if number <= misread else "right" for number in range(1, 5)}
    assert starting.passed_screening(plates) is passes


def test_plates_are_drawn_for_this_participant_only_as_many_as_asked(client):
    join(client, make_study("[screening]\nplates = 1\n"))
    response = client.get("/s/study/plate/1")
    assert response.headers["Content-Type"] == "image/png"
    assert client.get("/s/study/plate/2").status_code == 404


def test_questions_about_the_person_are_optional(client):
    person = join(client, make_study('about = ["age", "screen"]\n'))
    rate_all(person)
    assert client.get("/s/study/").url == "/s/study/about/"
    page = client.post("/s/study/about/", {"age": "18-29"}, follow=True)
    assert "Thank you" in page.content.decode()
    person.refresh_from_db()
    assert person.about == {"age": "18-29"}


def test_what_people_say_of_themselves_is_kept_once():
    person = start(make_study('about = ["age"]\n'))
    finishing.tell_about(person, {"age": "18-29"})
    finishing.tell_about(person, {"age": "30-39"})
    person.refresh_from_db()
    assert person.about == {"age": "18-29"}


def test_an_age_that_is_no_band_is_refused(client):
    rate_all(join(client, make_study('about = ["age"]\n')))
    assert client.post("/s/study/about/", {"age": "37"}).status_code == 422


def test_the_keen_can_rate_another_batch_of_other_images(client):
    """psiTurk #321."""
    person = join(client, make_study("[session]\nimages = 2\nbatches = 3\n"))
    rate_all(person)
    assert "Rate another batch" in client.get("/s/study/done/").content.decode()
    for _ in range(2):
        client.post("/s/study/again/")
        rate_all(person)
        client.get("/s/study/done/")
    assert client.post("/s/study/again/", follow=True).redirect_chain[-1][0] == "/s/study/done/"
    stimuli = list(person.trials.values_list("stimulus", flat=True))
    assert len(stimuli) == len(set(stimuli)) == 6


def test_another_batch_is_offered_only_while_images_are_left(client):
    person = join(client, make_study("[session]\nimages = 6\nbatches = 3\n"))
    rate_all(person)
    assert "Rate another batch" not in client.get("/s/study/done/").content.decode()
    client.post("/s/study/again/")
    person.refresh_from_db()
    assert (person.state, person.batches) == ("finished", 1)


def test_who_withdraws_is_led_back_to_the_platform_too(client):
    join(client, make_study(PROLIFIC), PROLIFIC_PID="p1")
    page = client.post("/s/study/leave/", {"action": "delete-now"}).content.decode()
    assert 'href="https://app.prolific.com/submissions/complete?cc=BYE1"' in page


def test_an_mturk_worker_who_only_looks_takes_no_place(client):
    """MTurk shows a task before it is accepted, with this word where the assignment will stand."""
    make_study(PROLIFIC.replace("app.prolific.com/submissions", "www.mturk.com").replace("prolific", "mturk"))
    looking = "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=h1"
    page = client.get(f"/s/study/{looking}").content.decode()
    assert "Please accept the task" in page
    assert "Begin" not in page
    client.post(f"/s/study/{looking}", {"consent": "on"})
    assert not Participant.objects.exists()
    join(client, Study.objects.get(), workerId="w1", assignmentId="a1", hitId="h1")
    recruit = Recruit.objects.get()
    assert (recruit.platform, recruit.person, recruit.session, recruit.assignment) == (
        "mturk",
        "w1",
        "a1",
        "h1",
    )


OTHER = """
[recruitment]
platform = "other"
person_parameter = "pid"
session_parameter = "run"
complete = "ok"
screened_out = "out"
withdrew = "quit"
return_to = "https://panel.example.org/back?status={code}&id={person}"
"""


def test_another_panel_names_its_parameters_and_gets_its_id_back(client):
    study = make_study(OTHER)
    assert client.get("/s/study/").status_code == 403
    page = client.get("/s/study/?pid=a%26b&run=7&PROLIFIC_PID=x").content.decode()
    assert 'name="pid" value="a&amp;b"' in page
    assert "PROLIFIC_PID" not in page
    person = join(client, study, pid="a&b", run="7")
    recruit = Recruit.objects.get()
    assert (recruit.platform, recruit.person, recruit.session, recruit.assignment) == (
        "other",
        "a&b",
        "7",
        "",
    )
    rate_all(person)
    page = client.get("/s/study/done/").content.decode()
    assert 'href="https://panel.example.org/back?status=ok&amp;id=a%26b"' in page


def test_a_preview_is_for_researchers_and_never_counts(client):
    study = make_study()
    study.state = "draft"
    study.save()
    assert client.get("/s/study/?preview=1").status_code == 404
    client.force_login(User.objects.create_superuser("admin", password="x"))
    assert "Preview" in client.get("/s/study/?preview=1").content.decode()
    person = join(client, study, preview="1")
    assert person.is_preview
    rate_all(person)


def test_the_purge_deletes_what_may_name_a_person_and_keeps_the_ratings(capsys):
    kept = join(Client(), make_study("purge_on = 2099-01-01\n", slug="later"))
    study = make_study('about = ["age"]\n[screening]\nvision = true\n' + PROLIFIC, slug="now")
    person = join(Client(), study, PROLIFIC_PID="p1")
    starting.screen(person, {"vision": "no"})
    rate_all(person)
    finishing.tell_about(person, {"age": "18-29"})
    study.purge_on = dt.date(2020, 1, 1)
    study.save()
    call_command("purge_expired")
    assert "1 participant" in capsys.readouterr().out
    person.refresh_from_db()
    assert (person.token, person.withdrawal) == (None, None)
    assert (person.screening, person.about) == (None, None)
    assert Rating.objects.filter(trial__participant=person).count() == 6
    assert not Recruit.objects.exists()
    kept.refresh_from_db()
    assert kept.token is not None


def test_an_answer_goes_to_its_own_trial_whatever_the_address(client):
    """A token says whose trial it is; the address does not."""
    study = make_study()
    make_study(slug="other")
    person = join(client, study)
    trial = current(person)
    client.post("/s/other/rate/", {"trial": trial.token, "q-overall": "3"})
    assert Rating.objects.get().trial == trial
    assert answer(client, trial, 5).status_code == 303
    assert Rating.objects.get().value == 3


@pytest.mark.parametrize(("adults_only", "status"), [("false", 303), ("true", 422)])
def test_a_study_for_adults_only_offers_no_age_below_18(client, adults_only, status):
    rate_all(join(client, make_study(f'about = ["age"]\n[consent]\nadults_only = {adults_only}\n')))
    page = client.get("/s/study/about/").content.decode()
    assert ("Under 18" in page) == (status == 303)
    assert client.post("/s/study/about/", {"age": "under-18"}).status_code == status
