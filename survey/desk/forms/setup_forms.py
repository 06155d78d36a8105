"""The forms of the set-up's tasks, except for languages and images, which have files of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, override

from survey.analysis.scale import number_text
from survey.desk.forms.question_rows import rows_of
from survey.desk.forms.study_form_fields import Words
from survey.desk.forms.task_form import RowsForm, TaskForm
from survey.study.about import ABOUT_TEXTS
from survey.study.definition import Definition
from survey.study.methods import METHOD_CHOICES
from survey.study.scales import QUESTIONS
from survey.study.tables import ORDER_WORDS, Goal
from survey.study.wording import ships

#: For how long personal data are kept where nothing else is said, in days.
KEPT_DAYS: Final = 90

PURPOSE: Final = (
    "You will see images, one at a time, and say how good each one looks to you. "
    "There are no right or wrong answers."
)
INSTRUCTIONS: Final = {
    "pair": "Two images are shown at a time. Look at both, then choose the one that looks better to you.",
    "dcr": "A reference and a second image are shown together. Look at both, then say how much the second differs "
    "from the reference.",
    "acr": "Look at each image as a whole, then choose the answer that fits your impression best. "
    "Please use a screen that you see well.",
}
_CODES: Final = (
    ("recruitment.complete", "Completion code: finished"),
    ("recruitment.screened_out", "Completion code: screened out"),
    ("recruitment.withdrew", "Completion code: withdrew"),
    (
        "recruitment.return_to",
        "Return address (put {code} where the code goes, and {person} where a panel wants its id back)",
    ),
)
_PARAMETERS: Final = (
    ("person", "person, as in ?pid=…", "Needed for another panel. Prolific and MTurk have their own."),
    ("session", "session", "Default: empty, the panel has none"),
    ("assignment", "assignment", "Default: empty, the panel has none"),
)
ANSWERS: Final = (
    ("tap", "One tap: choosing saves and goes on. “Undo” takes the last answer back."),
    ("next", "Choose, then press “Next”"),
)
STOPS: Final = (
    ("half width", "every image’s score is known to ± so many points"),
    ("sessions", "so many sessions are finished"),
)
PAIR_RULES: Final = (
    ("balanced", "All pairs equally often: those with the fewest votes first"),
    ("informative", "Those that tell most: pairs whose answer is least known from the answers so far"),
)


def _in_each(definition: Definition, text: str) -> dict[str, str]:
    """Return a text that ships with the site in each language of a study, its own wording included."""
    said = {}
    for language in definition.languages:
        own = definition.wording.get(language)
        with override(language):
            said[language] = (own and own.texts.get(text)) or gettext(text)
    return said


class TextsForm(TaskForm):
    """Title, purpose and instructions."""

    def build(self) -> None:
        """Add the texts; what is left empty shows the accepted wording in grey."""
        method = self.definition.method
        instructions = INSTRUCTIONS.get(method, INSTRUCTIONS["acr"])
        self.add_text("title", "Title", 1, hint="People see it first.")
        grey = "Default: the grey text."
        usual = _in_each(self.definition, PURPOSE)
        self.add_text("consent.purpose", "What the study is about", 4, usual, default=grey)
        usual = _in_each(self.definition, instructions)
        self.add_text("instructions", "What people are asked to do", 4, usual, default=grey)


class QuestionsForm(RowsForm):
    """The method, and what is asked of each image."""

    def build(self) -> None:
        """Add the method and a row for each question."""
        self.rows = rows_of(self.definition, self.languages, keys_stay=self.keys_stay)
        for row in self.rows:
            self.section(row.heading, folded=row.heading.startswith("Another"))
            for name, field in row.fields():
                self.add(name, field)
        self.section("How people answer")
        answer = forms.ChoiceField(
            label="After an answer is chosen", choices=ANSWERS, widget=forms.RadioSelect, required=False
        )
        told = "Studies made on the desk begin with one tap. It needs one question whose answers are buttons."
        self.add_plain("answer", answer, default=told)
        self.section("Method")
        method = forms.ChoiceField(
            label="How images are shown",
            choices=METHOD_CHOICES,
            widget=forms.RadioSelect,
            disabled=self.keys_stay,
        )
        told = "Default: one image at a time. It cannot change once somebody has taken part."
        self.add_plain("method", method, default=told)

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Put the questions; the accepted question of the old method becomes that of the new one."""
        values["questions"] = self.questions(cleaned)
        if cleaned["method"] != self.definition.method:
            _follow_method(values["questions"], self.definition, cleaned["method"])
        if cleaned["method"] != "pair":
            values["session"]["pairs"] = "balanced"

    def field_of(self, place: str) -> str | None:
        """Return the field of a place. Emptied rows are no questions: a fault's number may differ from its row's."""
        head, _, rest = place.partition(".")
        number, _, key = rest.partition(".")
        if head == "questions" and number.isdigit() and int(number) <= len(self.used):
            place = f"{self.used[int(number) - 1]}.{key}"
        return super().field_of(place) or (f"{place}.1.key" if f"{place}.1.key" in self.fields else None)


def _follow_method(questions: list[dict[str, Any]], old: Definition, method: str) -> None:
    if not all(ships(code) for code in old.languages):
        return
    accepted = {code: QUESTIONS[old.method][code] for code in old.languages}
    for question in questions:
        if question["text"] in (accepted, *accepted.values()):
            question["text"] = {code: QUESTIONS[method][code] for code in old.languages}


class AssignmentForm(TaskForm):
    """How much each person rates, and when there is enough."""

    def build(self) -> None:
        """Add the numbers, each with its default."""
        unit = "Pairs" if self.definition.method == "pair" else "Images"
        if self.definition.method == "pair":
            self._build_pairs()
        else:
            self.add_number(
                "session.images",
                "Images for each person",
                1,
                500,
                hint="Leave this empty to show everybody all of them.",
                default="Default: all. If people rate some, images with the fewest votes come first.",
            )
        self.add_number(
            "session.repeats",
            f"{unit} shown a second time",
            0,
            50,
            hint="They tell whether people answer alike.",
            default="Default: 0. Three or more are needed to judge a person.",
        )
        self.add_number(
            "session.stabilising",
            "Warm-up images after practice",
            0,
            10,
            hint="They look like the others and are not counted.",
            default="Default: 0",
        )
        self.add_number("session.batches", "How often one person may take part", 1, 50, default="Default: 1")
        self.add_number(
            "consent.minutes",
            "Minutes it takes",
            1,
            45,
            hint="People read it before they begin.",
            default="Default: worked out from the images, then from the first sessions.",
        )
        self._build_order(unit)
        self.section("When is it enough?")
        self.add_number(
            "goal.votes",
            "Votes for each image",
            1,
            10_000,
            default=f"Default: {Goal().votes}, as ITU-T P.913 asks outside a laboratory",
        )
        half_width = forms.FloatField(
            label="Or a 95 % interval of ±", required=False, min_value=0.05, max_value=2
        )
        half_width.widget.attrs["step"] = "any"
        self.add_plain(
            "goal.half_width",
            half_width,
            default=f"Default: {Goal().half_width} points. Live shows which of the two is reached.",
        )

    def _build_order(self, unit: str) -> None:
        self.section("Order and breaks", folded=True)
        blocks = forms.CharField(
            label=f"{unit} in blocks, with a break between", required=False, max_length=100
        )
        self.add_plain(
            "session.blocks",
            blocks,
            hint="A number, as in 20, or what parts them: content, style, condition or a factor.",
            default="Default: empty, no breaks",
        )
        order = forms.ChoiceField(
            label="Order of the blocks, or else of the images",
            choices=[(order, words.choice) for order, words in ORDER_WORDS.items()],
            required=False,
            widget=forms.RadioSelect,
        )
        self.add_plain("session.order", order, default="Default: random. Within a block it is always random.")

    def _build_pairs(self) -> None:
        rule = forms.ChoiceField(
            label="Which pairs people compare", choices=PAIR_RULES, required=False, widget=forms.RadioSelect
        )
        told = (
            "Default: all equally often. The second saves votes where there are many images that differ clearly. "
            "Its results are the model’s scores; shares of choices then mean little."
        )
        self.add_plain("session.pairs", rule, default=told)
        self.add_number(
            "session.images",
            "Pairs for each person",
            1,
            500,
            default="Default: all. Of those that tell most: one fewer than the images of each content.",
        )


class RecruitmentForm(TaskForm):
    """Who takes part: the way to the study, and what is asked before and after the images."""

    def build(self) -> None:
        """Add the ways in, the questions about the person, and the limits."""
        self.section("Who can take part")
        self.add_switch(
            "invited_only",
            "Only people with a personal link",
            default="Default: no. Anyone with the study’s link can take part.",
        )
        self.section("Crowd platform", folded=True)
        ways = (
            ("", "None"),
            ("prolific", "Prolific"),
            ("mturk", "Amazon Mechanical Turk"),
            ("other", "Another panel"),
        )
        platform = forms.ChoiceField(label="Platform", choices=ways, required=False)
        self.add_plain(
            "recruitment.platform",
            platform,
            default="Default: none. The fields below are for platforms only.",
        )
        self.add_switch("recruitment.open_to_others", "Also take people without the platform’s id")
        for path, label in _CODES:
            self.add_line(path, label)
        for name, label, default in _PARAMETERS:
            self.add_line(
                f"recruitment.{name}_parameter", f"Another panel: parameter of the {label}", default=default
            )
        self.section("The smallest window", folded=True)
        self.add_number(
            "viewing.min_width",
            "Pixels wide, at least",
            200,
            4_000,
            hint="CSS pixels, as browsers count. An upright phone has about 390, a laptop 1,280.",
            default="Default: empty, any window",
        )
        self.add_number(
            "viewing.min_height", "Pixels high, at least", 200, 4_000, default="Default: empty, any window"
        )
        self.section("Before the images, ask about")
        self.add_switch("screening.display", "the screen: bright enough and free of glare")
        self.add_switch("screening.vision", "eyesight")
        self.add_number(
            "screening.plates", "Colour vision plates", 0, 4, default="Default: 0, nothing is asked."
        )
        self.add_switch("screening.required", "End if someone answers “no” or misreads two plates")
        self.add_switch("viewing.card", "how large their pixels are: they match a bank card on the screen")
        self.add_switch(
            "viewing.distance",
            "how far away they sit",
            default="With both, the results say how large people saw the images.",
        )
        self.section("After the images")
        self.add_ticks(
            "about",
            "Ask about",
            [(key, about.topic) for key, about in ABOUT_TEXTS.items()],
            hint="Always optional, in broad groups.",
            default="Default: nothing is asked.",
        )
        self._build_stop_rule()
        self.section("Limits", folded=True)
        self.add_number(
            "limits.participants", "People at most", 1, 10_000_000, default="Default: empty, no limit"
        )
        self.add_number(
            "limits.per_hour",
            "New people in an hour at most",
            1,
            1_000_000,
            default="Default: empty, no limit",
        )
        self.add_number(
            "limits.grace_minutes",
            "Minutes after closing in which waiting answers still count",
            0,
            10_080,
            default="Default: 10",
        )

    def _build_stop_rule(self) -> None:
        self.section("When to pause by itself")
        rule = self.definition.stop_rule
        kind = forms.ChoiceField(
            label="Pause the study when",
            choices=[("", "I pause or close it"), *STOPS],
            required=False,
            widget=forms.RadioSelect,
            initial=rule.kind if rule else "",
        )
        told = (
            "A pause takes nobody new. People who have started can finish, and you can open the study again."
        )
        self.add("stop_by", kind, default=told)
        number = forms.FloatField(
            label="So many points, or sessions", required=False, initial=rule.number if rule else None
        )
        number.widget.attrs["step"] = "any"
        points = (
            "log odds of being chosen"
            if self.definition.method == "pair"
            else "those of the study’s own scale"
        )
        told = (
            f"Default: empty. Points are {points}. A rule on significance is not possible: looking "
            "again and again finds differences that are not there."
        )
        self.add("stop_when", number, default=told)

    def refuse(self, cleaned: dict[str, Any]) -> None:
        """Refuse codes of no platform, and half of a stopping rule."""
        kind, number = cleaned.get("stop_by"), cleaned.get("stop_when")
        if kind and number is None and "stop_when" not in self.errors:
            self.add_error("stop_when", "Give the number.")
        if number is not None and not kind:
            self.add_error("stop_by", "Choose what this number is, or clear it.")
        if not cleaned.get("recruitment.platform") and any(
            cleaned.get(path) for path in (*(path for path, _ in _CODES), "recruitment.person_parameter")
        ):
            self.add_error("recruitment.platform", "Choose the platform of these codes, or clear the codes.")

    def amend(self, values: dict[str, Any], cleaned: dict[str, Any]) -> None:
        """Put the platform's table, or none."""
        chosen = {
            path.partition(".")[2]: cleaned[path] for path in self.fields if path.startswith("recruitment.")
        }
        values["recruitment"] = (
            {name: value for name, value in chosen.items() if value not in ("", None)}
            if chosen["platform"]
            else None
        )
        kind, number = cleaned["stop_by"], cleaned["stop_when"]
        said = number_text(number) if kind else ""
        values["stop_when"] = {"half width": f"half width {said}", "sessions": f"{said} sessions"}.get(kind)


class PrivacyForm(TaskForm):
    """Who is responsible, the legal basis, and how long personal data are kept."""

    def build(self) -> None:
        """Add the fields. Until a contact is given, a date 90 days from now is offered."""
        self.add_text("consent.organiser", "Who is responsible", 1, hint="An institution or a person.")
        self.add_line("consent.contact", "Contact", hint="An e-mail address that somebody reads.")
        self.add_switch("consent.adults_only", "Adults only (18 or older)", default="Default: no")
        date = forms.DateField(
            label="Delete personal data on", required=False, widget=forms.DateInput({"type": "date"})
        )
        self.add_plain(
            "purge_on",
            date,
            hint="Withdrawal codes, platform numbers and answers about the person are deleted. Ratings stay.",
            default=f"Default: {KEPT_DAYS} days after today. Leave this empty to delete them by hand.",
        )
        if is_untouched(self.definition):
            date.initial = default_purge_day()
        self.section("Legal basis, and version of the text", folded=True)
        self.add_text(
            "consent.legal_basis",
            "Legal basis",
            2,
            hint="Only if your institution asks for one.",
            default="Default: empty",
        )
        version = Words(label="Version of the consent text", max_length=40)
        self.add_plain(
            "consent.version", version, hint="It is kept with each person’s consent.", default="Default: 1"
        )


def is_untouched(definition: Definition) -> bool:
    """Return whether nobody has said anything about privacy yet."""
    consent = definition.consent
    return not (consent.organiser or consent.contact or consent.legal_basis or definition.purge_on)


def default_purge_day() -> dt.date:
    """Return the day that is offered for deleting personal data."""
    return timezone.localdate() + dt.timedelta(days=KEPT_DAYS)
