"""Changes of what a study says. Once a person has taken part each is a new version, and images, method and scales stay."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from survey.access.audit import record
from survey.access.locking import locked
from survey.models import Study, StudyVersion
from survey.study.definition import Definition, definition_of
from survey.study.groups import Group
from survey.study.pictures import PublishError
from survey.study.publish import add_version, check_blocks_of, check_purge_day
from survey.study.recast import recast

#: What no change can touch: where the images came from.
ALWAYS_FIXED: Final = ("files",)
#: Nor these, once a person has taken part: ratings before and after would not be ratings of the same thing.
FIXED: Final = (*ALWAYS_FIXED, "method", "images")


@transaction.atomic
def revise(study: Study, definition: Definition, by: User | None = None) -> StudyVersion:
    """Make `definition` what the study says from now on; return its version.

    Until a person (other than in a preview) has taken part, it replaces the newest version; from then on each change
    is a version of its own, and whoever began under an older one stays with it. `by` is None for a command.

    Until then the images are given the roles anew that the definition says, and the pictures for attention are drawn
    anew.

    Raises:
        PublishError: A name of the definition fits no image; or, once a person has taken part, the method, the images,
            or the questions' keys or scales would change, or a promised purge date would come later.
    """
    study = locked(Study.objects, study.pk)
    newest = study.version
    if definition.sha256 == newest.sha256:
        return newest
    has_people = study.participants.filter(is_preview=False).exists()
    _check(definition_of(newest), definition, keys_stay=has_people)
    _check_promise(study, definition)
    study.method = definition.method
    study.title = definition.say(definition.title, definition.languages[0])
    study.purge_on = definition.purge_on
    study.save(update_fields=["method", "title", "purge_on"])
    if has_people:
        check_blocks_of(study, definition)
    else:
        study.participants.all().delete()
        study.questions.all().delete()
        newest.delete()
        recast(study, definition)
    version = add_version(study, definition)
    record("study.revise", study, by, version=version.number, sha256=version.sha256)
    return version


def _check(old: Definition, new: Definition, *, keys_stay: bool) -> None:
    if old.purge_on != new.purge_on:
        check_purge_day(new)
    for name in FIXED if keys_stay else ALWAYS_FIXED:
        if getattr(old, name) != getattr(new, name):
            when = "" if name in ALWAYS_FIXED else " once somebody has taken part"
            raise PublishError(f"{name}: cannot change in a published study{when}; publish a new one")
    keys = [[question.key for question in definition.questions] for definition in (old, new)]
    if keys_stay and keys[0] != keys[1]:
        raise PublishError(f"questions: keys and order stay {', '.join(keys[0])}, not {', '.join(keys[1])}")
    for number, (was, asked) in enumerate(zip(old.questions, new.questions, strict=False), 1):
        if keys_stay and was.scale != asked.scale:
            raise PublishError(
                f"questions.{number}.scale: {was.scale} cannot become {asked.scale} once somebody has taken part; "
                "publish a new study"
            )
    if keys_stay and [_fixed(group) for group in old.groups] != [_fixed(group) for group in new.groups]:
        raise PublishError(
            "groups: their keys, methods, questions and images cannot change once somebody has taken part; "
            "publish a new study"
        )
    was_asked = {own.key: own for own in old.own_questions} if keys_stay else {}
    for number, own in enumerate(new.own_questions, 1):
        was_own = was_asked.get(own.key, own)
        if (was_own.about, was_own.answer) != (own.about, own.answer):
            raise PublishError(
                f"own_questions.{number}: {own.key!r} has answers of another kind already; give the question another key"
            )
    if keys_stay and new.images.trap is not None:
        _check_trap(old, new, new.images.trap)


def _check_promise(study: Study, new: Definition) -> None:
    """Refuse a later purge date, or none, while there are data of people who were told the day."""
    told = study.purge_on
    if told is None or (new.purge_on is not None and new.purge_on <= told):
        return
    if study.participants.filter(is_preview=False, is_simulated=False, token__isnull=False).exists():
        raise PublishError(
            f"purge_on: people were told that their data are deleted on {told}; until that is done, only an earlier day "
            "can be set"
        )


def _fixed(group: Group) -> Group:
    """Return what of a group stays: how it is filled and instructed may change, as the study's own texts may."""
    return group.model_copy(update={"people": None, "share": None, "instructions": None})


def _check_trap(old: Definition, new: Definition, answer: float) -> None:
    """Refuse what the drawn traps, one for each language, would then say wrongly."""
    if set(old.languages) != set(new.languages):
        raise PublishError("languages: cannot change where a trap is drawn in each; publish a new study")
    for code in new.languages:
        drawn, asked = (study.answer_text(study.questions[0], answer, code) for study in (old, new))
        if drawn != asked:
            raise PublishError(
                f"questions: the trap shows the label {drawn!r}, which cannot become {asked!r}"
            )
