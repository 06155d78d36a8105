"""The rows of the set-up form that say what is asked of each image: key, text, scale and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django import forms

from survey.analysis.scale import MAX_BUTTONS, Scale
from survey.desk.forms.study_form_fields import LabelLines, Words, in_language, joined
from survey.study.definition import Definition
from survey.study.scales import default_labels
from survey.study.wording import english_name

#: As many as a study may ask.
MAX_QUESTIONS: Final = 4
_USUAL_SCALE: Final = str(Scale())
_NEEDED: Final = (
    "Give the question a name and a text in every language, or clear all its fields to remove it."
)


class QuestionRow:
    """One question of the form, or the blank row for another. Field names count from 1, as a file's faults do."""

    def __init__(
        self, number: int, definition: Definition, languages: Sequence[str], *, key_stays: bool
    ) -> None:
        asked = definition.questions[number - 1 : number]
        self.name = f"questions.{number}"
        self.heading = f"Question {number}" if asked else "Another question (leave empty for none)"
        self._old: dict[str, Any] = asked[0].model_dump(mode="json") if asked else {}
        self._method = definition.method
        self._languages = languages
        self._key_stays = key_stays

    def fields(self) -> Iterator[tuple[str, forms.Field]]:
        """Yield each field with its name; pairs show no labels, so that none are asked for."""
        key = Words(
            label="Name in the data",
            initial=self._old.get("key"),
            required=False,
            disabled=self._key_stays,
            help_text="It heads the question’s columns in the downloads.",
        )
        yield f"{self.name}.key", key
        for code in self._languages:
            text = in_language(self._old.get("text"), code) or ""
            yield (
                self._text(code),
                Words(label=self._in("Question", code), initial=text, required=False, max_length=500),
            )
        if self._method != "pair":
            yield from self._scale_fields()

    def _scale_fields(self) -> Iterator[tuple[str, forms.Field]]:
        said = self._old.get("scale", _USUAL_SCALE)
        scale = Words(
            label="Scale",
            help_text="LOW:HIGH or LOW:HIGH:STEP, such as 1:7 or 0:100. "
            f"More than {MAX_BUTTONS} values make a slider. Default: 1:5",
            initial="" if said == _USUAL_SCALE else said,
            required=False,
            disabled=self._key_stays,
            max_length=60,
        )
        yield f"{self.name}.scale", scale
        shown = forms.BooleanField(
            label="Show the value beside the slider",
            help_text="Default: no",
            initial=self._old.get("show_value", False),
            required=False,
        )
        yield f"{self.name}.show_value", shown
        for code in self._languages:
            yield (
                self._labels(code),
                LabelLines(
                    label=self._in("Answers, worst first", code),
                    help_text="One on each line: all, or the two ends. Default: the accepted words, in grey",
                    labels=in_language(self._old.get("labels"), code) or [],
                    usual=default_labels(self._method).get(code, ()),
                ),
            )

    def value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        """Return the question as a file has it; None for an emptied row."""
        if not self._is_used(cleaned):
            return None
        said = {code: cleaned.get(self._text(code), "") for code in self._languages}
        question = {
            **self._old,
            "key": cleaned[f"{self.name}.key"],
            "text": joined(self._old.get("text"), said),
        }
        if self._method != "pair":
            question["scale"] = cleaned[f"{self.name}.scale"] or _USUAL_SCALE
            question["show_value"] = cleaned[f"{self.name}.show_value"]
            question["labels"] = self._said_labels(cleaned, question["scale"])
        return question

    def _is_used(self, cleaned: dict[str, Any]) -> bool:
        switch = f"{self.name}.show_value"
        return any(cleaned.get(name) for name, _ in self.fields() if name != switch)

    def missing(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield each field that a row in use has left empty, with the complaint."""
        if self._is_used(cleaned):
            needed = [f"{self.name}.key", *map(self._text, self._languages)]
            yield from ((name, _NEEDED) for name in needed if cleaned.get(name) == "")

    def _said_labels(self, cleaned: dict[str, Any], scale: str) -> Any:
        said = {code: cleaned[self._labels(code)] for code in self._languages}
        if not any(said.values()):
            return None
        usual: dict[str, list[str]] = {
            code: list(labels) for code, labels in default_labels(self._method).items()
        }
        if scale != _USUAL_SCALE:
            usual = {code: [labels[0], labels[-1]] for code, labels in usual.items()}
        whole = {code: lines or usual.get(code, []) for code, lines in said.items()}
        return joined(self._old.get("labels"), whole)

    def _in(self, label: str, language: str) -> str:
        return f"{label} ({english_name(language)})" if len(self._languages) > 1 else label

    def _text(self, language: str) -> str:
        return f"{self.name}.text:{language}"

    def _labels(self, language: str) -> str:
        return f"{self.name}.labels:{language}"


def rows_of(definition: Definition, languages: Sequence[str], *, keys_stay: bool) -> list[QuestionRow]:
    """Return a row for each question, and a blank one where another may come."""
    count = len(definition.questions)
    last = count if keys_stay else min(count + 1, MAX_QUESTIONS)
    return [QuestionRow(n, definition, languages, key_stays=keys_stay) for n in range(1, last + 1)]
