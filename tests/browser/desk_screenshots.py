"""Take the pictures of the desk anew: `docs/screenshots/desk-*.webp`, each page on a phone and on a desktop.

    python -m pytest tests/browser/desk_screenshots.py

`SITE=FOLDER` keeps the installation in a folder, so that a second run has its images already. `SCREENSHOTS=FOLDER` puts the pictures
elsewhere. Not part of the suite (the name does not begin with test_): pictures are for eyes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.site import Site
from tests.browser.pictures import SIZES, keep

pytestmark = pytest.mark.browser

PASSWORD = "seven calm otters"
FURNISH = "import django; django.setup()\nfrom tests.browser.desk_site import furnish; furnish()"
#: ms; seconds on a machine that does nothing else.
PATIENCE = 300_000
RATINGS = "Judge,Wine,Score\n" + "".join(
    f"J{person},{wine},{(7 * person + 3 * number) % 5 + 1}\n"
    for person in range(1, 13)
    for number, wine in enumerate(("Riesling", "Merlot", "Chianti", "Rioja"))
)
Shoot = Callable[..., None]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installation is."""
    return Path(os.environ.get("SITE", "") or tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The server's address, with the demonstration and a study in each state."""
    site = Site(folder, None)
    site.run(FURNISH)
    with site.serve() as (port, _):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A researcher's browser, whose language is not that of the desk."""
    context = browser.new_context(base_url=address, viewport=SIZES["desktop"]["viewport"], locale="fr-FR")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.set_default_navigation_timeout(PATIENCE)
    yield page
    context.close()


@pytest.fixture
def shoot(page: Page) -> Shoot:
    """Keep the page at both sizes, after a look whether it fits."""

    def take(name: str, *, whole: bool = True) -> None:
        for device, options in SIZES.items():
            page.set_viewport_size(options["viewport"])
            page.wait_for_load_state("networkidle")
            _draw_everything(page)
            keep(page, f"desk-{name}", device, whole=whole)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= options["viewport"]["width"], f"{name} is {wide} px wide on a {device}"
        page.set_viewport_size(SIZES["desktop"]["viewport"])

    return take


def _draw_everything(page: Page) -> None:
    """Wait for the pictures that come only when they are scrolled to."""
    for picture in page.locator("img[loading=lazy]:visible").all()[:40]:
        picture.scroll_into_view_if_needed()
        page.wait_for_function("picture => picture.complete", arg=picture.element_handle())
    page.evaluate("scrollTo(0, 0)")


def enter(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("form button").last.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_first_pages(page: Page, shoot: Shoot) -> None:
    enter(page, "mara")
    page.goto("/studies/")
    shoot("first-page")
    page.goto("/sets/")
    shoot("image-sets-empty")
    page.goto("/studies/new/")
    shoot("new-study-empty")


def test_studies(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    shoot("studies")
    for name, address in (
        ("planning", "/planning/"),
        ("published-means", "/published/"),
        ("help", "/help/"),
        ("help-search", "/help/?q=interval"),
        ("account", "/account/"),
        ("password", "/account/password/"),
    ):
        page.goto(address)
        shoot(name)


def test_planning_from_a_study(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    page.goto("/planning/?noise=suits")
    page.get_by_role("button", name="Calculate").click()
    shoot("planning-answer")


def test_image_sets(page: Page, shoot: Shoot, folder: Path) -> None:
    enter(page, "researcher")
    page.goto("/sets/")
    shoot("image-sets")
    page.goto("/sets/demo/")
    shoot("image-set")
    page.goto("/sets/demo/cells/1/")
    shoot("image")
    page.goto("/sets/demo/delete/")
    shoot("delete-set")
    page.goto("/pictures/")
    names = ("cat.png", "coffee.png", "palace.jpg", "woodcut-waves.png", "stained-glass.png")
    if not page.get_by_text("cat.png").count():
        page.get_by_label("Files").set_input_files([folder / "data" / "demo" / name for name in names])
        page.get_by_role("button", name="Upload").click()
    shoot("pictures")
    page.goto("/studies/new/")
    shoot("new-study")


def test_a_plan(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    page.goto("/plans/new/")
    page.get_by_role("button", name="Check and continue").last.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    shoot("new-image-set-errors")
    page.goto("/plans/new/")
    page.wait_for_load_state("networkidle")
    page.get_by_label("Name of the set").fill("Waves and glass")
    for name in ("cat.png", "coffee.png", "palace.jpg"):
        page.get_by_role("group", name="Photographs").get_by_label(name).check(force=True)
    for name in ("woodcut-waves.png", "stained-glass.png"):
        page.get_by_role("group", name="Styles").get_by_label(name).check(force=True)
    expect(page.locator("#count [data-time]")).not_to_be_empty()
    shoot("new-image-set")
    page.get_by_role("button", name="Write this plan as a file instead").click()
    shoot("plan-file")
    page.go_back()
    page.get_by_role("button", name="Check and continue").last.click()
    expect(page.get_by_text("Checking the plan")).to_be_visible()
    shoot("plan-checking")
    expect(page.get_by_role("button", name="Make the images")).to_be_visible(timeout=PATIENCE)
    shoot("plan")
    page.get_by_role("button", name="Throw this plan away").click()


def test_the_set_up(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    page.goto("/sets/demo/study/")
    page.get_by_label("Title, as participants see it").fill("How good do these paintings look?")
    shoot("new-study-from-set")
    page.get_by_role("button", name="Make the study").click()
    base = page.url
    shoot("setup")
    for task in (
        "texts",
        "languages",
        "questions",
        "own_questions",
        "images",
        "assignment",
        "groups",
        "recruitment",
        "privacy",
        "open",
    ):
        page.goto(f"{base}{task}/")
        shoot(f"setup-{task.replace('_', '-')}")
    page.goto(f"{base}languages/")
    page.get_by_role("checkbox", name="Français").check()
    page.get_by_label("Its code").fill("it")
    page.get_by_role("button", name="Save").click()
    shoot("setup-languages-errors")
    page.goto(f"{base}images/")
    page.get_by_label("Gold: answer known", exact=True).check()
    page.locator(".roles img").first.click()
    page.get_by_role("button", name="Save").click()
    shoot("setup-images-errors")
    for name, address in (
        ("study-file", "setup/file/"),
        ("preregistration", "preregistration/"),
        ("copy", "copy/"),
        ("end", "end/"),
        ("personal-links", "invitations/"),
    ):
        page.goto(f"{base.removesuffix('setup/')}{address}")
        shoot(name)
    page.goto(f"{base.removesuffix('setup/')}end/")
    page.get_by_label("to confirm").last.fill(base.split("/")[-3])
    page.get_by_role("button", name="Delete this study").click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()


def test_a_running_study(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    for name, address in (
        ("live", "live/"),
        ("setup-running", "setup/"),
        ("setup-images-fixed", "setup/images/"),
        ("sharing", "sharing/"),
        ("history", "log/"),
        ("results-running", "results/"),
        ("participants", "participants/"),
    ):
        page.goto(f"/studies/suits/{address}")
        shoot(name)
    page.goto("/studies/demo/live/")
    shoot("live-nobody")
    page.goto("/studies/demo/results/")
    shoot("results-empty")


def test_results(page: Page, shoot: Shoot) -> None:
    enter(page, "researcher")
    for name, address in (
        ("results", ""),
        ("results-conditions", "conditions/"),
        ("results-covariates", "covariates/"),
        ("results-reliability", "reliability/"),
        ("results-downloads", "downloads/"),
        ("results-panel", "?panel=unflagged"),
    ):
        page.goto(f"/studies/demo-simulated/results/{address}")
        shoot(name, whole=name != "results")
    page.goto("/studies/demo-simulated/participants/?flagged=1")
    shoot("participants-marked")
    page.goto("/studies/pairs/results/")
    shoot("results-pairs")
    page.goto("/studies/groups/results/groups/")
    shoot("results-groups")


def test_a_file(page: Page, shoot: Shoot, tmp_path: Path) -> None:
    enter(page, "researcher")
    page.goto("/analyse/")
    shoot("analyse")
    (tmp_path / "wines.csv").write_text(RATINGS)
    page.get_by_label("Ratings file").set_input_files(tmp_path / "wines.csv")
    page.get_by_role("button", name="Upload").click()
    shoot("file")
    page.get_by_role("link", name="Show the results").click()
    shoot("file-results")


def test_shared_results(page: Page, shoot: Shoot, browser: Browser, address: str) -> None:
    enter(page, "researcher")
    page.goto("/studies/demo-simulated/sharing/")
    if not page.locator("td a[href*='/shared/']").count():
        page.get_by_role("button", name="Make a share link").click()
    link = page.locator("td a[href*='/shared/']").first.get_attribute("href")
    page.context.clear_cookies()
    page.goto(str(link))
    shoot("shared")


def test_accounts(page: Page, shoot: Shoot) -> None:
    enter(page, "ada")
    page.goto("/account/second-factor/")
    shoot("second-factor-off")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    shoot("second-factor")
    page.goto("/accounts/")
    page.get_by_label("For whom").fill("Noor, new in the lab")
    page.get_by_role("button", name="Make the link").click()
    invitation = page.locator("#link").inner_text()
    shoot("accounts")
    page.get_by_role("link", name="mara", exact=True).click()
    shoot("account-of-a-colleague")
    page.get_by_role("button", name="Make the link").click()
    forgotten = page.locator("#link").inner_text()
    page.goto("/log/")
    shoot("history-of-all")
    page.context.clear_cookies()
    page.goto(invitation)
    shoot("join")
    page.get_by_label("User name").fill("noor")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill("mistyped")
    page.get_by_role("button", name="Make the account").click()
    shoot("join-errors")
    page.goto(forgotten)
    shoot("new-password")
    page.goto("/join/no-such-link/")
    shoot("link-ended")
