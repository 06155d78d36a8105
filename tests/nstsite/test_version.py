"""nstsite.__version__ is the one source of the version; every other place shows it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from nstsite import __version__
from survey.analysis.stamp import computed_by
from survey.doctor import examine
from tests.survey.factories import join, make_study

ROOT = Path(settings.BASE_DIR)
SHOWN = f"nstsite {__version__}"


def test_the_newest_release_of_the_changelog_and_the_citation_have_the_version():
    newest, date = re.findall(r"^## (\d\S*) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.M)[
        0
    ]
    citation = (ROOT / "CITATION.cff").read_text()
    assert newest == __version__
    assert f"\nversion: {newest}\n" in citation
    assert f"\ndate-released: {date}\n" in citation


def test_the_package_takes_its_version_and_dependencies_from_their_one_source():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {"version", "dependencies"} <= set(project["project"]["dynamic"])
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "nstsite.__version__"}


@pytest.mark.django_db
def test_the_footers_of_the_desk_and_of_the_home_page_show_the_version(client: Client):
    assert SHOWN in client.get("/").content.decode()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    assert SHOWN in client.get("/studies/").content.decode()


@pytest.mark.django_db
def test_the_rating_page_shows_nothing_beside_the_study(client: Client):
    join(client, make_study())
    page = client.get("/s/study/rate/", follow=True)
    assert page.status_code == 200
    assert SHOWN not in page.content.decode()


def test_doctor_names_the_version_first():
    finding = next(examine())
    assert finding.name == "nstsite"
    assert finding.state.startswith(f"{__version__} in ")


def test_results_name_the_program_that_computed_them():
    assert computed_by()["program"] == SHOWN
