"""Take docs/screenshots anew: every page that a participant meets, on a phone and on a desktop.

    python -m pytest tests/browser/screenshots.py     (SCREENSHOTS=FOLDER puts them elsewhere)

Not part of the suite (the name does not begin with test_): pictures are for eyes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from generator.demo.pictures import gather
from survey.models import Study
from survey.study.about import ABOUT_TEXTS
from survey.study.pictures import Picture
from survey.study.publish import publish
from survey.study.study_file import parse
from tests.browser.pictures import SIZES, keep, read
from tests.browser.steps import begin, rate, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOWN = ("coffee", "cat", "palace", "astronaut")

FULL = (
    f"about = {json.dumps(list(ABOUT_TEXTS))}"
    + """
languages = ["en", "fr", "de", "es"]
purge_on = 2099-12-31
[consent]
minutes = 8
organiser = "Vision group, Example University"
contact = "jane@example.org"
adults_only = true
[session]
images = 6
batches = 2
[images]
practice = ["astronaut-*"]
[screening]
display = true
vision = true
plates = 1
[recruitment]
platform = "prolific"
complete = "C1AB2CD3"
screened_out = "C9XY8ZW7"
withdrew = "C5MN6OP4"
return_to = "https://app.prolific.com/submissions/complete?cc={code}"
"""
)
FOUR = """
[[questions]]
key = "overall"
text = "How do you rate the overall quality of this image?"
[[questions]]
key = "content"
text = "How well is the photographed scene preserved?"
[[questions]]
key = "style"
text = "How closely does it follow the painting's style?"
labels = ["Not at all", "Slightly", "Partly", "Mostly", "Fully"]
[[questions]]
key = "liking"
text = "How much do you like it?"
labels = ["Not at all", "A little", "Somewhat", "Much", "Very much"]
"""
OWN = """
[[own_questions]]
key = "museums"
when = "before"
answer = "one"
required = true
text = "How often do you visit museums?"
choices = ["Never", "Once a year", "More often"]
[[own_questions]]
key = "job"
when = "before"
text = "What do you do for a living?"
[[own_questions]]
key = "noticed"
about = "image"
answer = "several"
text = "What did you notice?"
choices = ["Colours", "Strokes", "Faces"]
[[own_questions]]
key = "why"
about = "image"
text = "What made you choose that answer?"
"""
#: Arabic ships with no wording: this study brings what everybody reads.
ARABIC = """
title = "تقييم الصور"
languages = ["ar"]
[[questions]]
key = "overall"
text = "كيف تقيّم الجودة العامة لهذه الصورة؟"
labels = ["سيئة", "ضعيفة", "مقبولة", "جيدة", "ممتازة"]
[wording.ar.texts]
"You will see images, one at a time, and say how good each one looks to you. There are no right or wrong answers." = "سترى صورًا، واحدة تلو الأخرى، وتقول كم تبدو لك كل منها جيدة. لا توجد إجابات صحيحة أو خاطئة."
"What you will do" = "ما ستفعله"
"Look at each image as a whole, then choose the answer that fits your impression best. Please use a screen that you see well." = "انظر إلى كل صورة ككل، ثم اختر الإجابة الأقرب إلى انطباعك. من فضلك استخدم شاشة تراها جيدًا."
"It takes about {minutes} minute." = "المدة بالدقائق: {minutes} تقريبًا."
"It takes about {minutes} minutes." = "المدة بالدقائق: {minutes} تقريبًا."
"Every answer is saved immediately. You can close this page and come back on this device. You continue where you stopped." = "تُحفظ كل إجابة فورًا. يمكنك إغلاق هذه الصفحة والعودة إليها على هذا الجهاز، وتتابع من حيث توقفت."
"Taking part is voluntary. You can stop at any time, without a reason and without any disadvantage." = "المشاركة طوعية. يمكنك التوقف في أي وقت دون سبب ودون أي ضرر."
"What is stored" = "ما الذي يُحفظ"
"Your answers, their times, and the size of the images on your screen." = "إجاباتك وأوقاتها وحجم الصور على شاشتك."
"How you saw each image: the size of your window, the sharpness of your screen, whether the image was enlarged or zoomed, and how long it took to load." = "كيف رأيت كل صورة: حجم نافذتك، ودقة شاشتك، وهل كُبّرت الصورة أو قُرّبت، وكم استغرق تحميلها."
"How you answered: in which language, by mouse, touch or keys, and whether you changed your answer." = "كيف أجبت: بأي لغة، وبالفأرة أو باللمس أو بالمفاتيح، وهل غيّرت إجابتك."
"No name, no account, no network address and no fingerprint of your device. One cookie lets you come back. It has no other use." = "لا اسم ولا حساب ولا عنوان شبكة ولا بصمة لجهازك. ملف تعريف ارتباط واحد يتيح لك العودة، ولا يُستخدم لغير ذلك."
"You get a code with which you can delete your answers later." = "تحصل على رمز يمكنك به حذف إجاباتك لاحقًا."
"I have read this and I agree to take part." = "قرأت هذا وأوافق على المشاركة."
"Begin" = "ابدأ"
"Image" = "صورة"
"Image {n} of {of}" = "الصورة {n} من {of}"
"Next" = "التالي"
"Undo" = "تراجع"
"Answer with the keys {first} to {last}" = "أجب بالمفاتيح من {first} إلى {last}"
"What you are asked to do" = "المطلوب منك"
"Stop or withdraw" = "توقف أو انسحب"
"""

GROUPS = """
[[groups]]
key = "one"
instructions = "A neural network made these images from photographs. Say how good each one looks to you."
[[groups]]
key = "other"
instructions = "A neural network made these images from photographs. Say how good each one looks to you."
[session]
blocks = 2
"""

POST_TO_RATE = """() => {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/s/study/rate/';
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture(autouse=True)
def same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the same orders and codes each time, so that a picture changes only where its page does."""
    drawn = random.Random(7)
    monkeypatch.setattr("survey.models.keys.secrets.choice", drawn.choice)
    monkeypatch.setattr("survey.models.keys.secrets.randbelow", drawn.randrange)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """The demonstration's photographs."""
    folder = tmp_path_factory.mktemp("photographs")
    gather(folder)
    return Path(folder)


@pytest.fixture
def study(live_server, photographs) -> Callable[..., Study]:
    """Publish photographs, plain and blurred."""

    def make(toml: str = "", width: int = 480) -> Study:
        pictures = [
            Picture(
                f"{name}-{radius}",
                partial(read, photographs, name, radius, width),
                content=name,
                condition=str(radius),
            )
            for name in SHOWN
            for radius in (0, 2)
        ]
        title = "" if "title" in toml else 'title = "Stylised photographs"\n'
        return publish("study", parse(title + toml, "study.toml"), pictures)

    return make


@pytest.fixture(params=SIZES)
def device(request) -> str:
    """What it is seen on."""
    return str(request.param)


@pytest.fixture
def page(browser: Browser, live_server, device) -> Iterator[Page]:
    """A page on that device."""
    context = browser.new_context(base_url=live_server.url, **SIZES[device])
    yield context.new_page()
    context.close()


@pytest.fixture
def shoot(page: Page, device: str) -> Callable[..., None]:
    """Keep what is on screen (or the whole page) under a name."""

    return lambda name, *, whole=True: keep(page, name, device, whole=whole)


def test_a_session_from_the_first_page_to_the_last(page, study, shoot):
    study(FULL)
    page.goto("/s/study/?PROLIFIC_PID=p1")
    shoot("welcome")
    page.get_by_role("button", name="Begin").click()
    shoot("welcome-without-consent")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="Before the images")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.plate').complete")
    shoot("screening")
    for group in page.get_by_role("group").all():
        group.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Practice image 1 of 2")).to_be_visible()
    expect(page.locator(".stage:not(.loading) img")).to_be_visible()
    shoot("practice", whole=False)
    for _ in range(2):
        expect(page.get_by_role("button", name="Next")).not_to_have_attribute("aria-disabled", "true")
        expect(page.locator(".stage:not(.loading) img")).to_be_visible()
        number = page.locator(".count").inner_text()
        rate(page)
        expect(page.locator(".count")).not_to_have_text(number)
    for number in range(1, 7):
        ready(page, number)
        if number == 2:
            page.get_by_role("radio", name="Good").check()
            shoot("rating", whole=False)
        if number == 3:
            page.goto("/s/study/leave/")
            shoot("leave")
            page.goto("/s/study/")
            ready(page, number)
        rate(page)
    expect(page.get_by_role("heading", name="A few words about you")).to_be_visible()
    shoot("about")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    shoot("thanks")
    page.goto("/s/study/delete/")
    page.get_by_role("textbox").fill("ABCD")
    page.get_by_role("button", name="Delete").click()
    shoot("delete")
    page.goto("/s/study/leave/")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Yes, delete all").click()
    shoot("deleted")


def test_the_card_and_the_distance(page, study, shoot):
    study("[viewing]\ncard = true\ndistance = true\n")
    begin(page)
    page.get_by_role("slider").press("ArrowRight")
    shoot("viewing")


def test_a_window_that_is_too_small(page, study, shoot):
    study("[viewing]\nmin_width = 1400\nmin_height = 700\n")
    page.goto("/s/study/")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    shoot("too-small", whole=False)


def test_a_required_screening_that_fails(page, study, shoot):
    study(FULL.replace("plates = 1", "plates = 1\nrequired = true"))
    page.goto("/s/study/?PROLIFIC_PID=p1")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    for group in page.get_by_role("group").all():
        group.get_by_role("radio").last.check()
    page.get_by_role("button", name="Continue").click()
    shoot("screened-out")


def test_several_questions(page, study, shoot):
    study(FOUR)
    begin(page)
    ready(page, 1, 8)
    shoot("four-questions", whole=False)
    page.get_by_role("button", name="Next").click()
    shoot("unanswered", whole=False)


@pytest.mark.parametrize("method", ["pair", "dcr"])
def test_two_images(page, study, shoot, method):
    study(f'method = "{method}"\n' + ('[images]\nreferences = ["*-0"]\n' if method == "dcr" else ""))
    begin(page)
    ready(page, 1, 4)
    shoot({"pair": "comparing", "dcr": "beside-reference"}[method], whole=False)


def test_larger_than_the_screen(page, study, shoot):
    study(width=1600)
    begin(page)
    ready(page, 1, 8)
    shoot("larger-than-screen", whole=False)


def test_without_a_connection(page, study, shoot):
    study()
    begin(page)
    ready(page, 1, 8)
    page.wait_for_timeout(1500)
    page.context.set_offline(True)
    rate(page)
    ready(page, 2, 8)
    shoot("no-connection", whole=False)
    page.context.set_offline(False)


def test_own_questions(page, study, shoot):
    study(OWN)
    begin(page)
    shoot("own-questions-before")
    page.get_by_role("radio", name="Once a year").check()
    page.get_by_role("button", name="Continue").click()
    ready(page, 1, 8)
    shoot("own-questions", whole=page.viewport_size["width"] < 600)


def test_groups_and_breaks(page, study, shoot):
    study(GROUPS)
    begin(page)
    shoot("task")
    page.get_by_role("button", name="Begin").click()
    for number in (1, 2):
        ready(page, number, 8)
        rate(page)
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    shoot("break")


def test_small_images_enlarged(page, study, shoot):
    study("[images]\nenlarge = 4\n", width=96)
    begin(page)
    ready(page, 1, 8)
    shoot("enlarged", whole=False)


def test_from_right_to_left(page, study, shoot):
    study(ARABIC)
    page.goto("/s/study/")
    shoot("right-to-left-welcome")
    page.get_by_role("checkbox").check()
    page.get_by_role("button").click()
    expect(page.locator(".stage:not(.loading) img")).to_be_visible()
    shoot("right-to-left", whole=False)


@pytest.mark.parametrize(("state", "name"), [("paused", "paused"), ("closed", "closed")])
def test_a_study_that_takes_nobody(page, study, shoot, state, name):
    made = study()
    made.state = state
    made.save()
    page.goto("/s/study/")
    shoot(name)


def test_pages_by_the_way(page, study, shoot):
    study("invited_only = true\n")
    page.goto("/")
    shoot("home")
    page.goto("/sign-in/")
    shoot("sign-in")
    page.goto("/s/nowhere/")
    shoot("not-found")
    begin(page)
    shoot("uninvited")
    page.goto("/s/study/")
    page.evaluate(POST_TO_RATE)
    expect(page.get_by_role("heading", name="There is nothing to answer here")).to_be_visible()
    shoot("lost")
