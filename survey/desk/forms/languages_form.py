"""The languages of a study: accepted wording is filled in; what the researcher wrote needs a translation.

A language that ships with no wording needs everything: question, answers, and the texts of the pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django import forms

from survey.desk.forms.study_form_fields import LabelLines, Words, in_language, joined
from survey.desk.forms.task_form import TaskForm, at
from survey.study.definition import Definition
from survey.study.scales import LANGUAGES, QUESTIONS, default_labels
from survey.study.wording import EVERYBODY, Wording, english_name, language_name, page_texts, ships, unlike

_CODE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,4})?", re.ASCII)
#: Characters from which a text gets two lines.
_LONG: Final = 80
_TEXTS: Final = (
    ("title", "Title", 1),
    ("consent.purpose", "What the study is about", 4),
    ("instructions", "What people are asked to do", 4),
    ("consent.organiser", "Who is responsible", 1),
    ("consent.legal_basis", "Legal basis", 2),
)


class Text(NamedTuple):
    """One text of a study: where, what it is called, what it says, and the rows of its input.

    `shipped` is its accepted wording by language; empty for the researcher's own words.
    """

    path: str
    label: str
    said: Any
    rows: int
    shipped: Mapping[str, Any]


class Offer(NamedTuple):
    """One language that can be ticked, and what is there in it."""

    code: str
    name: str
    note: str
    ticked: bool


class LanguagesForm(TaskForm):
    """Tick boxes for the languages; a language that is newly ticked asks for what has no wording in it."""

    def build(self) -> None:
        """Add the tick boxes and, for each new language, a field for each text that is needed."""
        self.texts = list(texts_of(self.definition, self.values))
        codes = dict.fromkeys((*LANGUAGES, *self.languages))
        self.add_ticks("languages", "Languages", [(code, language_name(code)) for code in codes])
        self.fields["languages"].required = True
        self.fields["languages"].error_messages["required"] = "Tick at least one language."
        self.section("Another language")
        another = Words(label="Its code", required=False, max_length=8)
        another.widget.attrs["placeholder"] = "it"
        hint = "Such as it, nl, ar or zh-hans. You bring all its texts: question, answers, and what the pages say."
        self.add("another", another, hint=hint, default="Default: empty")
        self.added = [code for code in self._asked() if code not in self.languages]
        for code in self.added:
            self._ask_for_texts(code)
        for code in (*self.languages, *self.added):
            if not ships(code):
                self._ask_for_wording(code)

    def _ask_for_texts(self, code: str) -> None:
        first = self.languages[0]
        needed = self.needed(code)
        if needed:
            self.section(f"Your own texts in {english_name(code)}")
        for text in needed:
            self.add(f"{text.path}:{code}", self._field(text, code), hint=_quoted(text, first))
            same = forms.BooleanField(label=f"Use the {english_name(first)} text", required=False)
            self.add(f"same.{text.path}:{code}", same)

    def _ask_for_wording(self, code: str) -> None:
        before = self.definition.wording.get(code, Wording())
        name, there = english_name(code), f"{len(before.texts)} of {len(page_texts())} texts are there"
        self.section(f"What everybody reads, in {name} ({there})")
        called = Words(
            label="What the language calls itself", initial=before.name or "", required=False, max_length=60
        )
        self.add(f"wording.name:{code}", called, default=f"Default: {language_name(code)}")
        for number, text in enumerate(page_texts()):
            if number == len(EVERYBODY):
                self.section(f"What some people read, in {name}", folded=True)
            rows = 2 if len(text) > _LONG else 1
            field = Words(
                label=text, initial=before.texts.get(text, ""), required=False, max_length=500, rows=rows
            )
            self.add(f"wording.texts:{code}:{number}", field)

    def _is_in_use(self, names: list[str]) -> bool:
        # Long: only what is wrong there is shown at once.
        return any(self.errors.get(name) for name in names)

    def needed(self, code: str) -> list[Text]:
        """Return the texts that a new language has no wording of."""
        return [text for text in self.texts if code not in text.shipped]

    def _asked(self) -> list[str]:
        if not self.is_bound:
            return self.languages
        widget = self.fields["languages"].widget
        asked = widget.value_from_datadict(self.data, self.files, self.add_prefix("languages")) or []
        another = str(self.data.get(self.add_prefix("another"), "")).strip().lower()
        known = [code for code in asked if code in LANGUAGES or code in self.languages]
        return list(dict.fromkeys([*known, *([another] if _CODE.fullmatch(another) else [])]))

    @staticmethod
    def _field(text: Text, code: str) -> forms.Field:
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
        codes = dict.fromkeys((*self.languages, *LANGUAGES))
        wording = self.definition.wording
        return [Offer(code, language_name(code, wording), self._note(code), code in ticked) for code in codes]

    def _note(self, code: str) -> str:
        method = self.definition.method
        if not ships(code):
            missing = len(self.definition.wording[code].missing)
            return "Your own wording" + (
                f": {missing} texts are missing, and are shown in English" if missing else ""
            )
        if code in self.languages:
            return "Accepted wording: filled in"
        labels = "" if method == "pair" else " · " + ", ".join(reversed(default_labels(method)[code]))
        return f"Accepted wording, ready to use: “{QUESTIONS[method][code]}”{labels}"

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Ask for each translation that is missing, and for the places that a text fills in."""
        another = cleaned.get("another", "").lower()
        if another and not _CODE.fullmatch(another):
            self.add_error("another", "Use a code of two or three letters, such as it or zh-hans.")
        first = english_name(self.languages[0])
        for code in self.added:
            for text in self.needed(code):
                name = f"{text.path}:{code}"
                if not cleaned.get(name) and not cleaned.get(f"same.{name}") and name not in self.errors:
                    self.add_error(
                        name, f"Translate “{text.label}” into {english_name(code)}, or use the {first} text."
                    )
        for name in self.fields:
            _, code, number = (*name.split(":"), "", "")[:3]
            own = cleaned.get(name) if name.startswith("wording.texts:") and code else None
            if own and (places := unlike(page_texts()[int(number)], own)):
                self.add_error(name, f"Keep {places}, as in the English text.")

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Write the translations, the accepted wording of the new languages, and the wording of the others."""
        # The first language is the one that people see first: a tick more or less does not change which.
        values["languages"] = [code for code in self.languages if code in cleaned["languages"]] + self.added
        for text in self.texts if self.added else ():
            accepted = all(code in text.shipped for code in self.added)
            if not (accepted and _at(values, text.path) is None):
                _write(values, text.path, joined(_at(values, text.path), self._in_all(text, cleaned)))
        own = [code for code in values["languages"] if not ships(code)]
        values["wording"] = {code: self._wording(code, cleaned) for code in own}

    def _said_in(self, text: Text, code: str, cleaned: dict[str, Any]) -> Any:
        name = f"{text.path}:{code}"
        if code in text.shipped:
            return text.shipped[code]
        return in_language(text.said, self.languages[0]) if cleaned.get(f"same.{name}") else cleaned[name]

    def _in_all(self, text: Text, cleaned: dict[str, Any]) -> dict[str, Any]:
        said = {code: in_language(text.said, code) for code in self.languages}
        return said | {code: self._said_in(text, code, cleaned) for code in self.added}

    def _wording(self, code: str, cleaned: dict[str, Any]) -> dict[str, Any]:
        said = {text: cleaned[f"wording.texts:{code}:{number}"] for number, text in enumerate(page_texts())}
        texts = {text: own for text, own in said.items() if own}
        return {"name": cleaned[f"wording.name:{code}"] or None, "texts": texts}


def texts_of(definition: Definition, values: dict[str, Any]) -> Iterator[Text]:
    """Yield every text that a definition says, with its accepted wording where it is that.

    Args:
        definition: The definition.
        values: The same as plain tables.
    """
    for path, label, rows in _TEXTS:
        if said := at(values, path):
            yield Text(path, label, said, rows, {})
    for number, question in enumerate(values["questions"], start=1):
        several = f" {number}" if len(values["questions"]) > 1 else ""
        labels = {
            "text": (f"Question{several}", 1),
            "labels": (f"Answers to question {number}, worst first, one on each line", 5),
        }
        for key, shipped in _shipped(number, definition):
            said = question[key] or shipped
            is_own = any(in_language(said, code) != shipped.get(code) for code in definition.languages)
            label, rows = labels[key]
            yield Text(f"questions.{number}.{key}", label, said, rows, {} if is_own else shipped)
    for number, own in enumerate(values["own_questions"], start=1):
        path = f"own_questions.{number}"
        yield Text(f"{path}.text", f"Own question {number}", own["text"], 1, {})
        if own["choices"]:
            label = f"Choices of own question {number}, one on each line, in the same order"
            yield Text(f"{path}.choices", label, own["choices"], 5, {})
    for number, group in enumerate(values["groups"], start=1):
        if group["instructions"]:
            path = f"groups.{number}.instructions"
            yield Text(path, f"What group {group['key']} is asked to do", group["instructions"], 4, {})


def _shipped(number: int, definition: Definition) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the accepted text and, but for pairs, the accepted labels by language: five, or those of the ends."""
    yield "text", QUESTIONS[definition.method]
    if definition.method == "pair":
        return
    question = definition.questions[number - 1]
    two = len(definition.labels(question, definition.languages[0])) == 2
    usual = default_labels(definition.method)
    yield "labels", {code: [five[0], five[-1]] if two else list(five) for code, five in usual.items()}


def _quoted(text: Text, language: str) -> str:
    said = in_language(text.said, language)
    return f"{english_name(language)}: " + (", ".join(said) if isinstance(said, list) else str(said))


def _at(values: dict[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found[int(part) - 1] if part.isdigit() else found[part]
    return found


def _write(values: dict[str, Any], path: str, said: Any) -> None:
    parent, _, last = path.rpartition(".")
    (_at(values, parent) if parent else values)[last] = said
