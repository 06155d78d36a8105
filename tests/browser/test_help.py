"""The documentation in a browser: contents, a search, no wider than a phone, nothing that axe finds."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import fits, no_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Wide tables, long code, pictures.
PAGES = ("", "reference/plans/", "explanation/method/", "reference/presets/")


@pytest.mark.parametrize("address", PAGES)
def test_a_page_fits_a_phone_and_has_no_fault_of_access(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/help/{address}")
    fits(page)
    no_violations(page)


def test_a_reader_searches_and_opens_what_was_found(page: Page):
    page.goto("/help/")
    page.get_by_label("Search the help").fill("purge date")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Study file: Purge date").or_(
        page.get_by_role("link", name="The study file: Purge date")
    ).click()
    expect(page.get_by_role("heading", name="Purge date")).to_be_in_viewport()
    no_violations(page)


def test_contents_stand_left_of_the_page_and_mark_where_one_is(page: Page):
    page.goto("/help/reference/plans/")
    contents, article = (
        page.get_by_role("navigation", name="Contents of the help"),
        page.get_by_role("article"),
    )
    left, text = contents.bounding_box(), article.bounding_box()
    assert left
    assert text
    assert left["x"] + left["width"] <= text["x"]
    expect(contents.get_by_role("link", name="Plan file", exact=True)).to_have_attribute(
        "aria-current", "page"
    )


def test_the_page_is_complete_without_script(context: BrowserContext, browser, live_server):
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = plain.new_page()
    page.goto("/help/reference/presets/")
    expect(page.get_by_role("img", name="Every preset on one pair")).to_be_visible()
    plain.close()
