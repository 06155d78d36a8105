"""What the tables of a study file are made of: their base, and the kinds of text that they hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,4})?$")]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Prose = Annotated[str, Field(min_length=1, max_length=5000)]
LineText = Line | dict[Language, Line]
ProseText = Prose | dict[Language, Prose]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Part(BaseModel):
    """A table of the file: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
