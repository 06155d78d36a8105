"""The languages of a study: accepted wording is filled in; only what the researcher wrote needs a translation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings

from survey.desk.forms.study_form_fields import LabelLines, Words, in_language, joined
from survey.desk.forms.task_form import TaskForm, at
from survey.study.definition import Definition
from survey.study.scales import LANGUAGES, QUESTIONS, default_labels

NAMES: Final = dict(settings.LANGUAGES)
ENGLISH_NAMES: Final = {"en": "English", "fr": "French", "de": "German", "es": "Spanish"}
_TEXTS: Final = (
    ("title", "Title", 1),
    ("consent.purpose", "What the study is about", 4),
    ("instructions", "What people are asked to do", 4),
    ("consent.organiser", "Who is responsible", 1),
    ("consent.legal_basis", "Legal basis", 2),
)


class OwnText(NamedTuple):
    """A text that the researcher wrote: where, what it is called, what it says, and the rows of its input."""

    path: str
    label: str
    said: Any
    rows: int


class Offer(NamedTuple):
    """One language that can be ticked, and what is there in it."""

    code: str
    name: str
    note: str
    ticked: bool


class LanguagesForm(TaskForm):
    """Tick boxes for the languages; a language that is newly ticked asks for the researcher's own texts."""

    def build(self) -> None:
        """Add the tick boxes and, for each new language, a field for each text of the researcher's own."""
        first = self.languages[0]
        self.own = list(own_texts(self.definition, self.values))
        choices = [(code, NAMES[code]) for code in LANGUAGES]
        self.add_ticks("languages", "Languages", choices)
        self.fields["languages"].required = True
        self.fields["languages"].error_messages["required"] = "Tick at least one language."
        self.added = [code for code in self._asked() if code not in self.languages]
        for code in self.added:
            if self.own:
                self.section(f"Your own texts in {ENGLISH_NAMES[code]}")
            for text in self.own:
                self.add(f"{text.path}:{code}", self._field(text, code), hint=_quoted(text, first))
                same = forms.BooleanField(label=f"Use the {ENGLISH_NAMES[first]} text", required=False)
                self.add(f"same.{text.path}:{code}", same)

    def _asked(self) -> list[str]:
        if not self.is_bound:
            return self.languages
        widget = self.fields["languages"].widget
        asked = widget.value_from_datadict(self.data, self.files, self.add_prefix("languages")) or []
        return [code for code in dict.fromkeys(asked) if code in LANGUAGES]

    @staticmethod
    def _field(text: OwnText, code: str) -> forms.Field:
        before = text.said.get(code) if isinstance(text.said, dict) else None
        if text.path.endswith((".labels", ".choices")):
            longest = 60 if text.path.endswith(".labels") else 100
            return LabelLines(label=text.label, labels=before or [], usual=[], longest=longest)
        return Words(
            label=text.label,
            initial=before or "",
            required=False,
            max_length=5000 if text.rows > 1 else 500,
            rows=text.rows,
        )

    @property
    def offers(self) -> list[Offer]:
        """The tick boxes, each with what ships in the language."""
        ticked = self["languages"].value() or []
        method = self.definition.method
        offers = []
        for code in (*self.languages, *(code for code in LANGUAGES if code not in self.languages)):
            words = QUESTIONS[method][code]
            labels = "" if method == "pair" else " · " + ", ".join(reversed(default_labels(method)[code]))
            note = "Complete" if code in self.languages else f"Ready to use: “{words}”{labels}"
            offers.append(Offer(code, NAMES[code], note, code in ticked))
        return offers

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Ask for each translation that is missing."""
        first = ENGLISH_NAMES[self.languages[0]]
        for code in self.added:
            for text in self.own:
                name = f"{text.path}:{code}"
                if not cleaned.get(name) and not cleaned.get(f"same.{name}") and name not in self.errors:
                    self.add_error(name, f"Translate “{text.label}”, or use the {first} text.")

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Write the translations, and the accepted wording of the new languages."""
        # The first language is the one that people see first: a tick more or less does not change which.
        values["languages"] = [code for code in self.languages if code in cleaned["languages"]] + self.added
        for text in self.own:
            said = {code: in_language(text.said, code) for code in self.languages}
            for code in self.added:
                name = f"{text.path}:{code}"
                same = in_language(text.said, self.languages[0])
                said[code] = same if cleaned.get(f"same.{name}") else cleaned[name]
            if self.added:
                _write(values, text.path, joined(text.said, said))
        if self.added:
            self._fill_in(values["questions"])

    def _fill_in(self, questions: list[dict[str, Any]]) -> None:
        """Give accepted questions and labels their accepted wording in the new languages."""
        own = {text.path for text in self.own}
        for number, question in enumerate(questions, start=1):
            for key, shipped in _shipped(question, self.definition):
                if question[key] is None or f"questions.{number}.{key}" in own:
                    continue
                said = {code: in_language(question[key], code) for code in self.languages}
                said |= {code: shipped[code] for code in self.added}
                question[key] = joined(question[key], said)


def own_texts(definition: Definition, values: dict[str, Any]) -> Iterator[OwnText]:
    """Yield what a definition says in the researcher's own words.

    Args:
        definition: The definition.
        values: The same as plain tables.
    """
    for path, label, rows in _TEXTS:
        if said := at(values, path):
            yield OwnText(path, label, said, rows)
    for number, question in enumerate(values["questions"], start=1):
        several = f" {number}" if len(values["questions"]) > 1 else ""
        labels = {
            "text": (f"Question{several}", 1),
            "labels": (f"Answers to question {number}, worst first, one on each line", 5),
        }
        for key, shipped in _shipped(question, definition):
            said = question[key]
            if said and any(in_language(said, code) != shipped[code] for code in definition.languages):
                label, rows = labels[key]
                yield OwnText(f"questions.{number}.{key}", label, said, rows)
    yield from _of_own_questions(values)


def _of_own_questions(values: dict[str, Any]) -> Iterator[OwnText]:
    for number, question in enumerate(values["own_questions"], start=1):
        path = f"own_questions.{number}"
        yield OwnText(f"{path}.text", f"Own question {number}", question["text"], 1)
        if question["choices"]:
            label = f"Choices of own question {number}, one on each line, in the same order"
            yield OwnText(f"{path}.choices", label, question["choices"], 5)


def _shipped(question: dict[str, Any], definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the accepted text and the accepted labels by language: five, or two where the question has those of the ends."""
    yield "text", QUESTIONS[definition.method]
    said = in_language(question["labels"], definition.languages[0]) or []
    usual = default_labels(definition.method)
    yield (
        "labels",
        {code: [five[0], five[-1]] if len(said) == 2 else list(five) for code, five in usual.items()},
    )


def _quoted(text: OwnText, language: str) -> str:
    said = in_language(text.said, language)
    return f"{ENGLISH_NAMES[language]}: " + (", ".join(said) if isinstance(said, list) else str(said))


def _write(values: dict[str, Any], path: str, said: Any) -> None:
    *parents, last = path.split(".")
    table: Any = values
    for part in parents:
        table = table[int(part) - 1] if part.isdigit() else table[part]
    table[last] = said
