"""What the tables of a study file are made of: their base, and the kinds of text that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from generator.plans.complaints import matching

Language = Annotated[
    str, matching("[a-z]{2,3}(-[a-z0-9]{2,4})?", 'must be the code of a language, such as "en" or "pt-br"')
]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Prose = Annotated[str, Field(min_length=1, max_length=5000)]
LineText = Line | dict[Language, Line]
ProseText = Prose | dict[Language, Prose]
Key = Annotated[
    str,
    matching(
        "[a-z][a-z0-9_]{0,39}",
        "must be at most 40 small letters, digits and _, and begin with a letter",
    ),
]


class Part(BaseModel):
    """A table of the file: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, field: ValidationInfo) -> Any:
        """Refuse `images = true`, which pydantic would take for 1."""
        kinds = set(_kinds_of(cls.model_fields[str(field.field_name)].annotation))
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise PydanticKnownError("int_type" if int in kinds else "float_type")
        return value


def _kinds_of(annotation: Any) -> Iterator[Any]:
    """Yield the types that a field takes."""
    yield annotation
    for part in get_args(annotation):
        yield from _kinds_of(part)
