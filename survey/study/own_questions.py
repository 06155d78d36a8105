"""A study's own questions, besides those on a scale: about the person or about each image, in words or by choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from survey.models.participation import MAX_WORDS
from survey.study.parts import Key, Language, LineText, Part

Kind = Literal["text", "one", "several"]
#: Kinds whose answers come from a list. A purge leaves these beside an image, and deletes those of any other kind.
CHOICES: Final[frozenset[Kind]] = frozenset({"one", "several"})
Choice = Annotated[str, Field(min_length=1, max_length=100)]
Choices = Annotated[list[Choice], Field(min_length=2, max_length=20)]

#: How long an answer in words may be, where the study says nothing.
USUAL_LENGTH: Final = 300
#: What stands between the choices of one answer in the tables.
BETWEEN: Final = "; "
Answer = str | list[str]


class OwnQuestion(Part):
    """One question; its `choices` are in the same order in each language, and the first language's are the data.

    Attributes:
        when: For a question about the person: before or after the images.
        answer: Words, one choice, or several.
        required: Whether nobody goes on without an answer.
        max_length: Of an answer in words.
    """

    key: Key
    text: LineText
    about: Literal["person", "image"] = "person"
    when: Literal["before", "after"] = "after"
    answer: Kind = "text"
    choices: Choices | dict[Language, Choices] | None = None
    required: bool = False
    max_length: Annotated[int, Field(ge=1, le=MAX_WORDS)] = USUAL_LENGTH

    @model_validator(mode="after")
    def _holds_together(self) -> OwnQuestion:
        if self.about == "image" and self.when == "before":
            raise ValueError("when: a question about each image is asked beside it; leave this out")
        if self.answer == "text":
            if self.choices:
                raise ValueError("choices: an answer in words has none; set answer = 'one' or 'several'")
            return self
        if not self.choices:
            raise ValueError(f"choices: answer = '{self.answer}' needs at least two")
        if self.max_length != USUAL_LENGTH:
            raise ValueError("max_length: is for answers in words only")
        self._check_choices()
        return self

    def _check_choices(self) -> None:
        lists = self.choices if isinstance(self.choices, dict) else {"": self.choices or []}
        for choices in lists.values():
            if twice := [choice for choice, count in Counter(choices).items() if count > 1]:
                raise ValueError(f"choices: {twice[0]!r} stands there twice")
            if self.answer == "several" and any(BETWEEN.strip() in choice for choice in choices):
                raise ValueError("choices: no ';' within one, since it stands between them in the tables")
        if len({len(choices) for choices in lists.values()}) > 1:
            raise ValueError("choices: as many in each language, in the same order")

    def choices_in(self, language: str, first: str) -> list[str]:
        """Return the choices in a language; `first` is the study's first language."""
        if isinstance(self.choices, dict):
            return list(self.choices.get(language) or self.choices[first])
        return list(self.choices or [])

    @property
    def numbers(self) -> list[str]:
        """What a form sends for each choice."""
        lists = list(self.choices.values()) if isinstance(self.choices, dict) else [self.choices or []]
        return [str(number) for number, _ in enumerate(lists[0], 1)]

    def read(self, values: Sequence[str], first: str) -> Answer | None:
        """Return what a form's values answer: words as sent, choices by their number from 1.

        Args:
            values: As sent; none, or empty ones, for no answer.
            first: The study's first language, in which choices are kept.

        Returns:
            The words, the choice, or the list of choices; None for no answer.

        Raises:
            ValueError: An answer is needed, too long, or none of the choices.
        """
        answer = self._words(values) if self.answer == "text" else self._chosen(values, first)
        if not answer and self.required:
            raise ValueError("an answer is needed")
        return answer or None

    def _words(self, values: Sequence[str]) -> str:
        said = "\n".join(values).replace("\r\n", "\n").strip()
        if len(said) > self.max_length or "\x00" in said:
            raise ValueError(f"at most {self.max_length} characters")
        return said

    def _chosen(self, values: Sequence[str], first: str) -> Answer:
        numbers = {value for value in values if value}
        known = {str(number): choice for number, choice in enumerate(self.choices_in(first, first), 1)}
        if not numbers <= set(known) or (self.answer == "one" and len(numbers) > 1):
            raise ValueError("not one of the choices")
        chosen = [choice for number, choice in known.items() if number in numbers]
        return chosen if self.answer == "several" else "".join(chosen)

    def values_of(self, answer: Any, first: str) -> list[str]:
        """Return what a form would send for an answer that `read` returned: the way back."""
        if self.answer == "text":
            return [answer]
        chosen = answer if isinstance(answer, list) else [answer]
        return [str(n) for n, choice in enumerate(self.choices_in(first, first), 1) if choice in chosen]


def told(answer: Any) -> Any:
    """Return an answer as the tables show it: several choices as one text."""
    return BETWEEN.join(answer) if isinstance(answer, list) else answer


def clashes(questions: Sequence[OwnQuestion], taken: Sequence[str]) -> str | None:
    """Return the first key that stands twice, or is one of `taken`; None for none."""
    seen = set(taken)
    for question in questions:
        if question.key in seen:
            return question.key
        seen.add(question.key)
    return None
