"""Publishing under a name that a study has already: the same study again, or a refusal with the reason."""

from __future__ import annotations

import hashlib
from pathlib import Path

from generator.files import images
from generator.models import ImageSet
from survey.models import Study
from survey.study.definition import Definition
from survey.study.pictures import (
    Picture,
    PublishError,
    pictures_of_files,
    pictures_of_folder,
    pictures_of_set,
)
from survey.study.publish import cast_roles


def published_before(
    slug: str, source: ImageSet | Path, *, definition: Definition | None = None, base: Path | None = None
) -> Study | None:
    """Return the study of this name if it shows the same images by the same rules; None if the name is free.

    Args:
        source: an image set or a folder of images.
        definition: the rules asked for; None takes whatever the study has.
        base: the folder that `definition.files` are relative to.

    Raises:
        PublishError: the study shows other images, follows other rules, is simulated or archived.
        generator.files.images.ImageError: an image cannot be read.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        return None
    if study.is_simulated:
        raise PublishError(f"study {slug!r} exists already and is simulated: choose another name")
    if study.archived_at:
        raise PublishError(f"study {slug!r} exists already in the archive: choose another name")
    if definition is not None and study.version.sha256 != definition.sha256:
        raise PublishError(
            f"study {slug!r} exists already with other rules than the study file's: "
            f"choose another name, or change that study with `revise_study {slug} STUDY.toml`"
        )
    rules = definition or Definition.model_validate(study.version.definition)
    shown = sorted(study.stimuli.values_list("item", "role", "sha256"))
    if shown != _asked_for(source, rules, base):
        raise PublishError(
            f"study {slug!r} exists already with other images: choose another name, or delete that study first"
        )
    return study


def _asked_for(source: ImageSet | Path, rules: Definition, base: Path | None) -> list[tuple[str, str, str]]:
    """Return (item, role, SHA-256 of the PNG) of each stimulus that publishing would make; [] if it could not."""
    try:
        found = pictures_of_folder(source) if isinstance(source, Path) else pictures_of_set(source, rules)
        pictures = cast_roles([*found, *pictures_of_files(rules, base)], rules)
    except PublishError:
        return []
    return sorted((picture.item, str(picture.role), _sha256(picture)) for picture in pictures)


def _sha256(picture: Picture) -> str:
    return hashlib.sha256(images.encode_png(picture.read())).hexdigest()
