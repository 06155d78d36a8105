"""The form of a study's groups of participants: what each is shown and asked, and how many people fill it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms

from survey.desk.forms.study_form_fields import LabelLines, Words, in_language, joined
from survey.desk.forms.task_form import RowsForm
from survey.study.definition import Definition
from survey.study.groups import MAX_GROUPS
from survey.study.methods import METHOD_CHOICES
from survey.study.wording import english_name

_NEEDED = "Give the group a name in the data, or clear all its fields to remove it."
#: A comparison needs as many.
_FEWEST = 2


class GroupRow:
    """One group of the form, or a blank row for another. Field names count from 1, as a file's faults do."""

    def __init__(self, number: int, definition: Definition, languages: Sequence[str], *, stays: bool) -> None:
        told = definition.groups[number - 1 : number]
        self.name = f"groups.{number}"
        self.is_new = not told
        blank = f"Group {number}" if number <= _FEWEST else "Another group"
        self.heading = f"{blank} (leave empty for none)" if self.is_new else f"Group {number}"
        self._old: dict[str, Any] = told[0].model_dump(mode="json") if told else {}
        self._definition = definition
        self._languages = languages
        self._stays = stays

    def fields(self) -> Iterator[tuple[str, forms.Field, str]]:
        """Yield each field with its name and what it says where nothing is given."""
        old, several = self._old, len(self._languages) > 1
        hint = "Small letters, digits and _. Participants never see it."
        key = Words(
            label="Name in the data",
            help_text=hint,
            initial=old.get("key"),
            required=False,
            disabled=self._stays,
        )
        yield f"{self.name}.key", key, ""
        for code in self._languages:
            words = Words(
                label=f"What it is asked to do ({english_name(code)})"
                if several
                else "What it is asked to do",
                help_text="People read it after they agree, before the first image.",
                initial=in_language(old.get("instructions"), code) or "",
                required=False,
                max_length=5000,
                rows=3,
            )
            yield f"{self.name}.instructions:{code}", words, "Default: the study’s own text"
        images = LabelLines(
            label="Images it rates",
            help_text="Names of images, one on each line. * and ? match, as in cat-*.",
            labels=old.get("images", []),
            usual=[],
            longest=500,
            disabled=self._stays,
        )
        yield f"{self.name}.images", images, "Default: empty, all images"
        yield f"{self.name}.questions", self._questions(), "Default: none ticked, all questions"
        yield f"{self.name}.method", self._method(), ""
        yield f"{self.name}.people", self._number("people", "People at most", 1_000_000), _NO_LIMIT
        yield f"{self.name}.share", self._number("share", "Its part of those who come", 1000), _EQUAL

    def _number(self, key: str, label: str, most: int) -> forms.Field:
        return forms.IntegerField(
            label=label, initial=self._old.get(key), required=False, min_value=1, max_value=most
        )

    def _questions(self) -> forms.Field:
        ticked = self._old.get("questions", [])
        known = [question.key for question in self._definition.questions]
        # Their order is part of a definition: what is ticked comes first, in its own order.
        choices = [(key, key) for key in (*ticked, *(key for key in known if key not in ticked))]
        return forms.MultipleChoiceField(
            label="Questions it is asked",
            choices=choices,
            initial=ticked,
            required=False,
            disabled=self._stays,
            widget=forms.CheckboxSelectMultiple,
        )

    def _method(self) -> forms.Field:
        pair = self._definition.method == "pair"
        ways = [(key, label) for key, label in METHOD_CHOICES if (key == "pair") == pair]
        return forms.ChoiceField(
            label="How images are shown",
            choices=[("", "As in the whole study"), *ways],
            initial=self._old.get("method") or "",
            required=False,
            disabled=self._stays,
        )

    def is_used(self, cleaned: dict[str, Any]) -> bool:
        """Return whether anything is given in the row."""
        return any(value for name, value in cleaned.items() if name.startswith(f"{self.name}."))

    def missing(self, cleaned: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield each field that a row in use has left empty, with the complaint."""
        if self.is_used(cleaned) and cleaned.get(f"{self.name}.key") == "":
            yield f"{self.name}.key", _NEEDED
        names = [f"{self.name}.instructions:{code}" for code in self._languages]
        gaps = [name for name in names if not cleaned.get(name)]
        if len(gaps) < len(names):
            yield from ((name, "Translate this, or clear it in every language.") for name in gaps)

    def value(self, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        """Return the group as a file has it; None for an emptied row."""
        if not self.is_used(cleaned):
            return None
        said = {code: cleaned[f"{self.name}.instructions:{code}"] for code in self._languages}
        told = joined(self._old.get("instructions"), said) if any(said.values()) else None
        values = {
            key: cleaned[f"{self.name}.{key}"]
            for key in ("key", "people", "share", "method", "questions", "images")
        }
        return values | {"method": values["method"] or None, "instructions": told}


_NO_LIMIT = (
    "Default: empty, no limit. Give it for every group or for none: then a group that is full takes nobody."
)
_EQUAL = "Default: empty. Groups then fill in proportion to their people, or evenly."


class GroupsForm(RowsForm):
    """The study's groups."""

    def build(self) -> None:
        """Add a row for each group, and blank ones for more while nobody has taken part."""
        count = len(self.definition.groups)
        most = count if self.keys_stay else min(max(count + 1, _FEWEST), MAX_GROUPS)
        self.rows: list[GroupRow] = [
            GroupRow(n, self.definition, self.languages, stays=self.keys_stay) for n in range(1, most + 1)
        ]
        for row in self.rows:
            self.section(row.heading, folded=row.is_new and count > 0)
            for name, field, default in row.fields():
                self.add(name, field, default=default)

    def _is_in_use(self, names: list[str]) -> bool:
        return any(self.errors.get(name) or self[name].value() for name in names)

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Put the groups."""
        values["groups"] = self.questions(cleaned)

    def field_of(self, place: str) -> str | None:
        """Return the field of a place. Emptied rows are no groups: a fault's number may differ from its row's."""
        head, _, rest = place.partition(".")
        number, _, key = rest.partition(".")
        if head != "groups" or not number.isdigit() or int(number) > len(self.used):
            return super().field_of(place)
        return super().field_of(f"{self.used[int(number) - 1]}.{key.partition('.')[0] or 'key'}")
