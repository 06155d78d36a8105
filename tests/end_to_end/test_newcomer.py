"""A new admin's first study, without a document: roles, languages, a phone, results, files and a colleague.

`test_whole_path.py` makes the images; here they are uploaded, so that no network runs. Mistakes keep what was typed.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, ViewportSize, expect

from survey.access.roles import make_groups
from survey.models import Rating, Study
from tests.browser.test_accounts import PASSWORD, sign_in, sign_out
from tests.survey.factories import folder_of_pictures

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NAMES = ("a.png", "b.png", "c.png", "d.png", "e.png", "gold.png", "try.png")
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 120_000  # ms; the first page of a server on a busy machine waits for every import


@pytest.fixture
def desk(browser: Browser, live_server) -> Page:
    """A new admin's browser, on a site that knows nothing else."""
    make_groups()
    User.objects.create_superuser("ada", password=PASSWORD)
    page = browser.new_context(
        base_url=live_server.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
    ).new_page()
    page.set_default_timeout(PATIENCE)
    sign_in(page, "ada", PASSWORD)
    return page


def test_a_new_admin_gets_from_pictures_to_results_and_a_colleague(
    desk: Page, browser: Browser, live_server, tmp_path: Path
):
    _make_a_study(desk, folder_of_pictures(tmp_path, NAMES))
    _give_roles(desk)
    _add_french(desk)
    _open(desk)
    for _ in range(2):
        _rate_on_a_phone(browser, live_server.url)
    study = Study.objects.get()
    assert Rating.objects.filter(trial__participant__study=study, trial__phase="main").count() == 10
    _read_results_and_download(desk)
    _invite(desk, browser, live_server.url)


def _make_a_study(desk: Page, folder: Path) -> None:
    desk.goto("/studies/new/")
    desk.get_by_label("Title, as participants see it").fill("Which do you like?")
    desk.get_by_label("Files").set_input_files(sorted(folder.iterdir()))
    desk.get_by_role("button", name="Upload").click()
    expect(desk.get_by_label("gold.png")).to_be_visible()
    expect(desk.get_by_label("Title, as participants see it")).to_have_value("Which do you like?")
    for name in NAMES:
        desk.get_by_label(name, exact=True).check()
    desk.get_by_role("button", name="Make the study").click()
    expect(desk.get_by_text("A draft: only you can see it")).to_be_visible()


def _give_roles(desk: Page) -> None:
    """Choose by clicks; forget the right answer of the gold image first."""
    desk.get_by_role("link", name="Check images and roles").click()
    for mark, item in (("Practice", "try"), ("Gold: answer known", "gold")):
        desk.get_by_label(mark, exact=True).check()
        role = desk.get_by_label(f"Role of {item}", exact=True)
        desk.locator(".roles li").filter(has=role).locator("img").click()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="Say the right answer for “gold”.")).to_be_visible()
    expect(desk.get_by_label("Role of try", exact=True)).to_have_value("practice")
    desk.get_by_label("Right answer for gold", exact=True).select_option("4 Good")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: images and roles.")).to_be_visible()


def _add_french(desk: Page) -> None:
    """Forget the title in French first."""
    desk.get_by_role("link", name="Choose languages").click()
    desk.get_by_role("checkbox", name="Français").check()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="Translate “Title”, or use the English text.")).to_be_visible()
    expect(desk.get_by_role("checkbox", name="Français")).to_be_checked()
    desk.locator("[name='title:fr']").fill("Laquelle préférez-vous ?")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: ")).to_be_visible()


def _open(desk: Page) -> None:
    """Forget the name in French first; Back and Forward lose nothing that was saved."""
    desk.get_by_role("link", name="State privacy and who is responsible").click()
    desk.get_by_label("Who is responsible (English)").fill("A lab")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="Who is responsible (French): translate this")).to_be_visible()
    expect(desk.get_by_label("Who is responsible (English)")).to_have_value("A lab")
    desk.get_by_label("Who is responsible (French)").fill("Un laboratoire")
    desk.get_by_label("Contact").fill("lab@example.org")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("link", name="Check, then open the study").click()
    desk.go_back()
    desk.go_forward()
    desk.get_by_role("button", name="Open the study").click()
    expect(desk.locator("#link")).to_have_attribute("href", re.compile("/s/which-do-you-like/$"))
    expect(desk.get_by_text("everybody who has the link can take part")).to_be_visible()


def _rate_on_a_phone(browser: Browser, address: str) -> None:
    """Take part in French: one image to practise on, five rated and one gold, all by touch."""
    context = browser.new_context(
        base_url=address, viewport=PHONE, has_touch=True, is_mobile=True, locale="fr-FR"
    )
    phone = context.new_page()
    phone.set_default_timeout(PATIENCE)
    phone.goto("/s/which-do-you-like/")
    expect(phone.get_by_role("heading", name="Laquelle préférez-vous ?")).to_be_visible()
    phone.get_by_role("checkbox").tap()
    phone.get_by_role("button", name="Commencer").tap()
    for shown in range(7):
        expect(phone.locator("form[data-shown]")).to_be_visible()
        expect(phone.locator(".stage:not(.loading) img")).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        count = phone.locator(".count").inner_text()
        # A tap in the first moment of an image counts for nothing.
        phone.wait_for_timeout(400)
        phone.locator("label", has_text=re.compile("^4?\\s*Bon")).tap()
        if shown < 6 and phone.locator(".count").count():
            expect(phone.locator(".count")).not_to_have_text(count)
    phone.get_by_role("button", name="Terminer").tap()
    expect(phone.get_by_role("heading", name="Merci")).to_be_visible()
    context.close()


def _read_results_and_download(desk: Page) -> None:
    desk.get_by_role("link", name="Results", exact=True).click()
    expect(desk.locator("#scores tbody tr")).to_have_count(5)
    desk.get_by_role("link", name="Downloads and method").click()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Everything, as a ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("ratings.csv") for name in archive.namelist())


def _invite(desk: Page, browser: Browser, address: str) -> None:
    """Make a link; the colleague mistypes the password once, then signs in."""
    desk.goto("/accounts/")
    desk.get_by_label("For whom").fill("Mara")
    desk.get_by_role("button", name="Make the link").click()
    link = desk.locator("#link").inner_text()
    colleague = browser.new_context(base_url=address).new_page()
    colleague.set_default_timeout(PATIENCE)
    colleague.goto(link)
    for again in ("mistyped", PASSWORD):
        colleague.get_by_label("User name").fill("mara")
        colleague.get_by_label("Password", exact=True).fill(PASSWORD)
        colleague.get_by_label("Password again").fill(again)
        colleague.get_by_role("button", name="Make the account").click()
    expect(colleague.get_by_text("Your account is ready")).to_be_visible()
    sign_in(colleague, "mara", PASSWORD)
    expect(colleague.get_by_role("heading", name="Welcome")).to_be_visible()
    sign_out(colleague)
