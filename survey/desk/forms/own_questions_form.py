"""The form of a study's own questions: about the person or about each image, in words or by choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django import forms

from survey.desk.forms.study_form_fields import LabelLines, Words, in_language, joined
from survey.desk.forms.task_form import RowsForm
from survey.study.definition import Definition
from survey.study.own_questions import USUAL_LENGTH
from survey.study.wording import english_name

#: As many as a study may ask.
MAX_QUESTIONS: Final = 20
_PERSON_OR_IMAGE: Final = (("person", "the person"), ("image", "each image, beside it"))
_WHEN: Final = (("after", "after the images"), ("before", "before the images"))
_KINDS: Final = (
    ("text", "in their own words"),
    ("one", "by one choice"),
    ("several", "by one or more choices"),
)
_NEEDED: Final = (
    "Give the question a name and a text in every language, or clear all its fields to remove it."
)


class OwnRow:
    """One question of the form, or a blank row for another. Field names count from 1, as a file's faults do."""

    def __init__(self, number: int, definition: Definition, languages: Sequence[str], *, stays: bool) -> None:
        asked = definition.own_questions[number - 1 : number]
        self.name = f"own_questions.{number}"
        self.is_new = not asked
        self.heading = "Another question (leave empty for none)" if self.is_new else f"Question {number}"
        self._old: dict[str, Any] = asked[0].model_dump(mode="json") if asked else {}
        self._languages = languages
        self._stays = stays and not self.is_new

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        """Yield each field with its name."""
        old, several = self._old, len(self._languages) > 1
        for code in self._languages:
            label = f"Question ({english_name(code)})" if several else "Question"
            text = in_language(old.get("text"), code) or ""
            yield f"{self.name}.text:{code}", Words(label=label, initial=text, required=False, max_length=500)
        key = Words(
            label="Name in the data",
            help_text="Small letters, digits and _. It names the answers in the downloads.",
            initial=old.get("key"),
            required=False,
            disabled=self._stays,
        )
        yield f"{self.name}.key", key
        yield self._pick("about", "It is about", _PERSON_OR_IMAGE, disabled=self._stays)
        yield self._pick("when", "A question about the person comes", _WHEN)
        yield self._pick("answer", "People answer", _KINDS, disabled=self._stays)
        yield from self._choice_fields(several=several)
        yield (
            f"{self.name}.required",
            forms.BooleanField(
                label="Nobody goes on without an answer", initial=old.get("required", False), required=False
            ),
        )
        most = forms.IntegerField(
            label="Characters at most",
            help_text="For answers in words, up to 2000.",
            initial=None if old.get("max_length", USUAL_LENGTH) == USUAL_LENGTH else old["max_length"],
            required=False,
            min_value=1,
            max_value=2000,
        )
        yield f"{self.name}.max_length", most

    def _pick(
        self, key: str, label: str, choices: tuple[tuple[str, str], ...], *, disabled: bool = False
    ) -> tuple[str, forms.Field]:
        """Return a list to pick from, which begins with the question's own value or else the first."""
        field = forms.ChoiceField(
            label=label,
            choices=choices,
            initial=self._old.get(key, choices[0][0]),
            required=False,
            disabled=disabled,
        )
        return f"{self.name}.{key}", field

    def _choice_fields(self, *, several: bool) -> Iterator[tuple[str, forms.Field]]:
        for code in self._languages:
            yield (
                f"{self.name}.choices:{code}",
                LabelLines(
                    label=f"Choices ({english_name(code)})" if several else "Choices",
                    help_text="For answers by choice: one on each line, in the same order in each language.",
                    labels=in_language(self._old.get("choices"), code) or [],
                    usual=[],
                    longest=100,
                ),
            )

    def is_used(self, cleaned: dict[str, Any]) -> bool:
        """Return whether anything is written in the row."""
        names = [f"{self.name}.{key}:{code}" for key in ("text", "choices") for code in self._languages]
        return any(cleaned.get(name) for name in [f"{self.name}.key", *names])

    def missing(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield each field that a row in use has left empty, with the complaint."""
        if self.is_used(cleaned):
            needed = [*(f"{self.name}.text:{code}" for code in self._languages), f"{self.name}.key"]
            yield from ((name, _NEEDED) for name in needed if cleaned.get(name) == "")

    def value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        """Return the question as a file has it; None for an emptied row."""
        if not self.is_used(cleaned):
            return None
        about = cleaned[f"{self.name}.about"] or "person"
        choices = {code: cleaned[f"{self.name}.choices:{code}"] for code in self._languages}
        said = {code: cleaned[f"{self.name}.text:{code}"] for code in self._languages}
        return {
            **self._old,
            "key": cleaned[f"{self.name}.key"],
            "text": joined(self._old.get("text"), said),
            "about": about,
            "when": (cleaned[f"{self.name}.when"] if about == "person" else "") or "after",
            "answer": cleaned[f"{self.name}.answer"] or "text",
            "choices": joined(self._old.get("choices"), choices) if any(choices.values()) else None,
            "required": cleaned[f"{self.name}.required"],
            "max_length": cleaned[f"{self.name}.max_length"] or USUAL_LENGTH,
        }


class OwnQuestionsForm(RowsForm):
    """The study's own questions."""

    def build(self) -> None:
        """Add a row for each question, and a blank one."""
        count = len(self.definition.own_questions)
        numbers = range(1, min(count + 1, MAX_QUESTIONS) + 1)
        rows = [OwnRow(n, self.definition, self.languages, stays=self.keys_stay) for n in numbers]
        self.rows = rows
        for row in rows:
            self.section(row.heading, folded=row.is_new and count > 0)
            for name, field in row.fields():
                told = f"Default: {USUAL_LENGTH}" if name.endswith(".max_length") else ""
                self.add(name, field, default=told)

    def _is_in_use(self, names: list[str]) -> bool:
        written = [name for name in names if name.endswith(".key") or ":" in name]
        return any(self.errors.get(name) for name in names) or any(self[name].value() for name in written)

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Put the questions."""
        values["own_questions"] = self.questions(cleaned)

    def blame(self, line: str) -> None:
        """Show a fault beside its field: those of a question as a whole name their key in the message."""
        place, _, message = line.partition(": ")
        key, _, rest = message.partition(": ")
        super().blame(f"{place}.{key}: {rest}" if rest and key.isidentifier() else line)

    def field_of(self, place: str) -> str | None:
        """Return the field of a place. Emptied rows are no questions: a fault's number may differ from its row's."""
        head, _, rest = place.partition(".")
        number, _, key = rest.partition(".")
        if head != "own_questions":
            return super().field_of(place)
        name = self.used[int(number) - 1] if number.isdigit() else self.used[0]
        key = key.partition(".")[0]
        return super().field_of(f"{name}.{key or 'key'}") or f"{name}.key"
