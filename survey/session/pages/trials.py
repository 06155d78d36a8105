"""One image at a time: the page, its answer, undo, skip, and the image's bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.http.response import HttpResponseBase

from survey.models import Stimulus, Trial
from survey.session import answering, own_answers, progress
from survey.session.answering import Showing
from survey.session.pages.questions import answer_keys, questions_of
from survey.session.pages.visit import Visit, participant_page
from survey.session.progress import SessionProgress
from survey.session.rating_sql import AnswerTarget, Upcoming
from survey.session.refusals import BadAnswer, Refused, TooLate
from survey.study.media import in_the_store

#: How many trials the page knows ahead: enough to go on for some minutes without a network, and to ask seldom for more.
AHEAD = 40


@participant_page("GET", "POST", newcomers=True)
def rate(visit: Visit) -> HttpResponse:
    """GET: the next image. POST: keep its answers. The trial's token is all that a POST needs."""
    if visit.request.method == "POST":
        return _rate(visit)
    if visit.participant is None:
        return visit.go()
    trials = progress.upcoming(visit.participant, AHEAD)
    if (place := visit.place_knowing(bool(trials))) != "rate":
        return visit.go(place)
    if not (visit.shows_images or visit.participant.is_preview):
        return visit.closed()
    # Whoever has seen the image before needs no page in front of it.
    if not trials[0].was_shown and "on" not in visit.request.GET:
        if visit.definition.instructs_by_group and trials[0].position == 1:
            return visit.page("task", instructions=visit.text(visit.definition.instructions))
        if progress.breaks_before(visit.participant, trials)[0]:
            first = _trial(visit, trials[0], progress.progress(visit.participant), {})
            return visit.page("break", done=first["number"] - 1, of=first["of"])
    return _show(visit, trials)


def _show(
    visit: Visit, trials: list[Upcoming], status: int = 200, missing: list[str] | None = None
) -> HttpResponse:
    participant = visit.person
    progress.seen(participant, trials[0])
    state = _state(visit, trials)
    first = state["ahead"][0]
    # The break before it has a page of its own, which is over.
    first["break"] = False
    return visit.page(
        "rate",
        status,
        trial=first,
        questions=questions_of(visit, first["given"], missing or []),
        own_questions=_own(visit, first["own"], missing or []),
        keys=list(answer_keys(visit.definition)),
        state=state,
        instructions=visit.text(visit.definition.instructions),
    )


def _own(visit: Visit, given: Mapping[str, list[str]], missing: list[str]) -> list[dict[str, Any]]:
    """Return the study's own questions about the image; what was just sent, or given before an undo, is filled in."""
    sent = own_answers.sent_values(visit.request.POST) if visit.request.method == "POST" else given
    definition = visit.definition
    return own_answers.shown(definition.asked_of_images, definition, visit.language, sent, missing)


def _rate(visit: Visit) -> HttpResponse:
    post = visit.request.POST
    # Question keys come with a prefix, so that no question is mistaken for another field.
    answers = {key.removeprefix("q-"): value for key, value in post.items() if key.startswith("q-")}
    try:
        target = answering.rate(
            post.get("trial", ""),
            answers,
            own=own_answers.sent_values(post),
            revision=_revision(post),
            showing=_showing(post),
        )
    except Trial.DoesNotExist:
        return _lost(visit)
    except TooLate:
        return _late(visit)
    except BadAnswer as error:
        return _bad(visit, error)
    return _onward(visit, target)


@participant_page("POST", newcomers=True)
def skip(visit: Visit) -> HttpResponse:
    """Pass over an image that could not be shown."""
    post = visit.request.POST
    try:
        target = answering.skip(
            post.get("trial", ""), post.get("reason", ""), revision=_revision(post), showing=_showing(post)
        )
    except TooLate:
        return _late(visit)
    except (Trial.DoesNotExist, Refused):
        return _lost(visit)
    return _onward(visit, target)


@participant_page("POST")
def undo(visit: Visit) -> HttpResponse:
    """Open the last answer again."""
    try:
        answering.undo(visit.person)
    except Refused:
        return visit.closed()
    visit.person.refresh_from_db()
    if not visit.by_script or visit.place != "rate":
        return visit.go()
    return JsonResponse(_state(visit, progress.upcoming(visit.person, AHEAD)))


@participant_page("GET", newcomers=True, wordless=True)
def image(visit: Visit, name: str) -> HttpResponseBase:
    """Send a stimulus's bytes to this study's participants and researchers, to be kept by their browser alone."""
    known = Stimulus.objects.filter(study__slug=visit.slug, name=name).order_by("pk")
    files = known.values_list("image", flat=True)
    # Asked by one query: a browser fetches as many images as it sends ratings.
    file = files.filter(study__participants__token=visit.cookie).first() if visit.cookie else None
    if file is None and visit.may_read:
        file = files.first()
    if file is None:
        raise Http404("no such image in this study, or nobody who takes part")
    response = _bytes_of(file)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Disposition"] = "inline"
    return response


def _bytes_of(name: str) -> HttpResponseBase:
    """Return the image of a file, or where the browser gets it past this server (its name cannot be guessed)."""
    if settings.MEDIA_PUBLIC_URL:
        return HttpResponseRedirect(urljoin(settings.MEDIA_PUBLIC_URL, quote(name)))
    with in_the_store():
        return FileResponse(default_storage.open(name), content_type="image/png")


def _onward(visit: Visit, target: AnswerTarget) -> HttpResponse:
    """Answer a kept rating: for the page's script what comes next, for a plain form the next page."""
    if target.cookie is None or target.cookie != visit.cookie:
        # The cookie is lost, or another's. The answer is kept; who sent it gets no more than that.
        return JsonResponse({"kept": True}) if visit.by_script else visit.go("participant")
    if not visit.by_script:
        return visit.go()
    return JsonResponse(_news(visit, target))


def _news(visit: Visit, target: AnswerTarget) -> dict[str, Any]:
    """Return what the page's script must be told after an answer.

    A page that sends `known`, the answers that it knew the database to hold, has trials enough ahead. If it missed
    none (no other tab answered), the count is all the news there is; else it gets the whole state.
    """
    if target.outcome == Trial.Outcome.RATED and visit.request.POST.get("known") == str(target.saved - 1):
        return {"saved": target.saved, "total": target.total, "undo": True}
    return _state(visit, progress.upcoming(visit.person, AHEAD))


def _late(visit: Visit) -> HttpResponse:
    """Refuse an answer for good: the browser that kept it lets go of it."""
    if visit.by_script:
        return JsonResponse({"error": "too late: the study or the session has ended"}, status=410)
    return visit.page("late", status=410)


def _lost(visit: Visit) -> HttpResponse:
    if visit.by_script:
        return JsonResponse({"error": "no such trial"}, status=404)
    return visit.page("lost", status=404)


def _bad(visit: Visit, error: BadAnswer) -> HttpResponse:
    if visit.by_script:
        return JsonResponse({"error": str(error), "questions": error.questions}, status=422)
    if visit.participant is None or visit.place != "rate":
        return _lost(visit)
    return _show(visit, progress.upcoming(visit.person, AHEAD), 422, error.questions)


def _state(visit: Visit, trials: list[Upcoming]) -> dict[str, Any]:
    """Return what the page's script knows: the trials ahead, and how many answers the database holds."""
    participant = visit.person
    saved = progress.progress(participant)
    breaks = dict(
        zip((trial.pk for trial in trials), progress.breaks_before(participant, trials), strict=True)
    )
    given, own = answering.given_answers(trials), answering.given_own(trials)
    return {
        "saved": saved.saved,
        "total": saved.total,
        "undo": bool(saved.saved) and answering.undoable(participant) is not None,
        "ahead": [
            _trial(visit, trial, saved, given.get(trial.pk, {}))
            | {"own": own.get(trial.pk, {}), "break": breaks[trial.pk]}
            for trial in trials
        ],
    }


def _trial(visit: Visit, trial: Upcoming, progress: SessionProgress, given: dict[str, Any]) -> dict[str, Any]:
    """Return one trial as the participant may know it: nothing that tells content, style, setting or a hidden phase."""
    # The reference stands first: the question is of the second.
    images = trial.images[::-1] if visit.definition.method == "dcr" else trial.images
    practice = trial.phase == Trial.Phase.PRACTICE
    return {
        "token": trial.token,
        "revision": trial.revision,
        "practice": practice,
        "number": trial.position if practice else trial.position - progress.practice,
        "of": progress.practice if practice else progress.total - progress.practice,
        "given": given,
        "images": [
            {"src": f"{visit.home}image/{s.name}", "width": s.width, "height": s.height, "sha256": s.sha256}
            for s in images
        ],
    }


def _revision(post: QueryDict) -> int:
    value = post.get("revision", "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0


def _showing(post: QueryDict) -> Showing:
    """Return the page's measurements; what is not a number in its range counts as not known, never as a fault."""
    day = 86_400_000
    pointer = post.get("input", "")
    return Showing(
        rt_ms=_whole(post, "rt_ms", day),
        waited_ms=_whole(post, "waited_ms", 30 * day) or 0,
        changes=_whole(post, "changes", 1000) or 0,
        input=pointer if pointer in ("mouse", "touch", "key") else "",
        viewport_w=_whole(post, "viewport_w", 100_000),
        viewport_h=_whole(post, "viewport_h", 100_000),
        shown_w=_number(post, "shown_w", 100_000),
        shown_h=_number(post, "shown_h", 100_000),
        dpr=_number(post, "dpr", 100),
        zoom=_number(post, "zoom", 100),
        enlarged=_whole(post, "enlarged", 8),
        load_ms=_whole(post, "load_ms", day),
    )


def _number(post: QueryDict, name: str, most: float) -> float | None:
    try:
        value = float(post.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= most else None


def _whole(post: QueryDict, name: str, most: int) -> int | None:
    value = _number(post, name, most)
    return None if value is None else round(value)
