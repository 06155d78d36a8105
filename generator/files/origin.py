"""What a PNG that `generate` made on another site says of itself: its provenance, checked before it is believed."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.files import images
from generator.nst.recipes.errors import NstError
from generator.nst.recipes.recipe import Recipe

FORMAT: Final = 1
"""Version of the provenance: `generator.making.provenance` writes it, and no other is believed."""
UNREADABLE: Final = "its provenance cannot be read: exports will not say how it was made"
CHANGED: Final = "was changed after it was made: exports will not say how it was made"
logger = logging.getLogger(__name__)
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, Field(max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Input(_Part):
    name: _Name
    file: _Name
    pixels: _Hash


class _Style(_Input):
    weight: float
    where: _Input | None
    part: _Input | None
    map: _Input | None


class _Weights(_Part):
    network: _Name
    sha256: _Hash


class _Made(_Part):
    pixels: _Hash


class Account(_Part):
    """The keys of a provenance that tables show; docs/reference/plans.md lists them all."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    key: _Hash
    image_set: _Name
    algorithm: _Name
    recipe: dict[str, Any]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    content: _Input
    style: _Input
    styles: list[_Style] = []
    content_map: _Input | None = None
    weights: _Weights
    image: _Made


@dataclass(frozen=True)
class Origin:
    """How a file was made, by its own account.

    Attributes:
        account: its provenance.
        whole: the provenance as the file has it, in JSON types.
        sha256: of the file.
    """

    account: Account
    whole: dict[str, Any]
    sha256: str


def origin_of(path: Path) -> Origin | None:
    """Return how a file was made; None where it does not say so, or not as this version does.

    Raises:
        ImageError: The file is no picture.
    """
    whole = images.provenance_in(path, str(path))
    if whole is None:
        return None
    origin = checked(whole, hashlib.sha256(path.read_bytes()).hexdigest())
    if origin is None:
        logger.warning("%s: %s", path, UNREADABLE)
    return origin


def checked(whole: dict[str, Any], sha256: str) -> Origin | None:
    """Return what a provenance says of the file with this SHA-256; None where it is not as this version writes it."""
    try:
        account = Account.model_validate(whole)
        Recipe.from_dict(account.recipe)
    except (ValidationError, NstError):
        return None
    return Origin(account, whole, sha256)
