"""A study on Prolific: connected, drafted, published, paused, paid. Each act is a page that asks, and a button that does."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from survey.access.errors import DeskError
from survey.access.studies import own_study
from survey.analysis.planning.planning import cost_of
from survey.desk.forms.prolific_form import DraftForm, PlacesForm, TokenForm, amount
from survey.desk.pages.entry import signed_in_user, tell
from survey.desk.pages.study.setup import participants_address
from survey.models import ProlificLink, Study
from survey.study.definition import definition_of
from survey.study.pictures import PublishError
from survey.study.prolific import acts
from survey.study.prolific.api import Action, Cost
from survey.study.prolific.draft import Draft, proposal, recruitment_of, with_prolific
from survey.study.prolific.link import client_of, connect, disconnect, is_connected, link_of, look
from survey.study.prolific.submissions import sort_out
from survey.study.revise import revise


class Step(NamedTuple):
    """An act on Prolific: its action, what its button says, what it means, and what is said when it is done."""

    action: Action
    button: str
    means: str
    done: str


STEPS: Final[dict[str, Step]] = {
    "publish": Step(
        "PUBLISH",
        "Publish",
        "People see the study at once. Prolific takes the whole cost from your balance.",
        "Published on Prolific.",
    ),
    "pause": Step(
        "PAUSE",
        "Pause",
        "Nobody new can begin on Prolific. Who has begun can finish. You can start it again.",
        "Paused on Prolific.",
    ),
    "start": Step(
        "START", "Start again", "People see the study again at once.", "Started again on Prolific."
    ),
    "stop": Step(
        "STOP",
        "Stop",
        "Nobody new can begin on Prolific, for good, unless you add places. Free places are not paid.",
        "Stopped on Prolific.",
    ),
}
_POSSIBLE: Final = {name: acts.STEPS[step.action][0] for name, step in STEPS.items()}


@require_safe
def prolific(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how a study stands on Prolific, as it was looked up last, and what can be done next."""
    study = _study(request, slug)
    link = link_of(study)
    recruits, problem = _recruits(study)
    context = {
        "study": study,
        "link": link,
        "connected": is_connected(link),
        "recruits": recruits,
        "problem": problem,
        "form": TokenForm(),
        "rows": _rows(link) if link and link.remote else [],
        "steps": _steps(link),
        "lead": _lead(link),
    }
    response = render(request, "survey/researcher/prolific.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _recruits(study: Study) -> tuple[bool, str]:
    """Return whether a study recruits by Prolific, and what is amiss with that."""
    definition = definition_of(study.version)
    found = definition.recruitment
    if found is None or found.platform != "prolific":
        return False, ""
    try:
        recruitment_of(definition)
    except DeskError as error:
        return True, str(error)
    return True, ""


def _lead(link: ProlificLink | None) -> str:
    if link is None or not link.remote:
        return "There is no study on Prolific yet."
    said = {
        "UNPUBLISHED": "The draft is on Prolific. Nobody sees it yet.",
        "PUBLISHING": "Prolific is publishing the study.",
        "SCHEDULED": "Prolific will publish the study at a time that was set there.",
        "ACTIVE": "People can take part by Prolific now.",
        "PAUSED": "Paused on Prolific: nobody new can begin there.",
        "AWAITING REVIEW": "All places are taken, or the study was stopped. Submissions may wait for your review.",
        "COMPLETED": "Complete on Prolific: every submission was reviewed.",
    }
    return said.get(link.status, f"Prolific says: {link.status.lower()}.")


def _rows(link: ProlificLink) -> list[tuple[str, str]]:
    """Return what Prolific said last, as rows."""
    money = link.currency
    taken = "" if link.taken is None else f"{link.taken} taken of "
    rows = [("Places", f"{taken}{link.places}" if link.places is not None else "–")]
    if link.reward is not None:
        hour = f", {amount(link.reward * 60 / link.minutes, money)} an hour" if link.minutes else ""
        rows.append(("Reward of each person", f"{amount(link.reward, money)}{hour}"))
    if link.minutes is not None:
        rows.append(("Minutes", str(link.minutes)))
    if link.places is not None and link.reward is not None:
        rows.append(("Rewards of all places", amount(link.places * link.reward, money)))
    if link.total is not None:
        rows.append(("Cost with fees and taxes, as Prolific says", amount(link.total, money)))
    return rows


def _steps(link: ProlificLink | None) -> list[tuple[str, Step]]:
    """Return the acts that the study's state on Prolific admits."""
    if link is None or not is_connected(link):
        return []
    return [(name, step) for name, step in STEPS.items() if link.status in _POSSIBLE[name]]


@require_POST
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the study recruit by Prolific, with new codes."""
    study = _study(request, slug)
    if _recruits(study)[0]:
        return redirect("prolific", slug=slug)
    try:
        revise(study, with_prolific(definition_of(study.version)), signed_in_user(request))
    except PublishError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The study recruits by Prolific. It has three completion codes now.")
    return redirect("prolific", slug=slug)


@sensitive_post_parameters("token")
@sensitive_variables()
@require_POST
def connect_prolific(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a token, once Prolific has accepted it."""
    study = _study(request, slug)
    token, by = request.POST.get("token", ""), signed_in_user(request)
    if tell(request, lambda: connect(study, token, by)):
        messages.success(request, "Connected to Prolific.")
    return redirect("prolific", slug=slug)


@require_POST
def disconnect_prolific(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete the token."""
    study = _study(request, slug)
    disconnect(study, signed_in_user(request))
    messages.success(request, "The token is deleted here. Delete it on Prolific too if nobody else uses it.")
    return redirect("prolific", slug=slug)


@require_POST
def look_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask Prolific how the study stands."""
    study = _study(request, slug)
    tell(request, lambda: look(study, signed_in_user(request)))
    return redirect("prolific", slug=slug)


@require_POST
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """Say whether Prolific pauses with the study."""
    study = _study(request, slug)
    acts.set_follows(study, follows=bool(request.POST.get("follows")), by=signed_in_user(request))
    messages.success(request, "Saved.")
    return redirect("prolific", slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask what the draft says; POST: show its cost; once that is confirmed, make the draft on Prolific."""
    study = _study(request, slug)
    link = link_of(study)
    if link is None or link.remote or not is_connected(link) or not _recruits(study)[0]:
        return redirect("prolific", slug=slug)
    data = request.POST if request.method == "POST" and "change" not in request.POST else None
    definition = definition_of(study.version)
    start = _asked(proposal(study, definition, link.currency), request)
    form = DraftForm(data, proposal=start, currency=link.currency)
    if request.method == "POST" and data is None:
        # Back from the check: as it was typed.
        form.initial = {**request.POST.dict(), "devices": request.POST.getlist("devices")}
    context: dict[str, Any] = {"study": study, "link": link, "form": form}
    if data is not None and form.is_valid():
        wanted = form.draft()
        if "confirmed" in request.POST:
            return _make(request, study, wanted)
        context["check"] = _check(link, wanted)
        context["address"] = address = participants_address(request, study)
        context["is_public"] = address.startswith("https://")
    return render(
        request, "survey/researcher/prolific_draft.html", context, status=422 if form.errors else 200
    )


def _asked(start: Draft, request: HttpRequest) -> Draft:
    """Return a proposal with the number of people that the address names, as the planning page's link does."""
    people = request.GET.get("people", "")
    if not (people.isascii() and people.isdecimal() and 0 < int(people[:9]) <= 100_000):
        return start
    return Draft(start.name, start.description, int(people[:9]), start.minutes, start.reward, start.devices)


def _make(request: HttpRequest, study: Study, wanted: Draft) -> HttpResponse:
    address = participants_address(request, study)
    try:
        is_new = acts.create(study, wanted, address, signed_in_user(request))
    except DeskError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            "The draft is on Prolific. Say there who may take part, then publish it."
            if is_new
            else "There was a draft on Prolific already. No second one was made.",
        )
    return redirect("prolific", slug=study.slug)


def _check(link: ProlificLink, wanted: Draft) -> list[tuple[str, str]]:
    """Return what a draft would cost, by our forecast and by Prolific's own calculation."""
    money = link.currency
    forecast = cost_of(wanted.places, wanted.minutes, wanted.an_hour)
    rows = [
        ("People’s time in all", f"{forecast.hours:,.1f} hours"),
        ("Pay for an hour", amount(wanted.an_hour, money)),
        ("Rewards of all places", amount(forecast.pay, money)),
    ]
    return [*rows, *_by_prolific(link, wanted.places, wanted.minutes, wanted.reward)]


def _by_prolific(link: ProlificLink, places: int, minutes: int, reward: int) -> list[tuple[str, str]]:
    try:
        cost: Cost = client_of(link).cost(places, minutes, reward)
    except DeskError as error:
        return [("Fees and taxes", f"not known: {error}")]
    rows = [
        ("Prolific’s fees", cost.fees),
        ("Taxes", cost.vat),
        ("In all, as Prolific says", cost.total_cost),
    ]
    return [(label, amount(cents, link.currency)) for label, cents in rows if cents is not None]


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Say what an act means and costs; POST: do it."""
    study = _study(request, slug)
    if name not in STEPS:
        raise Http404("no such act")
    link, todo = link_of(study), STEPS[name]
    if link is None or not link.remote:
        return redirect("prolific", slug=slug)
    if request.method == "POST":
        expected = request.POST.get("expected", "")
        number = int(expected) if expected.isascii() and expected.isdecimal() and len(expected) < 12 else None
        by = signed_in_user(request)
        if tell(request, lambda: acts.step(study, todo.action, by, expected=number)):
            messages.success(request, todo.done)
        return redirect("prolific", slug=slug)
    context = {
        "study": study,
        "link": link,
        "name": name,
        "step": todo,
        "rows": _rows(link) if name == "publish" else [],
        "expected": (link.places or 0) * (link.reward or 0),
    }
    return render(request, "survey/researcher/prolific_step.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def places(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask how many places there are to be; POST: show what they cost; once that is confirmed, add them."""
    study = _study(request, slug)
    link = link_of(study)
    if link is None or not link.remote or not is_connected(link):
        return redirect("prolific", slug=slug)
    now = link.places or 0
    form = PlacesForm(request.POST or None, now=now)
    context: dict[str, Any] = {"study": study, "link": link, "form": form}
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["places"]
        if "confirmed" in request.POST:
            if tell(request, lambda: acts.add_places(study, wanted, signed_in_user(request))):
                messages.success(request, f"There are {wanted} places on Prolific now.")
            return redirect("prolific", slug=slug)
        more, reward = wanted - now, link.reward or 0
        context["check"] = [
            ("More places", str(more)),
            ("Their rewards", amount(more * reward, link.currency)),
            *_by_prolific(link, more, link.minutes or 1, reward),
        ]
    return render(
        request, "survey/researcher/prolific_places.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def submissions(request: HttpRequest, slug: str) -> HttpResponse:
    """List the submissions beside the sessions here, as Prolific has them now; POST: approve the chosen ones."""
    study = _study(request, slug)
    link = link_of(study)
    if link is None or not link.remote:
        return redirect("prolific", slug=slug)
    if request.method == "POST":
        chosen = request.POST.getlist("submission")
        try:
            done = acts.approve(study, frozenset(chosen), signed_in_user(request))
        except DeskError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Approved: {done}. Prolific pays them within minutes.")
        return redirect("prolific_submissions", slug=slug)
    context: dict[str, Any] = {"study": study, "link": link, "money": amount(link.reward, link.currency)}
    try:
        context["review"] = review = sort_out(study, client_of(link).submissions(link.remote))
        if link.reward is not None:
            context["total"] = amount(len(review.finished) * link.reward, link.currency)
    except DeskError as error:
        context["fault"] = str(error)
    response = render(request, "survey/researcher/prolific_submissions.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _study(request: HttpRequest, slug: str) -> Study:
    study = own_study(request.user, slug)
    if study.is_imported or study.is_simulated:
        raise Http404("no people take part in it")
    return study
