"""A study's definition as a form: the same checks as the file's, by the same models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from django import forms
from pydantic import ValidationError

from survey.definition import AboutQuestion, Definition, faults

#: (path in the definition, label, rows of its text area; 1 for a line) of what is said in each language.
TEXTS: Final = (
    ("title", "Title", 1),
    ("consent.purpose", "What the study is about", 4),
    ("instructions", "What people are asked to do", 4),
    ("consent.organiser", "Who is responsible", 1),
    ("consent.legal_basis", "Legal basis", 2),
)
#: Likewise of what is the same in all: (path, label, least, most).
NUMBERS: Final = (
    ("consent.minutes", "Minutes it takes", 1, 45),
    ("session.images", "Images for each participant (empty: all)", 1, 500),
    ("session.repeats", "Hidden repeats", 0, 50),
    ("session.stabilising", "Hidden warm-up images", 0, 10),
    ("session.batches", "Batches one person may take", 1, 50),
    ("goal.votes", "Votes wanted for each image", 1, 10_000),
    ("screening.plates", "Colour vision plates", 0, 4),
)
SWITCHES: Final = (
    ("screening.display", "Ask whether the screen is bright enough and free of glare"),
    ("screening.vision", "Ask whether they see well"),
    ("screening.required", "End the session after a “no”, or two plates misread"),
    ("consent.adults_only", "Adults only"),
    ("invited_only", "Only with a single-use link"),
)
#: (heading, beginnings of the paths under it), in the page's order.
GROUPS: Final = (
    ("What people read", ("title", "consent.purpose", "instructions", "questions")),
    ("How much", ("session", "consent.minutes", "goal")),
    ("Before and after the images", ("screening", "about")),
    ("Consent and data", ("consent", "invited_only", "purge_on")),
)


class StudyForm(forms.Form):
    """What may change of a published study."""

    def __init__(self, *args: Any, definition: Definition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition = definition
        self._values = definition.model_dump(mode="json")
        self._add_texts()
        for path, label, least, most in NUMBERS:
            # The model's own defaults stand for an empty field.
            self._add(path, forms.IntegerField(label=label, min_value=least, max_value=most, required=False))
        for path, label in SWITCHES:
            self._add(path, forms.BooleanField(label=label, required=False))
        half_width = forms.FloatField(label="… or a 95 % interval of ± so many points", required=False)
        self._add("goal.half_width", half_width)
        asked = forms.MultipleChoiceField(
            label="Questions about the person, at the end",
            choices=[(name, name) for name in get_args(AboutQuestion)],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        self._add("about", asked)
        self._add("consent.contact", forms.CharField(label="Contact", required=False))
        self._add("consent.version", forms.CharField(label="Version of the consent text"))
        date = forms.DateInput({"type": "date"})
        purge_on = forms.DateField(label="Day on which personal data go", required=False, widget=date)
        self._add("purge_on", purge_on)

    def _add(self, path: str, field: forms.Field) -> None:
        field.initial = _at(self._values, path)
        self.fields[path] = field

    def _add_texts(self) -> None:
        several = len(self.definition.languages) > 1
        for path, label, rows in self._texts():
            text = _at(self._values, path)
            for language in self.definition.languages:
                self.fields[f"{path}:{language}"] = forms.CharField(
                    label=f"{label} ({language})" if several else label,
                    initial=text.get(language, "") if isinstance(text, dict) else text or "",
                    required=path == "title" or path.startswith("questions"),
                    widget=forms.Textarea({"rows": rows}) if rows > 1 else forms.TextInput,
                )

    def _texts(self) -> Iterator[tuple[str, str, int]]:
        yield from TEXTS
        for i, question in enumerate(self.definition.questions):
            yield f"questions.{i}.text", f"Question “{question.key}”", 1

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        left = list(self.fields)
        groups = []
        for heading, beginnings in GROUPS:
            mine = [name for begin in beginnings for name in left if name.startswith(begin)]
            left = [name for name in left if name not in mine]
            groups.append((heading, [self[name] for name in mine]))
        return groups

    def clean(self) -> dict[str, Any]:
        """Build the new definition; its faults become the form's, each beside its field where it has one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        values = self.definition.model_dump(mode="json")
        for path, _, _ in self._texts():
            self._put_text(values, path, cleaned)
        for path in self.fields:
            if ":" not in path:
                _put(values, path, cleaned[path] if cleaned[path] not in ("", None) else None)
        try:
            self.definition = Definition.model_validate(values)
        except ValidationError as error:
            for line in faults(error):
                self.add_error(self._field_of(line.partition(":")[0]), line)
        return cleaned

    def _put_text(self, values: dict[str, Any], path: str, cleaned: dict[str, Any]) -> None:
        # Browsers end lines with CR LF; a file does not.
        said = {code: cleaned[f"{path}:{code}"].replace("\r\n", "\n") for code in self.definition.languages}
        if not all(said.values()):
            _put(values, path, None)
            for code, text in said.items():
                if any(said.values()) and not text:
                    self.add_error(f"{path}:{code}", "Say it in every language of the study, or in none.")
            return
        plain = len(said) == 1 and not isinstance(_at(values, path), dict)
        _put(values, path, next(iter(said.values())) if plain else said)

    def _field_of(self, place: str) -> str | None:
        """Return the field that shows a place of the definition; None for the form as a whole."""
        names = (place, f"{place}:{self.definition.languages[0]}")
        return next((name for name in names if name in self.fields), None)


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
