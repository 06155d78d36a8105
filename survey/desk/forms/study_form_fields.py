"""Fields of the set-up form whose values, left alone, come back exactly as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator


class Words(forms.CharField):
    """A text. Browsers end lines with CR LF, a study file does not; what is typed anew loses the space around it."""

    def __init__(self, *, rows: int = 1, **kwargs: Any) -> None:
        widget = forms.Textarea({"rows": rows}) if rows > 1 else forms.TextInput()
        super().__init__(strip=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> str:
        said = (super().to_python(value) or "").replace("\r\n", "\n")
        return said if said == self.initial else said.strip()


class LabelLines(forms.Field):
    """Labels, one on each line, the lowest category first; an empty field is an empty list."""

    def __init__(
        self, *, labels: Sequence[str], usual: Sequence[str], longest: int = 60, **kwargs: Any
    ) -> None:
        widget = forms.Textarea({"rows": 5, "placeholder": "\n".join(usual)})
        super().__init__(required=False, widget=widget, initial="\n".join(labels), **kwargs)
        self.labels = list(labels)
        self._longest = longest

    def to_python(self, value: Any) -> list[str]:
        said = (value or "").replace("\r\n", "\n")
        if said == self.initial:
            return self.labels
        ProhibitNullCharactersValidator()(said)
        lines = [line.strip() for line in said.split("\n") if line.strip()]
        if any(len(line) > self._longest for line in lines):
            raise forms.ValidationError(f"A line has at most {self._longest} characters.")
        return lines


def in_language(value: Any, language: str) -> Any:
    """Return what a definition's text or labels say in one language; None for nothing."""
    return value.get(language) if isinstance(value, Mapping) else value


def joined(old: Any, said: dict[str, Any]) -> Any:
    """Return what is said in each language as a study file has it.

    One value, where all say the same and there was no table before; else a table, which keeps what `old` says in
    languages that the study does not have.
    """
    if isinstance(old, Mapping):
        return {**old, **said}
    first, *others = said.values()
    return first if all(other == first for other in others) else said
