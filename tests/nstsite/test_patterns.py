"""Attacks that other programs fell to (docs/explanation/security.md), each tried on this one."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import dumps
from django.test import Client
from django.urls import reverse

from nstsite import sign_in
from survey.access import accounts
from survey.access.roles import Role
from survey.access.studies import simulation_pass
from survey.models import Invitation, Participant, Study
from survey.session.starting import return_token, start
from survey.study import decisions
from survey.study.lifecycle import invite
from tests.survey.exports.studies import rated_study
from tests.survey.factories import join, make_study, png, rate_all

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
EVIL = "<script>alert(1)</script>{{7*7}}{% debug %}"


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", password="a long password")


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


# What comes in.


def test_no_text_of_a_study_becomes_part_of_a_page(desk, admin):
    """LimeSurvey's texts have run as scripts at the end of a survey and in its administration."""
    toml = f"""
title = "{EVIL}"
instructions = "{EVIL}"
languages = ["en"]
[consent]
organiser = "{EVIL}"
contact = "{EVIL}"
purpose = "{EVIL}"
legal_basis = "{EVIL}"
[[questions]]
key = "quality"
text = "{EVIL}"
labels = ["{EVIL[:60]}", "b", "c", "d", "e"]
[[own_questions]]
key = "free"
text = "{EVIL}"
"""
    rated_study(toml, people=2)
    study = Study.objects.get()
    person = Client()
    pages = [person.get("/s/study/")]
    participant = join(person, study)
    pages += [person.get("/s/study/rate/"), person.get("/s/study/leave/"), person.get("/s/study/delete/")]
    rate_all(participant)
    pages += [person.get(f"/s/study/{page}/") for page in ("about", "done")]
    for route in (
        "",
        "setup/",
        "setup/texts/",
        "setup/questions/",
        "setup/own-questions/",
        "setup/file/",
        "results/",
    ):
        pages.append(desk.get(f"/studies/study/{route}", follow=True))
    for route in (
        "results/conditions/",
        "results/downloads/",
        "live/",
        "participants/",
        "sharing/",
        "log/",
        "end/",
    ):
        pages.append(desk.get(f"/studies/study/{route}", follow=True))
    pages += [desk.get("/studies/"), desk.get("/admin/survey/study/")]
    for page in pages:
        html = page.content.decode()
        assert "<script>alert(1)" not in html, page.request["PATH_INFO"]
        assert "49{" not in html, page.request["PATH_INFO"]
    shown = [page for page in pages if "&lt;script&gt;alert(1)" in page.content.decode()]
    assert len(shown) > 10


def test_no_name_of_an_uploaded_file_leads_out_or_is_markup(desk, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    names = [
        "../../../evil.png",
        "/etc/evil.png",
        "..\\..\\evil.png",
        "<img src=x onerror=alert(1)>.png",
        "a\r\nb.png",
    ]
    for number, name in enumerate(names):
        desk.post("/pictures/upload/", {"files": SimpleUploadedFile(name, png(number))})
    html = desk.get("/pictures/").content.decode()
    assert "evil" in html
    assert "<img src=x" not in html
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert written
    assert all(path.is_relative_to(tmp_path / "media") for path in written)
    assert not any("evil" in path.name for path in written)


def test_no_name_in_an_archive_leads_out(desk, admin):
    from tests.survey.desk.sets import finished_set

    image_set = finished_set(admin)
    image_set.cells.update(label="../../../etc/evil")
    data = desk.get(f"/sets/{image_set.slug}/images.zip")
    if data.status_code == 404:
        data = desk.get(reverse("set_archive", args=[image_set.slug]))
    with zipfile.ZipFile(io.BytesIO(data.getvalue())) as archive:
        assert archive.namelist()
        for name in archive.namelist():
            assert ".." not in Path(name).parts
            assert not name.startswith("/")


class _Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("pwned"),))


@pytest.mark.parametrize("suffix", ["pth", "pt", "t7", "onnx", "safetensors", "npz", "mat"])
def test_a_pickle_in_the_place_of_weights_or_ratings_is_not_run(tmp_path, monkeypatch, suffix):
    """label-studio-ml ran what a model file said (CVE-2025-5173)."""
    from generator.nst.recipes.errors import NstError
    from generator.nst.weights import layouts

    monkeypatch.chdir(tmp_path)
    evil = tmp_path / f"vgg16.{suffix}"
    evil.write_bytes(pickle.dumps(_Payload()))
    with pytest.raises((NstError, ValueError, OSError, RuntimeError)):
        layouts.load_weights(evil)
    assert not (tmp_path / "pwned").exists()


def test_what_is_shown_as_an_image_is_nothing_else(client):
    """An avatar of Label Studio was served as the page that it was (CVE-2023-47115)."""
    study = make_study()
    join(client, study)
    response = client.get(f"/s/study/image/{study.stimuli.all()[0].name}")
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/png", "nosniff")


@pytest.mark.parametrize("disguise", ["svg", "html"])
def test_markup_that_calls_itself_a_picture_is_refused(desk, disguise):
    body = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "html": b"<script>alert(1)</script>",
    }
    response = desk.post(
        "/pictures/upload/", {"files": SimpleUploadedFile("a.png", body[disguise])}, follow=True
    )
    assert "a.png" in response.content.decode()
    assert not User.objects.get().uploads.exists()


def test_no_name_of_a_field_becomes_part_of_a_query(desk, admin):
    """Django has let names of columns and keywords through into SQL, and its admin into hashes of passwords."""
    rated_study(people=2)
    names = [
        "owner__password__startswith",
        "pk__in",
        "_connector",
        "_negated",
        "q-overall__gt",
        "1=1) OR (1",
        "%s",
        "'",
    ]
    asked = dict.fromkeys(names, "OR 1=1")
    pages = [f"/studies/study/{page}/" for page in ("results", "participants", "live", "log")]
    for address in ("/studies/", "/planning/", "/log/", "/accounts/", "/pictures/", *pages):
        plain, odd = desk.get(address), desk.get(address, asked)
        assert (odd.status_code, len(odd.content) > 0) == (plain.status_code, True)
    # Django's admin lets nobody filter by what it does not show: tests/survey/desk/test_admin.py.
    assert desk.get("/admin/auth/user/", {"password__startswith": "md5"}).status_code == 400


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
TEXT_CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>'
LAUGHS = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij"))
WORKBOOKS = {
    "a file of the server": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + SHEET.format(TEXT_CELL.format("&x;")),
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY a "ha">{LAUGHS}]>' + SHEET.format(TEXT_CELL.format("&j;")),
    "a cell far away": SHEET.format(
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    ),
    "a half sheet": SHEET.format(TEXT_CELL.format("a"))[:200],
}


def workbook(sheet: str) -> bytes:
    """Return a workbook whose one sheet has this XML."""
    good = io.BytesIO()
    with xlsxwriter.Workbook(good) as book:
        book.add_worksheet()
    bad = io.BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            target.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else source.read(name))
    return bad.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("sheet", WORKBOOKS)
def test_a_workbook_is_no_way_to_a_file_nor_to_all_memory(desk, settings, tmp_path, sheet):
    settings.DATA_DIR = tmp_path
    file = SimpleUploadedFile("ratings.xlsx", workbook(WORKBOOKS[sheet]))
    page = desk.post("/analyse/", {"file": file}, follow=True)
    assert page.status_code in (200, 422)
    assert "ratings.xlsx" in page.content.decode()
    assert "root:" not in page.content.decode()


# Who gets in.


@pytest.mark.parametrize("name", ["nobody", "admin", "off", "without"])
def test_the_sign_in_page_tells_nobody_which_accounts_there_are(admin, monkeypatch, name):
    """Django told it by the time that a hash takes (CVE-2024-39329, CVE-2025-13473)."""
    User.objects.create_user("off", password="x", is_active=False)
    User.objects.create_user("without", password=None)
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    html = Client().post("/sign-in/", {"username": name, "password": "wrong"}).content.decode()
    assert len(hashed) == 1
    assert "correct" in html or "not" in html
    told = re.sub(name, "", re.sub(r'value="[^"]*"', "", html))
    plain = Client().post("/sign-in/", {"username": "zzz", "password": "wrong"}).content.decode()
    assert told == re.sub("zzz", "", re.sub(r'value="[^"]*"', "", plain))


def test_a_new_account_is_what_its_invitation_says(admin):
    """Fields that a form does not have are not taken: owner, role, rights."""
    secret = accounts.invite(admin, Role.VIEWER)
    form = {"username": "eve", "password1": "a long password", "password2": "a long password"}
    more = {"role": "admin", "is_superuser": "on", "is_staff": "1", "groups": "1", "user": admin.pk}
    browser = Client()
    assert browser.post(reverse("join", args=[secret]), form | more).status_code == 302
    eve = User.objects.get(username="eve")
    assert (eve.is_superuser, eve.is_staff) == (False, False)
    assert [group.name for group in eve.groups.all()] == ["Viewers"]
    for address in ("/account/", "/account/password/", "/account/second-factor/"):
        browser.post(address, more | {"name": "x"})
    eve.refresh_from_db()
    assert (eve.is_superuser, eve.is_staff) == (False, False)


def test_no_form_of_a_study_changes_whose_it_is_or_what_it_is(admin):
    from tests.survey.desk.access_table import ROWS

    owner = User.objects.create_user("owner")
    owner.groups.add(Group.objects.get_or_create(name="Researchers")[0])
    study = make_study()
    Study.objects.filter(pk=study.pk).update(owner=owner)
    more = {
        "owner": admin.pk,
        "owner_id": admin.pk,
        "id": 99,
        "pk": 99,
        "is_simulated": "on",
        "is_imported": "on",
    }
    browser = Client()
    browser.force_login(owner)
    for name in ROWS:
        if name.startswith("setup") or name in ("study_file", "copy", "invitations", "planning"):
            browser.post(reverse(name, args=["study"] if name != "planning" else []), more)
    study.refresh_from_db()
    assert (study.owner, study.is_simulated, study.is_imported) == (owner, False, False)


def test_one_secret_opens_one_thing(admin):
    """Formbricks took a link that was signed for one survey in every other, and a token without a signature."""
    first, second = make_study(), make_study(slug="second")
    person = start(first)
    link = return_token(person)
    kinds = {
        "of another study": f"/s/second/return/{link}",
        "unsigned": f"/s/study/return/{link.partition(':')[0]}",
        "of another key": f"/s/study/return/{dumps(person.pk, key='guess', salt='survey.session.return')}",
        "of another purpose": f"/s/study/return/{dumps(person.pk, salt='nstsite.sign_in')}",
        "a pass": f"/s/study/return/{simulation_pass(first)}",
    }
    assert Client().get(f"/s/study/return/{link}").status_code == 200
    assert {what: Client().get(address).status_code for what, address in kinds.items()} == dict.fromkeys(
        kinds, 404
    )
    for forged in (
        link,
        dumps([sign_in._mark(admin)], salt="other"),
        dumps([sign_in._mark(admin)], key="guess", salt=sign_in._SALT),
    ):
        request = Client().get("/sign-in/").wsgi_request
        request.COOKIES[sign_in.COOKIE] = forged
        assert not sign_in.is_known_browser(request, {"username": "admin"})
    assert second.participants.count() == 0
    Client().post("/s/study/", {"consent": "on", "simulation": simulation_pass(first)})
    assert not first.participants.filter(is_simulated=True).exists()


# What a study asks for holds at every address, not only on its page.


def test_who_needs_an_invitation_gets_in_by_one_and_once(admin):
    """Formbricks checked PINs and single-use links on the page alone: whoever posted to the address got by."""
    study = make_study("invited_only = true\n")
    invite(study, 1, admin)
    token = Invitation.objects.get().token
    for more in (
        {},
        {"invitation": ""},
        {"invitation": "guess"},
        {"invitation": token[:-1]},
        {"preview": "1"},
        {"simulation": "x"},
    ):
        response = Client().post("/s/study/", {"consent": "on", **more})
        assert response.status_code in (403, 422), more
    assert not study.participants.exists()
    first, second = Client(), Client()
    for browser in (first, second):
        browser.post("/s/study/", {"consent": "on", "invitation": token})
    assert study.participants.count() == 1
    other = make_study("invited_only = true\n", slug="other")
    Client().post("/s/other/", {"consent": "on", "invitation": token})
    assert not other.participants.exists()


def test_nobody_rates_before_they_passed_what_comes_first():
    study = make_study(
        "[screening]\nvision = true\nplates = 1\nrequired = true\n[viewing]\nmin_width = 800\n"
    )
    assert Client().post("/s/study/", {"consent": "on"}).status_code == 403
    assert (
        Client().post("/s/study/", {"consent": "on", "window_w": "300", "window_h": "300"}).status_code == 403
    )
    assert not study.participants.exists()
    browser = Client()
    browser.post("/s/study/", {"consent": "on", "window_w": "1200", "window_h": "900"})
    person = study.participants.get()
    shown = [browser.get(f"/s/study/{page}/", follow=True) for page in ("rate", "about", "done", "screening")]
    assert {page.request["PATH_INFO"] for page in shown} == {"/s/study/screening/"}
    # Only who is shown an image knows the token that an answer to it needs.
    tokens = person.trials.values_list("token", flat=True)
    assert [token for token in tokens for page in shown if token in page.content.decode()] == []
    browser.post("/s/study/screening/", {"vision": "none", "plate_1": "x"})
    person.refresh_from_db()
    assert person.state == Participant.State.SCREENED_OUT or browser.get("/s/study/rate/").status_code == 303


def test_no_page_before_the_end_holds_what_people_must_not_know():
    """Formbricks sent a survey's PIN along in the page that asked for it."""
    toml = """
[recruitment]
platform = "other"
complete = "SECRETDONE"
screened_out = "SECRETOUT"
withdrew = "SECRETLEFT"
person_parameter = "who"
"""
    make_study(toml)
    browser = Client()
    browser.post("/s/study/?who=me", {"consent": "on", "who": "me"})
    person = Participant.objects.get()
    told = browser.get("/s/study/?who=you").content.decode() + browser.get("/s/study/rate/").content.decode()
    trial = person.trials.order_by("position").first()
    told += browser.post(
        "/s/study/rate/", {"trial": trial.token, "revision": trial.revision, "q-overall": 3}
    ).content.decode()
    told += browser.get("/s/study/rate/", headers={"Accept": "application/json"}).content.decode()
    hidden = [
        "SECRETDONE",
        "SECRETOUT",
        "SECRETLEFT",
        person.code,
        "strength",
        "weak",
        "strong",
        "repeat",
        "stabilis",
    ]
    assert [word for word in hidden if word in told] == []


# What goes out.


def test_a_kept_page_is_the_same_for_everybody_and_holds_no_secret_of_its_reader(admin, settings):
    settings.LINK_PAGES_PER_MINUTE = 0
    study = rated_study(people=3)
    link = decisions.share(study, admin)
    reader = Client()
    reader.cookies["csrftoken"] = "a" * 32
    for name in (
        "results",
        "results_conditions",
        "results_reliability",
        "results_downloads",
        "results_images",
    ):
        page = reader.get(reverse(f"shared_{name}", args=[link.token]))
        assert b"csrfmiddlewaretoken" not in page.getvalue()
        assert not page.cookies
        other = Client().get(reverse(f"shared_{name}", args=[link.token]), {"utm_source": "x;panel=all"})
        assert other.status_code == 200


def test_no_staff_member_sees_a_hash_in_djangos_admin(admin):
    watcher = User.objects.create_user("watcher", password="a long password", is_staff=True)
    watcher.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    browser = Client()
    browser.force_login(watcher)
    for address in ("/admin/auth/user/", f"/admin/auth/user/{admin.pk}/change/"):
        html = browser.get(address, follow=True).content.decode()
        assert admin.password not in html
        for part in ("algorithm", "salt", admin.password.split("$")[1]):
            assert part not in html


def test_no_redirect_leads_away_by_slashes(client):
    for address in ("//evil.example/studies", "/\\evil.example/studies", "//evil.example/%2e%2e/studies"):
        response = client.get(address)
        assert not response.headers.get("Location", "").startswith(("//", "/\\", "http"))


def test_no_service_but_the_site_listens_outside_the_containers():
    """A database of pretix's listened on the open network in 2018."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    assert [name for name, service in services.items() if service.get("ports")] in (
        ["web"],
        ["nginx"],
        ["front"],
    )


def test_nginx_serves_no_file_of_its_own():
    """Of Label Studio an alias without its last slash gave away the program's folder (GHSA-cpmr-mw4j-99r7)."""
    for path in (ROOT / "deploy/nginx").iterdir():
        assert not re.search(r"^\s*(alias|root|autoindex)\b", path.read_text(), re.M)


def test_nothing_that_a_person_gives_is_fetched():
    """Label Studio called any address that a user named. Here one module sends requests, to one address of the settings."""
    asking = {
        str(path.relative_to(ROOT))
        for room in ("survey", "generator", "nstsite")
        for path in (ROOT / room).rglob("*.py")
        if re.search(
            r"^\s*(import|from) (requests|urllib\.request|http\.client|httpx|aiohttp)\b",
            path.read_text(),
            re.M,
        )
    }
    assert asking == {"survey/study/prolific/api.py"}
