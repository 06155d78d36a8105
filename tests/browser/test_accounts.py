"""Accounts as people meet them: invited by a link, a second factor, a forgotten password; on a phone and a desktop."""

from __future__ import annotations

import os

import pytest
from django.contrib.auth.models import User
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, ViewportSize, expect

from survey.access.roles import make_groups
from tests.browser.test_accessibility import fits, no_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD, NEW = "seven calm otters", "eight quiet herons"
SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 800},
}


def look(page: Page, name: str = "") -> None:
    """Check a page at both sizes: nothing to scroll sideways for, and nothing that axe finds."""
    for device, size in SIZES.items():
        page.set_viewport_size(size)
        if name and os.environ.get("SHOTS"):
            page.screenshot(path=f"{os.environ['SHOTS']}/{name}-{device}.png", full_page=True)
        fits(page)
    no_violations(page)


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()


def code_of(name: str) -> str:
    device = TOTPDevice.objects.get(user__username=name)
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1)
    return f"{totp(device.bin_key):06d}"


def test_from_an_invitation_to_a_new_password(page):
    make_groups()
    User.objects.create_superuser("admin", password=PASSWORD)
    sign_in(page, "admin", PASSWORD)
    page.get_by_role("link", name="your account").click()
    look(page, "account")
    page.get_by_role("link", name="Accounts and invitations").click()
    page.get_by_label("For whom").fill("Mara from the vision group")
    page.get_by_role("button", name="Make the link").click()
    invitation = page.locator("#link").inner_text()
    look(page, "accounts")
    sign_out(page)

    page.goto(invitation)
    page.get_by_label("User name").fill("mara")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill("mistyped")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_label("User name")).to_have_value("mara")
    look(page, "join-error")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Your account is ready")).to_be_visible()
    look(page, "joined")
    sign_in(page, "mara", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(invitation)
    look(page, "link-ended")

    page.goto("/account/second-factor/")
    look(page, "factor-off")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    look(page, "factor-key")
    page.get_by_label("Code").fill(code_of("mara"))
    page.get_by_role("button", name="Switch on").click()
    recovery = page.locator("#codes").inner_text().split()
    look(page, "factor-codes")
    sign_out(page)

    sign_in(page, "mara", PASSWORD)
    look(page, "code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    look(page, "code-error")
    page.get_by_label("Code").fill(recovery[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="your account")).to_be_visible()
    page.goto("/account/password/")
    look(page, "password")
    sign_out(page)

    sign_in(page, "admin", PASSWORD)
    page.goto("/accounts/")
    page.get_by_role("link", name="mara", exact=True).click()
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("#link").inner_text()
    look(page, "account-of")
    sign_out(page)
    page.goto(link)
    look(page, "new-password")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    sign_in(page, "mara", NEW)
    page.get_by_label("Code").fill(code_of("mara"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="your account")).to_be_visible()
