"""A study's definition: everything that one version of it says, checked whole and hashed.

docs/reference/study.md describes every key; `study_file` reads it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from survey.analysis.scale import Scale, number_text
from survey.models import Participant, StudyVersion
from survey.study.about import AboutQuestion
from survey.study.groups import MAX_GROUPS, Group, check_groups
from survey.study.methods import WITH_REFERENCES, Method
from survey.study.own_questions import OwnQuestion, clashes
from survey.study.parts import Language, Line, LineText, Part, ProseText
from survey.study.scales import LANGUAGES, QUESTIONS, default_labels, rating_on
from survey.study.stop_rule import StopRule, canonical_stop_rule, parse_stop_rule
from survey.study.tables import (
    AskedQuestion,
    Consent,
    Goal,
    Images,
    Limits,
    Recruitment,
    Screening,
    Session,
    Viewing,
)
from survey.study.wording import Wording

StopText = Annotated[str, Field(max_length=200), AfterValidator(canonical_stop_rule)]


class Definition(Part):
    """Everything that one version of a study says. Texts are a string, or a table of strings by language."""

    title: LineText
    method: Method = "acr"
    languages: Annotated[list[Language], Field(min_length=1)] = ["en"]
    purge_on: dt.date | None = None
    files: list[Line] = []
    instructions: ProseText | None = None
    consent: Consent = Consent()
    questions: Annotated[list[AskedQuestion], Field(max_length=4)] = []
    groups: Annotated[list[Group], Field(max_length=MAX_GROUPS)] = []
    session: Session = Session()
    goal: Goal = Goal()
    stop_when: StopText | None = None
    limits: Limits = Limits()
    images: Images = Images()
    screening: Screening = Screening()
    viewing: Viewing = Viewing()
    answer: Literal["next", "tap"] = "next"
    about: list[AboutQuestion] = []
    own_questions: Annotated[list[OwnQuestion], Field(max_length=20)] = []
    wording: dict[Language, Wording] = {}
    invited_only: bool = False
    recruitment: Recruitment | None = None

    @model_validator(mode="before")
    @classmethod
    def _ask_the_methods_question(cls, values: Any) -> Any:
        """Fill in the method's own question where the file asks none, so that the stored version is complete."""
        if isinstance(values, dict) and not values.get("questions"):
            texts = QUESTIONS.get(values.get("method", "acr"))
            languages = values.get("languages", ["en"])
            if texts and isinstance(languages, list):
                known = {code: texts[code] for code in languages if code in LANGUAGES}
                values = {**values, "questions": [{"key": "overall", "text": known}]} if known else values
        return values

    @model_validator(mode="after")
    def _holds_together(self) -> Definition:
        _refuse_twice("languages", self.languages)
        _refuse_twice("questions", [question.key for question in self.questions])
        _refuse_twice("about", self.about)
        if clash := clashes(self.own_questions, get_args(AboutQuestion)):
            raise ValueError(f"own_questions: the key {clash!r} stands there twice, or is one of `about`'s")
        has_gold = bool(self.images.gold) or self.images.trap is not None
        check_groups(self.groups, self.method, [q.key for q in self.questions], has_gold=has_gold)
        self._check_languages()
        for place, value in self._texts():
            if isinstance(value, dict) and (
                missing := [code for code in self.languages if code not in value]
            ):
                raise ValueError(f"{place}: no text in {', '.join(missing)} (languages = {self.languages})")
        self._check_scales()
        self._check_stop_rule()
        if self.answer == "tap" and not takes_taps(self.questions):
            raise ValueError("answer: 'tap' goes with one question that has buttons; use 'next'")
        if self.method == "pair" and (self.images.gold or self.images.trap or self.session.stabilising):
            raise ValueError("images: gold, trap and stabilising images have ratings; method 'pair' has none")
        self._check_order()
        if self.method != "pair" and self.session.pairs != "balanced":
            raise ValueError(f"session.pairs: method {self.method!r} shows no pairs; leave this out")
        return self

    def _check_languages(self) -> None:
        """Refuse a language without any wording, and wording that no page would show."""
        for code in self.languages:
            if code not in LANGUAGES and code not in self.wording:
                raise ValueError(
                    f"languages: {code!r} has no accepted wording here ({', '.join(LANGUAGES)} have); "
                    f"bring your own in a table [wording.{code}]"
                )
        for code in self.wording:
            if code in LANGUAGES:
                raise ValueError(f"wording.{code}: this language has its accepted wording; leave this out")
            if code not in self.languages:
                raise ValueError(f"wording.{code}: {code} is none of languages = {self.languages}")
        own = [code for code in self.languages if code not in LANGUAGES]
        for number, question in enumerate(self.questions if self.method != "pair" else [], 1):
            if own and not question.labels:
                raise ValueError(
                    f"questions.{number}.labels: there are no accepted labels in {', '.join(own)}; "
                    "give them in every language"
                )

    def _check_scales(self) -> None:
        for number, question in enumerate(self.questions, 1):
            if self.method == "pair" and (question.scale != str(Scale()) or question.show_value):
                raise ValueError(f"questions.{number}.scale: method 'pair' compares images on no scale")
            if question.show_value and not question.asked_on.is_slider:
                raise ValueError(
                    f"questions.{number}.show_value: the scale {question.scale} has buttons, which always show their value"
                )
            _check_labels(f"questions.{number}.labels", question)
        wanted = [(f"images.gold.{n}.answer", gold.answer) for n, gold in enumerate(self.images.gold, 1)]
        if self.images.trap is not None:
            wanted.append(("images.trap", self.images.trap))
        for place, answer in wanted if self.questions else ():
            _check_answer(place, answer, self.questions[0].asked_on)
        first = self.questions[0] if self.questions else None
        if first and self.images.trap is not None and first.asked_on.is_slider and not first.show_value:
            ends = (first.asked_on.low, first.asked_on.high)
            if self.images.trap not in ends:
                raise ValueError(
                    "images.trap: on a slider that shows no value people can find its two ends only, "
                    f"{' and '.join(map(number_text, ends))} (or set show_value)"
                )

    def _check_order(self) -> None:
        session = self.session
        by_size = isinstance(session.blocks, int)
        if session.pairs == "informative" and (session.order != "random" or session.blocks is not None):
            raise ValueError(
                "session.pairs: 'informative' draws each person other pairs, which no order or block can hold; "
                "use 'balanced'"
            )
        if session.images is not None and session.order == "latin" and (session.orders_images or by_size):
            raise ValueError(
                "session.images: a Latin square needs everybody to see all; leave this out, or form blocks by a column"
            )
        if session.images is not None and session.order == "fixed" and by_size:
            raise ValueError(
                "session.images: blocks of a fixed order need everybody to see all; leave this out, or form blocks by a column"
            )
        if self.method == "pair" and isinstance(session.blocks, str) and session.blocks != "content":
            raise ValueError(
                'session.blocks: two images of a pair share their content only; write "content" or a number'
            )

    def _check_stop_rule(self) -> None:
        rule = self.stop_rule
        if rule and self.method == "pair":
            if rule.misfit_of_pairs:
                raise ValueError(f"stop_when: {rule.misfit_of_pairs}")
            return
        for question in self.questions if rule else ():
            if rule and (misfit := rule.misfit(question.asked_on)):
                raise ValueError(f"stop_when: {misfit}")

    def _texts(self) -> list[tuple[str, Any]]:
        consent = self.consent
        texts: list[tuple[str, Any]] = [("title", self.title), ("instructions", self.instructions)]
        texts += [
            (f"consent.{name}", getattr(consent, name)) for name in ("organiser", "purpose", "legal_basis")
        ]
        for question in self.questions:
            texts += [(f"questions.{question.key}.text", question.text)]
            texts += [(f"questions.{question.key}.labels", question.labels)]
        for own in self.own_questions:
            texts += [(f"own_questions.{own.key}.text", own.text)]
            texts += [(f"own_questions.{own.key}.choices", own.choices)]
        texts += [(f"groups.{n}.instructions", group.instructions) for n, group in enumerate(self.groups, 1)]
        return texts

    def group(self, key: str) -> Group | None:
        """Return a group by its key; None for nobody's."""
        return next((group for group in self.groups if group.key == key), None)

    def for_group(self, key: str) -> Definition:
        """Return what the study says to one group: the same where there are no groups."""
        group = self.group(key)
        if group is None:
            return self
        asked = [one for one in self.questions if not group.questions or one.key in group.questions]
        method = group.method or self.method
        if method != self.method:
            asked = [one.model_copy(update={"text": self._asked_by(method, one.text)}) for one in asked]
        said = {"method": method, "questions": asked, "instructions": group.instructions or self.instructions}
        return self.model_copy(update=said)

    def _asked_by(self, method: str, text: Any) -> Any:
        """Return a question's text; the study's method's own becomes that of another method."""
        known = [code for code in self.languages if code in LANGUAGES]
        said = text if isinstance(text, dict) else dict.fromkeys(known, text)
        if len(known) < len(self.languages) or any(
            said.get(code) != QUESTIONS[self.method][code] for code in known
        ):
            return text
        return {code: QUESTIONS[method][code] for code in known}

    @property
    def needs_references(self) -> bool:
        """Whether images are rated beside, or among, what they were made from: by everybody or by one group."""
        return any((group.method or self.method) in WITH_REFERENCES for group in self.groups) or (
            not self.groups and self.method in WITH_REFERENCES
        )

    @property
    def instructs_by_group(self) -> bool:
        """Whether what people are asked to do depends on their group, which they come to only when they begin."""
        return any(group.instructions or group.method for group in self.groups)

    @property
    def stop_rule(self) -> StopRule | None:
        """The rule by which the study pauses itself; None for none."""
        return parse_stop_rule(self.stop_when) if self.stop_when else None

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON: the same definition, however the file is laid out, has the same."""
        # A key that came after the first version counts only where it is used, so that older hashes hold.
        later: dict[str, Any] = {
            name: True for name, default in _LATER.items() if getattr(self, name) == default
        }
        if self.recruitment:
            unused = (
                "open_to_others",
                *(f"{name}_parameter" for name in ("person", "session", "assignment")),
            )
            later["recruitment"] = {name for name in unused if not getattr(self.recruitment, name)}
        for table, keys in _LATER_OF_TABLE.items():
            said = getattr(self, table)
            later[table] = {name for name, default in keys.items() if getattr(said, name) == default}
        later["questions"] = {
            place: {name for name in ("scale", "show_value") if name not in question.used_keys}
            for place, question in enumerate(self.questions)
        }
        values = self.model_dump(mode="json", exclude=later)
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def say(self, text: str | dict[Any, str] | None, language: str) -> str:
        """Return a text in `language`, else in the study's first; "" for none."""
        if isinstance(text, dict):
            return text.get(language) or text[self.languages[0]]
        return text or ""

    def labels(self, question: AskedQuestion, language: str) -> list[str]:
        """Return a question's labels, low end first, in `language`, else in the study's first.

        They are as many as the scale has categories, or those of its two ends.
        """
        labels = question.labels
        if isinstance(labels, list):
            return labels
        by_language: dict[Any, Any] = labels if labels else {**default_labels(self.method)}
        found = list(by_language.get(language) or by_language[self.languages[0]])
        return found if labels or question.asked_on.is_acr else [found[0], found[-1]]

    def asked_of_person(self, when: Literal["before", "after"]) -> list[OwnQuestion]:
        """Return the study's own questions about the person, before or after the images."""
        return [own for own in self.own_questions if own.about == "person" and own.when == when]

    @property
    def asks_of_person(self) -> bool:
        """Whether any of the study's own questions is about the person."""
        return any(own.about == "person" for own in self.own_questions)

    @property
    def asked_of_images(self) -> list[OwnQuestion]:
        """The study's own questions about each image."""
        return [own for own in self.own_questions if own.about == "image"]

    @property
    def by_tap(self) -> bool:
        """Whether one tap answers: what is asked besides of an image takes a button to go on."""
        return self.answer == "tap" and not self.asked_of_images

    @property
    def asks_after(self) -> bool:
        """Whether anything is asked about the person after the images."""
        return bool(self.about or self.asked_of_person("after"))

    def answer_text(self, question: AskedQuestion, answer: float, language: str) -> str:
        """Return how an answer is called on the page: by its label, or by its value where the category has none."""
        scale, labels = question.asked_on, self.labels(question, language)
        values = scale.categories or (scale.low, scale.high)
        if scale.is_slider and not question.show_value:
            values = (scale.low, scale.high)
        names = dict(zip(values, labels, strict=True)) if len(values) == len(labels) else {}
        return names.get(answer, number_text(answer))


_LATER_OF_TABLE: Final[dict[str, dict[str, Any]]] = {
    "images": {"left_out": [], "enlarge": 1},
    "session": {"pairs": "balanced", "order": "random", "blocks": None},
}
_LATER: Final[dict[str, Any]] = {
    "groups": [],
    "goal": Goal(),
    "stop_when": None,
    "limits": Limits(),
    "answer": "next",
    "own_questions": [],
    "viewing": Viewing(),
    "wording": {},
}


def takes_taps(questions: Sequence[AskedQuestion]) -> bool:
    """Return whether one tap can answer all that is asked of an image: one question, with a button for each answer."""
    return len(questions) == 1 and not questions[0].asked_on.is_slider


def _check_labels(place: str, question: AskedQuestion) -> None:
    """Raise ValueError unless there are labels for all categories or for both ends."""
    categories = question.asked_on.categories
    allowed = {2} if categories is None or question.asked_on.is_slider else {2, len(categories)}
    by_language = question.labels if isinstance(question.labels, dict) else {"": question.labels}
    for language, labels in by_language.items():
        if labels is not None and len(labels) not in allowed:
            of = f" ({language})" if language else ""
            wanted = "two, for the ends" if allowed == {2} else f"{max(allowed)}, or two for the ends"
            raise ValueError(f"{place}: {len(labels)} labels{of}; the scale {question.scale} takes {wanted}")


def _check_answer(place: str, answer: float, scale: Scale) -> None:
    """Raise ValueError unless an expected answer is on the scale."""
    if answer > scale.high:
        raise ValueError(f"{place}: must be at most {number_text(scale.high)}")
    if answer < scale.low:
        raise ValueError(f"{place}: must be at least {number_text(scale.low)}")
    if rating_on(scale, answer) is None:
        raise ValueError(f"{place}: {number_text(answer)} is not on the scale {scale.describe()}")


def _refuse_twice(place: str, values: list[Any]) -> None:
    if twice := {value for value, count in Counter(values).items() if count > 1}:
        raise ValueError(f"{place}: {', '.join(sorted(twice))} stands there twice")


#: Definitions by their hashes, which differ wherever they say something else.
_known: Final[dict[str, Definition]] = {}
_MOST_KNOWN: Final = 256


def definition_of(version: StudyVersion) -> Definition:
    """Return the definition that a version of a study holds. It is checked once in a process: every page asks for it."""
    known = _known.get(version.sha256)
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[version.sha256] = Definition.model_validate(version.definition)
    return known


def definition_for(participant: Participant) -> Definition:
    """Return what a participant's version of the study says to their group."""
    return definition_of(participant.version).for_group(participant.group)
