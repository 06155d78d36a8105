"""The first hour of somebody new, without a document: from an empty database to a table, a colleague and a closed study.

Six images are made from uploads. A study with practice, gold and two languages is rated on phones by touch. On the way things
are forgotten, mistyped and left by Back: what was typed stays.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.test_accounts import sign_in
from tests.conftest import PAGE_TIMEOUT
from tests.end_to_end.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "seven calm otters"
PHOTOGRAPHS, PAINTINGS = ("harbour.jpg", "meadow.jpg", "street.jpg"), ("oil.png", "woodcut.png")
STUDY = "/s/which-is-best/"
TITLE = "Title, as participants see it"
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 600_000  # ms; on a busy machine loading PyTorch alone takes minutes


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three photographs and two paintings, drawn, and a file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate((*PHOTOGRAPHS, *PAINTINGS)):
        coarse = np.random.default_rng(seed).integers(0, 256, (4 + 3 * seed, 6 + 3 * seed, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC).save(folder / name)
    (folder / "notes.png").write_text("not a picture")
    return sorted(folder.iterdir())


@pytest.fixture
def address(installed: Path, installation: dict[str, str]) -> Iterator[str]:
    """The production server on an empty database that knows one administrator."""
    shutil.copytree(installed, installation["DATA_DIR"])
    installation |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    ada = ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org"]
    subprocess.run([sys.executable, "manage.py", *ada], cwd=ROOT, env=installation, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    gunicorn = [sys.executable, "-m", "gunicorn", "nstsite.wsgi", "--bind", place, "--workers", "1"]
    server = subprocess.Popen(gunicorn, cwd=ROOT, env=installation)
    try:
        _wait_for(f"http://{place}/healthz")
        yield f"http://{place}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def patience() -> Iterator[None]:
    """Longer waits than the other tests of a browser have."""
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=PAGE_TIMEOUT)


@pytest.mark.usefixtures("patience")
def test_the_first_hour(address: str, browser: Browser, pictures: list[Path]) -> None:
    # A browser in another language: the desk is English all the same.
    desk = browser.new_context(
        base_url=address, viewport={"width": 1280, "height": 800}, locale="de-DE"
    ).new_page()
    desk.set_default_timeout(PATIENCE)
    _sign_in(desk)
    _upload(desk, pictures)
    _make_images(desk)
    _make_a_study(desk)
    _give_roles(desk)
    _add_french(desk)
    _open(desk)
    for answer in ("Bon", "Bon", "Médiocre"):
        _take_part(browser, address, answer)
    _watch(desk)
    assert _scores(desk) == ["3"] * 4
    assert _download(desk) == 12
    _withdraw_one(desk)
    assert _scores(desk) == ["2"] * 4
    _invite(desk, browser, address)
    _close(desk)


def _sign_in(desk: Page) -> None:
    desk.goto("/studies/")
    desk.locator("#id_username").fill("ada")
    desk.locator("#id_password").fill(PASSWORD)
    desk.get_by_role("button", name="Anmelden").click()
    expect(desk.get_by_role("heading", name="Welcome")).to_be_visible()


def _upload(desk: Page, pictures: list[Path]) -> None:
    """One of the files is no picture: the others are kept."""
    desk.get_by_role("link", name="Image sets", exact=True).first.click()
    desk.get_by_role("link", name="Upload", exact=True).click()
    desk.get_by_label("Files").set_input_files(pictures)
    desk.get_by_role("button", name="Upload").click()
    expect(desk.get_by_text("notes.png: not a picture")).to_be_visible()
    expect(desk.get_by_text("5 pictures uploaded.")).to_be_visible()


def _make_images(desk: Page) -> None:
    """Forget the styles and mistype the steps first; change the plan once more; then make six images."""
    desk.get_by_role("link", name="Make an image set from these").click()
    desk.get_by_label("Name of the set").fill("Three by two")
    for name in PHOTOGRAPHS:
        _tick(desk.get_by_role("group", name="Photographs").get_by_label(name))
    desk.get_by_label("Other sizes").fill("64")
    desk.locator("summary", has_text="Steps").click()
    desk.get_by_label("Other numbers of steps").fill("2;x")
    desk.get_by_role("button", name="Check and continue").last.click()
    expect(desk.get_by_role("link", name="Choose at least one style")).to_be_visible()
    expect(desk.get_by_role("link", name="“2;x” is not a list of numbers")).to_be_visible()
    for name in PAINTINGS:
        _tick(desk.get_by_role("group", name="Styles").get_by_label(name))
    desk.get_by_label("Other numbers of steps").fill("2")
    desk.get_by_role("button", name="Check and continue").last.click()
    desk.get_by_role("link", name="Change").click()
    expect(desk.get_by_label("Name of the set")).to_have_value("Three by two")
    expect(desk.get_by_role("checkbox", name="64 px")).to_be_checked()
    for name in PAINTINGS:
        expect(desk.get_by_role("group", name="Styles").get_by_label(name)).to_be_checked()
    desk.get_by_role("button", name="Check and continue").last.click()
    expect(desk.get_by_text("12 at most")).to_be_visible()
    desk.get_by_role("button", name="Make the images").click()
    expect(desk.get_by_text("Done: 6 of 6 made")).to_be_visible()
    expect(desk.locator(".plane img")).to_have_count(6)


def _tick(box: Locator) -> None:
    # The whole tile is the label of a box that nobody sees.
    box.press("Space")
    expect(box).to_be_checked()


def _make_a_study(desk: Page) -> None:
    desk.get_by_role("button", name="Make a study of these").click()
    desk.get_by_label(TITLE).fill("Which is best?")
    desk.get_by_role("button", name="Make the study").click()
    expect(desk.get_by_text("A draft: only you can see it")).to_be_visible()


def _give_roles(desk: Page) -> None:
    """One image to practise on and one of which the answer is known, by clicks; forget that answer first."""
    desk.get_by_role("link", name="Check images and roles").click()
    roles = desk.locator(".roles li")
    for mark, place in (("Practice", 0), ("Gold: answer known", 1)):
        desk.get_by_label(mark, exact=True).check()
        roles.nth(place).locator("img").click()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name=re.compile("^Say the right answer for"))).to_be_visible()
    expect(roles.nth(0).locator("select").first).to_have_value("practice")
    # A click goes on to do what it did before.
    expect(desk.get_by_label("Gold: answer known", exact=True)).to_be_checked()
    desk.get_by_label(re.compile("^Right answer for")).and_(desk.locator(":visible")).select_option("4 Good")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: images and roles.")).to_be_visible()


def _add_french(desk: Page) -> None:
    """Forget the title in French first."""
    desk.get_by_role("link", name="Choose languages").click()
    desk.get_by_role("checkbox", name="Français").check()
    desk.get_by_role("button", name="Save").click()
    expect(
        desk.get_by_role("link", name="Translate “Title” into French, or use the English text.")
    ).to_be_visible()
    expect(desk.get_by_role("checkbox", name="Français")).to_be_checked()
    desk.locator("[name='title:fr']").fill("Laquelle est la meilleure ?")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: languages.")).to_be_visible()


def _open(desk: Page) -> None:
    """Forget the name in French, then the name as a whole; Back and Forward lose nothing that was saved."""
    desk.get_by_role("link", name="State privacy and who is responsible").click()
    desk.get_by_label("Who is responsible (English)").fill("A lab")
    desk.get_by_label("Contact").fill("lab@example.org")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="Who is responsible (French): translate this")).to_be_visible()
    expect(desk.get_by_label("Who is responsible (English)")).to_have_value("A lab")
    expect(desk.get_by_label("Contact")).to_have_value("lab@example.org")
    desk.get_by_label("Who is responsible (French)").fill("Un laboratoire")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: privacy.")).to_be_visible()
    desk.get_by_role("link", name="Check, then open the study").click()
    desk.go_back()
    desk.go_forward()
    desk.get_by_role("button", name="Open the study").click()
    expect(desk.locator("#link")).to_have_attribute("href", re.compile(f"{STUDY}$"))
    expect(desk.get_by_text("everybody who has the link can take part")).to_be_visible()


def _take_part(browser: Browser, address: str, answer: str) -> None:
    """Take part in French by touch: one image to practise on, four rated and one gold. Undo one; leave and come back."""
    context = browser.new_context(
        base_url=address, viewport=PHONE, has_touch=True, is_mobile=True, locale="fr-FR"
    )
    phone = context.new_page()
    phone.set_default_timeout(PATIENCE)
    phone.goto(STUDY)
    expect(phone.get_by_role("heading", name="Laquelle est la meilleure ?")).to_be_visible()
    phone.get_by_role("checkbox").tap()
    phone.get_by_role("button", name="Commencer").tap()
    for shown in range(6):
        _tap(phone, answer)
        if shown == 2:
            expect(phone.locator(".count")).to_contain_text("3")
            phone.goto(STUDY)
    phone.get_by_role("button", name="Terminer").tap()
    expect(phone.get_by_role("heading", name="Merci")).to_be_visible()
    context.close()


def _tap(phone: Page, answer: str) -> None:
    expect(phone.locator("form[data-shown]")).to_be_visible()
    expect(phone.locator(".stage:not(.loading) img")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    heading = phone.get_by_role("heading").first.inner_text()
    # A tap in the first moment of an image counts for nothing.
    phone.wait_for_timeout(400)
    phone.locator("label", has_text=re.compile(rf"^\d?\s*{answer}")).tap()
    last = phone.get_by_role("button", name="Terminer")
    expect(last.or_(phone.get_by_role("heading").first.filter(has_not_text=heading)).first).to_be_visible()


def _watch(desk: Page) -> None:
    desk.get_by_role("link", name="Live", exact=True).click()
    expect(desk.get_by_text("3 of 3 who began")).to_be_visible()


def _scores(desk: Page) -> list[str]:
    """Return how many rated each image."""
    desk.get_by_role("link", name="Results", exact=True).click()
    rows = desk.locator("#scores tbody tr")
    expect(rows).to_have_count(4)
    return [row.locator("td.number").first.text_content() or "" for row in rows.all()]


def _download(desk: Page) -> int:
    """Download everything; return how many ratings that count are in it."""
    desk.get_by_role("link", name="Downloads and method").click()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Everything, as a ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        name = next(name for name in archive.namelist() if Path(name).name == "ratings.csv")
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))
    assert {row["rating"] for row in rows} == {"4", "2"}
    assert {row["phase"] for row in rows} == {"practice", "main", "gold"}
    return sum(row["phase"] == "main" for row in rows)


def _withdraw_one(desk: Page) -> None:
    desk.get_by_role("link", name="Participants", exact=True).click()
    expect(desk.locator("tbody tr")).to_have_count(3)
    row = desk.locator("tbody tr").first
    code = row.locator("code").inner_text()
    row.get_by_text("Delete …").click()
    row.get_by_label("For good").fill(code)
    row.get_by_role("button", name="Delete").click()
    expect(desk.locator("tbody tr", has_text=code)).to_have_count(0)


def _invite(desk: Page, browser: Browser, address: str) -> None:
    """Make a link; the colleague mistypes the password once, then signs in."""
    desk.goto("/accounts/")
    desk.get_by_label("For whom").fill("Mara")
    desk.get_by_role("button", name="Make the link").click()
    link = desk.locator("#link").inner_text()
    colleague = browser.new_context(base_url=address, locale="en-GB").new_page()
    colleague.set_default_timeout(PATIENCE)
    colleague.goto(link)
    colleague.get_by_label("User name").fill("mara")
    for again in ("mistyped", PASSWORD):
        expect(colleague.get_by_label("User name")).to_have_value("mara")
        colleague.get_by_label("Password", exact=True).fill(PASSWORD)
        colleague.get_by_label("Password again").fill(again)
        colleague.get_by_role("button", name="Make the account").click()
    expect(colleague.get_by_text("Your account is ready")).to_be_visible()
    sign_in(colleague, "mara", PASSWORD)
    expect(colleague.get_by_role("heading", name="Welcome")).to_be_visible()


def _close(desk: Page) -> None:
    desk.goto("/studies/which-is-best/setup/")
    desk.get_by_role("button", name="Close", exact=True).click()
    expect(desk.get_by_text("nobody can answer any more")).to_be_visible()
    desk.goto(STUDY)
    expect(desk.get_by_role("checkbox")).to_have_count(0)


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {address}")
