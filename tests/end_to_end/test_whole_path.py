"""From an empty database to a closed study as a new user goes: pictures, plan, images, ratings, results, withdrawal."""

from __future__ import annotations

import csv
import io
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
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.steps import begin, ready
from tests.conftest import PAGE_TIMEOUT
from tests.end_to_end.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "a long password"
PHOTOGRAPHS, PAINTINGS = ("harbour.jpg", "meadow.jpg", "street.jpg"), ("oil.png", "woodcut.png")
PHONE: ViewportSize = {"width": 360, "height": 740}
PATIENCE = 600_000  # ms; on a busy machine loading PyTorch alone takes minutes


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three photographs and two paintings, drawn."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate((*PHOTOGRAPHS, *PAINTINGS)):
        coarse = np.random.default_rng(seed).integers(0, 256, (4 + 3 * seed, 6 + 3 * seed, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC).save(folder / name)
    return sorted(folder.iterdir())


# One process for all three: each start of Django costs seconds.
SET_UP = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
call_command("createsuperuser", interactive=False, username="ada", email="ada@example.org")
"""


@pytest.fixture
def address(installation: dict[str, str]) -> Iterator[str]:
    """The production server on an empty database that knows one administrator."""
    installation |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SETTINGS_MODULE": "nstsite.settings"}
    subprocess.run([sys.executable, "-c", SET_UP], cwd=ROOT, env=installation, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    gunicorn = [sys.executable, "-m", "gunicorn", "nstsite.wsgi", "--bind", place, "--no-control-socket"]
    server = subprocess.Popen(
        [*gunicorn, "--worker-class", "gthread", "--threads", "4"], cwd=ROOT, env=installation
    )
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


PICTURES = {"content": PHOTOGRAPHS, "style": PAINTINGS}


@pytest.mark.usefixtures("patience")
def test_from_pictures_to_a_closed_study(address: str, browser: Browser, pictures: list[Path]) -> None:
    desk = browser.new_context(base_url=address).new_page()
    desk.set_default_timeout(PATIENCE)
    _sign_in(desk)
    _upload(desk, pictures)
    _make_images(desk)
    study = _publish(desk)
    for answer in ("Good", "Good", "Poor"):
        _take_part(browser, address, study, answer)
    _watch(desk)
    assert _scores(desk) == ["3"] * 6
    assert _download(desk, study) == 18
    _withdraw_one(desk)
    assert _scores(desk) == ["2"] * 6
    _close(desk, study)


def _sign_in(desk: Page) -> None:
    desk.goto("/studies/")
    desk.get_by_label("User name").fill("ada")
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Sign in").click()
    expect(desk.get_by_role("heading", name="Welcome")).to_be_visible()


def _upload(desk: Page, pictures: list[Path]) -> None:
    desk.get_by_role("link", name="Image sets", exact=True).first.click()
    desk.get_by_role("link", name="Upload", exact=True).click()
    desk.get_by_label("Files").set_input_files(pictures)
    desk.get_by_role("button", name="Upload").click()
    expect(desk.get_by_text("5 pictures uploaded.")).to_be_visible()


def _make_images(desk: Page) -> None:
    desk.goto("/plans/new/?as=file")
    lists = {role: ", ".join(f'"{name}"' for name in names) for role, names in PICTURES.items()}
    desk.get_by_label("Plan (TOML)").fill(
        'title = "Three by two"\npreset = "patel2019"\n'
        f"[images]\ncontent = [{lists['content']}]\nstyle = [{lists['style']}]\n"
        "[recipe]\nsize = 64\nevaluations = 2\n"
    )
    desk.get_by_role("button", name="Check and continue").click()
    expect(desk.get_by_text("12 at most")).to_be_visible()
    desk.get_by_role("button", name="Make the images").click()
    expect(desk.get_by_text("Done: 6 of 6 made")).to_be_visible()
    expect(desk.locator(".plane img")).to_have_count(6)


def _publish(desk: Page) -> str:
    """Make a study of the images and open it; return its address."""
    desk.get_by_role("button", name="Make a study of these").click()
    desk.get_by_label("Title").fill("Which is best?")
    desk.get_by_role("button", name="Make the study").click()
    expect(desk.get_by_text("A draft")).to_be_visible()
    desk.get_by_role("link", name="State privacy and who is responsible").click()
    desk.get_by_label("Who is responsible").fill("A lab")
    desk.get_by_label("Contact").fill("lab@example.org")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("link", name="Check, then open the study").click()
    desk.get_by_role("button", name="Open the study").click()
    expect(desk.get_by_text("everybody who has the link can take part")).to_be_visible()
    return "/s/which-is-best/"


def _take_part(browser: Browser, address: str, study: str, answer: str) -> None:
    context = browser.new_context(base_url=address, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    begin(page, study)
    for number in range(1, 7):
        ready(page, number)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # A tap in the first moment of an image counts for nothing.
        page.wait_for_timeout(400)
        page.locator("label", has_text=answer).tap()
    page.get_by_role("button", name="Finish").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()


def _watch(desk: Page) -> None:
    desk.get_by_role("link", name="Live", exact=True).click()
    expect(desk.get_by_text("3 of 3 who began")).to_be_visible()


def _scores(desk: Page) -> list[str]:
    """Return how many rated each image."""
    desk.get_by_role("link", name="Results", exact=True).click()
    rows = desk.locator("#scores tbody tr")
    expect(rows).to_have_count(6)
    return [row.locator("td.number").first.text_content() or "" for row in rows.all()]


def _download(desk: Page, study: str) -> int:
    """Download everything; return how many ratings there are in it."""
    desk.get_by_role("link", name="Downloads and method").click()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Everything, as a ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        name = next(name for name in archive.namelist() if Path(name).name == "ratings.csv")
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))
    assert {row["rating"] for row in rows} == {"4", "2"}
    return len(rows)


def _withdraw_one(desk: Page) -> None:
    desk.get_by_role("link", name="Participants", exact=True).click()
    expect(desk.locator("tbody tr")).to_have_count(3)
    row = desk.locator("tbody tr").first
    code = row.locator("code").inner_text()
    row.get_by_text("Delete …").click()
    row.get_by_label("For good").fill(code)
    row.get_by_role("button", name="Delete").click()
    expect(desk.locator("tbody tr", has_text=code)).to_have_count(0)


def _close(desk: Page, study: str) -> None:
    desk.get_by_role("link", name="Set-up", exact=True).click()
    desk.get_by_role("button", name="Close", exact=True).click()
    expect(desk.get_by_text("nobody can answer any more")).to_be_visible()
    desk.goto(study)
    expect(desk.get_by_role("button", name="Begin")).to_have_count(0)


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {address}")
