"""Image set or folder -> study: copies without metadata under opaque names, in one transaction."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils import timezone

from generator.files import images
from generator.files.origin import CHANGED
from generator.models import ImageSet
from survey.access.audit import record
from survey.models import Question, Stimulus, StimulusProvenance, Study, StudyVersion
from survey.study.covariates import fill_in
from survey.study.definition import Definition
from survey.study.methods import WITH_REFERENCES
from survey.study.pictures import (
    Picture,
    PublishError,
    pictures_of_files,
    pictures_of_folder,
    pictures_of_set,
)
from survey.study.trap import WORDS, trap_picture
from survey.study.wording import TRAP_REQUEST, TRAP_THANKS

logger = logging.getLogger(__name__)


def publish_image_set(
    image_set: ImageSet,
    slug: str,
    *,
    definition: Definition | None = None,
    base: Path | None = None,
    owner: User | None = None,
    state: Study.State = Study.State.OPEN,
    is_simulated: bool = False,
    only: Collection[int] | None = None,
) -> Study:
    """Publish the finished images of a set, or `only` those at these places of its plan.

    Its reference images are the content images of the set. Other parameters, errors: see `publish`.
    """
    definition = definition or Definition(title=image_set.title)
    pictures = pictures_of_set(image_set, definition, only)
    return publish(slug, definition, pictures, base=base, owner=owner, state=state, is_simulated=is_simulated)


def publish_folder(
    folder: Path,
    slug: str,
    *,
    definition: Definition | None = None,
    base: Path | None = None,
    owner: User | None = None,
    is_simulated: bool = False,
) -> Study:
    """Publish a folder's images (an item is named by its file, less the ending) as an open study.

    `items.csv` in the folder may say more of each: columns `file` or `item`, then any of `content`, `style`,
    `condition`; every other column is a factor. Other parameters, errors: see `publish`.
    """
    definition = definition or Definition(title=folder.resolve().name)
    pictures = pictures_of_folder(folder)
    return publish(slug, definition, pictures, base=base, owner=owner, is_simulated=is_simulated)


def publish(
    slug: str,
    definition: Definition,
    pictures: list[Picture],
    *,
    base: Path | None = None,
    owner: User | None = None,
    state: Study.State = Study.State.OPEN,
    is_simulated: bool = False,
) -> Study:
    """Make a study of pictures, by default open at once; all of it or nothing.

    Args:
        base: the folder that `definition.files` are relative to (that of the study file).
        owner: the researcher who publishes it and to whom it belongs; None for a command.
        is_simulated: its participants will be a program's; shown wherever the study is.

    Raises:
        PublishError: the slug is taken or not fit for an address; a name fits no image; no image to rate.
        generator.files.images.ImageError: an image cannot be read.
    """
    check_slug(slug)
    check_purge_day(definition)
    pictures = cast_roles([*pictures, *pictures_of_files(definition, base)], definition)
    stimuli: list[Stimulus] = []
    try:
        # Before the transaction: on SQLite nobody else could save a rating for as long as it takes.
        for picture in pictures:
            stimuli.append(stimulus_of(picture))
        with transaction.atomic():
            study = save_study(slug, definition, owner, state, is_simulated)
            save_stimuli(stimuli, study)
            record("study.publish", study, owner, images=len(pictures), sha256=definition.sha256)
    except IntegrityError as error:
        _remove(stimuli)
        raise PublishError(f"study {slug!r}: {error}") from error
    except BaseException:
        _remove(stimuli)
        raise
    # Images that were measured between the first look and the commit.
    fill_in(study.stimuli.all())
    return study


def cast_roles(pictures: list[Picture], definition: Definition) -> list[Picture]:
    """Return the pictures with the roles that the definition gives them, and the trap's picture for each language.

    Raises PublishError when a name of the definition fits no picture, or nothing is left to be rated.
    """
    pictures = _unique_items(pictures)
    wanted = definition.images
    by_item = {picture.item: picture for picture in pictures}
    for pattern in wanted.practice:
        for item in _matching(pattern, by_item, "images.practice"):
            by_item[item] = replace(by_item[item], role=Stimulus.Role.PRACTICE)
    for gold in wanted.gold:
        for item in _matching(gold.item, by_item, "images.gold"):
            by_item[item] = replace(by_item[item], role=Stimulus.Role.GOLD, expected=gold.answer)
    for content, item in _references(definition, by_item):
        by_item[item] = replace(by_item[item], role=Stimulus.Role.REFERENCE, content=content)
    for pattern in wanted.left_out:
        for item in _matching(pattern, by_item, "images.left_out"):
            by_item[item] = replace(by_item[item], role=Stimulus.Role.LEFT_OUT)
    if wanted.trap is not None:
        for language in definition.languages:
            by_item[f"trap-{language}"] = _trap(definition, language, wanted.trap)
    cast = list(by_item.values())
    if not any(picture.role == Stimulus.Role.MAIN for picture in cast):
        raise PublishError("no image is left to rate: every image has another role")
    check_blocks(((one.item, one.role, _columns_of(one)) for one in cast), definition)
    for key, shown in _by_group(cast, definition):
        if definition.method == "pair":
            _check_pairs(shown)
        _check_references(shown, definition.for_group(key))
    return cast


def _by_group(cast: list[Picture], definition: Definition) -> Iterator[tuple[str, list[Picture]]]:
    """Yield each group with the pictures that it is shown; PublishError for a name that fits none to be rated."""
    if not definition.groups:
        yield "", cast
    main = {picture.item: picture for picture in cast if picture.role == Stimulus.Role.MAIN}
    others = [picture for picture in cast if picture.role != Stimulus.Role.MAIN]
    for number, group in enumerate(definition.groups, 1):
        for pattern in group.images:
            _matching(pattern, main, f"groups.{number}.images")
        yield group.key, [*others, *(picture for item, picture in main.items() if group.shows(item))]


def check_blocks(images: Iterable[tuple[str, str, Mapping[str, Any]]], definition: Definition) -> None:
    """Raise PublishError unless every image that is rated tells its block, where blocks go by a column.

    Args:
        images: (item, role, its columns) of each.
    """
    column = definition.session.blocks
    if not isinstance(column, str):
        return
    shown = {Stimulus.Role.MAIN}
    if any((group.method or definition.method) == "acr-hr" for group in definition.groups) or (
        definition.method == "acr-hr"
    ):
        shown.add(Stimulus.Role.REFERENCE)
    for item, role, columns in images:
        if role in shown and columns.get(column) in (None, ""):
            has = ", ".join(name for name, value in columns.items() if value not in (None, ""))
            raise PublishError(
                f"session.blocks: image {item!r} has no {column!r} (it has {has or 'no column'})"
            )


def _columns_of(image: Picture | Stimulus) -> dict[str, Any]:
    return {"content": image.content, "style": image.style, "condition": image.condition} | image.factors


def check_blocks_of(study: Study, definition: Definition) -> None:
    """Raise PublishError where `check_blocks` does for a study's images as they are."""
    check_blocks(((one.item, one.role, _columns_of(one)) for one in study.stimuli.order_by("pk")), definition)


def check_slug(slug: str) -> None:
    """Raise PublishError unless a study may get this name: fit for an address, and free."""
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise PublishError(
            f"study {slug!r}: use letters, digits, - and _ only: it is part of the address"
        ) from error
    if len(slug) > 50:
        raise PublishError(f"study {slug!r}: at most 50 characters, not {len(slug)}")
    if Study.objects.filter(slug=slug).exists():
        raise PublishError(f"study {slug!r} exists already: choose another name, or delete that study first")


def check_purge_day(definition: Definition) -> None:
    """Raise PublishError for a purge date that has come: the study would take nobody, and promise what is past."""
    day = definition.purge_on
    if day is not None and day <= timezone.localdate():
        raise PublishError(f"purge_on: {day} is not after today; give a day to come")


def save_study(
    slug: str, definition: Definition, owner: User | None, state: Study.State, is_simulated: bool = False
) -> Study:
    """Save a study with its first version, and no image yet."""
    study = Study.objects.create(
        slug=slug,
        title=definition.say(definition.title, definition.languages[0]),
        state=state,
        method=definition.method,
        is_simulated=is_simulated,
        owner=owner,
        purge_on=definition.purge_on,
    )
    add_version(study, definition)
    return study


def add_version(study: Study, definition: Definition) -> StudyVersion:
    """Give a study its next version, and its questions the version's wording."""
    last = study.versions.order_by("-number").first()
    version = StudyVersion.objects.create(
        study=study,
        number=last.number + 1 if last else 1,
        definition=definition.model_dump(mode="json"),
        sha256=definition.sha256,
    )
    first = definition.languages[0]
    for position, question in enumerate(definition.questions, start=1):
        Question.objects.update_or_create(
            study=study,
            key=question.key,
            defaults={
                "text": definition.say(question.text, first),
                "labels": definition.labels(question, first),
                "position": position,
                "low": question.asked_on.low,
                "high": question.asked_on.high,
                "step": question.asked_on.step,
            },
        )
    return version


def stimulus_of(picture: Picture) -> Stimulus:
    """Return the (unsaved) stimulus of a picture, of no study yet; its bytes are in the media store already.

    It has its provenance if the picture says how it was made, and is as it was then.
    """
    image = picture.read()
    data = images.encode_png(image)
    stimulus = Stimulus(
        item=picture.item,
        role=picture.role,
        width=image.width,
        height=image.height,
        sha256=hashlib.sha256(data).hexdigest(),
        content=picture.content,
        style=picture.style,
        condition=picture.condition,
        factors=picture.factors,
        covariates=picture.covariates,
        expected=picture.expected,
        cell=picture.cell,
    )
    if (origin := picture.origin) is not None:
        if origin.account.image.pixels == images.pixel_hash(image):
            StimulusProvenance(stimulus=stimulus, account=origin.whole, sha256=origin.sha256)
        else:
            logger.warning("%s: %s", picture.item, CHANGED)
    stimulus.image.save("stimulus.png", ContentFile(data), save=False)
    return stimulus


def save_stimuli(stimuli: list[Stimulus], study: Study) -> None:
    """Save new stimuli of `stimulus_of` as a study's, with their provenance."""
    told = [stimulus.provenance for stimulus in stimuli if hasattr(stimulus, "provenance")]
    for stimulus in stimuli:
        stimulus.study = study
    Stimulus.objects.bulk_create(stimuli, batch_size=200)
    StimulusProvenance.objects.bulk_create(told, batch_size=200)


def _unique_items(pictures: Iterable[Picture]) -> list[Picture]:
    """Number items of the same name: exports tell images apart by it."""
    pictures = list(pictures)
    often = {item for item, count in Counter(picture.item for picture in pictures).items() if count > 1}
    seen: Counter[str] = Counter()
    result = []
    for picture in pictures:
        if picture.item in often:
            seen[picture.item] += 1
            picture = replace(picture, item=f"{picture.item} #{seen[picture.item]}")
        result.append(picture)
    return result


def _matching(pattern: str, by_item: dict[str, Picture], place: str) -> list[str]:
    items = [item for item in by_item if fnmatchcase(item, pattern)]
    if not items:
        known = ", ".join(sorted(by_item)[:5])
        raise PublishError(f"{place}: {pattern!r} fits no image (there are {known} ...)")
    return items


def _references(definition: Definition, by_item: dict[str, Picture]) -> Iterator[tuple[str, str]]:
    """Yield (content, item of its reference); without a table, an image is the reference of its own content."""
    wanted = definition.images.references
    if isinstance(wanted, dict):
        for content, pattern in wanted.items():
            for item in _matching(pattern, by_item, "images.references"):
                yield content, item
    else:
        for pattern in wanted:
            for item in _matching(pattern, by_item, "images.references"):
                yield by_item[item].content or item, item


def _check_pairs(pictures: list[Picture]) -> None:
    often = Counter(picture.content for picture in pictures if picture.role == Stimulus.Role.MAIN)
    if max(often.values()) < 2:
        raise PublishError("method 'pair' compares images of one content, and no content here has two")


def _check_references(pictures: list[Picture], definition: Definition) -> None:
    if definition.method not in WITH_REFERENCES:
        return
    have = Counter(picture.content for picture in pictures if picture.role == Stimulus.Role.REFERENCE)
    if twice := [content for content, count in have.items() if count > 1]:
        raise PublishError(f"images.references: content {twice[0]!r} has more than one reference")
    # Only ACR-HR takes practice and gold images without: DCR asks of each image how it differs from its reference.
    in_need = {Stimulus.Role.MAIN}
    if definition.method == "dcr":
        in_need |= {Stimulus.Role.PRACTICE, Stimulus.Role.GOLD}
    for picture in pictures:
        if picture.role in in_need and picture.content not in have:
            raise PublishError(
                f"images.references: image {picture.item!r} of content {picture.content!r} has none"
            )


def _trap(definition: Definition, language: str, answer: float) -> Picture:
    label = definition.answer_text(definition.questions[0], answer, language)
    draw = partial(trap_picture, label, _trap_words(definition, language))
    role = Stimulus.Role.TRAP
    return Picture(f"trap-{language}", draw, factors={"language": language}, role=role, expected=answer)


def _trap_words(definition: Definition, language: str) -> tuple[str, str]:
    """Return what the attention picture says in a language: as it ships, or in the study's own wording."""
    if language in WORDS:
        return WORDS[language]
    own = definition.wording[language].texts
    return own.get(TRAP_THANKS, TRAP_THANKS), own.get(TRAP_REQUEST, TRAP_REQUEST)


def _remove(stimuli: list[Stimulus]) -> None:
    for stimulus in stimuli:
        default_storage.delete(str(stimulus.image.name))
