"""A bad line loses no answer and no image is rated that was not whole."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from playwright.sync_api import Page, Route, expect

from generator.files.images import encode_png
from survey.models import Rating, Stimulus, Trial
from tests.browser.steps import begin, rate, ready
from tests.survey.factories import make_study, picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def preloaded(page: Page, count: int) -> None:
    """Wait until the browser holds so many images."""
    page.wait_for_function(
        "count => performance.getEntriesByType('resource').filter(e => e.name.includes('/image/')).length >= count",
        arg=count,
    )


def test_through_an_outage_the_participant_goes_on_and_every_answer_arrives(context, page, study):
    """webMUSHRA #108, jsPsych #2050, reVISit #1182: answers lost with the connection."""
    begin(page)
    ready(page, 1)
    rate(page, "Excellent")
    ready(page, 2)
    preloaded(page, 6)
    context.set_offline(True)
    for number in (2, 3, 4):
        ready(page, number)
        rate(page, "Poor")
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 4, saved: 1")
    expect(page.get_by_role("status")).to_contain_text("No connection")
    assert Rating.objects.count() == 1
    context.set_offline(False)
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 4, saved: 4")
    assert [r.value for r in Rating.objects.order_by("trial__position")] == [5, 2, 2, 2]


def test_one_tap_answers_without_a_line_wait_here_and_arrive_later(browser, live_server):
    make_study('answer = "tap"\n')
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    begin(page)
    ready(page, 1)
    preloaded(page, 6)
    page.wait_for_timeout(400)
    context.set_offline(True)
    for number, label in enumerate(("Poor", "Fair", "Good", "Bad", "Poor", "Fair"), 1):
        expect(page.get_by_role("heading", name=f"Image {number} of 6", exact=True)).to_be_visible()
        expect(page.locator(".stage:not(.loading) img")).to_be_visible()
        page.wait_for_timeout(400)
        page.get_by_text(label).tap()
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 6, saved: 0")
    expect(page.get_by_role("heading", name="Thank you")).not_to_be_visible()
    assert not Rating.objects.exists()
    context.set_offline(False)
    page.get_by_role("button", name="Finish").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()
    assert list(Rating.objects.order_by("trial__position").values_list("value", flat=True)) == [
        2,
        3,
        4,
        1,
        2,
        3,
    ]


def test_the_thanks_come_only_when_the_server_holds_all(context, page, study):
    begin(page)
    for number in range(1, 6):
        ready(page, number)
        rate(page)
    ready(page, 6)
    context.set_offline(True)
    rate(page)
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 6, saved: 5")
    expect(page.get_by_role("status")).to_contain_text("keep this page open")
    expect(page.get_by_role("heading", name="Thank you")).not_to_be_visible()
    context.set_offline(False)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Rating.objects.count() == 6


def test_answers_kept_in_a_closed_page_are_sent_when_it_opens_again(context, page, study):
    begin(page)
    ready(page, 1)
    preloaded(page, 3)
    context.set_offline(True)
    rate(page, "Fair")
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 1, saved: 0")
    page.close(run_before_unload=False)
    context.set_offline(False)
    later = context.new_page()
    later.goto("/s/study/")
    expect(later.get_by_role("heading", name="Image 2 of 6")).to_be_visible()
    expect(later.get_by_role("status")).to_contain_text("Answers so far: 1, saved: 1")
    assert list(Rating.objects.values_list("value", flat=True)) == [3]


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_answers_that_wait_are_sent_from_the_page_of_a_study_that_shows_no_more_images(
    context, page, study, state
):
    begin(page)
    ready(page, 1)
    preloaded(page, 3)
    context.set_offline(True)
    rate(page, "Fair")
    ready(page, 2)
    rate(page, "Bad")
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 2, saved: 0")
    page.close(run_before_unload=False)
    context.set_offline(False)
    study.state = state
    study.save()
    later = context.new_page()
    later.goto("/s/study/")
    expect(later.get_by_role("status")).to_have_text("Answers so far: 2, saved: 2.")
    assert sorted(Rating.objects.values_list("value", flat=True)) == [1, 3]


def test_one_tab_never_drops_what_waits_in_another(context, page, study):
    """Both keep their answers in one storage: who wrote the whole list lost the other's part of it."""
    begin(page)
    ready(page, 1)
    other = context.new_page()
    other.goto("/s/study/")
    ready(other, 1)
    preloaded(other, 3)
    for tab in (page, other):
        tab.route("**/rate/", lambda route: route.abort())
    rate(page, "Good")
    ready(page, 2)
    rate(other, "Good")
    ready(other, 2)
    rate(other, "Poor")
    ready(other, 3)
    other.close(run_before_unload=False)
    page.unroute("**/rate/")
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 1, saved: 1")
    page.goto("/s/study/")
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 2, saved: 2")
    assert list(Rating.objects.order_by("trial__position").values_list("value", flat=True)) == [4, 2]


def test_an_image_that_has_no_line_is_waited_for_not_skipped(context, page, study):
    """JATOS #283: "failed to load". Beyond the images that are there, an outage must cost none."""
    asked: list[str] = []

    def only_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url == asked[0]:
            route.continue_()
        else:
            route.abort()

    page.route("**/image/*", only_the_first)
    begin(page)
    ready(page, 1)
    context.set_offline(True)
    rate(page, "Good")
    expect(page.get_by_role("heading", name="Image 2 of 6")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("This page goes on")
    page.unroute("**/image/*")
    context.set_offline(False)
    ready(page, 2)
    assert list(Rating.objects.values_list("value", flat=True)) == [4]
    assert not Trial.objects.filter(outcome="skipped").exists()


def test_undo_needs_no_new_page_and_without_a_line_it_says_so(context, page, study):
    begin(page)
    ready(page, 1)
    rate(page, "Bad")
    ready(page, 2)
    page.evaluate("window.same = true")
    context.set_offline(True)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("No connection")
    context.set_offline(False)
    page.get_by_role("button", name="Undo").click()
    ready(page, 1)
    expect(page.get_by_role("radio", name="Bad")).to_be_checked()
    assert page.evaluate("window.same")


def test_a_reply_that_is_lost_on_its_way_doubles_nothing(page, study):
    """The server has kept the answer; the browser does not know, and sends it again."""
    begin(page)
    ready(page, 1)
    lost: list[str] = []

    def lose_the_first_reply(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().text())
        route.abort()

    page.route("**/rate/", lose_the_first_reply)
    rate(page, "Good")
    ready(page, 2)
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 1, saved: 1")
    assert lost
    assert Rating.objects.count() == 1


def test_an_answer_chosen_before_the_script_arrives_stays_chosen(page, study):
    """On a slow line the image is there first; the script came, and wiped the answer out."""
    held: list[Route] = []
    page.route("**/rate.js", lambda route: held.append(route))
    page.goto("/s/study/")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click(no_wait_after=True)
    page.get_by_role("radio", name="Poor").check()
    held[0].continue_()
    ready(page, 1)
    expect(page.get_by_role("radio", name="Poor")).to_be_checked()
    page.get_by_role("button", name="Next").click()
    ready(page, 2)
    expect(page.get_by_role("radio", name="Poor")).not_to_be_checked()
    assert list(Rating.objects.values_list("value", flat=True)) == [2]


def test_a_server_error_is_tried_again(page, study):
    begin(page)
    ready(page, 1)
    failures: list[str] = []

    def fail_once(route: Route) -> None:
        if failures:
            route.continue_()
        else:
            failures.append(route.request.url)
            route.fulfill(status=503, body="")

    page.route("**/rate/", fail_once)
    rate(page)
    ready(page, 2)
    expect(page.get_by_role("status")).to_contain_text("Answers so far: 1, saved: 1")


def test_a_truncated_image_is_skipped_with_the_reason_and_never_rated(page, study):
    """jsPsych #1393: under packet loss, half images were rated."""
    broken = Stimulus.objects.first()
    with default_storage.open(str(broken.image.name)) as file:
        half = file.read()[:-40]
    default_storage.delete(str(broken.image.name))
    default_storage.save(broken.image.name, ContentFile(half))
    begin(page)
    for number in range(1, 7):
        if Trial.objects.get(position=number).stimulus_id == broken.pk:
            continue
        expect(page.get_by_role("heading", name=f"Image {number} of 6")).to_be_visible()
        ready(page, number)
        rate(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    skipped = Trial.objects.get(stimulus=broken)
    assert (skipped.outcome, skipped.reason) == ("skipped", "truncated")
    assert Rating.objects.count() == 5


def test_an_image_that_fails_once_is_tried_again(page, study):
    failures: list[str] = []

    def fail_once(route: Route) -> None:
        if failures:
            route.continue_()
        else:
            failures.append(route.request.url)
            route.abort()

    page.route("**/image/*", fail_once)
    begin(page)
    ready(page, 1)
    rate(page)
    ready(page, 2)
    assert failures
    assert not Trial.objects.filter(outcome="skipped").exists()


def test_nothing_is_fetched_from_elsewhere(page, study, live_server):
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    begin(page)
    ready(page, 1)
    rate(page)
    ready(page, 2)
    assert addresses
    assert [a for a in addresses if not a.startswith((live_server.url, "blob:"))] == []


def test_nothing_in_the_page_tells_content_style_or_setting(page, study):
    """AVrate puts the file's path into the alternative text."""
    begin(page)
    ready(page, 1)
    source = page.content().lower()
    telling = ("cat", "dog", "owl", "weak", "strong", "main", "gold")
    shown = page.locator(".stage img").get_attribute("alt")
    assert shown == "Image 1 of 6"
    found = [word for word in telling if f'"{word}' in source or f"{word}-" in source]
    # The page's own landmark is no hint.
    assert found in ([], ["main"])


def test_one_strictly_necessary_cookie_and_no_other(context, page, study):
    page.goto("/s/study/")
    assert context.cookies() == []
    begin(page)
    ready(page, 1)
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("participant", True, "Lax")
    assert cookie["path"] == "/s/study/"


def test_the_size_on_screen_is_measured_and_small_screens_are_told(browser, live_server):
    large = make_study(slug="large", contents=("a",), conditions=("x",))
    stimulus = large.stimuli.get()
    _replace(stimulus, picture(3, (1200, 900)))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 800, "height": 700})
    page = context.new_page()
    begin(page, "/s/large/")
    ready(page, 1, 1)
    expect(page.locator(".note")).to_contain_text("Shown at")
    rate(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    trial = Trial.objects.get()
    assert trial.shown_w < 1200
    assert trial.shown_h / trial.shown_w == pytest.approx(0.75, abs=0.01)
    context.close()


@pytest.mark.parametrize(("most", "times"), [(1, 1), (3, 3), (8, 8)])
def test_small_images_are_enlarged_by_whole_numbers_and_the_rating_says_so(page, live_server, most, times):
    make_study(f"[images]\nenlarge = {most}\n")
    begin(page)
    ready(page, 1)
    box = page.locator(".stage img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (48 * times, 32 * times)
    rendering = page.locator(".stage img").evaluate("img => getComputedStyle(img).imageRendering")
    assert rendering == ("pixelated" if times > 1 else "auto")
    rate(page)
    ready(page, 2)
    assert Trial.objects.get(outcome="rated").enlarged == times


def test_two_images_of_a_pair_are_drawn_at_one_scale(browser, live_server):
    study = make_study('method = "pair"\n[images]\nenlarge = 8\n', contents=("a",))
    small, large = study.stimuli.all()
    _replace(small, picture(3, (100, 60)))
    _replace(large, picture(4, (1600, 900)))
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    begin(page)
    ready(page, 1, 1)
    scales = page.locator(".stage img").evaluate_all(
        "all => all.map(i => i.getBoundingClientRect().width / i.naturalWidth)"
    )
    assert scales[0] == pytest.approx(scales[1], rel=0.01)
    assert scales[0] < 1
    expect(page.locator(".note")).to_contain_text("Shown at")
    _replace(large, picture(4, (80, 60)))
    page.reload()
    ready(page, 1, 1)
    widths = page.locator(".stage img").evaluate_all(
        "all => all.map(i => i.getBoundingClientRect().width / i.naturalWidth)"
    )
    assert widths[0] == widths[1] == 3
    context.close()


def _replace(stimulus: Stimulus, image) -> None:
    data = encode_png(image)
    default_storage.delete(str(stimulus.image.name))
    stimulus.image.save("x.png", ContentFile(data), save=False)
    stimulus.width, stimulus.height = image.size
    stimulus.sha256 = hashlib.sha256(data).hexdigest()
    stimulus.save()
