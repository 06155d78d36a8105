"""A study's definition as a form: the same checks as the file's, by the same models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from pydantic import ValidationError

from survey.definition import Definition, faults

#: (path in the definition, label, rows of its text area; 1 for a line) of what is said in each language.
TEXTS: Final = (
    ("title", "Title", 1),
    ("consent.purpose", "What the study is about", 4),
    ("instructions", "What people are asked to do", 4),
    ("consent.organiser", "Who is responsible", 1),
    ("consent.legal_basis", "Legal basis", 2),
)
#: Likewise of what is the same in all: (path, label, field, least, most).
NUMBERS: Final = (
    ("consent.minutes", "Minutes it takes", 1, 45),
    ("session.images", "Images for each participant (empty: all)", 1, 500),
    ("session.repeats", "Hidden repeats", 0, 50),
    ("session.stabilising", "Hidden warm-up images", 0, 10),
    ("session.batches", "Batches one person may take", 1, 50),
)


class StudyForm(forms.Form):
    """What may change of a published study."""

    def __init__(self, *args: Any, definition: Definition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition = definition
        values = definition.model_dump(mode="json")
        for path, label, rows in self._texts():
            text = _at(values, path)
            for language in definition.languages:
                self.fields[f"{path}:{language}"] = forms.CharField(
                    label=f"{label} ({language})" if len(definition.languages) > 1 else label,
                    initial=text.get(language, "") if isinstance(text, dict) else text or "",
                    required=path == "title" or path.startswith("questions"),
                    widget=forms.Textarea({"rows": rows}) if rows > 1 else forms.TextInput,
                )
        for path, label, least, most in NUMBERS:
            # The model's own defaults stand for an empty field.
            self.fields[path] = forms.IntegerField(
                label=label, initial=_at(values, path), min_value=least, max_value=most, required=False
            )
        self.fields["consent.contact"] = forms.CharField(
            label="Contact", initial=definition.consent.contact or "", required=False
        )
        self.fields["consent.version"] = forms.CharField(
            label="Version of the consent text", initial=definition.consent.version
        )
        self.fields["purge_on"] = forms.DateField(
            label="Day on which personal data go",
            initial=definition.purge_on,
            required=False,
            widget=forms.DateInput({"type": "date"}),
        )

    def _texts(self) -> Iterator[tuple[str, str, int]]:
        yield from TEXTS
        for i, question in enumerate(self.definition.questions):
            yield f"questions.{i}.text", f"Question “{question.key}”", 1

    def clean(self) -> dict[str, Any]:
        """Build the new definition; its faults become the form's."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        values = self.definition.model_dump(mode="json")
        for path, _, _ in self._texts():
            said = {code: cleaned[f"{path}:{code}"] for code in self.definition.languages}
            plain = len(said) == 1 and not isinstance(_at(values, path), dict)
            _put(
                values, path, None if not all(said.values()) else next(iter(said.values())) if plain else said
            )
            if any(said.values()) and not all(said.values()):
                missing = next(code for code, text in said.items() if not text)
                self.add_error(f"{path}:{missing}", "Say it in every language of the study, or in none.")
        for path in [*(number[0] for number in NUMBERS), "consent.contact", "consent.version", "purge_on"]:
            _put(values, path, cleaned[path] if cleaned[path] != "" else None)
        try:
            self.definition = Definition.model_validate(values)
        except ValidationError as error:
            for line in faults(error):
                self.add_error(None, line)
        return cleaned


def _at(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values[int(part) if part.isdigit() else part]
    return values


def _put(values: Any, path: str, value: Any) -> None:
    """Set one value of nested tables; None takes the key away, so that its default holds."""
    *parents, last = path.split(".")
    table = _at(values, ".".join(parents)) if parents else values
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value
