"""The documentation in the product: open to everybody, searchable, and every link leads somewhere."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey.desk import documents
from survey.templatetags.help import PLACES
from tests.survey.desk.access_table import ROWS
from tests.survey.desk.conftest import client_of
from tests.survey.desk.world import address_of, make_world, named_patterns

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PAGES = [name for _, pages in documents.contents() for _, name in pages]
TEMPLATES = sorted(Path(settings.BASE_DIR, "survey/templates").rglob("*.html"))


def anchors(page: str) -> set[str]:
    return {*re.findall(r' id="([^"]+)"', documents.document(page).html), ""}


def test_the_contents_list_every_page_once():
    files = {documents.name_of(path) for path in documents.DOCS.rglob("*.md") if not path.is_symlink()}
    assert sorted([*PAGES, "index"]) == sorted(files)


@pytest.mark.parametrize("name", ["index", *PAGES])
def test_a_page_opens_without_an_account_and_its_links_lead_somewhere(name):
    visitor = Client()
    answer = visitor.get(reverse("help_page", args=[name]))
    assert answer.status_code == 200
    html = answer.content.decode()
    article = html[html.index("<article>") : html.index("</article>")]
    assert not re.search(r"\sstyle=|<script", article)
    for link in re.findall(r'(?:href|src)="([^"]+)"', article):
        address, _, anchor = unescape(link).partition("#")
        if address.startswith("/help/pictures/"):
            assert visitor.get(address).status_code == 200, link
        elif address.startswith("/help/"):
            assert anchor in anchors(address.removeprefix("/help/").strip("/") or "index"), link
        else:
            assert address.startswith("https://") or (not address and anchor in anchors(name)), link


def test_an_old_name_leads_to_the_page_that_took_its_place():
    assert Client().get("/help/study/")["Location"] == "/help/reference/study/"


def test_the_first_page_of_the_help_is_the_index():
    assert "<h1" in Client().get("/help/").content.decode()


@pytest.mark.parametrize(
    "name", ["nothing", "../README", "reference/../../README", "/etc/passwd", "pictures/index.md"]
)
def test_what_is_no_page_of_the_documentation_is_not_found(name):
    assert Client().get(f"/help/{name}/").status_code == 404


@pytest.mark.parametrize("name", ["nothing.png", "index.md", "../README.md", "../nstsite/settings.py"])
def test_what_is_no_picture_of_the_documentation_is_not_found(name):
    assert Client().get(f"/help/pictures/{name}").status_code == 404


def test_a_search_finds_the_section_and_names_its_page():
    html = Client().get("/help/", {"q": "bounded interval"}).content.decode()
    assert "/help/explanation/method/#" in html


def test_a_search_puts_sections_with_the_word_in_their_heading_first():
    assert documents.search("covariates")[0].section.title == "Covariates"


@pytest.mark.parametrize(
    "words",
    ["confidence interval", "sample size", "inter-rater", "p-value", "attention check", "ANOVA", "GDPR"],
)
def test_a_search_knows_the_words_of_other_fields(words):
    assert documents.search(words)


def test_a_search_needs_every_word():
    assert documents.search("interval zebrafish") == []


def test_a_search_without_result_says_so_and_repeats_the_words_as_text():
    html = Client().get("/help/", {"q": "<b>zebrafish</b>"}).content.decode()
    assert "No section contains these words" in html
    assert "<b>zebrafish" not in html


@pytest.mark.parametrize("name", PLACES)
def test_a_desk_page_leads_to_a_section_that_exists(name):
    page, anchor = PLACES[name]
    assert name in named_patterns()
    assert anchor in anchors(page)


#: Pages of the help itself, and pages of a session's file, which no session of this test has.
HELP_ITSELF = {"help", "help_page"}


@pytest.mark.slow
def test_each_page_of_the_desk_has_a_question_mark_that_leads_to_its_section(study, owner):
    world = make_world(study, owner)
    client = client_of(User.objects.get(username="admin"))
    patterns, told = named_patterns(), {}
    for name, row in ROWS.items():
        if row.post or row.level == "session" or name in HELP_ITSELF:
            continue
        browser = client_of(owner) if row.level in ("owner", "viewer") else client
        answer = browser.get(address_of(name, patterns[name], world))
        if not answer["Content-Type"].startswith("text/html") or answer.status_code != 200:
            continue
        found = re.search(r'class="help-link" href="/help/([^"#]+)/#?([^"]*)"', answer.content.decode())
        page, anchor = found.groups() if found else ("", "")
        told[name] = (page, anchor) == PLACES.get(name) and anchor in anchors(page)
    assert len(told) > 40
    assert [name for name, is_right in told.items() if not is_right] == []


def test_every_desk_page_has_its_own_question_mark(desk):
    html = desk.get(reverse("account")).content.decode()
    assert 'href="/help/reference/api/#tokens"' in html
    assert "Help: Tokens" in html


def test_the_desk_opens_where_the_documentation_is_not_installed(desk, monkeypatch, tmp_path):
    monkeypatch.setattr(documents, "DOCS", tmp_path)
    monkeypatch.setattr(documents, "_files", dict)
    assert desk.get(reverse("account")).status_code == 200
    assert desk.get(reverse("help")).status_code == 404


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_links_to_help_that_exists_and_names_no_file_of_it(template):
    text = template.read_text()
    assert "docs/" not in text
    for page, anchor in re.findall(r"""\{% help(?:_url)? ["']([^"']+)["'](?: ["']([^"']*)["'])?""", text):
        assert anchor in anchors(page), f"{page}#{anchor}"
