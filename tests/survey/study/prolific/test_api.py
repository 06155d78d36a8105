"""Whatever Prolific answers, or does not, becomes one clear line; the token goes nowhere else."""

from __future__ import annotations

import pytest

from survey.access.errors import DeskError
from survey.study.prolific.api import NotThere, Prolific, ProlificError, Uncertain, check_token
from tests.prolific_server import TOKEN


@pytest.mark.parametrize(
    ("status", "headers", "text", "said"),
    [
        (401, {}, "", "does not accept the token"),
        (
            403,
            {},
            '{"error": {"detail": "No funds."}}',
            "not allow this to the token’s account. It says: No funds.",
        ),
        (404, {}, "gone", "does not find this"),
        (422, {}, '{"error": {"detail": {"name": ["Too long."]}}}', "status 422). It says: name: Too long."),
        (400, {}, f'{{"error": "token {TOKEN}"}}', "It says: token …"),
        (429, {"Retry-After": "30"}, "", "Try again in 30 seconds"),
        (429, {"Retry-After": "Fri, 27 Nov 2026"}, "", "Try again in a minute"),
        (302, {"Location": "https://evil.example.org/"}, "", "was not sent there"),
        (500, {}, "<html>", "trouble at the moment (status 500). Try again later."),
        (503, {}, "", "trouble at the moment (status 503)"),
        (200, {}, "<html>", "no JSON"),
        (200, {}, '{"results": 3}', "not as documented"),
        (200, {}, '{"id": "../users"}', "not as documented"),
        (-1, {}, "", "connection to Prolific broke"),
    ],
)
def test_each_error_is_one_clear_line(prolific, status, headers, text, said):
    prolific.instead = [(status, headers, text)]
    with pytest.raises(ProlificError) as caught:
        Prolific(TOKEN).me()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, NotThere) == (status == 404)


@pytest.mark.parametrize("status", [500, 200, -1])
def test_a_lost_answer_to_a_change_is_uncertain(prolific, status):
    prolific.instead = [(status, {}, "<html>")]
    with pytest.raises(Uncertain, match="may have been done all the same"):
        Prolific(TOKEN).transition("abc", "PUBLISH")


def test_the_cost_can_be_asked_again(prolific):
    prolific.instead = [(500, {}, "")]
    with pytest.raises(ProlificError, match="Try again later") as caught:
        Prolific(TOKEN).cost(1, 1, 100)
    assert not isinstance(caught.value, Uncertain)


def test_a_redirect_takes_no_token_along(prolific):
    prolific.instead = [(307, {"Location": f"{prolific.address}/elsewhere/"}, "")]
    with pytest.raises(ProlificError, match="leads elsewhere"):
        Prolific(TOKEN).me()
    assert prolific.asked == [("GET", "/api/v1/users/me/")]


def test_a_file_netrc_does_not_replace_the_token(prolific, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Prolific(TOKEN).me().title == "Mara"


def test_a_server_that_does_not_answer_is_given_up(prolific, monkeypatch):
    monkeypatch.setattr("survey.study.prolific.api._READ", 0.05)
    prolific.waits = 0.5
    with pytest.raises(ProlificError, match=r"did not answer in time\. Try again later"):
        Prolific(TOKEN).me()


def test_a_server_that_is_not_there_was_asked_nothing(settings):
    settings.PROLIFIC_API = "http://127.0.0.1:9"
    with pytest.raises(ProlificError, match="cannot be reached") as caught:
        Prolific(TOKEN).create({})
    assert not isinstance(caught.value, Uncertain)


def test_an_endless_answer_is_cut_off(prolific, monkeypatch):
    monkeypatch.setattr("survey.study.prolific.api._MOST_BYTES", 1_000)
    prolific.instead = [(200, {}, " " * 70_000)]
    with pytest.raises(ProlificError, match="too long"):
        Prolific(TOKEN).me()


@pytest.mark.parametrize("pages", [True, False])
def test_every_page_of_submissions_is_read(prolific, pages):
    prolific.pages = pages
    prolific.studies["abc"], prolific.submissions["abc"] = {}, []
    for number in range(250):
        prolific.add("abc", f"p{number}", f"s{number}", "ACTIVE")
    assert len(Prolific(TOKEN).submissions("abc")) == 250


def test_a_thousand_and_one_are_approved_by_two_requests(prolific):
    prolific.studies["abc"], prolific.submissions["abc"] = {}, []
    for number in range(1_001):
        prolific.add("abc", f"p{number}", f"s{number}", "AWAITING REVIEW")
    assert list(Prolific(TOKEN).approve([f"s{number}" for number in range(1_001)])) == [1_000, 1]


@pytest.mark.parametrize(
    "token", ["", "short", "two words here", "a\nb-and-more", "tökén-of-mara", "x" * 501]
)
def test_what_is_no_token_is_not_sent(token):
    with pytest.raises(DeskError, match="Paste the whole token"):
        check_token(token)


def test_the_token_does_not_show_in_a_traceback():
    assert TOKEN not in repr(Prolific(TOKEN))
