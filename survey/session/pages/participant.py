"""The participant's pages before and after the images: welcome, screening, about, thanks, leaving, deletion."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from generator.files import images
from survey.access.studies import is_simulation_pass
from survey.models import Participant, Study, new_token
from survey.session import answering, finishing, own_answers, progress, starting
from survey.session.forms import AboutForm, ConsentForm, ScreeningForm
from survey.session.pages.visit import Visit, forget, participant_page, remember
from survey.session.plates import draw_plate, plate_digits
from survey.session.refusals import Refused
from survey.session.starting import Recruitment
from survey.session.viewing import DISTANCE, ViewingForm
from survey.study import erasure
from survey.study.own_questions import Answer
from survey.study.readiness import load_of

#: What MTurk puts in the assignment's place while a worker only looks at a task.
NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Say what this place is; people come by the link of a study, which is not listed here."""
    return render(request, "survey/home.html")


@participant_page("GET", "POST", newcomers=True)
def welcome(visit: Visit) -> HttpResponse:
    """GET: what the study is, and consent; nothing is taken by looking. POST: take a place and begin."""
    preview = _previewer(visit)
    if visit.participant and not preview:
        return visit.go()
    if visit.study.state == Study.State.DRAFT and not preview:
        raise Http404("a draft")
    if visit.study.is_imported:
        raise Http404("ratings made elsewhere")
    form = ConsentForm(_sent(visit), adults_only=visit.definition.consent.adults_only)
    accepted = _asked(visit, "assignmentId") != NOT_ACCEPTED
    if visit.request.method == "POST" and form.is_valid() and accepted:
        return _begin(visit, preview)
    if not (visit.study.takes_people or preview or _is_program(visit)):
        return visit.closed()
    if accepted and _lacks_id(visit) and not (preview or _is_program(visit)):
        return _refused(visit, "platform")
    asks = not (preview or _is_program(visit) or _asked(visit, "invitation"))
    if asks and (lack := starting.lacks_room(visit.study, visit.definition)):
        return _refused(visit, lack)
    status = 422 if visit.request.method == "POST" else 200
    context = {"form": form, "preview": preview, "accepted": accepted, "once": new_token()}
    minutes = load_of(visit.study, visit.definition).minutes
    return visit.page(
        "welcome", status, carried=_carried(visit), texts=_texts(visit), minutes=minutes, **context
    )


def _texts(visit: Visit) -> dict[str, str]:
    """Return what the study's own file says on the first page, in the visitor's language."""
    asked, consent = visit.definition, visit.definition.consent
    texts = {
        "title": asked.title,
        "instructions": asked.instructions,
        "purpose": consent.purpose,
        "organiser": consent.organiser,
        "legal_basis": consent.legal_basis,
    }
    return {name: visit.text(text) for name, text in texts.items()}


def _begin(visit: Visit, preview: User | None) -> HttpResponse:
    try:
        participant = starting.start(
            visit.study,
            language=visit.language,
            invitation=_asked(visit, "invitation"),
            recruitment=None if preview else _recruitment(visit),
            form=_asked(visit, "form"),
            preview_by=preview,
            preview_group=_asked(visit, "preview"),
            window=_window(visit),
            is_simulated=_is_program(visit),
        )
    except Refused as refusal:
        return _refused(visit, refusal.code)
    begun = Visit(visit.request, visit.slug)
    begun.participant = participant
    # Where nothing was drawn, the page of the images knows what comes instead.
    return remember(begun.go(begun.place_knowing(waits=True)), participant)


def _refused(visit: Visit, code: str) -> HttpResponse:
    if code in ("full", "busy"):
        page = visit.page("full", status=503 if code == "busy" else 410, for_now=code == "busy")
        if code == "busy":
            page.headers["Retry-After"] = "600"
        return page
    if code == "window":
        return visit.page("small", 403, carried=_carried(visit), is_measured=_window(visit) is not None)
    pages = {"invitation": ("uninvited", 403), "platform": ("platform", 403), "begun": ("begun", 409)}
    return visit.page(*pages[code]) if code in pages else visit.closed()


def _lacks_id(visit: Visit) -> bool:
    """Return whether only people with a platform's id may begin, and this visitor brings none (nor an invitation)."""
    platform = visit.definition.recruitment
    return bool(
        platform
        and not platform.open_to_others
        and not _recruitment(visit)
        and not _asked(visit, "invitation")
    )


@participant_page("GET", "POST", newcomers=True)
def come_back(visit: Visit, token: str) -> HttpResponse:
    """Bring a person back to their session by their own link. A form, so that no look at a link changes a cookie."""
    participant = starting.returning(visit.study, token)
    if participant is None:
        raise Http404("no such link")
    if visit.request.method != "POST":
        return visit.page("come_back")
    back = Visit(visit.request, visit.slug)
    back.participant = participant
    return remember(back.go(), participant)


def _previewer(visit: Visit) -> User | None:
    """Return the researcher who asked for a preview (of a group, by its key), if they may."""
    user = visit.request.user
    return user if _asked(visit, "preview") and isinstance(user, User) and visit.may_read else None


def _is_program(visit: Visit) -> bool:
    """Return whether `simulate` of this installation is here, with its pass into a simulated study."""
    return is_simulation_pass(visit.study, _asked(visit, "simulation"))


def _asked(visit: Visit, name: str) -> str:
    """Return a parameter of the address or of the form that carries it on."""
    return (visit.request.POST.get(name) or visit.request.GET.get(name) or "")[:100]


def _window(visit: Visit) -> tuple[int, int] | None:
    """Return the window's width and height as the page measured them; None where it could not."""
    width, height = (_asked(visit, name) for name in ("window_w", "window_h"))
    sizes = [int(text) for text in (width, height) if text.isascii() and text.isdecimal() and len(text) < 6]
    return (sizes[0], sizes[1]) if len(sizes) == 2 else None


def _carried(visit: Visit) -> dict[str, str]:
    """Return the address's parameters that the consent form must send on."""
    platform = visit.definition.recruitment
    names = [name for name in platform.parameters if name] if platform else []
    asked = {name: _asked(visit, name) for name in ("invitation", "preview", "simulation", *names)}
    return {name: value for name, value in asked.items() if value}


def _recruitment(visit: Visit) -> Recruitment | None:
    if not (platform := visit.definition.recruitment):
        return None
    person, session, assignment = (_asked(visit, name) if name else "" for name in platform.parameters)
    return Recruitment(platform.platform, person.strip(), session, assignment) if person.strip() else None


@participant_page("GET", "POST")
def screening(visit: Visit) -> HttpResponse:
    """Ask about display and eyesight, and show the plates."""
    participant = visit.person
    if visit.place != "screening":
        return visit.go()
    form = ScreeningForm(_sent(visit), asked=visit.definition.screening, seed=participant.seed)
    if visit.request.method == "POST" and form.is_valid():
        try:
            starting.screen(participant, form.answers())
        except Refused:
            return visit.closed()
        participant.refresh_from_db()
        return visit.go()
    return visit.page("screening", _status(form), form=form)


@participant_page("GET")
def plate(visit: Visit, number: int) -> HttpResponse:
    """Draw one of the screening's plates."""
    digits = plate_digits(visit.person.seed, visit.definition.screening.plates)
    if not 1 <= number <= len(digits):
        raise Http404("no such plate")
    png = images.encode_png(draw_plate(digits[number - 1], visit.person.seed))
    return HttpResponse(png, content_type="image/png")


@participant_page("GET", "POST")
def viewing(visit: Visit) -> HttpResponse:
    """Let a card be matched, and ask how far away the person sits."""
    if visit.place != "viewing":
        return visit.go()
    form = ViewingForm(_sent(visit), asked=visit.definition.viewing)
    if visit.request.method == "POST" and form.is_valid():
        try:
            starting.tell_viewing(visit.person, form.answers())
        except Refused:
            return visit.closed()
        visit.person.refresh_from_db()
        return visit.go()
    return visit.page("viewing", _status(form), form=form, distances=DISTANCE)


@participant_page("GET", "POST")
def before(visit: Visit) -> HttpResponse:
    """Ask the study's own questions about the person that come before the images."""
    if visit.place != "before":
        return visit.go()
    answers, own, bad = _own(visit, "before")
    if visit.request.method == "POST" and not bad:
        try:
            finishing.tell_before(visit.person, answers)
        except Refused:
            return visit.closed()
        visit.person.refresh_from_db()
        return visit.go()
    return visit.page("before", 422 if bad else 200, own_questions=own, bad=bad)


@participant_page("GET", "POST")
def about(visit: Visit) -> HttpResponse:
    """Ask about the person: in coarse bands, all of it optional, and the study's own questions."""
    participant = visit.person
    if visit.place != "about":
        return visit.go()
    form = AboutForm(
        _sent(visit),
        asked=visit.definition.about,
        adults_only=visit.definition.consent.adults_only,
    )
    answers, own, bad = _own(visit, "after")
    if visit.request.method == "POST" and form.is_valid() and not bad:
        finishing.tell_about(participant, {**form.answers(), **answers})
        return visit.go("done")
    return visit.page(
        "about",
        422 if bad else _status(form),
        form=form,
        own_questions=own,
        bad=bad,
        all_optional=not any(question["required"] for question in own),
        undoable=_may_go_on(visit),
    )


def _own(
    visit: Visit, when: Literal["before", "after"]
) -> tuple[dict[str, Answer], list[dict[str, Any]], list[str]]:
    """Return the answers that were sent to the study's own questions, the questions to show, and what is amiss."""
    definition, asked = visit.definition, visit.definition.asked_of_person(when)
    sent = own_answers.sent_values(visit.request.POST)
    answers, bad = own_answers.read(asked, sent, definition.languages[0])
    if visit.request.method != "POST":
        bad = []
    return answers, own_answers.shown(asked, definition, visit.language, sent, bad), bad


def _may_go_on(visit: Visit) -> bool:
    """Whether images are still shown to this person: a closed or paused study has no page to show them on."""
    return visit.shows_images or visit.person.is_preview


@participant_page("GET")
def done(visit: Visit) -> HttpResponse:
    """Thank, and give the codes: only when the database holds all."""
    if visit.place != "done":
        return visit.go()
    participant = visit.participant = finishing.finish(visit.person)
    goes_on = participant.state == Participant.State.FINISHED and _may_go_on(visit)
    return visit.page(
        "done",
        progress=progress.progress(participant),
        more=goes_on and finishing.may_take_more(participant),
        undoable=goes_on and answering.undoable(participant) is not None,
        **_return(visit, Participant.State(participant.state)),
    )


def _return(visit: Visit, state: Participant.State) -> dict[str, Any]:
    """Return the platform's code for a session that ended so, and where to take it."""
    platform = visit.definition.recruitment
    if platform is None:
        return {}
    codes = {
        Participant.State.FINISHED: platform.complete,
        Participant.State.SCREENED_OUT: platform.screened_out,
        Participant.State.STOPPED: platform.withdrew,
    }
    code = codes[state]
    address = platform.return_to or ""
    if "{person}" in address:
        recruit = getattr(visit.participant, "recruit", None)
        address = address.replace("{person}", quote(recruit.person, safe="") if recruit else "")
    return {"code": code, "return_to": address.replace("{code}", quote(code, safe=""))}


@participant_page("POST")
def again(visit: Visit) -> HttpResponse:
    """Give one more batch of images to who wants it."""
    try:
        finishing.another_batch(visit.person)
    except Refused:
        return visit.closed()
    visit.person.refresh_from_db()
    return visit.go()


@participant_page("GET", "POST")
def leave(visit: Visit) -> HttpResponse:
    """Stop early and keep the answers, delete them all, or make way for another person at this device."""
    participant = visit.person
    action = visit.request.POST.get("action")
    if action == "keep":
        finishing.stop_session(participant)
        return visit.go("done")
    if action == "hand-over":
        return forget(visit.go("participant"), visit.study)
    if action == "delete-now":
        page = visit.page("deleted", **_return(visit, Participant.State.STOPPED))
        erasure.withdraw(participant)
        return forget(page, visit.study)
    status = 200 if visit.request.method != "POST" or action == "delete" else 422
    link = reverse("come_back", args=[visit.slug, starting.return_token(participant)])
    return visit.page(
        "leave", status, confirming=action == "delete", link=visit.request.build_absolute_uri(link)
    )


@participant_page("GET", "POST", newcomers=True)
def delete(visit: Visit) -> HttpResponse:
    """Delete one's answers afterwards, by the withdrawal code."""
    if visit.request.method == "GET":
        return visit.page("delete")
    if not erasure.withdraw_by_code(visit.study, visit.request.POST.get("code", "")):
        return visit.page("delete", status=422, unknown=True, typed=visit.request.POST.get("code", ""))
    return visit.page("deleted")


def _sent(visit: Visit) -> QueryDict | None:
    """Return what a form sent, which is empty where nothing was answered; None where no form was sent."""
    return visit.request.POST if visit.request.method == "POST" else None


def _status(form: Any) -> int:
    return 422 if form.is_bound and not form.is_valid() else 200
