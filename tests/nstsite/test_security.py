"""What a stranger on the web tries first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from survey.models import Rating
from tests.survey.factories import answer, join, make_study

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_djangos_own_deployment_checks_find_nothing(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "nstsite.settings",
        "HTTPS": "True",
        "DATA_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "survey.example",
    }
    # The browser tests set it for their own process; no deployment does.
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "address", ["http://api.prolific.com", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "x"]
)
def test_a_platforms_token_is_sent_nowhere_but_over_https(tmp_path, address):
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PROLIFIC_API": address}
    command = [sys.executable, "-c", "import nstsite.settings"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "PROLIFIC_API must be an https address" in answer.stderr


def test_every_page_forbids_inline_script_and_style(client):
    make_study()
    for address in ("/", "/s/study/", "/sign-in/", "/nowhere"):
        policy = client.get(address)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_forged_host_gets_nothing(client):
    assert client.get("/sign-in/", headers={"Host": "evil.example"}).status_code == 400


def test_signing_in_never_sends_on_to_another_site(client, django_user_model):
    django_user_model.objects.create_superuser("admin", password="a long password")
    form = {"username": "admin", "password": "a long password"}
    for there in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        response = client.post(f"/sign-in/?next={there}", form | {"next": there})
        assert response.status_code == 302
        assert response["Location"] == "/studies/"
        client.post("/sign-out/")


def test_forms_of_those_who_signed_in_need_the_csrf_token(django_user_model):
    admin = django_user_model.objects.create_superuser("admin", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.post("/sign-out/").status_code == 403
    assert client.post("/admin/survey/study/add/", {"slug": "x"}).status_code == 403


def test_another_site_cannot_rate_in_a_participants_name():
    study = make_study()
    client = Client()
    trial = join(client, study).trials.all()[0]
    token = {"trial": trial.token, "q-overall": "5"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert client.post("/s/study/rate/", token, headers=headers).status_code == 403
    assert not Rating.objects.exists()


def test_one_participants_cookie_opens_nothing_of_another_study():
    ours, theirs = make_study(), make_study(slug="other")
    client = Client()
    join(client, ours)
    client.cookies["participant"]["path"] = "/"
    stimulus = theirs.stimuli.all()[0]
    assert client.get(f"/s/other/image/{stimulus.name}").status_code == 404
    assert client.get(f"/s/study/image/{stimulus.name}").status_code == 404


def test_an_answer_to_anothers_trial_shows_nothing_of_their_session():
    study = make_study()
    mine, theirs = Client(), Client()
    join(mine, study)
    trial = join(theirs, study).trials.all()[0]
    answer(mine, trial, 4)
    follow = mine.get("/s/study/rate/").content.decode()
    assert not [t for t in trial.participant.trials.all() if t.token in follow]
    assert trial.participant.code not in follow
