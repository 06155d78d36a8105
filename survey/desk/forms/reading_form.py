"""How a ratings file is to be read: corrections by choosing, kept in the address of the page."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.http import QueryDict

from survey.analysis import OptionError, ReadOptions
from survey.analysis.reading.options import WIDE, parse_options
from survey.analysis.reading.preview import Preview
from survey.analysis.reading.roles import ROLES

#: Columns that the form offers.
MAX_COLUMNS: Final = 200

_SEVERAL: Final = ("item", "rating", "condition")
_NAMES: Final = {
    "participant": "Participant",
    "item": "Item",
    "rating": "Rating",
    "question": "Question",
    "condition": "Condition",
    "content": "Content (the picture an item was made from)",
    "style": "Style",
    "phase": "Phase (practice, main ...)",
    "reference": "Reference (the item’s hidden reference)",
    "repeat": "Repeat (which presentation of the item)",
    "rt_ms": "Time of the answer",
    "position": "Position in the session",
    "expected": "Expected answer",
    "mean": "Mean",
    "sd": "Standard deviation",
    "n": "Number of ratings of a mean",
}
_LAYOUTS: Final = {
    "auto": "Detect it",
    "no": "Each row is one rating (long)",
    "items": "Each row is an item, each column a participant (wide)",
    "participants": "Each row is a participant, each column an item (wide)",
}
_SCALES: Final = {
    "": "1 to 5, or as many as there are labels",
    "1:7": "1 to 7",
    "1:9": "1 to 9",
    "1:11": "1 to 11",
    "0:10": "0 to 10",
    "0:100": "0 to 100, any value",
    "0:100:1": "0 to 100, whole numbers",
    "1:5:0.5": "1 to 5 in half points",
    "other": "Another scale, written below",
}
_ENCODINGS: Final = {
    "": "Detect it",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252, Western Europe",
    "cp1250": "Windows-1250, Central Europe",
    "cp1251": "Windows-1251, Cyrillic",
    "cp850": "DOS 850, Western Europe",
    "mac_roman": "Mac Roman",
    "shift_jis": "Shift JIS, Japanese",
    "gb18030": "GB 18030, Chinese",
    "big5": "Big5, Chinese",
    "euc_kr": "EUC-KR, Korean",
}
_LABELS: Final = {
    "wide": "Layout",
    "scale": "Scale",
    "labels": "Labels",
    "missing": "Codes of a missing rating",
    "encoding": "Encoding",
    "sheet": "Sheet",
    "header": "No header",
}
_OPTION: Final = re.compile(
    r"--(columns|wide|scale|labels|missing|encoding|sheet|header)\b(?:[= ](\w+)(?==))?"
)

#: Refusals that name no option, but say what is missing.
_ABSENT: Final = re.compile(r"no columns? '(\w+)'")
_OFF_SCALE: Final = re.compile(r"is not on the scale|is not a whole number from")


class ReadingForm(forms.Form):
    """The choices of one file, with what the reader refused beside the field that corrects it."""

    wide = forms.ChoiceField(label=_LABELS["wide"], choices=list(_LAYOUTS.items()), required=False)
    scale = forms.ChoiceField(label=_LABELS["scale"], choices=list(_SCALES.items()), required=False)
    other_scale = forms.CharField(
        label="Another scale",
        required=False,
        help_text="LOW:HIGH or LOW:HIGH:STEP, such as 0:20 or 1:5:0.5. Step 0 means any value.",
    )
    labels = forms.CharField(
        label=_LABELS["labels"],
        required=False,
        widget=forms.Textarea({"rows": 6}),
        help_text="One on each line, lowest first, where ratings are words of their own.",
    )
    missing = forms.CharField(
        label=_LABELS["missing"], required=False, help_text="Separated by commas, such as -1, 99."
    )
    encoding = forms.ChoiceField(label=_LABELS["encoding"], choices=list(_ENCODINGS.items()), required=False)
    header = forms.BooleanField(label="The file has no header", required=False)
    n = forms.CharField(label="Ratings of each mean", required=False, help_text="Where no column says it.")

    def __init__(self, asked: QueryDict, found: Preview | None, *, statistics: bool) -> None:
        """Offer what the file has.

        Args:
            asked: the address's choices.
            found: the columns and sheets of the file, where it has any.
            statistics: whether the file holds means or counts.
        """
        super().__init__(asked)
        self.fault, self.fault_at = "", ""
        if not statistics:
            del self.fields["n"]
        if found is not None:
            self._offer(found)
        # The choices are in the address, which anybody can write: the reader judges them, in its own words.
        self.full_clean()
        self.errors.clear()

    def _offer(self, found: Preview) -> None:
        names = [name for name, _ in found.columns][:MAX_COLUMNS]
        read = {role: [name for name, was in found.columns if was == role] for role in ROLES}
        for role, label in _NAMES.items():
            columns = [(name, name or "(without a name)") for name in names]
            detected = ", ".join(read[role]) or "none"
            field: forms.Field
            if role in _SEVERAL:
                field = forms.MultipleChoiceField(
                    choices=columns,
                    required=False,
                    label=label,
                    help_text=f"If nothing is chosen, it is detected: {detected}.",
                    widget=forms.SelectMultiple({"size": min(6, max(2, len(columns)))}),
                )
            else:
                field = forms.ChoiceField(
                    choices=[("", f"Detect it: {detected}"), *columns], required=False, label=label
                )
            self.fields[f"c-{role}"] = field
        if len(found.sheets) > 1:
            self.fields["sheet"] = forms.ChoiceField(
                choices=[("", "The one with ratings"), *((name, name) for name in found.sheets)],
                required=False,
                label=_LABELS["sheet"],
            )

    def refuse(self, text: str) -> None:
        """Say what the reader refused: above the form, and beside the field that its message names."""
        named = [
            f"c-{role}" if option == "columns" else option
            for option, role in _OPTION.findall(text)
            if role or option
        ]
        if absent := _ABSENT.search(text):
            named.append(f"c-{absent[1]}")
        if _OFF_SCALE.search(text):
            named.append("scale")
        field = next((name for name in named if name in self.fields), None)
        self.fault = in_words(text)
        if field is not None:
            self.fault_at = f"id_{field}"
            self.add_error(field, self.fault)

    @property
    def main(self) -> list[forms.BoundField]:
        """The fields that most files need."""
        return [
            self[name]
            for name in ("c-participant", "c-item", "c-rating", "c-question", "wide")
            if name in self.fields
        ]

    @property
    def values(self) -> list[forms.BoundField]:
        """The fields about ratings."""
        return [
            self[name] for name in ("scale", "other_scale", "labels", "missing", "n") if name in self.fields
        ]

    @property
    def others(self) -> list[forms.BoundField]:
        """All other fields."""
        shown = {field.name for field in (*self.main, *self.values)}
        return [field for field in self if field.name not in shown]


def options_of(asked: QueryDict) -> ReadOptions:
    """Return the options that an address asks for.

    Raises:
        OptionError: one cannot be understood; the message names it as the commands do.
    """
    scale, wide = asked.get("scale", ""), str(asked.get("wide", "auto"))
    parsed = parse_options(
        wide=wide if wide in WIDE else "auto",
        scale=asked.get("other_scale", "") if scale == "other" else scale,
        missing=asked.get("missing", ""),
        encoding=asked.get("encoding", ""),
        sheet=asked.get("sheet", ""),
        header="none" if asked.get("header") else "",
    )
    columns = {
        role: "+".join(names) for role in ROLES if (names := [n for n in asked.getlist(f"c-{role}") if n])
    }
    if number := asked.get("n", "").strip():
        columns.setdefault("n", number)
    labels = tuple(line.strip() for line in asked.get("labels", "").splitlines() if line.strip())
    if len(labels) == 1:
        raise OptionError("--labels: list all labels, from the lowest category to the highest")
    kept: dict[str, Any] = {name: getattr(parsed, name) for name in parsed.__dataclass_fields__}
    return ReadOptions(**kept | {"columns": columns, "labels": labels})


def fixes(text: str, asked: QueryDict) -> list[tuple[str, str]]:
    """Return what the reader's refusal proposes as (words, query of the page with it): a scale, or a code of missing ratings."""
    found = []
    for scale in re.findall(r"--scale (-?[\d.]+:-?[\d.]+(?::[\d.]+)?)", text):
        chosen = {"scale": scale} if scale in _SCALES else {"scale": "other", "other_scale": scale}
        words = _SCALES.get(scale, scale.replace(":", " to ", 1))
        found.append((f"Read the ratings as {words}", chosen))
    for code in re.findall(r"--missing=(\S+?)(?:,|$)", text):
        codes = ",".join(filter(None, [asked.get("missing", ""), code]))
        found.append((f"Read {code} as a missing rating", {"missing": codes}))
    return [(words, _with(asked, chosen)) for words, chosen in found]


def _with(asked: QueryDict, chosen: dict[str, str]) -> str:
    query = asked.copy()
    for name, value in chosen.items():
        query[name] = value
    return query.urlencode()


def in_words(text: str) -> str:
    """Return a message of the reader with the form's labels in place of the commands' options."""
    text = re.sub(r"--columns \w+=NAME(?:,\w+=NAME)*", "“Columns”", text)
    text = re.sub(r"--columns (\w+)=", lambda found: f"“{_NAMES.get(found[1], found[1])}”: ", text)
    text = re.sub(r"--wide (items|participants|no)\b", lambda found: f"“{_LAYOUTS[found[1]]}”", text)
    text = text.replace("--header none", f"“{_LABELS['header']}”")
    text = text.replace("--columns", "“Columns”")
    return re.sub(r"--(\w+)\b", lambda found: f"“{_LABELS.get(found[1], found[1])}”", text)
