"""The desk is in English whatever the browser asks for; participants' pages are not."""

from __future__ import annotations

import pytest
from django.test import Client

FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9"}


@pytest.mark.parametrize(
    "address", ["/studies/", "/planning/", "/account/", "/help/", "/studies/nothing-here/setup/"]
)
def test_a_page_of_the_desk_says_that_it_is_english(researcher: Client, address: str):
    response = researcher.get(address, headers=FRENCH)
    assert '<html lang="en"' in response.content.decode()
    assert response["Content-Language"] == "en"


def test_the_errors_of_a_form_are_english(researcher: Client):
    page = researcher.post("/account/password/", {}, headers=FRENCH).content.decode()
    assert "This field is required." in page
    assert "obligatoire" not in page


@pytest.mark.parametrize("address", ["/", "/sign-in/", "/s/nothing-here/"])
def test_a_page_that_participants_meet_is_in_their_language(client: Client, db, address: str):
    assert '<html lang="fr"' in client.get(address, headers=FRENCH).content.decode()


def test_a_participant_after_a_researcher_is_answered_in_french(researcher: Client, client: Client):
    researcher.get("/studies/", headers=FRENCH)
    assert '<html lang="fr"' in client.get("/", headers=FRENCH).content.decode()
