"""A pre-registration's text from a study's definition: what is decided is filled in, what only people know is left open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from math import ceil
from typing import Any

from django.template.loader import render_to_string

from generator.sets.folder import plain_level
from survey.analysis.items.sos import DEFAULT_A
from survey.analysis.participants.rules import EXCLUSIONS, FEWEST_REPEATS, Exclusion
from survey.analysis.planning.planning import half_widths, sample_size
from survey.analysis.planning.stopping import FEWEST_PEOPLE, stopping_interval
from survey.analysis.scale import ACR, Scale, number_text
from survey.analysis.stamp import computed_by
from survey.models import Rating, Stimulus, Study
from survey.study.definition import Definition, definition_of
from survey.study.groups import shares
from survey.study.methods import METHOD_WORDS
from survey.study.scales import anchors
from survey.study.stopping import scored_roles


def preregistration(study: Study) -> str:
    """Return the text as Markdown, from the study's newest version."""
    version = study.version
    definition = definition_of(version)
    stimuli = list(study.stimuli.order_by("item"))
    main = [stimulus for stimulus in stimuli if stimulus.role == Stimulus.Role.MAIN]
    factors = _factors(main)
    people = study.participants.filter(is_preview=False)
    scales = [question.asked_on for question in definition.questions]
    usual = all(scale.is_acr for scale in scales)
    method = METHOD_WORDS[study.method].description
    context = {
        "study": study,
        "version": version,
        "definition": definition,
        "is_pair": study.method == Study.Method.PAIR,
        "method": method if usual else _without_categories(method),
        "questions": _questions(definition),
        "own_questions": _own_questions(definition),
        "groups": _groups(definition),
        "plain_order": definition.session.order == "random" and definition.session.blocks is None,
        "images": _images(stimuli),
        "factors": factors,
        "varying": [name for name, levels in factors if len(levels) > 1],
        "main": len(main),
        "sample": _sample(definition, len(main)),
        **_stopping(definition, [stimulus.role for stimulus in stimuli]),
        "rules": [
            (not usual and rule.on_other_scales) or rule.criterion for rule in _exclusions_in_use(definition)
        ],
        "top": " or ".join(dict.fromkeys(number_text(scale.high) for scale in scales)),
        "begun": people.count(),
        "ratings": Rating.objects.filter(trial__participant__in=people).count(),
        "computed_by": computed_by(),
        "stimuli_sha256": _hash_of(stimuli),
    }
    return render_to_string("survey/researcher/preregistration.md", context).strip() + "\n"


def _stopping(definition: Definition, roles: list[str]) -> dict[str, Any]:
    """Return what the rule waits for, and by which intervals."""
    rule = definition.stop_rule
    if rule is None:
        return {}
    return {
        "stop_rule": rule.in_words,
        "stops_by_width": rule.kind == "half width",
        "fewest": FEWEST_PEOPLE,
        "stopping_interval": stopping_interval(
            sum(role in scored_roles(definition.method) for role in roles),
            of_pairs=definition.method == "pair",
        ),
    }


def _questions(definition: Definition) -> list[tuple[str, str, str]]:
    """Return (key, wording, labels) in the study's first language."""
    first = definition.languages[0]
    return [
        (
            question.key,
            definition.say(question.text, first),
            _scale_text(question.asked_on, definition.labels(question, first)),
        )
        for question in definition.questions
    ]


def _own_questions(definition: Definition) -> list[str]:
    """Return a line for each of the study's own questions, in its first language."""
    first = definition.languages[0]
    lines = []
    for own in definition.own_questions:
        about = "about each image" if own.about == "image" else f"about the person, {own.when} the images"
        choices = ", ".join(own.choices_in(first, first)) or "in words"
        lines.append(f"`{own.key}`: {definition.say(own.text, first)} ({about}; {choices})")
    return lines


def _groups(definition: Definition) -> list[str]:
    """Return a line for each group: its share, and what is different for it."""
    first, part = definition.languages[0], shares(definition.groups)
    lines = []
    for group in definition.groups:
        said = [f"share {part[group.key]} of {sum(part.values())}"]
        said += [f"{group.people} people"] if group.people else []
        said += [f"method {group.method}"] if group.method else []
        said += [f"images {', '.join(group.images)}"] if group.images else []
        said += [f"questions {', '.join(group.questions)}"] if group.questions else []
        said += [f"told: “{definition.say(group.instructions, first)}”"] if group.instructions else []
        lines.append(f"`{group.key}`: {'; '.join(said)}")
    return lines


def _without_categories(method: str) -> str:
    return method.replace("on five categories", "on the scales below").replace(
        "on the impairment scale", "on the scales below"
    )


def _scale_text(scale: Scale, labels: Sequence[str]) -> str:
    listed = ", ".join(f"{value} {label}" for value, label in anchors(scale, labels))
    return listed if scale.is_acr else f"Scale {scale.describe()}: {listed}"


def _images(stimuli: list[Stimulus]) -> list[tuple[str, int]]:
    """Return (role, how many) of the roles that the study has."""
    roles = [stimulus.role for stimulus in stimuli]
    return [(role, roles.count(role)) for role in Stimulus.Role.values if role in roles]


def _factors(main: list[Stimulus]) -> list[tuple[str, list[str]]]:
    """Return each factor of the rated images with its levels, numbers in their order.

    The condition is left out where the factors tell it: it would be the same thing under another name.
    """
    values: dict[str, set[Any]] = {}
    for stimulus in main:
        of_image = {"content": stimulus.content, "style": stimulus.style}
        if not _is_told_by_factors(main):
            of_image["condition"] = stimulus.condition
        # Sorted, because PostgreSQL does not keep the order of a JSON object's keys.
        for name, value in {**of_image, **dict(sorted(stimulus.factors.items()))}.items():
            if value not in ("", None):
                # Studies of early releases keep a list of layers as one.
                values.setdefault(name, set()).add(plain_level(value))
    return [(name, [str(v) for v in sorted(found, key=_rank)]) for name, found in values.items()]


def _is_told_by_factors(main: list[Stimulus]) -> bool:
    """Say whether images of the same factors always have the same condition."""
    told: dict[str, str] = {}
    return all(
        stimulus.factors
        and told.setdefault(json.dumps(stimulus.factors, sort_keys=True), stimulus.condition)
        == stimulus.condition
        for stimulus in main
    )


def _rank(value: Any) -> tuple[bool, Any]:
    is_number = isinstance(value, int | float)
    return (not is_number, value if is_number else str(value))


def _sample(definition: Definition, images: int) -> dict[str, Any]:
    """Return the sample's size and what it gives by the SOS hypothesis in the middle of the scale, its worst place."""
    goal, scale = definition.goal, definition.questions[0].asked_on if definition.questions else ACR
    each = min(definition.session.images or images, images)
    return {
        "participants": ceil(goal.votes * images / each) if each else 0,
        "each": each,
        "a": f"{DEFAULT_A:g}",
        "width": f"{float(half_widths(goal.votes, a=DEFAULT_A)) * scale.range / ACR.range:.2f}",
        "half_width": number_text(round(goal.half_width_on(scale), 4)),
        "scale": "" if scale.is_acr else f" of {scale.describe()}",
        "votes_for_width": sample_size(goal.half_width, a=DEFAULT_A),
    }


def _exclusions_in_use(definition: Definition) -> list[Exclusion]:
    """Return the excluding rules that the study's design lets judge anybody; none in a pair study."""
    if definition.method == "pair":
        return []
    absent = {
        "gold": not definition.images.gold,
        "trap": definition.images.trap is None,
        "repeats": definition.session.repeats < FEWEST_REPEATS,
    }
    return [exclusion for name, exclusion in EXCLUSIONS.items() if not absent.get(name)]


def _hash_of(stimuli: list[Stimulus]) -> str:
    """Return one SHA-256 for all images: of the lines `item`, tab, `sha256 of its file`, sorted by item."""
    lines = sorted(f"{stimulus.item}\t{stimulus.sha256}\n" for stimulus in stimuli)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
