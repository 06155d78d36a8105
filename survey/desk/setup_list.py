"""The set-up as a list of short tasks: what each says now, and whether it is done. All follows from the definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.urls import reverse
from django.utils import formats

from survey.models import Stimulus, Study
from survey.study.definition import Definition
from survey.study.groups import shares
from survey.study.readiness import Finding, blocking, load_of, tried
from survey.study.tables import ORDER_WORDS
from survey.study.wording import english_name

Kind = Literal["done", "optional", "todo", "blocked"]

#: The page of each task, in the order of the list: its heading.
TITLES: Final = {
    "texts": "Write the texts",
    "languages": "Choose languages",
    "questions": "Set the question and scale",
    "own_questions": "Ask more, if you like",
    "images": "Check images and roles",
    "assignment": "Decide how much each person rates",
    "groups": "Compare groups of people, if you like",
    "recruitment": "Recruit people",
    "privacy": "State privacy and who is responsible",
}
_NUMBERS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six")


@dataclass(frozen=True)
class Task:
    """One row of the list. Without an `address` it cannot be done yet."""

    title: str
    hint: str
    status: str
    kind: Kind
    address: str = ""


@dataclass(frozen=True)
class Group:
    """Some tasks under a heading."""

    heading: str
    tasks: list[Task]


@dataclass(frozen=True)
class Setup:
    """The list, the sentence above it, and what people who can take part already must yet be told."""

    lead: str
    groups: list[Group]
    untold: list[Finding]


def setup_list(study: Study, definition: Definition) -> Setup:
    """Return the tasks of a study's set-up with their state."""
    blocks = blocking(study, definition)
    by_task = {finding.task: finding.text for finding in reversed(blocks)}
    said = summary(study, definition)
    optional = {"own_questions": definition.own_questions, "groups": definition.groups}
    unused = [name for name, used in optional.items() if not used]

    def task(name: str) -> Task:
        address = reverse(f"setup_{name}", args=[study.slug])
        missing = by_task.get(name)
        status: tuple[str, Kind] = ("Optional", "optional") if name in unused else ("Done", "done")
        if missing:
            status = (missing.rstrip("."), "todo")
        return Task(TITLES[name], said[name], *status, address)

    groups = [
        Group(
            "What people see", [task("texts"), task("languages"), task("questions"), task("own_questions")]
        ),
        Group("What is rated", [task(name) for name in ("images", "assignment", "groups")]),
        Group("Who takes part", [task("recruitment"), task("privacy")]),
    ]
    if study.state == Study.State.DRAFT and not study.archived_at:
        groups.append(Group("Ready?", [_try(study), _open(study, bool(blocks))]))
    return Setup(_lead(study, len(blocks)), groups, blocks if study.takes_people else [])


def _try(study: Study) -> Task:
    address = reverse("participant", args=[study.slug]) + "?preview=1"
    hint = "Your answers are marked as a preview and never count."
    status: tuple[str, Kind] = ("Done", "done") if tried(study) else ("Not yet tried", "todo")
    return Task("Take part yourself", hint, *status, address)


def _open(study: Study, is_blocked: bool) -> Task:
    address = reverse("setup_open", args=[study.slug])
    if is_blocked:
        return Task("Check, then open the study", "See what is left.", "Cannot start yet", "blocked", address)
    return Task("Check, then open the study", "Everything that is needed is there.", "Ready", "todo", address)


def _lead(study: Study, left: int) -> str:
    if study.participants.filter(is_preview=False).exists():
        return "People have taken part: texts and limits may change for those who start later."
    if study.state != Study.State.DRAFT:
        return "Nobody has taken part yet: everything may still change."
    if not left:
        return "Everything is ready."
    number = _NUMBERS[left] if left < len(_NUMBERS) else str(left)
    things = "thing is" if left == 1 else "things are"
    return f"{number} {things} left before you can open this study."


def summary(study: Study, definition: Definition) -> dict[str, str]:
    """Return what each task says now, in a line."""
    first = definition.languages[0]
    consent = definition.consent
    question = definition.questions[0]
    asked = f"“{definition.say(question.text, first)}”"
    if definition.method != "pair":
        labels = definition.labels(question, first)
        asked += f" · {labels[0]} to {labels[-1]}"
    if more := len(definition.questions) - 1:
        asked += f" · and {more} more"
    asked += " · one tap" if definition.by_tap else " · choose, then Next"
    responsible = [definition.say(consent.organiser, first), consent.contact or ""]
    day = f"personal data go on {formats.date_format(definition.purge_on)}" if definition.purge_on else ""
    return {
        "texts": f"{definition.say(definition.title, first)} · {_texts_line(definition)}",
        "languages": ", ".join(map(english_name, definition.languages)),
        "questions": asked,
        "own_questions": _own_line(definition),
        "images": images_line(study),
        "assignment": assignment_line(study, definition),
        "groups": groups_line(definition),
        "recruitment": _recruitment_line(definition),
        "privacy": " · ".join(filter(None, [*responsible, day])) or "Consent needs a name and a contact",
    }


def _texts_line(definition: Definition) -> str:
    own = {"purpose": definition.consent.purpose, "instructions": definition.instructions}
    if not any(text is not None for text in own.values()):
        return "default texts"
    return " and ".join(f"{'default' if text is None else 'own'} {name}" for name, text in own.items())


def _own_line(definition: Definition) -> str:
    person = sum(own.about == "person" for own in definition.own_questions)
    images = len(definition.asked_of_images)
    counts = ((person, "about the person"), (images, "about each image"))
    return ", ".join(f"{count} {about}" for count, about in counts if count) or "No questions of your own"


def images_line(study: Study) -> str:
    """Return how many images have which role."""
    roles = list(study.stimuli.values_list("role", flat=True))
    rated, practice = roles.count(Stimulus.Role.MAIN), roles.count(Stimulus.Role.PRACTICE)
    gold = roles.count(Stimulus.Role.GOLD)
    trap = "an attention picture" if Stimulus.Role.TRAP in roles else "no attention picture"
    return f"{rated} rated, {practice or 'none'} for practice, {gold or 'none'} gold, {trap}"


def groups_line(definition: Definition) -> str:
    """Return the groups, and how they fill."""
    if not definition.groups:
        return "No groups: everybody gets the same"
    part = shares(definition.groups)
    ways = "evenly" if len(set(part.values())) == 1 else "as " + " to ".join(map(str, part.values()))
    full = sum(group.people or 0 for group in definition.groups)
    most = f" · full with {full} people" if full else ""
    return f"{', '.join(part)} · filled {ways}{most}"


def assignment_line(study: Study, definition: Definition) -> str:
    """Return what one person is shown, and how long it takes."""
    load = load_of(study, definition)
    unit = "pairs" if definition.method == "pair" else "images"
    everything = f"All {load.rated} {unit}" if load.rated != 1 else f"1 {unit[:-1]}"
    part = everything if load.each == load.rated else f"{load.each} of {load.rated} {unit}"
    repeats = definition.session.repeats
    again = f"{repeats} shown again" if repeats else "no repeats"
    if definition.session.pairs == "informative":
        part += ", those that tell most"
    session = definition.session
    ways = ORDER_WORDS[session.order].note
    if session.blocks is not None:
        by = f"of {session.blocks}" if isinstance(session.blocks, int) else f"by {session.blocks}"
        ways = f" · blocks {by}{ways}"
    return f"{part}, {again}{ways} · about {load.minutes} minute{'s' * (load.minutes != 1)}"


def _recruitment_line(definition: Definition) -> str:
    names = {"prolific": "Prolific", "mturk": "Amazon Mechanical Turk", "other": "another panel"}
    ways = [names[definition.recruitment.platform]] if definition.recruitment else []
    if definition.invited_only:
        ways.append("people with a personal link")
    rule = definition.stop_rule
    stops = [f"pauses when {rule.in_words}"] if rule else []
    window = definition.viewing
    sides = [f"{window.min_width} px wide"] if window.min_width else []
    sides += [f"{window.min_height} px high"] if window.min_height else []
    screen = [f"windows from {' and '.join(sides)}"] if sides else []
    return " · ".join([" and ".join(ways) or "Anyone with the link", *screen, *stops])
