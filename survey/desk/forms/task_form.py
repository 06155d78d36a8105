"""One part of a study's definition as a form: the same checks as the study file's, by the same models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from django import forms
from pydantic import ValidationError

from generator.plans.complaints import MISSING
from survey.desk.forms.study_form_fields import Words, in_language, joined
from survey.study.definition import Definition
from survey.study.study_file import faults
from survey.study.wording import english_name

#: What a field is asked with: a table of `hint` (above the input) and `default` (below it).
Told = dict[str, str]

_UNSAID: Final = Definition(title="-").model_dump(mode="json")


class Fields(NamedTuple):
    """Some fields under a heading; `folded`: shown on demand."""

    heading: str
    fields: list[forms.BoundField]
    folded: bool


class Problem(NamedTuple):
    """One fault of a form: the id of the input that it is about ("" for the form as a whole), and its text."""

    target: str
    text: str


class TaskForm(forms.Form):
    """The fields of one task of the set-up; `definition` is then the whole definition with what they say.

    Subclasses add their fields in `build`. All other parts of the definition stay as they were.

    Args:
        definition: What the study says now.
        keys_stay: Whether somebody has taken part, so that what their answers belong to cannot change.
    """

    def __init__(self, *args: Any, definition: Definition, keys_stay: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition = definition
        self.keys_stay = keys_stay
        self.values = definition.model_dump(mode="json")
        self.languages: list[str] = list(definition.languages)
        self._sections: list[tuple[str, list[str], bool]] = [("", [], False)]
        self._plain: list[str] = []
        self._texts: list[str] = []
        self.build()

    def build(self) -> None:
        """Add the fields."""

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Write into `values` what the form says beyond its plain fields and texts."""

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Add the errors that the definition's own checks cannot know."""

    # What subclasses build with

    def section(self, heading: str, *, folded: bool = False) -> None:
        """Begin a group of fields under a heading; `folded` ones are shown on demand while they say nothing."""
        self._sections.append((heading, [], folded))

    def add(self, name: str, field: forms.Field, *, hint: str = "", default: str = "") -> None:
        """Add a field under the last heading, with a hint above it and its default below."""
        field.help_text = hint or field.help_text
        field.default = default  # type: ignore[attr-defined]
        self.fields[name] = field
        self._sections[-1][1].append(name)

    def add_plain(self, path: str, field: forms.Field, **told: str) -> None:
        """Add a field whose value is the definition's at `path`."""
        field.initial = at(self.values, path)
        self._plain.append(path)
        self.add(path, field, **told)

    def add_number(self, path: str, label: str, least: int, most: int, **told: str) -> None:
        """Add a whole number; left empty it has the model's own default."""
        field = forms.IntegerField(label=label, min_value=least, max_value=most, required=False)
        self.add_plain(path, field, **told)

    def add_switch(self, path: str, label: str, **told: str) -> None:
        """Add a tick box."""
        self.add_plain(path, forms.BooleanField(label=label, required=False), **told)

    def add_line(self, path: str, label: str, *, most: int = 500, **told: str) -> None:
        """Add a line of text that is the same in every language."""
        self.add_plain(path, Words(label=label, required=False, max_length=most), **told)

    def add_ticks(self, path: str, label: str, known: Sequence[tuple[str, str]], **told: str) -> None:
        """Add tick boxes. Their order is part of a definition: what is ticked comes first, in its own order."""
        names = dict(known)
        ticked = at(self.values, path)
        choices = [(name, names[name]) for name in (*ticked, *(name for name in names if name not in ticked))]
        widget = forms.CheckboxSelectMultiple
        self.add_plain(
            path,
            forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=widget),
            **told,
        )

    def add_text(
        self, path: str, label: str, rows: int, usual: dict[str, str] | None = None, **told: str
    ) -> None:
        """Add a text in each language; `usual` is what is shown where it is left empty."""
        text = at(self.values, path)
        self._texts.append(path)
        for language in self.languages:
            field = Words(
                label=f"{label} ({english_name(language)})" if len(self.languages) > 1 else label,
                initial=in_language(text, language) or "",
                required=path == "title",
                max_length=5000 if rows > 1 else 500,
                rows=rows,
            )
            if path == "title":
                field.error_messages["required"] = "Give the study a title."
            if usual:
                field.widget.attrs["placeholder"] = usual[language]
            self.add(f"{path}:{language}", field, **told)

    # What pages show

    @property
    def groups(self) -> list[Fields]:
        """The fields under their headings."""
        return [
            Fields(heading, [self[name] for name in names], folded and not self._is_in_use(names))
            for heading, names, folded in self._sections
            if names
        ]

    def _is_in_use(self, names: list[str]) -> bool:
        usual = {path: at(_UNSAID, path) for path in names if path in self._plain}
        return any(
            self.errors.get(name)
            or self[name].value() not in ("", None, False, usual.get(name), str(usual.get(name)))
            for name in names
        )

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, in the order of the fields: shown above the form, with links."""
        found = [Problem("", str(text)) for text in self.non_field_errors()]
        for name, errors in self.errors.items():
            if name in self.fields:
                found += [Problem(self.target(name), str(text)) for text in errors]
        order = {self.target(name): place for place, name in enumerate(self.fields, start=1)}
        return sorted(found, key=lambda problem: order.get(problem.target, 0))

    def target(self, name: str) -> str:
        """Return the id of the (first) input of a field."""
        field = self[name]
        several = isinstance(field.field, forms.MultipleChoiceField) or isinstance(
            field.field.widget, forms.RadioSelect
        )
        return f"{field.auto_id}_0" if several else str(field.id_for_label)

    # Checks

    def clean(self) -> dict[str, Any]:
        """Build the new definition; its faults become the form's, each beside its field where it has one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, complaint in list(self._gaps(cleaned)):
            self.add_error(name, complaint)
        self.refuse(cleaned)
        if self.errors:
            return cleaned
        try:
            self.definition = Definition.model_validate(self._said(cleaned))
        except ValidationError as error:
            for line in faults(error):
                self.blame(line)
        return cleaned

    def blame(self, line: str) -> None:
        """Show a fault beside the field of its place; where it has none, above the form."""
        place, _, message = line.partition(": ")
        if field := self.field_of(place):
            self.add_error(
                field, "Fill this in." if message == MISSING else f"{message[:1].upper()}{message[1:]}."
            )
        else:
            self.add_error(None, line)

    def field_of(self, place: str) -> str | None:
        """Return the field that shows a place of the definition; None for the form as a whole."""
        parent, _, code = place.rpartition(".")
        names = (place, f"{parent}:{code}", f"{place}:{self.languages[0]}")
        return next((name for name in names if name in self.fields), None)

    def _gaps(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for path in self._texts:
            names = [f"{path}:{code}" for code in self.languages]
            gaps = [name for name in names if cleaned.get(name) == ""]
            if len(gaps) < len(names):
                yield from (
                    (name, f"{self.fields[name].label}: translate this, or clear it in every language.")
                    for name in gaps
                )

    def _said(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a study file that says what the form does."""
        values = self.definition.model_dump(mode="json")
        for path in self._plain:
            put(values, path, cleaned[path])
        for path in self._texts:
            said = {code: cleaned[f"{path}:{code}"] for code in self.languages}
            put(values, path, joined(at(values, path), said) if any(said.values()) else None)
        self.amend(values, cleaned)
        return values


def at(values: Any, path: str) -> Any:
    """Return the value at a dotted path of nested tables; None where a table is missing."""
    for part in path.split("."):
        values = values[part] if values is not None else None
    return values


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set one value of nested tables; nothing ("", None) takes the key away, so that its default holds."""
    *parents, last = path.split(".")
    table = at(values, ".".join(parents)) if parents else values
    if table is None:
        return
    if value not in ("", None):
        table[last] = value
    else:
        table.pop(last, None)


class Row(Protocol):
    """One question of a form, or a blank row for another."""

    name: str

    def missing(self, cleaned: dict[str, Any]) -> Iterable[tuple[str, str]]:
        """Return each field that a row in use has left empty, with the complaint."""

    def value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        """Return the question as a file has it; None for an emptied row."""


class RowsForm(TaskForm):
    """A task with a row of fields for each question. `build` sets `rows`.

    Attributes:
        rows: In their order, the blank one last.
        used: Names of the rows that hold a question, known once the form is read: a fault's number counts these.
    """

    rows: Sequence[Row]
    used: Sequence[str] = ()

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Refuse rows with gaps."""
        for row in self.rows:
            for name, complaint in list(row.missing(cleaned)):
                self.add_error(name, complaint)

    def questions(self, cleaned: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the questions of the rows that hold one."""
        found = {row.name: question for row in self.rows if (question := row.value(cleaned))}
        self.used = list(found)
        return list(found.values())
