"""The roles of a study's images, the attention picture, and what is known of uploaded images."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from typing import Any, Final

from django import forms

from generator.sets.folder import condition_of
from survey.analysis.reading.items import factor_value
from survey.analysis.scale import number_text
from survey.desk.forms.study_form_fields import Words
from survey.desk.forms.task_form import TaskForm
from survey.models import Stimulus
from survey.study.methods import WITH_REFERENCES

_ROLES: Final = (
    (Stimulus.Role.MAIN, "Rated"),
    (Stimulus.Role.PRACTICE, "Practice"),
    (Stimulus.Role.GOLD, "Gold: answer known"),
    (Stimulus.Role.REFERENCE, "Reference"),
    (Stimulus.Role.LEFT_OUT, "Left out"),
)
#: Columns for factors of uploaded images.
FACTORS: Final = 3


class ImagesForm(TaskForm):
    """A role for each image, and a table of factors for images that come from no image set.

    Once people took part, both stay as they are: they are no fields then, and the page shows them as text.

    Args:
        stimuli: The study's images, without those that are made for it (`survey.study.recast.own_images`).
    """

    def __init__(self, *args: Any, stimuli: Sequence[Stimulus], **kwargs: Any) -> None:
        self.stimuli = stimuli
        super().__init__(*args, **kwargs)

    def build(self) -> None:
        """Add the fields."""
        method = self.definition.method
        left = {Stimulus.Role.GOLD} if method == "pair" else set()
        if method not in WITH_REFERENCES:
            left.add(Stimulus.Role.REFERENCE)
        left -= {Stimulus.Role(one.role) for one in self.stimuli}
        self.roles = [(value, label) for value, label in _ROLES if value not in left]
        for stimulus in () if self.keys_stay else self.stimuli:
            role = forms.ChoiceField(
                label=f"Role of {stimulus.item}",
                choices=self.roles,
                initial=stimulus.role,
            )
            self.add(f"role.{stimulus.name}", role)
            if method != "pair":
                self.add(
                    f"answer.{stimulus.name}",
                    self._answer(f"Right answer for {stimulus.item}", stimulus.expected),
                )
        if method != "pair":
            self.section("Attention picture")
            self.add(
                "trap",
                self._answer("Show one picture that asks for this answer", self.definition.images.trap, "No"),
                hint="Whoever answers otherwise is marked, never shut out.",
                default="Default: no. It is recommended for crowd platforms.",
            )
        self.section("Size")
        enlarge = forms.IntegerField(
            label="Enlarge small images up to so many times",
            min_value=1,
            max_value=8,
            required=False,
            disabled=self.keys_stay,
        )
        hint = "By whole numbers, with sharp pixels, where the screen has room. Each rating tells how often."
        self.add_plain("images.enlarge", enlarge, hint=hint, default="Default: 1, their own size.")
        self._add_factors()

    def _answer(self, label: str, initial: float | None, none: str = "Choose the answer") -> forms.Field:
        question = self.definition.questions[0]
        scale = question.asked_on
        if scale.categories is None or scale.is_slider:
            return forms.FloatField(
                label=label,
                initial=initial,
                required=False,
                min_value=scale.low,
                max_value=scale.high,
                disabled=self.keys_stay,
            )
        first = self.definition.languages[0]
        choices = [("", none)]
        for value in scale.categories:
            text, number = self.definition.answer_text(question, value, first), number_text(value)
            choices.append((number, number if text == number else f"{number} {text}"))
        said = "" if initial is None else number_text(initial)
        return forms.TypedChoiceField(
            label=label,
            choices=choices,
            initial=said,
            required=False,
            coerce=float,
            empty_value=None,
            disabled=self.keys_stay,
        )

    def _add_factors(self) -> None:
        self.uploads = [stimulus for stimulus in self.stimuli if stimulus.cell_id is None]
        self.factor_names = sorted({name for stimulus in self.uploads for name in stimulus.factors})
        self.columns = max(FACTORS, len(self.factor_names))
        if self.keys_stay:
            return
        for column in range(self.columns if self.uploads else 0):
            name = self.factor_names[column] if column < len(self.factor_names) else ""
            self.fields[f"factor.{column}"] = self._cell(f"Name of factor {column + 1}", name)
            self.fields[f"factor.{column}"].widget.attrs["placeholder"] = f"Factor {column + 1}"
            for stimulus in self.uploads:
                value = stimulus.factors.get(name, "")
                self.fields[f"factor.{column}.{stimulus.name}"] = self._cell(
                    f"Factor {column + 1} of {stimulus.item}", str(value)
                )
        for stimulus in self.uploads:
            for field, label in (("content", "Photograph"), ("style", "Style")):
                said = getattr(stimulus, field)
                self.fields[f"{field}.{stimulus.name}"] = self._cell(f"{label} of {stimulus.item}", said)

    def _cell(self, label: str, initial: str) -> Words:
        return Words(label=label, initial=initial, required=False, max_length=200)

    # For the page

    @property
    def tiles(self) -> list[tuple[Stimulus, forms.BoundField, forms.BoundField | None]]:
        """Each image with its role and, where gold is possible, its answer."""
        return [
            (
                stimulus,
                self[f"role.{stimulus.name}"],
                self[f"answer.{stimulus.name}"] if f"answer.{stimulus.name}" in self.fields else None,
            )
            for stimulus in self.stimuli
        ]

    @property
    def fixed(self) -> list[tuple[Stimulus, str]]:
        """Each image with its role in words, and the answer where it is known, of a study in which people took part."""
        words = dict(_ROLES)
        return [
            (
                one,
                words[Stimulus.Role(one.role)]
                + ("" if one.expected is None else f" ({number_text(one.expected)})"),
            )
            for one in self.stimuli
        ]

    @property
    def fixed_table(self) -> list[tuple[Stimulus, list[Any]]]:
        """What is known of each uploaded image, as text."""
        return [
            (one, [one.content, one.style, *(one.factors.get(name, "") for name in self.factor_names)])
            for one in self.uploads
        ]

    @property
    def mark(self) -> str:
        """The role that a click on an image gives: the one chosen before, on a page that comes back with an error."""
        said = str(self.data.get("mark", ""))
        return said if said in dict(self.roles) else Stimulus.Role.PRACTICE

    @property
    def enlarge(self) -> forms.BoundField:
        """How many times small images may be enlarged."""
        return self["images.enlarge"]

    @property
    def head(self) -> list[forms.BoundField]:
        """The names of the factors."""
        return [self[f"factor.{column}"] for column in range(self.columns)]

    @property
    def table(self) -> list[tuple[Stimulus, list[forms.BoundField]]]:
        """What is known of each uploaded image."""
        names = ("content", "style", *(f"factor.{column}" for column in range(self.columns)))
        return [(one, [self[f"{name}.{one.name}"] for name in names]) for one in self.uploads]

    # Checks

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Ask for the answers of gold images, for two images to rate, and for the names of factors."""
        rated = 0
        for stimulus in self.stimuli:
            role = cleaned.get(f"role.{stimulus.name}")
            rated += role == Stimulus.Role.MAIN
            answer = f"answer.{stimulus.name}"
            if role == Stimulus.Role.GOLD and cleaned.get(answer) is None and answer not in self.errors:
                self.add_error(answer, f"Say the right answer for “{stimulus.item}”.")
        if rated < 2:
            self.add_error(None, "At least two images must be rated.")
        self._refuse_factors(cleaned)

    def _refuse_factors(self, cleaned: dict[str, Any]) -> None:
        seen: set[str] = set()
        for column in range(self.columns if self.uploads else 0):
            place = f"factor.{column}"
            name = cleaned.get(place, "")
            if not name and any(cleaned.get(f"{place}.{one.name}") for one in self.uploads):
                self.add_error(place, "Name this factor.")
            if name in ("item", "file", "content", "style", "condition") or name in seen:
                self.add_error(place, f"Choose another name than “{name}”.")
            seen |= {name} - {""}

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Write the roles as names of items, where they changed."""
        images = values["images"]
        if "trap" in cleaned:
            images["trap"] = cleaned["trap"]
        if not any(name.startswith(("role.", "answer.")) for name in self.changed_data):
            return
        by_role: dict[str, list[Stimulus]] = {}
        for stimulus in self.stimuli:
            by_role.setdefault(cleaned[f"role.{stimulus.name}"], []).append(stimulus)
        images["practice"] = _items(by_role.get(Stimulus.Role.PRACTICE, []))
        images["left_out"] = _items(by_role.get(Stimulus.Role.LEFT_OUT, []))
        images["gold"] = [
            {"item": glob.escape(one.item), "answer": cleaned[f"answer.{one.name}"]}
            for one in by_role.get(Stimulus.Role.GOLD, [])
        ]
        references = by_role.get(Stimulus.Role.REFERENCE, [])
        if {one.pk for one in references} != {
            one.pk for one in self.stimuli if one.role == Stimulus.Role.REFERENCE
        }:
            images["references"] = _items(references)

    def describe(self) -> list[Stimulus]:
        """Return the uploaded images of which something else is said now, changed but not saved."""
        changed = []
        for stimulus in self.uploads:
            values = {name: self.cleaned_data[f"{name}.{stimulus.name}"] for name in ("content", "style")}
            factors = {}
            for column in range(self.columns):
                said = self.cleaned_data[f"factor.{column}.{stimulus.name}"]
                if said:
                    factors[self.cleaned_data[f"factor.{column}"]] = factor_value(said)
            before = (stimulus.content, stimulus.style, stimulus.factors)
            if before != (values["content"], values["style"], factors):
                stimulus.content, stimulus.style, stimulus.factors = (
                    values["content"],
                    values["style"],
                    factors,
                )
                if stimulus.condition in ("", condition_of(before[2])):
                    stimulus.condition = condition_of(factors)
                changed.append(stimulus)
        return changed


def _items(stimuli: Sequence[Stimulus]) -> list[str]:
    # A name may hold `*`, `?` or `[`, which a definition reads as a pattern.
    return [glob.escape(stimulus.item) for stimulus in stimuli]
