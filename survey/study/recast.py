"""The images of a study that nobody has rated, in the roles that a changed definition gives them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import transaction

from generator.models import ImageSet
from survey.models import Stimulus, Study
from survey.study.definition import Definition
from survey.study.pictures import Picture, read_stored, references_of
from survey.study.publish import cast_roles, save_stimuli, stimulus_of


def recast(study: Study, definition: Definition) -> None:
    """Give a study's images the roles of `definition`; pictures that were drawn for the old one are drawn anew.

    Call within a transaction that has locked the study's row, while nobody has rated its images.

    Raises:
        survey.study.pictures.PublishError: A name of the definition fits no image, or nothing is left to be rated.
    """
    known = {stimulus.item: stimulus for stimulus in study.stimuli.select_related("cell").order_by("pk")}
    kept = {stimulus.item: stimulus for stimulus in own_images(known.values())}
    pictures = [_picture(stimulus) for stimulus in kept.values()]
    cast = cast_roles([*pictures, *_references(kept, definition)], definition)
    gone = [stimulus for stimulus in known.values() if stimulus.item not in kept]
    Stimulus.objects.filter(pk__in=[stimulus.pk for stimulus in gone]).delete()
    made: list[Stimulus] = []
    try:
        for picture in cast:
            if picture.item in kept:
                _change(kept[picture.item], picture)
            else:
                made.append(stimulus_of(picture))
        save_stimuli(made, study)
    except BaseException:
        _remove([str(stimulus.image.name) for stimulus in made])
        raise
    # Only then: a file cannot be rolled back.
    transaction.on_commit(partial(_remove, [str(stimulus.image.name) for stimulus in gone]))


def own_images(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Return the images that a study was made of, without what was made for it.

    That is the pictures for attention, and the content images of image sets, which come with the method.
    """
    stimuli = list(stimuli)
    of_sets = {f"reference-{Path(one.cell.content_name).stem}" for one in stimuli if one.cell}
    return [
        one
        for one in stimuli
        if one.role != Stimulus.Role.TRAP
        and not (one.cell is None and one.condition == "reference" and one.item in of_sets)
    ]


def _picture(stimulus: Stimulus) -> Picture:
    cell = stimulus.cell
    content = Path(cell.content_name).stem if cell else stimulus.content
    return Picture(
        item=stimulus.item,
        read=partial(read_stored, stimulus.image, stimulus.item),
        content=content,
        style=stimulus.style,
        condition=stimulus.condition,
        factors=stimulus.factors,
        covariates=stimulus.covariates,
        cell=cell,
    )


def _references(kept: dict[str, Stimulus], definition: Definition) -> list[Picture]:
    if not definition.needs_references:
        return []
    sets = {stimulus.cell.image_set_id for stimulus in kept.values() if stimulus.cell}
    contents = {Path(stimulus.cell.content_name).stem for stimulus in kept.values() if stimulus.cell}
    found: dict[str, Picture] = {}
    for image_set in ImageSet.objects.filter(pk__in=sets).order_by("pk"):
        for picture in references_of(image_set):
            if picture.content in contents:
                found.setdefault(picture.item, picture)
    return list(found.values())


def _change(stimulus: Stimulus, picture: Picture) -> None:
    said = (picture.role, picture.expected, picture.content)
    if (stimulus.role, stimulus.expected, stimulus.content) != said:
        stimulus.role, stimulus.expected, stimulus.content = said
        stimulus.save(update_fields=["role", "expected", "content"])


def _remove(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)
