"""A small form that writes a plan: pictures, a preset, up to two factors. Everything else is for the file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from django import forms

from generator.models import Upload
from generator.nst.recipes.presets import DEFAULT
from generator.nst.recipes.presets import PRESETS as ALL_PRESETS
from generator.plans.document import shipped_plans

#: The presets by name, the default first.
PRESETS: Final = (DEFAULT, *(name for name in ALL_PRESETS if name != DEFAULT))
#: What may vary: key of the recipe -> (what it is called, levels to start from).
FACTORS: Final = {
    "ratio": ("content to style ratio, α/β", "0.03, 0.1, 0.3"),
    "content_layer": ("content layer", "conv2_1, conv3_1, conv4_1"),
    "tv_weight": ("weight of total variation", "0, 1"),
    "style_scale": ("scale of the style image", "0.5, 1, 2"),
    "evaluations": ("evaluations", "50, 200"),
    "size": ("longest side in pixels", "256, 512"),
    "init": ("where it starts: noise, content, mix", "noise, content"),
    "optimiser": ("optimiser: lbfgs-b, lbfgs, adam", "lbfgs-b, adam"),
    "pooling": ("pooling: max, average", "max, average"),
    "colour": ("colour: none, histogram, luminance ...", "none, histogram"),
    "preset": ("preset", "gatys2016, modern"),
    "seed": ("seed", "1, 2, 3"),
}
_PLACES: Final = ("first", "second")


class PlanForm(forms.Form):
    """`plan()` is the TOML of a valid form."""

    title = forms.CharField(label="Title", max_length=200)
    content = forms.TypedMultipleChoiceField(label="Content images", widget=forms.CheckboxSelectMultiple)
    style = forms.TypedMultipleChoiceField(label="Style images", widget=forms.CheckboxSelectMultiple)
    preset = forms.ChoiceField(label="Method (preset or shipped plan)")
    size = forms.IntegerField(label="Longest side in pixels", min_value=16, max_value=8192, required=False)
    evaluations = forms.IntegerField(
        label="Steps at each size (evaluations)",
        min_value=1,
        max_value=100_000,
        required=False,
    )
    first = forms.ChoiceField(label="What should vary", required=False)
    first_levels = forms.CharField(label="Values, separated by commas", max_length=500, required=False)
    second = forms.ChoiceField(label="What else should vary", required=False)
    second_levels = forms.CharField(label="Values, separated by commas", max_length=500, required=False)

    def __init__(self, *args: Any, uploads: Iterable[Upload], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.uploads = list(uploads)
        names = [(upload.name, upload.name) for upload in self.uploads]
        presets = [(name, name) for name in PRESETS]
        shipped = [(name, name) for name in shipped_plans()]
        factors = [("", "none"), *((key, label) for key, (label, _) in FACTORS.items())]
        self._offer("preset", [("presets", presets), ("shipped plans", shipped)])
        for name, options in (("content", names), ("style", names), ("first", factors), ("second", factors)):
            self._offer(name, options)

    def _offer(self, name: str, options: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = options

    @property
    def tiles(self) -> list[tuple[Upload, list[tuple[str, str, bool]]]]:
        """Return each picture with its two boxes: (field, label, whether it is ticked)."""
        ticked = {name: set(self[name].value() or []) for name in ("content", "style")}
        return [
            (upload, [(name, name, upload.name in ticked[name]) for name in ("content", "style")])
            for upload in self.uploads
        ]

    def clean(self) -> dict[str, Any]:
        """Tie factors to their levels."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for place in _PLACES:
            factor, levels = cleaned.get(place), levels_of(cleaned.get(f"{place}_levels", ""))
            if factor and len(levels) < 2:
                self.add_error(
                    f"{place}_levels",
                    f"Choose at least two values to compare, for example {FACTORS[factor][1]}.",
                )
            if levels and not factor:
                self.add_error(place, "Say what these values are for.")
        if cleaned.get("first") and cleaned.get("first") == cleaned.get("second"):
            self.add_error("second", "The two factors are the same.")
        return cleaned

    def plan(self) -> str:
        """Return the plan as TOML."""
        values = self.cleaned_data
        recipe = {key: values[key] for key in ("size", "evaluations") if values[key]}
        if "evaluations" in recipe:
            # Or a preset that begins with a small image would spend its own number on that.
            recipe["first_evaluations"] = 0
        factors = {values[place]: levels_of(values[f"{place}_levels"]) for place in _PLACES if values[place]}
        return write(values["title"], values["preset"], values["content"], values["style"], recipe, factors)

    def example(self) -> str:
        """Return a short plan of the first pictures, to be changed by hand."""
        names = [upload.name for upload in self.uploads] or ["photograph.jpg", "painting.jpg"]
        return write("My images", PRESETS[0], names[:1], names[-1:], {"size": 256}, {"ratio": [0.03, 0.1]})


def levels_of(text: str) -> list[Any]:
    """Return comma-separated levels as numbers where they are such, else as words."""
    return [_level(part.strip()) for part in text.split(",") if part.strip()]


def write(
    title: str,
    preset: str,
    content: list[str],
    style: list[str],
    recipe: dict[str, Any],
    factors: dict[str, list[Any]],
) -> str:
    """Return a plan as TOML. A JSON string, number or list of such is one of TOML, too."""
    lines = [f"title = {_toml(title)}", f"preset = {_toml(preset)}", "", "[images]"]
    lines += [f"content = {_toml(content)}", f"style = {_toml(style)}"]
    for name, table in (("recipe", recipe), ("factors", factors)):
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    # DEL is the one character that JSON leaves bare and TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _level(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        return number if number == number and abs(number) != float("inf") else word
    return word
