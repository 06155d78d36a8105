"""The researcher's pages in a real browser: every plot is drawn, tables sort, phones show all, nothing is blocked."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect

from survey.models import Study
from tests.browser.steps import sign_in
from tests.survey.exports.studies import rated_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def study(live_server) -> Study:
    """A rated study of Ada's."""
    study = rated_study(people=5)
    study.owner = User.objects.create_user("ada")
    study.save()
    return study


@pytest.fixture
def results(page: Page, study: Study, live_server) -> Page:
    """Ada's results page."""
    sign_in(page, User.objects.get(), live_server.url)
    page.goto("/studies/study/results/")
    return page


def test_the_results_are_reached_from_the_list_of_studies(page: Page, study: Study, live_server):
    sign_in(page, User.objects.get(), live_server.url)
    page.goto("/studies/")
    page.get_by_role("link", name="Results of A study").click()
    expect(page.locator(".answer")).to_be_visible()


def drawn(image: Locator) -> None:
    """Scroll to a picture and wait until it is there."""
    image.scroll_into_view_if_needed()
    for _ in range(100):
        if image.evaluate("image => image.complete && image.naturalWidth > 10"):
            return
        image.page.wait_for_timeout(100)
    pytest.fail(f"not drawn: {image.get_attribute('src')}")


def first_items(page: Page) -> list[str]:
    return page.locator("#scores tbody th").all_inner_texts()


def test_a_plot_that_is_being_drawn_has_its_place_and_says_so(results: Page):
    def late(route: Route) -> None:
        results.wait_for_timeout(700)
        route.continue_()

    # Not in the browser's cache.
    address = f"{results.url}?ci=bounded"
    results.route("**/plots/mos.svg*", late)
    results.goto(address, wait_until="domcontentloaded")
    box = results.locator("#plot-mos .drawn")
    box.scroll_into_view_if_needed()
    expect(box.get_by_text("Drawing the plot …")).to_be_visible()
    before = box.bounding_box()
    drawn(box.locator("img"))
    # The attributes are whole pixels, the drawing's own size is not.
    assert box.bounding_box() == pytest.approx(before, abs=1)
    expect(box).not_to_have_attribute("aria-busy", "true")


def test_a_plot_that_fails_says_so_and_can_be_tried_again(results: Page):
    # Not in the browser's cache.
    address = f"{results.url}?ci=bounded"

    def fail_at_first(route: Route) -> None:
        if "again=" in route.request.url:
            route.continue_()
        else:
            route.abort()

    results.route("**/plots/mos.svg*", fail_at_first)
    results.goto(address)
    box = results.locator("#plot-mos .drawn")
    box.scroll_into_view_if_needed()
    expect(box.get_by_text("The plot could not be drawn.")).to_be_visible()
    expect(box.get_by_role("link", name="Download the numbers")).to_be_visible()
    box.get_by_role("button", name="Try again").click()
    drawn(box.locator("img"))
    expect(box.get_by_text("The plot could not be drawn.")).to_be_hidden()


def test_every_picture_is_shown(results: Page):
    plots = results.locator("img.plot")
    assert plots.count() >= 3
    for plot in plots.all():
        drawn(plot)
    thumbnails = results.locator(".ranking img").all()
    assert len(thumbnails) == 6
    for thumbnail in thumbnails:
        drawn(thumbnail)


def test_a_heading_sorts_its_table_up_and_down(results: Page):
    results.get_by_text("More columns").click()
    results.locator("#scores").get_by_role("button", name="Item", exact=True).click()
    items = first_items(results)
    assert items == sorted(items)
    expect(results.locator("#scores").get_by_role("columnheader", name="Item")).to_have_attribute(
        "aria-sort", "ascending"
    )
    results.locator("#scores").get_by_role("button", name="Item", exact=True).click()
    assert first_items(results) == sorted(items, reverse=True)


def test_a_switch_is_kept_in_the_address(results: Page):
    results.get_by_text("Change what is shown").click()
    results.get_by_label("95 % interval", exact=True).select_option("bounded")
    results.locator("form").get_by_label("Participants", exact=True).select_option("model")
    with results.expect_navigation(url="**ci=bounded**"):
        results.get_by_role("button", name="Apply").click()
    results.reload()
    expect(results.locator("form").get_by_label("Participants", exact=True)).to_have_value("model")


def test_the_numbers_of_a_plot_open_under_it(results: Page):
    section = results.locator("#plot-mos")
    section.get_by_text("The numbers of this plot").click()
    expect(section.get_by_role("cell", name="cat-weak")).to_be_visible()


def test_a_download_comes_as_a_file(results: Page):
    results.get_by_role("link", name="Downloads and method").click()
    with results.expect_download() as download:
        results.get_by_role("link", name="All tables, Excel").click()
    assert download.value.suggested_filename == "study_results.xlsx"


def test_a_participant_is_left_out_and_counted_again(results: Page, study: Study):
    results.get_by_role("link", name="Participants", exact=True).click()
    results.locator("summary", has_text="leave out").first.click()
    results.get_by_label("Reason").first.fill("said so")
    results.get_by_role("button", name="Leave out").first.click()
    expect(results.get_by_text("left out: said so")).to_be_visible()
    results.get_by_role("link", name="Results", exact=True).click()
    expect(results.get_by_text("1 participant left out")).to_be_visible()
    results.go_back()
    results.get_by_role("button", name="Count again").click()
    expect(results.get_by_text("left out: said so")).to_have_count(0)
    expect(results.get_by_role("cell", name="said so")).to_be_visible()


def test_every_page_is_accessible_and_fits_a_phone(results: Page):
    for path in (
        "studies/",
        "studies/study/results/",
        "studies/study/results/conditions/",
        "studies/study/results/reliability/",
        "studies/study/results/downloads/",
        "studies/study/participants/",
        "studies/study/sharing/",
    ):
        results.set_viewport_size({"width": 1280, "height": 800})
        results.goto(f"/{path}")
        found = Axe().run(results)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        results.set_viewport_size({"width": 320, "height": 640})
        assert results.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_a_shared_page_works_without_an_account(results: Page, study: Study, context):
    results.get_by_role("link", name="Sharing", exact=True).click()
    results.get_by_role("button", name="Make a share link").click()
    address = results.get_by_role("link", name="/shared/").get_attribute("href")
    context.clear_cookies()
    results.goto(str(address))
    expect(results.get_by_role("heading", name="A study")).to_be_visible()
    drawn(results.locator("img.plot").first)
    assert results.get_by_role("link", name="Sharing").count() == 0


def test_the_first_screen_holds_the_answer_and_the_whole_ranking(results: Page):
    results.set_viewport_size({"width": 1280, "height": 800})
    expect(results.locator(".answer")).to_be_visible()
    bottom = results.locator(".ranking tbody tr").last.evaluate("row => row.getBoundingClientRect().bottom")
    assert bottom + results.evaluate("scrollY") <= 800
    results.set_viewport_size({"width": 390, "height": 844})
    first = results.locator(".ranking tbody tr").first.evaluate("row => row.getBoundingClientRect().bottom")
    assert first + results.evaluate("scrollY") <= 844
