"""`--owner NAME` says to whom a study belongs that a command makes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from generator.models import ImageSet
from survey.access.roles import Role, give_role, make_groups
from survey.access.studies import readable_studies
from survey.management.commands.generate import Command
from survey.models import AuditEntry, Study
from tests.survey.factories import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """A researcher."""
    make_groups()
    ada = User.objects.create_user("ada")
    give_role(ada, Role.RESEARCHER)
    return ada


@pytest.fixture
def create(tmp_path: Path):
    """Run create_study on a folder of two images."""
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        picture(ord(name)).save(tmp_path / "images" / f"{name}.png")

    def run(*options: str) -> str:
        out = StringIO()
        call_command("create_study", "made", "--images", str(tmp_path / "images"), *options, stdout=out)
        return out.getvalue()

    return run


def owner() -> User | None:
    return Study.objects.get().owner


def test_the_owner_of_a_study_made_by_a_command_reads_it(ada, create):
    assert "ada sees its results." in create("--owner", "ada")
    assert [study.slug for study in readable_studies(ada)] == ["made"]


def test_without_an_owner_the_command_says_who_sees_the_results(ada, create):
    assert "no owner, so only administrators see its results" in create()
    assert owner() is None


def test_it_says_what_is_missing_before_people_take_part(ada, create):
    assert "Before people take part: Say who is responsible." in create("--owner", "ada")


def test_it_says_which_images_are_the_same_picture(ada, create, tmp_path):
    picture(ord("a")).save(tmp_path / "images" / "c.png")
    assert "“a” and “c” are the same picture: people would rate it 2 times." in create("--owner", "ada")


def test_run_again_it_gives_a_study_without_owner_one_and_logs_it(ada, create):
    create()
    assert "ada sees its results." in create("--owner", "ada")
    assert owner() == ada
    assert AuditEntry.objects.filter(act="study.owner", detail__owner="ada").count() == 1


def test_a_study_keeps_the_owner_that_it_has(ada, create):
    create("--owner", "ada")
    User.objects.create_superuser("root")
    assert "ada sees its results." in create("--owner", "root")
    assert owner() == ada


def test_imported_ratings_have_an_owner_too(ada, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("participant,item,rating\np,a,1\np,b,5\nq,a,2\nq,b,4\n")
    out = StringIO()
    call_command("import_ratings", "made", str(path), "--owner", "ada", stdout=out)
    assert "ada sees its results." in out.getvalue()
    assert owner() == ada


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("adda", r"--owner: no account 'adda' \(did you mean 'ada'\?\); there are: ada, bob$"),
        ("bob", "--owner: bob is a viewer and owns no studies; an administrator can make bob a researcher$"),
    ],
)
def test_a_name_that_cannot_own_a_study_is_refused_before_anything_is_made(ada, create, name, complaint):
    User.objects.create_user("bob")
    with pytest.raises(CommandError, match=complaint) as caught:
        create("--owner", name)
    assert caught.value.returncode == 2
    assert not Study.objects.exists()


def next_study() -> tuple[str, ...]:
    """The command that `generate` prints after a set of images."""
    return Command().next_commands(ImageSet(slug="grid"), {"publish": None})[-1]


def test_generate_names_the_one_researcher_as_owner_of_the_next_study(ada):
    User.objects.create_superuser("root")
    assert next_study() == ("create_study", "grid", "--set", "grid", "--owner", "ada")


def test_generate_names_no_owner_where_there_is_none_or_a_choice(ada):
    give_role(User.objects.create_user("ben"), Role.RESEARCHER)
    assert "--owner" not in next_study()
    User.objects.all().delete()
    assert "--owner" not in next_study()
