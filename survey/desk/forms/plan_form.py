"""The form that writes a plan: pictures, a method, what varies. Everything else is for the file."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from django import forms
from django.http import QueryDict

from generator.models import Upload
from generator.nst.recipes.presets import DEFAULT, preset
from generator.nst.recipes.recipe import Recipe
from generator.plans.document import PlanError, document_of
from generator.plans.plan import MAX_CELLS, check_settings
from generator.sets.estimate import Estimate, estimate, plan_among
from generator.sets.progress import duration
from survey.desk.forms import plan_factors
from survey.desk.forms.methods import Method, methods
from survey.desk.forms.plan_factors import FACTORS, MAX_FACTORS, SIZE, Factor, Level
from survey.desk.forms.plan_inputs import FactorInput, input_of
from survey.desk.forms.plan_text import fields_of, says_no_more, toml_value, write

#: Larger plans are counted by the dry run alone: here the answer has to come at once.
_MAX_COUNTED: Final = 2000
# Seconds from which the page says what smaller images would take, and their longest side.
_LONG, _SMALL = 3600, 256
_EVERY: Final = (SIZE, *FACTORS)
# Why a setting has no effect, as the plan's checks say it -> in plain words.
_REASONS: Final = {
    'method = "nnst"': "this method does not use it",
    'method = "strotss"': "this method does not use it",
    'init = "content"': "the image starts from the photograph",
    'style_shape = "content"': "this method squashes the style image to the photograph’s shape",
    'shape = "square"': "this method squashes both images to a square",
}


class _Ticked(forms.MultipleChoiceField):
    """Values to tick; which are possible is checked with the method that was chosen."""

    def valid_value(self, value: Any) -> bool:
        return True


class PlanForm(forms.Form):
    """`plan()` is the TOML of a valid form; `outline` tells what it makes, as far as that is known."""

    title = forms.CharField(
        label="Name of the set", max_length=200, error_messages={"required": "Give the set a name"}
    )
    content = forms.MultipleChoiceField(
        label="Photographs", error_messages={"required": "Choose at least one photograph"}
    )
    style = forms.MultipleChoiceField(
        label="Styles", error_messages={"required": "Choose at least one style"}
    )
    preset = forms.ChoiceField(label="Method", initial=DEFAULT)

    def __init__(self, *args: Any, uploads: Iterable[Upload], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.uploads = list(uploads)
        self.methods = methods()
        self.levels: dict[str, list[Level]] = {}
        self.outline: Estimate | None = None
        names = [(upload.name, upload.name) for upload in self.uploads]
        for name, options in (("content", names), ("style", names), ("preset", self._presets())):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = options
            field.error_messages["invalid_choice"] = (
                "“%(value)s” is not there any more" if options is names else "Choose a method"
            )
        for factor in _EVERY:
            self.fields[_name(factor)] = _Ticked(required=False, label=factor.label)
            self.fields[f"{_name(factor)}_other"] = forms.CharField(required=False, max_length=500)

    def _presets(self) -> list[tuple[str, str]]:
        return [(method.name, method.title) for method in self.methods]

    # What the page shows

    def unchecked(self) -> PlanForm:
        """Return the form with the same choices and no errors."""
        data = self.data
        many = {name for name, field in self.fields.items() if isinstance(field, forms.MultipleChoiceField)}
        lists = {name: data.getlist(name) for name in many} if isinstance(data, QueryDict) else {}
        initial = {name: lists.get(name, data.get(name, "")) for name in self.fields}
        return PlanForm(uploads=self.uploads, initial=initial)

    @property
    def tiles(self) -> list[tuple[str, str, list[tuple[Upload, bool]], list[str]]]:
        """Return each role with its heading, every picture, ticked or not, and what is wrong."""
        found = []
        for role in ("content", "style"):
            ticked = set(self[role].value() or [])
            pictures = [(each, each.name in ticked) for each in self.uploads]
            found.append((role, str(self.fields[role].label), pictures, self._told(role)))
        return found

    @property
    def method(self) -> Method:
        """The method that is chosen, the default where it is none."""
        by_name = {method.name: method for method in self.methods}
        return by_name.get(str(self["preset"].value()), by_name[DEFAULT])

    @property
    def cards(self) -> list[Method]:
        """The methods that can be chosen now."""
        return [each for each in self.methods if each.is_ready is not False and not each.is_whole_plan]

    @property
    def whole_plans(self) -> list[Method]:
        """The shipped plans."""
        return [each for each in self.methods if each.is_whole_plan]

    @property
    def absent(self) -> list[Method]:
        """The presets whose weights are not here."""
        return [each for each in self.methods if each.is_ready is False and not each.is_whole_plan]

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of the chosen method."""
        document = document_of(f"preset = {toml_value(self.method.name)}", "plan")
        settings = {key: value for key, value in document.recipe.items() if key != "seed"}
        return preset(document.preset).replace(**settings)

    @property
    def size_input(self) -> FactorInput:
        """The sizes."""
        return self._input(SIZE)

    @property
    def inputs(self) -> list[FactorInput]:
        """Every other factor."""
        return [self._input(factor) for factor in FACTORS]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Return each error with the id of its field, in the order of the page."""
        targets = {_name(factor): self._input(factor).target for factor in _EVERY}
        found = []
        for name in self.fields:
            for message in self.errors.get(name, []):
                # The first picture, or the first card, stands for its list.
                first = f"id_{name}" if name == "title" else f"id_{name}_0"
                found.append((targets.get(name, first), str(message)))
        return [*found, *(("main", str(message)) for message in self.non_field_errors())]

    def _input(self, factor: Factor) -> FactorInput:
        name = _name(factor)
        ticked = [str(value) for value in self[name].value() or []]
        typed = str(self[f"{name}_other"].value() or "")
        return input_of(factor, name, ticked, typed, self._told(name), self.recipe, self.methods)

    def _told(self, name: str) -> list[str]:
        return [str(message) for message in self.errors.get(name, [])]

    # What it says

    def clean(self) -> dict[str, Any]:
        """Check every factor, then the plan as a whole."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_method(cleaned)
        ready = [method.name for method in self.methods if method.is_ready is not False]
        for factor in _EVERY:
            name = _name(factor)
            try:
                self.levels[factor.key] = plan_factors.levels(
                    factor,
                    cleaned.get(name, []),
                    cleaned.get(f"{name}_other", ""),
                    self.recipe.network,
                    ready,
                )
            except forms.ValidationError as error:
                self.add_error(name, error)
        self._check_together()
        if not set(self.errors) - {"title"} and "content" in cleaned and "style" in cleaned:
            self._check_plan(cleaned)
        return cleaned

    def _check_method(self, cleaned: Mapping[str, Any]) -> None:
        if "preset" in cleaned and self.method.is_ready is False:
            weights = self.method.weights.partition(":")[0]
            self.add_error(
                "preset",
                f"{self.method.title} needs the weights of {weights}, which are not installed on this server",
            )

    def _check_together(self) -> None:
        if len(self.levels.get("preset", [])) == 1:
            self.add_error("vary_preset", "Choose at least two methods to compare")
        if len(self.levels.get("repeats", [])) > 1:
            self.add_error("vary_repeats", "Write one number")
        varied = self._varied()
        if len(varied) > MAX_FACTORS:
            names = ", ".join(factor.label.lower() for factor in varied)
            self.add_error(
                _name(varied[MAX_FACTORS]),
                f"At most {MAX_FACTORS} things may vary at once. Here are {len(varied)}: {names}",
            )

    def _check_plan(self, cleaned: dict[str, Any]) -> None:
        pictures = {upload.name: (upload.source.width, upload.source.height) for upload in self.uploads}
        text = self._text(cleaned)
        try:
            check_settings(document_of(text, "plan"))
            count = self._product(cleaned)
            if count > MAX_CELLS:
                self.add_error(
                    None, f"These are {count:,} images. At most {MAX_CELLS:,} are possible in one set."
                )
            elif count <= _MAX_COUNTED:
                self.outline = estimate(plan_among(text, pictures), pictures)
        except PlanError as error:
            self._blame(str(error).removeprefix("plan: "))

    @property
    def _versions(self) -> int:
        """The number of versions of each image; 0 where there is one."""
        found = self.levels.get("repeats", [])
        return int(found[0]) if len(found) == 1 and int(found[0]) > 1 else 0

    def _count(self, factor: Factor) -> int:
        return self._versions if factor.kind == "repeats" else len(self.levels.get(factor.key, []))

    def _varied(self) -> list[Factor]:
        return [factor for factor in _EVERY if self._count(factor) > 1]

    def _product(self, cleaned: Mapping[str, Any]) -> int:
        return (
            len(cleaned["content"])
            * len(cleaned["style"])
            * math.prod(max(1, self._count(factor)) for factor in _EVERY)
        )

    def _blame(self, message: str) -> None:
        """Show what is wrong with the plan beside the factor that it names."""
        if message.startswith("repeats ="):
            reason = _plain_reason(message.partition("has no effect if ")[2].partition(";")[0])
            self.add_error(
                "vary_repeats",
                f"Every version would be the same image, because {reason}. Let it start from noise.",
            )
            return
        for factor in _EVERY:
            if found := re.search(rf"\b{factor.key} has no effect if ([^;)]+)", message):
                self.add_error(_name(factor), f"This has no effect here, because {_plain_reason(found[1])}")
                return
        self.add_error(None, message)

    def parts(self) -> list[str]:
        """Return what multiplies to the number of images, such as "3 photographs"."""
        cleaned = self.cleaned_data
        found = [_counted(len(cleaned["content"]), "photograph", "photographs")]
        found.append(_counted(len(cleaned["style"]), "style", "styles"))
        for factor in _EVERY:
            count = self._count(factor)
            if count > 1:
                found.append(_counted(count, factor.one, factor.many))
        if self.outline and self.method.is_whole_plan and self.outline.images != self._product(cleaned):
            found.append("the settings of the shipped plan")
        return found

    def images(self) -> int | None:
        """Return how many images the plan makes; None for a large shipped plan."""
        if self.outline:
            return self.outline.images
        return None if self.method.is_whole_plan else self._product(self.cleaned_data)

    def notes(self) -> list[str]:
        """Return what is worth knowing before the plan is checked."""
        varied = self._varied()
        if not varied:
            alone = "No setting varies: each pair of pictures gives one image."
            return [] if self.method.is_whole_plan else [alone]
        names = " and ".join(factor.many for factor in varied)
        return [
            f"Every pair of pictures gets the same {names}, so they can be compared fairly.",
            *self._shorter(),
        ]

    def _shorter(self) -> list[str]:
        """Say how long small images would take, where these take hours."""
        sizes = self.levels.get("size") or [self.recipe.size]
        seconds = self.outline.seconds if self.outline else None
        if seconds is None or seconds < _LONG or len(sizes) > 1 or float(sizes[0]) <= _SMALL:
            return []
        # Time goes with the number of pixels.
        return [f"At {_SMALL} px they would take {duration(seconds * (_SMALL / float(sizes[0])) ** 2)}."]

    def plan(self) -> str:
        """Return the plan as TOML."""
        return self._text(self.cleaned_data)

    def _text(self, cleaned: Mapping[str, Any]) -> str:
        recipe: dict[str, Any] = {}
        factors: dict[str, list[Level]] = {}
        for factor in _EVERY:
            values = self.levels.get(factor.key, [])
            if len(values) > 1:
                factors[factor.key] = values
            elif values and factor.key != "repeats":
                recipe[factor.key] = values[0]
        if {"evaluations"} & {*recipe, *factors} and self.recipe.first_evaluations:
            # Or a preset that begins with a small image would spend its own number on that.
            recipe["first_evaluations"] = 0
        return write(
            cleaned.get("title", "New set"),
            cleaned["preset"],
            cleaned["content"],
            cleaned["style"],
            recipe,
            factors,
            repeats=self._versions,
        )

    def example(self) -> str:
        """Return a short plan of the first pictures, to be changed by hand."""
        names = [upload.name for upload in self.uploads] or ["photograph.jpg", "painting.jpg"]
        return write("My images", DEFAULT, names[:1], names[-1:], {"size": 256}, {"ratio": [0.03, 0.1]})


def form_of(text: str, uploads: Iterable[Upload]) -> PlanForm | None:
    """Return the form that writes this very plan, filled in; None for a plan that says more than the form can.

    A value that is not possible now, such as a picture that was deleted, is an error of the form.
    """
    try:
        told = tomllib.loads(text)
        form = PlanForm(fields_of(told), uploads=uploads)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError):
        return None
    if form.is_valid():
        return form if tomllib.loads(form.plan()) == told else None
    return form if says_no_more(told, [factor.key for factor in _EVERY]) else None


def _name(factor: Factor) -> str:
    return f"vary_{factor.key}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _plain_reason(reason: str) -> str:
    return _REASONS.get(reason.strip(), reason.strip())
