"""Analyse a file in a real browser: upload, put a column right, read the results; on a phone, too."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a long password"
ITEMS = ("a picture of a cat with woodcut waves, strong", "dog", "fox")


def accessible_and_no_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_column_is_corrected_and_the_results_are_shown(page: Page, live_server, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    User.objects.create_user("ada", password=PASSWORD)
    rows = [f"P{p:02d};{item};{1 + (p + 2 * i) % 5}" for p in range(16) for i, item in enumerate(ITEMS)]
    file = tmp_path / "ratings.csv"
    file.write_text("\n".join(["who;what;how much", *rows]))
    page.goto("/analyse/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Analyse a file").click()
    accessible_and_no_wider_than_a_phone(page)
    page.get_by_label("Ratings file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("The file could not be read yet.")).to_be_visible()
    accessible_and_no_wider_than_a_phone(page)
    for label, column in {"Participant": "who", "Item": "what", "Rating": "how much"}.items():
        page.get_by_label(label, exact=True).select_option(column)
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_text("48 ratings of 3 items by 16 participants.")).to_be_visible()
    accessible_and_no_wider_than_a_phone(page)
    page.get_by_role("link", name="Show the results").click()
    expect(page.locator(".ranking tbody tr")).to_have_count(3)
    expect(page.locator(".answer")).to_have_text(
        "No item stands out: these ratings cannot tell the best of all 3 apart."
    )
    accessible_and_no_wider_than_a_phone(page)
    page.get_by_role("link", name="Change how it is read").click()
    expect(page.get_by_label("Participant", exact=True)).to_have_value("who")
