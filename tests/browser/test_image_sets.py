"""Pictures, plans and image sets in a real browser: progress moves by itself, every page is accessible and fits."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from generator.files import bounded
from generator.models import Cell, PlanRun
from generator.queue import runs, worker
from generator.sets import uploads
from tests.browser.steps import sign_in
from tests.generator.rows import mark_done
from tests.survey.desk.sets import finished_set, planned, things_of
from tests.survey.factories import png

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Each picture is read once in a process with limits: its start takes longer than the rest of a test.
decoded = functools.cache(bounded.decode)


@pytest.fixture
def ada(live_server, monkeypatch) -> User:
    """A researcher; no process is started for her plans."""
    monkeypatch.setattr(worker, "_start", lambda name, lock: None)
    ada = User.objects.create_user("ada")
    ada.groups.add(Group.objects.get(name="Researchers"))
    return ada


@pytest.fixture
def desk(page: Page, ada: User, live_server) -> Page:
    """Her browser, signed in."""
    sign_in(page, ada, live_server.url)
    return page


def look_at(page: Page, address: str) -> None:
    """Open a page; nothing on it may be inaccessible, or need sideways scrolling on a phone."""
    page.goto(address)
    found = Axe().run(page)
    assert found.violations_count == 0, f"{address}\n{found.generate_report()}"
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
    page.set_viewport_size({"width": 1280, "height": 800})


def test_every_page_is_accessible_and_fits_a_phone(desk: Page, ada: User):
    look_at(desk, "/sets/")
    things = things_of(ada)
    finished_set(ada, "failures", "defgh", failed="e")
    refused = PlanRun.objects.create(owner=ada, slug="b", title="B", plan="", state="refused", problem="why")
    for address in (
        reverse("image_sets"),
        reverse("image_set", args=["failures"]),
        reverse("cell", args=[things["set"], 0]),
        reverse("cell", args=["failures", 1]),
        reverse("pictures"),
        reverse("new_plan"),
        reverse("delete_set", args=[things["set"]]),
        f"{reverse('new_plan')}?as=file",
        reverse("plan", args=[things["plan"]]),
        reverse("plan", args=[refused.pk]),
        reverse("study_from_set", args=[things["set"]]),
        reverse("new_study"),
    ):
        look_at(desk, address)


def test_a_set_that_is_made_moves_by_itself(desk: Page, ada: User):
    image_set = finished_set(ada, keys="abc", failed="bc")
    image_set.cells.filter(label__in="bc").update(status="waiting", reason="")
    run = runs.take_up(image_set, ada)
    PlanRun.objects.update(state="running", host="elsewhere")
    desk.goto(reverse("image_set", args=["grid"]))
    progress = desk.locator("#progress")
    expect(progress).to_contain_text("Making images: 1 of 3 made")
    first = image_set.cells.get(index=0)
    made = {"image": first.image.name, "sha256": first.sha256}
    mark_done(image_set.cells.get(index=1), **made)
    expect(progress).to_contain_text("2 of 3 made")
    expect(progress).to_contain_text("images an hour")
    expect(desk.locator(".plane img")).to_have_count(2)
    mark_done(image_set.cells.get(index=2), **made)
    PlanRun.objects.filter(pk=run.pk).update(state="done")
    expect(progress).to_contain_text("Done: 3 of 3 made")
    expect(desk.get_by_role("button", name="Stop")).to_have_count(0)


def test_a_plan_goes_on_by_itself_when_it_was_looked_through(desk: Page, ada: User):
    run = planned(ada)
    PlanRun.objects.update(state="planning", host="elsewhere")
    desk.goto(reverse("plan", args=[run.pk]))
    expect(desk.get_by_text("Checking the plan")).to_be_visible()
    PlanRun.objects.update(state="planned")
    desk.get_by_role("button", name="Make the images").click()
    expect(desk.get_by_text("Waiting")).to_be_visible()


def test_images_are_chosen_by_keyboard_for_a_study(desk: Page, ada: User):
    finished_set(ada)
    desk.goto(reverse("image_set", args=["grid"]))
    desk.get_by_role("checkbox", name="Choose b").focus()
    desk.keyboard.press("Space")
    desk.get_by_role("button", name="Make a study of these").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("1 image of")).to_be_visible()


def test_files_are_uploaded_and_the_refused_ones_named(desk: Page, ada: User, tmp_path: Path):
    (tmp_path / "cat.png").write_bytes(png(1))
    (tmp_path / "notes.png").write_bytes(b"hello")
    desk.goto(reverse("pictures"))
    desk.get_by_label("Files").set_input_files([tmp_path / "cat.png", tmp_path / "notes.png"])
    desk.get_by_role("button", name="Upload").click()
    expect(desk.get_by_text("notes.png: not a picture")).to_be_visible()
    expect(desk.get_by_text("1 picture uploaded.")).to_be_visible()
    expect(desk.locator(".tiles .name")).to_have_text(["cat.png"])


def test_too_many_files_are_refused_before_they_are_sent(desk: Page, tmp_path: Path):
    files = []
    for number in range(101):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(png(1))
    desk.goto(reverse("pictures"))
    field = desk.get_by_label("Files")
    field.set_input_files(files)
    assert field.evaluate("input => input.validationMessage") == "101 files; at most 100 at a time."
    desk.get_by_role("button", name="Upload").click()
    expect(desk.get_by_text("No pictures yet.")).to_be_visible()
    field.set_input_files(files[:1])
    assert field.evaluate("input => input.validationMessage") == ""


def test_without_script_a_reload_shows_how_far_it_is(browser, live_server, ada: User, desk: Page):
    finished_set(ada)
    Cell.objects.filter(index=2).update(status="waiting", image="", sha256="")
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=desk.context.storage_state()
    )
    page = context.new_page()
    page.goto(reverse("image_set", args=["grid"]))
    expect(page.locator("#progress")).to_contain_text("2 of 3 images are kept")
    mark_done(Cell.objects.get(index=2), image=Cell.objects.get(index=0).image.name)
    page.reload()
    expect(page.locator("#progress")).to_contain_text("Done: 3 of 3 made")
    context.close()


@pytest.fixture
def pictures(ada: User, monkeypatch) -> None:
    """Two photographs and a style of hers."""
    with monkeypatch.context() as patched:
        patched.setattr(bounded, "decode", decoded)
        for number, name in enumerate(("cat.png", "dog.png", "wave.png")):
            uploads.keep(ada, SimpleUploadedFile(name, png(number)))


def choose(desk: Page, *photographs: str) -> None:
    desk.goto(reverse("new_plan"))
    for name in photographs:
        desk.get_by_role("group", name="Photographs").get_by_label(name).check()
    desk.get_by_role("group", name="Styles").get_by_label("wave.png").check()


def test_the_count_follows_what_is_chosen_and_stays_in_view(desk: Page, pictures):
    choose(desk, "cat.png", "dog.png")
    count = desk.locator("#count")
    expect(count).to_contain_text("2 images")
    desk.locator("summary", has_text="Ratio of photograph").click()
    for ratio in ("0.005", "0.05", "0.5"):
        desk.get_by_role("checkbox", name=ratio, exact=True).press("Space")
    expect(count).to_contain_text("6 images")
    expect(count).to_contain_text("2 photographs × 1 style × 3 ratios")
    desk.get_by_label("Other ratios").fill("0,05;x")
    expect(desk.locator("[data-error=vary_ratio]")).to_contain_text("may be one number or two")
    for width, height in ((1280, 800), (390, 844)):
        desk.set_viewport_size({"width": width, "height": height})
        for end in ("0", "document.body.scrollHeight"):
            desk.evaluate(f"scrollTo(0, {end})")
            expect(desk.get_by_role("button", name="Check and continue")).to_be_in_viewport()
            expect(count.locator("[data-images]")).to_be_in_viewport()


def test_the_back_button_keeps_the_choices_and_the_count(desk: Page, pictures):
    choose(desk, "cat.png", "dog.png")
    desk.get_by_label("Name of the set").fill("Waves")
    desk.get_by_role("radio", name="Patel 2019 The thesis").check()
    expect(desk.locator("summary", has_text="Layer that keeps")).to_contain_text("conv3_1")
    desk.locator("summary", has_text="Ratio of photograph").click()
    desk.get_by_role("checkbox", name="0.0001", exact=True).press("Space")
    desk.get_by_role("button", name="Check and continue").click()
    expect(desk.get_by_role("heading", name="Waves")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("checkbox", name="0.0001", exact=True)).to_be_checked()
    expect(desk.get_by_role("radio", name="Patel 2019 The thesis")).to_be_checked()
    expect(desk.get_by_label("Name of the set")).to_have_value("Waves")
    expect(desk.get_by_role("group", name="Photographs").get_by_label("dog.png")).to_be_checked()
    expect(desk.locator("#count")).to_contain_text("2 images")


def test_who_leaves_to_upload_more_pictures_finds_the_choices_again(desk: Page, pictures):
    choose(desk, "cat.png")
    desk.get_by_label("Name of the set").fill("Waves")
    desk.get_by_role("link", name="Upload more pictures").click()
    desk.get_by_role("link", name="Make an image set from these").click()
    expect(desk.get_by_label("Name of the set")).to_have_value("Waves")
    expect(desk.get_by_role("group", name="Photographs").get_by_label("cat.png")).to_be_checked()


def test_errors_take_the_focus_lead_to_their_field_and_keep_the_choices(desk: Page, pictures):
    choose(desk, "cat.png")
    desk.locator("summary", has_text="Ratio of photograph").click()
    desk.get_by_label("Other ratios").fill("x")
    desk.get_by_role("button", name="Check and continue").click()
    expect(desk.locator("#problems")).to_be_focused()
    desk.get_by_role("link", name="“x” is not a list of numbers").click()
    expect(desk.get_by_label("Other ratios")).to_be_focused()
    expect(desk.get_by_label("Other ratios")).to_have_value("x")
    expect(desk.get_by_role("group", name="Photographs").get_by_label("cat.png")).to_be_checked()
    assert Axe().run(desk).violations_count == 0


def test_another_method_brings_its_own_values_and_what_is_open_stays_open(desk: Page, pictures):
    choose(desk, "cat.png")
    desk.locator("summary", has_text="Ratio of photograph").click()
    desk.get_by_role("checkbox", name="0.015", exact=True).press("Space")
    desk.get_by_role("radio", name="Patel 2019 The thesis").check()
    expect(desk.locator("summary", has_text="Layer that keeps")).to_contain_text("Patel 2019’s own: conv3_1")
    ratio = desk.locator("[data-factor=vary_ratio]")
    expect(ratio).to_have_attribute("open", "")
    expect(ratio.get_by_role("checkbox", name="0.0001", exact=True)).to_be_attached()
    expect(ratio.get_by_role("checkbox", name="0.015", exact=True)).to_be_checked()


def test_without_script_a_plan_is_made_changed_and_counted_on_the_next_page(
    browser, live_server, ada: User, desk: Page, pictures
):
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=desk.context.storage_state()
    )
    page = context.new_page()
    choose(page, "cat.png")
    page.get_by_label("Name of the set").fill("Waves")
    page.get_by_role("radio", name="Patel 2019 The thesis").check()
    page.get_by_role("button", name="Show this method’s own values below").click()
    expect(page.get_by_label("Name of the set")).to_have_value("Waves")
    expect(page.locator("summary", has_text="Layer that keeps")).to_contain_text("conv3_1")
    page.get_by_role("button", name="Check and continue").click()
    expect(page.get_by_role("heading", name="Waves")).to_be_visible()
    page.get_by_role("link", name="Change").click()
    expect(page.get_by_role("radio", name="Patel 2019 The thesis")).to_be_checked()
    context.close()


def test_what_is_typed_while_choices_come_back_is_kept(desk: Page, pictures):
    choose(desk, "cat.png")
    expect(desk.locator("#count")).to_contain_text("1 image")

    def late(route: Route) -> None:
        desk.wait_for_timeout(1500)
        route.continue_()

    desk.route(
        "**/plans/new/", lambda route: late(route) if route.request.method == "POST" else route.continue_()
    )
    desk.reload()
    desk.get_by_label("Name of the set").fill("Waves")
    expect(desk.locator(".without-script")).to_have_count(0)
    desk.wait_for_timeout(2500)
    expect(desk.get_by_label("Name of the set")).to_have_value("Waves")
    expect(desk.get_by_role("group", name="Photographs").get_by_label("cat.png")).to_be_checked()


def test_back_from_the_plan_as_a_file_keeps_the_choices(desk: Page, pictures):
    choose(desk, "cat.png")
    desk.get_by_label("Name of the set").fill("Waves")
    desk.get_by_role("button", name="Write this plan as a file instead").click()
    expect(desk.get_by_label("Plan (TOML)")).to_be_visible()
    desk.go_back()
    expect(desk.get_by_role("group", name="Photographs").get_by_label("cat.png")).to_be_checked()
    expect(desk.get_by_label("Name of the set")).to_have_value("Waves")
