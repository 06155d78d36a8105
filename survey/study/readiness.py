"""What stands between a draft and its opening: what blocks it, and what deserves a second look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from survey.analysis.terms import listed
from survey.models import Participant, Stimulus, Study
from survey.study.definition import Definition
from survey.study.groups import Group
from survey.study.wording import english_name, page_texts

#: Images narrower than this look tiny on a screen of today, in pixels.
SMALL_WIDTH: Final = 256
#: Of pictures, and of their images, so many are named.
MAX_NAMED: Final = 5
#: Seconds that an image takes, with one question, and each further question: our guess, until sessions tell.
IMAGE_SECONDS: Final = 12
QUESTION_SECONDS: Final = 6
#: An answer in words.
WORDS_SECONDS: Final = 15


@dataclass(frozen=True)
class Finding:
    """One line of the check. `task` names the set-up task that changes it; `blocks`: the study cannot open."""

    text: str
    task: str = ""
    blocks: bool = False


@dataclass(frozen=True)
class Load:
    """How much a study asks for.

    `rated` images (or pairs) there are, `each` person rates so many of them, `shown` with everything besides; a
    session takes about `minutes`, and `people` give each image its votes.
    """

    rated: int
    each: int
    shown: int
    minutes: int
    people: int


def blocking(study: Study, definition: Definition) -> list[Finding]:
    """Return what must be done before a study can open."""
    found = []
    if not definition.consent.organiser:
        found.append(Finding("Say who is responsible.", "privacy", blocks=True))
    if not definition.consent.contact:
        found.append(Finding("Give a contact that people can write to.", "privacy", blocks=True))
    if study.is_purged:
        found.append(
            Finding("The day for deleting personal data has come. Set a later one.", "privacy", blocks=True)
        )
    if study.stimuli.filter(role=Stimulus.Role.MAIN).count() < 2:
        found.append(Finding("At least two images must be rated.", "images", blocks=True))
    return found


def remarks(study: Study, definition: Definition) -> list[Finding]:
    """Return what does not block the opening but is worth a look."""
    found = []
    if not tried(study):
        found.append(Finding("You have not tried it yourself.", "try"))
    roles = set(study.stimuli.values_list("role", flat=True))
    if definition.method != "pair" and not roles & {Stimulus.Role.GOLD, Stimulus.Role.TRAP}:
        text = "No gold images and no attention picture: careless people will be hard to spot."
        found.append(Finding(text, "images"))
    if Stimulus.Role.PRACTICE not in roles:
        found.append(Finding("No practice images: the first answers are the least sure.", "images"))
    found += [Finding(alike, "images") for alike in practice_alike(study)]
    found += [Finding(same, "images") for same in same_pictures(study)]
    smallest = min(study.stimuli.exclude(role=Stimulus.Role.TRAP).values_list("width", flat=True), default=0)
    if 0 < smallest * definition.images.enlarge < SMALL_WIDTH:
        text = f"The smallest image is {smallest} px wide: it will look tiny. It can be enlarged."
        found.append(Finding(text, "images"))
    found += [Finding(gap, "languages") for gap in wording_gaps(definition)]
    return found


def same_pictures(study: Study) -> list[str]:
    """Return a sentence for each of the first pictures that stand among the rated images more than once.

    An image of another role may show the picture of a rated one: a hidden reference does.
    """
    names: dict[str, list[str]] = {}
    rated = study.stimuli.filter(role=Stimulus.Role.MAIN).order_by("pk")
    for item, sha256 in rated.values_list("item", "sha256"):
        names.setdefault(sha256, []).append(item)
    several = [items for items in names.values() if len(items) > 1]
    told = [
        f"{_named(items)} are the same picture: people would rate it {len(items)} times."
        for items in several[:MAX_NAMED]
    ]
    if len(several) > MAX_NAMED:
        told.append(f"{len(several) - MAX_NAMED} more pictures stand there more than once.")
    return told


def _named(items: list[str]) -> str:
    more = [f"{len(items) - MAX_NAMED} more"] if len(items) > MAX_NAMED else []
    return listed([*(f"“{item}”" for item in items[:MAX_NAMED]), *more])


def practice_alike(study: Study) -> list[str]:
    """Return a sentence where all practice images are of one level, and the rated ones are not.

    Practice shows people the range that they will judge (ITU-T P.910, training): one level of a factor shows none.
    """
    levels: dict[str, dict[str, set[str]]] = {}
    roles = (Stimulus.Role.PRACTICE, Stimulus.Role.MAIN)
    rows = list(study.stimuli.filter(role__in=roles).values_list("role", "condition", "factors"))
    practice = [row for row in rows if row[0] == Stimulus.Role.PRACTICE]
    for role, condition, factors in rows:
        said = {name: str(value) for name, value in factors.items()} or {"condition": condition}
        for name, level in said.items():
            levels.setdefault(name, {}).setdefault(role, set()).add(level)
    alike = []
    varies = False
    for name, by_role in sorted(levels.items()):
        seen, rated = (by_role.get(role, set()) for role in roles)
        if len(rated) > 1 and len(seen) == 1 and seen != {""}:
            alike.append(f"{name} {next(iter(seen))}")
        varies = varies or (len(rated) > 1 and len(seen) > 1)
    if len(practice) < 2 or varies or not alike:
        return []
    return [f"All practice images look alike ({', '.join(alike)}): let them span bad to good."]


def wording_gaps(definition: Definition) -> list[str]:
    """Return a sentence for each language whose own wording lacks texts of the pages."""
    return [
        f"{missing} of {len(page_texts())} texts of the pages have no {english_name(code)} wording: "
        "people see them in English."
        for code, wording in definition.wording.items()
        if (missing := len(wording.missing))
    ]


def tried(study: Study) -> bool:
    """Return whether someone has gone through the newest version to its end as a preview."""
    return study.participants.filter(
        is_preview=True, version=study.version, state=Participant.State.FINISHED
    ).exists()


def load_of(study: Study, definition: Definition) -> Load:
    """Return how much a study asks of each person, and of how many: with groups, of who sees most, and of all groups."""
    images = list(study.stimuli.order_by().values_list("role", "content", "item"))
    loads = []
    parts: list[Group | None] = [*definition.groups] or [None]
    for group in parts:
        kinds = [
            (role, content)
            for role, content, item in images
            if group is None or role != Stimulus.Role.MAIN or group.shows(item)
        ]
        loads.append(_load(kinds, definition.for_group(group.key) if group else definition))
    most = max(loads, key=lambda load: load.shown)
    people = sum(load.people for load in loads)
    minutes = _minutes(study, definition, most.shown)
    return replace(most, rated=max(load.rated for load in loads), minutes=minutes, people=people)


def _load(images: list[tuple[str, str]], definition: Definition) -> Load:
    """Return the load of one group by its images' (role, content); how long it takes is not known here."""
    roles = Counter(role for role, _ in images)
    contents = Counter(content for role, content in images if role == Stimulus.Role.MAIN)
    pairs = sum(count * (count - 1) // 2 for count in contents.values())
    main = roles[Stimulus.Role.MAIN]
    rated = pairs if definition.method == "pair" else main
    session = definition.session
    # One batch of informative pairs is a spanning tree of each content's images.
    usual = main - len(contents) if session.pairs == "informative" else rated
    each = min(session.images or usual, rated)
    besides = [Stimulus.Role.PRACTICE, Stimulus.Role.GOLD]
    if definition.method == "acr-hr":
        besides.append(Stimulus.Role.REFERENCE)
    shown = each + min(session.repeats, each) + session.stabilising + sum(roles[role] for role in besides)
    shown += definition.images.trap is not None
    # Informative pairs are not judged equally often: the goal is then of each image, and a pair has two.
    places = main / 2 if session.pairs == "informative" else rated
    people = ceil(definition.goal.votes * places / each) if each else 0
    return Load(rated, each, shown, 0, people)


def _minutes(study: Study, definition: Definition, shown: int) -> int:
    """Return how long a session takes: as the study says, as its first sessions took, or our guess."""
    if definition.consent.minutes:
        return definition.consent.minutes
    measured = study.versions.order_by("-number").values_list("median_seconds", flat=True).first()
    each = IMAGE_SECONDS + QUESTION_SECONDS * max(0, len(definition.questions) - 1)
    seconds = shown * each
    for own in definition.own_questions:
        takes = WORDS_SECONDS if own.answer == "text" else QUESTION_SECONDS
        seconds += takes * (shown if own.about == "image" else 1)
    return max(1, round((measured or seconds) / 60))
