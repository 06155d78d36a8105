"""The API tells a program what its account may read, and no one else anything."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.access import tokens
from survey.access.errors import DeskError
from survey.exports.files import study_files
from survey.models import ApiToken, AuditEntry, Study
from survey.results.collect import collect
from survey.session import answering, finishing, progress, starting
from survey.study import decisions
from tests.survey.exports.studies import give_ratings
from tests.survey.factories import make_study, rate_all

pytestmark = pytest.mark.django_db

READS = ("api_study", "api_results", "api_ratings")


@pytest.fixture
def secret(owner: User) -> str:
    return tokens.make(owner, "a notebook")


def ask(secret: str, name: str, *keys: str, **headers: str):
    return Client().get(reverse(name, args=keys), headers={"Authorization": f"Bearer {secret}", **headers})


def keys_of(name: str) -> list[str]:
    return ["study", "csv"] if name == "api_ratings" else ["study"]


def test_the_list_holds_what_the_account_may_read(study, secret):
    make_study(slug="somebody-elses")
    (told,) = ask(secret, "api_studies").json()["studies"]
    assert (told["slug"], told["state"], told["participants"], told["finished"]) == ("study", "open", 3, 3)
    assert told["results"] == "http://testserver/api/v1/studies/study/results"


def test_a_study_comes_with_its_definition(study, secret):
    told = ask(secret, "api_study", "study").json()
    assert told["sha256"] == study.version.sha256
    assert told["definition"]["title"] == "A study"


def test_results_are_the_export(study, secret):
    (exported,) = study_files(study, "json").values()
    assert ask(secret, "api_results", "study").content == exported


def test_ratings_are_the_tidy_table_in_both_formats(study, secret):
    wanted = collect(study).ratings["rating"].tolist()
    answer = ask(secret, "api_ratings", "study", "csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert [int(row["rating"]) for row in csv.DictReader(io.StringIO(answer.content.decode()))] == wanted
    rows = json.loads(ask(secret, "api_ratings", "study", "json").content)
    assert [row["rating"] for row in rows] == wanted


def test_pairs_come_as_choices(secret, owner):
    study = make_study('method = "pair"\n', slug="pairs")
    study.owner = owner
    study.save()
    rate_all(starting.start(study))
    rows = json.loads(ask(secret, "api_ratings", "pairs", "json").content)
    assert [row["answer"] for row in rows] == ["tie"] * 3
    assert ask(secret, "api_results", "pairs").status_code == 200


def test_what_has_not_changed_is_not_sent_again(study, secret):
    for name in ("api_results", "api_ratings"):
        first = ask(secret, name, *keys_of(name))
        again = ask(secret, name, *keys_of(name), **{"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    give_ratings(study, 1)
    assert ask(secret, "api_results", "study", **{"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("name", READS)
def test_anothers_study_and_none_at_all_look_alike(study, name):
    stranger = tokens.make(User.objects.create_user("stranger"), "x")
    missing = ["nothing", *keys_of(name)[1:]]
    for keys in (keys_of(name), missing):
        response = ask(stranger, name, *keys)
        assert response.status_code == 404
        assert "no study" in response.json()["error"]


def test_a_viewer_reads_what_is_shared(study, owner):
    viewer = User.objects.create_user("viewer")
    secret = tokens.make(viewer, "x")
    viewing = decisions.add_viewer(study, "viewer", owner)
    assert ask(secret, "api_results", "study").status_code == 200
    decisions.remove_viewer(viewing, owner)
    assert ask(secret, "api_results", "study").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer guess", "Basic b3duZXI6eA==", "Token x", "Bearer é"]
)
@pytest.mark.parametrize("name", ["api_studies", *READS])
def test_without_a_token_in_force_nothing_is_told(study, name, header):
    keys = [] if name == "api_studies" else keys_of(name)
    response = Client().get(reverse(name, args=keys), headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json()["error"]


def test_a_cookie_is_no_token(study, desk):
    assert desk.get(reverse("api_studies")).status_code == 401


def test_a_token_ends_with_its_revocation_and_with_its_account(study, owner, secret):
    other = tokens.make(owner, "another")
    tokens.revoke(ApiToken.objects.get(name="a notebook"), owner)
    assert ask(secret, "api_studies").status_code == 401
    assert ask(other, "api_studies").status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert ask(other, "api_studies").status_code == 401


def test_only_a_hash_is_kept(secret, owner):
    row = ApiToken.objects.values().get()
    assert not [value for value in row.values() if secret in str(value) or secret[8:] in str(value)]
    assert not [entry for entry in AuditEntry.objects.all() if secret in json.dumps(entry.detail)]


def test_the_api_changes_nothing(study, secret):
    for method in ("post", "put", "patch", "delete"):
        send = getattr(Client(), method)
        response = send(reverse("api_study", args=["study"]), headers={"Authorization": f"Bearer {secret}"})
        assert response.status_code == 405


def test_the_day_of_use_is_kept_and_written_once(secret, django_assert_num_queries):
    tokens.user_of(secret)
    assert ApiToken.objects.get().last_used_on is not None
    with django_assert_num_queries(1):
        tokens.user_of(secret)
    ApiToken.objects.update(last_used_on=dt.date(2020, 1, 1))
    tokens.user_of(secret)
    assert ApiToken.objects.get().last_used_on == timezone.localdate()


def test_no_ratings_yet_is_said(secret, owner):
    study = make_study(slug="new")
    study.owner = owner
    study.save()
    response = ask(secret, "api_results", "new")
    assert response.status_code == 404
    assert "no rating that counts yet" in response.json()["error"]
    assert ask(secret, "api_ratings", "new", "xlsx").status_code == 404


def test_the_account_page_shows_a_token_once(desk, owner):
    made = desk.post(reverse("account"), {"name": "a script"})
    assert "no-store" in made["Cache-Control"]
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert ask(secret, "api_studies").status_code == 200
    assert secret not in desk.get(reverse("account")).content.decode()
    token = ApiToken.objects.get()
    desk.post(reverse("revoke_token", args=[token.pk]))
    assert ask(secret, "api_studies").status_code == 401
    acts = AuditEntry.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts)[-2:] == ["token.make", "token.revoke"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_token_needs_a_name(owner, desk, name):
    assert desk.post(reverse("account"), {"name": name}).status_code == 422
    with pytest.raises(DeskError):
        tokens.make(owner, name)


def test_the_password_is_changed_on_ones_own_page(owner, desk):
    owner.set_password("an old password")
    owner.save()
    desk.force_login(owner)
    form = {
        "old_password": "an old password",
        "new_password1": "quite a new one",
        "new_password2": "quite a new one",
    }
    assert desk.post(reverse("password_change"), form)["Location"] == reverse("account")
    owner.refresh_from_db()
    assert owner.check_password("quite a new one")


def test_a_token_of_one_study_reads_no_other(study, owner):
    other = make_study(slug="second")
    other.owner = owner
    other.save()
    rate_all(starting.start(other))
    secret = tokens.make(owner, "x", study=study)
    assert [told["slug"] for told in ask(secret, "api_studies").json()["studies"]] == ["study"]
    assert ask(secret, "api_results", "study").status_code == 200
    assert {ask(secret, name, "second", *keys_of(name)[1:]).status_code for name in READS} == {404}


def test_a_token_for_results_shows_nothing_of_single_people(study, owner):
    flagged = rate_against_all(study)
    assert flagged in collect(study).analysis.summary["participants_flagged"]
    secret = tokens.make(owner, "x", scope=ApiToken.Scope.RESULTS)
    assert ask(secret, "api_ratings", "study", "csv").status_code == 403
    response = ask(secret, "api_results", "study")
    assert {"mos", "summary", "items"} <= set(response.json())
    codes = study.participants.values_list("code", flat=True)
    assert [code for code in codes if code in response.content.decode()] == []
    both = ask(tokens.make(owner, "y"), "api_results", "study")
    assert both["ETag"] != response["ETag"]
    assert flagged in both.content.decode()


def rate_against_all(study: Study) -> str:
    """Let eight people agree and a ninth answer the opposite; return the code of the ninth."""
    items = sorted(study.stimuli.values_list("item", flat=True))
    for number in range(9):
        person = starting.start(study)
        while trial := progress.next_trial(person):
            rating = 1 + 4 * items.index(trial.stimulus.item) // max(len(items) - 1, 1)
            answering.rate(trial.token, {"overall": 6 - rating if number == 8 else rating})
        person = finishing.finish(person)
    return person.code


def test_a_token_ends_on_its_day(study, owner):
    secret = tokens.make(owner, "x", days=30)
    (token,) = ApiToken.objects.all()
    assert token.expires_at is not None
    assert ask(secret, "api_studies").status_code == 200
    ApiToken.objects.update(expires_at=token.created_at)
    assert ask(secret, "api_studies").status_code == 401


def test_the_account_page_makes_a_token_that_reads_less(desk, study):
    make_study(slug="somebody-elses")
    desk.post(reverse("account"), {"name": "x", "study": "study", "scope": "results", "days": "30"})
    token = ApiToken.objects.get()
    assert (token.study, token.scope) == (study, "results")
    for wrong in ({"study": "somebody-elses"}, {"scope": "everything"}, {"days": "9999"}, {"days": "x"}):
        assert desk.post(reverse("account"), {"name": "x", **wrong}).status_code == 422
    assert ApiToken.objects.count() == 1
