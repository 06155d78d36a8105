"""A study's definition as a form: the same checks as the file's, by the same models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from django import forms
from pydantic import ValidationError

from survey.desk.forms.question_rows import rows_of
from survey.desk.forms.study_form_fields import Words, in_language, joined
from survey.study.definition import AboutQuestion, Definition, Platform, faults
from survey.study.scales import LANGUAGES

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
    ("session.images", "Images for each person (empty: all)", 1, 500),
    ("session.repeats", "Images shown a second time", 0, 50),
    ("session.stabilising", "Warm-up images after practice", 0, 10),
    ("session.batches", "How often one person may take part", 1, 50),
    ("goal.votes", "Votes for each image", 1, 10_000),
    ("limits.participants", "People at most (empty: no limit)", 1, 10_000_000),
    ("limits.per_hour", "New people in an hour at most (empty: no limit)", 1, 1_000_000),
    ("limits.grace_minutes", "Minutes after closing in which waiting answers still count", 0, 10_080),
    ("screening.plates", "Colour vision plates", 0, 4),
)
SWITCHES: Final = (
    ("screening.display", "Ask whether the screen is bright enough and free of glare"),
    ("screening.vision", "Ask about eyesight"),
    ("screening.required", "End the session if someone answers “no” or misreads two plates"),
    ("consent.adults_only", "Adults only"),
    ("invited_only", "Only with a personal link"),
)
#: What a crowd platform needs: (path, label), each empty where there is none.
RECRUITMENT: Final = (
    ("recruitment.complete", "Completion code: finished"),
    ("recruitment.screened_out", "Completion code: screened out"),
    ("recruitment.withdrew", "Completion code: withdrew"),
    ("recruitment.return_to", "Return address (put {code} where the code goes)"),
)
#: (heading, beginnings of the paths under it), in the page's order; the questions' rows come after the first.
GROUPS: Final = (
    ("What people read", ("languages", "title", "consent.purpose", "instructions")),
    ("How much each person rates", ("session", "consent.minutes", "goal")),
    ("Limits", ("limits",)),
    ("Before and after the images", ("screening", "about")),
    ("Crowd platform", ("recruitment",)),
    ("Consent and data", ("consent", "invited_only", "purge_on")),
)


class StudyForm(forms.Form):
    """What may change of a published study: all but `survey.study.revise.FIXED`.

    Without script, a language that is newly ticked shows its fields with the answer, which asks for its texts. With
    `keys_stay` (somebody has taken part) no question comes, goes or changes its key.
    """

    def __init__(self, *args: Any, definition: Definition, keys_stay: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition = definition
        self._values = definition.model_dump(mode="json")
        self._add_choices("languages", "Languages", LANGUAGES)
        self.fields["languages"].required = True
        self._languages = self._ticked()
        self._add_texts()
        self._rows = rows_of(definition, self._languages, keys_stay=keys_stay)
        self._row_of_question: list[str] = []
        for row in self._rows:
            self.fields.update(row.fields())
        for path, label, least, most in NUMBERS:
            # The model's own defaults stand for an empty field.
            self._add(path, forms.IntegerField(label=label, min_value=least, max_value=most, required=False))
        for path, label in SWITCHES:
            self._add(path, forms.BooleanField(label=label, required=False))
        half_width = forms.FloatField(label="Or a 95 % interval of ±", required=False)
        self._add("goal.half_width", half_width)
        self._add_choices("about", "Questions about the person, at the end", get_args(AboutQuestion))
        self._add_recruitment()
        self._add("consent.contact", Words(label="Contact", required=False, max_length=500))
        self._add("consent.version", Words(label="Version of the consent text", max_length=40))
        date = forms.DateInput({"type": "date"})
        purge_on = forms.DateField(label="Delete personal data on", required=False, widget=date)
        self._add("purge_on", purge_on)

    def _add(self, path: str, field: forms.Field) -> None:
        field.initial = _at(self._values, path)
        self.fields[path] = field

    def _add_choices(self, path: str, label: str, known: Sequence[str]) -> None:
        # The order is part of a definition; what is ticked stands first, in its own.
        ticked = self._values[path]
        choices = [(name, name) for name in (*ticked, *(name for name in known if name not in ticked))]
        widget = forms.CheckboxSelectMultiple
        self._add(
            path, forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=widget)
        )

    def _ticked(self) -> list[str]:
        """Return the languages that the form has fields for: those just ticked, else the study's."""
        if not self.is_bound:
            return list(self.definition.languages)
        widget = self.fields["languages"].widget
        asked = widget.value_from_datadict(self.data, self.files, self.add_prefix("languages")) or []
        known = [code for code in dict.fromkeys(asked) if code in LANGUAGES]
        return known or list(self.definition.languages)

    def _add_texts(self) -> None:
        several = len(self._languages) > 1
        for path, label, rows in TEXTS:
            text = _at(self._values, path)
            for language in self._languages:
                self.fields[f"{path}:{language}"] = Words(
                    label=f"{label} ({language})" if several else label,
                    initial=in_language(text, language) or "",
                    required=path == "title",
                    max_length=5000 if rows > 1 else 500,
                    rows=rows,
                )

    def _add_recruitment(self) -> None:
        choices = [("", "none"), *((name, name) for name in get_args(Platform))]
        self._add(
            "recruitment.platform", forms.ChoiceField(label="Platform", choices=choices, required=False)
        )
        others = forms.BooleanField(label="Also take people without the platform’s id", required=False)
        self._add("recruitment.open_to_others", others)
        for path, label in RECRUITMENT:
            self._add(path, Words(label=label, required=False, max_length=500))

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        left = list(self.fields)
        groups = []
        for heading, beginnings in self._headings():
            mine = [name for begin in beginnings for name in left if name.startswith(begin)]
            left = [name for name in left if name not in mine]
            groups.append((heading, [self[name] for name in mine]))
        return groups

    def _headings(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        first, *others = GROUPS
        yield first
        for row in self._rows:
            yield row.heading, (f"{row.name}.",)
        yield from others

    def clean(self) -> dict[str, Any]:
        """Build the new definition; its faults become the form's, each beside its field where it has one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._refuse_gaps(cleaned)
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
        self.add_error(self._field_of(line.partition(":")[0]), line)

    def _refuse_gaps(self, cleaned: dict[str, Any]) -> None:
        for path, _, _ in TEXTS:
            names = [f"{path}:{code}" for code in self._languages]
            gaps = [name for name in names if cleaned.get(name) == ""]
            if len(gaps) < len(names):
                for name in gaps:
                    self.add_error(
                        name, "Translate this into every language of the study, or clear it in all."
                    )
        for row in self._rows:
            for name, complaint in list(row.missing(cleaned)):
                self.add_error(name, complaint)
        if not cleaned.get("recruitment.platform") and any(cleaned.get(path) for path, _ in RECRUITMENT):
            self.add_error("recruitment.platform", "Choose the platform of these codes, or clear the codes.")

    def _said(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a study file that says what the form does."""
        values = self.definition.model_dump(mode="json")
        values["recruitment"] = {} if cleaned["recruitment.platform"] else None
        for path in self.fields:
            if ":" not in path and not path.startswith("questions."):
                _put(values, path, cleaned[path])
        for path, _, _ in TEXTS:
            said = {code: cleaned[f"{path}:{code}"] for code in self._languages}
            _put(values, path, joined(_at(values, path), said) if any(said.values()) else None)
        rows = [(row.name, row.value(cleaned)) for row in self._rows]
        values["questions"] = [question for _, question in rows if question]
        self._row_of_question = [name for name, question in rows if question]
        return values

    def _field_of(self, place: str) -> str | None:
        """Return the field that shows a place of the definition; None for the form as a whole."""
        head, _, rest = place.partition(".")
        number, _, key = rest.partition(".")
        if head == "questions" and number.isdigit() and int(number) <= len(self._row_of_question):
            # Emptied rows are no questions: a fault's number may be another than its row's.
            place = f"{self._row_of_question[int(number) - 1]}.{key}"
        names = (place, f"{place}:{self._languages[0]}", f"{place}.1.key")
        return next((name for name in names if name in self.fields), None)


def _at(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values[part] if values is not None else None
    return values


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set one value of nested tables; nothing ("", None) takes the key away, so that its default holds."""
    *parents, last = path.split(".")
    table = _at(values, ".".join(parents)) if parents else values
    if table is None:
        return
    if value not in ("", None):
        table[last] = value
    else:
        table.pop(last, None)
