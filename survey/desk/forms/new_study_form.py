"""What a new study needs before it has a set-up page: a name, a language, a method, a question."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import slugify
from pydantic import ValidationError

from survey.models import Study
from survey.study.definition import Definition
from survey.study.methods import METHOD_CHOICES
from survey.study.pictures import PublishError
from survey.study.publish import check_slug
from survey.study.study_file import faults


class NewStudyForm(forms.Form):
    """`definition` is that of a valid form; all of it but the method can be changed on the set-up page."""

    title = forms.CharField(label="Title, as participants see it", max_length=200)
    slug = forms.CharField(
        label="Name in the address",
        max_length=50,
        required=False,
        help_text="If empty, it is made from the title.",
    )
    language = forms.ChoiceField(label="Language")
    method = forms.ChoiceField(label="Method", choices=METHOD_CHOICES)
    question = forms.CharField(
        label="Question",
        max_length=500,
        required=False,
        help_text="If empty, the method’s default question is asked.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition: Definition | None = None
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101
        language.choices = list(settings.LANGUAGES)

    def clean(self) -> dict[str, Any]:
        """Build the definition; its faults, and the name's, become the form's."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        cleaned["slug"] = cleaned["slug"] or free_slug(cleaned["title"])
        try:
            check_slug(cleaned["slug"])
        except PublishError as error:
            self.add_error("slug", str(error))
        values = {key: cleaned[key] for key in ("title", "method")} | {"languages": [cleaned["language"]]}
        # People on phones answer most quickly so; the set-up offers the other way.
        values["answer"] = "tap"
        if cleaned["question"]:
            values["questions"] = [{"key": "overall", "text": cleaned["question"]}]
        try:
            self.definition = Definition.model_validate(values)
        except ValidationError as error:
            for line in faults(error):
                self.add_error(None, line)
        return cleaned


def free_slug(title: str) -> str:
    """Return a study's name in addresses made of its title, one that no study has."""
    wanted = slugify(title)[:45].strip("-") or "study"
    taken = set(Study.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    return next(
        slug
        for slug in (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
        if slug not in taken
    )
