"""The MOS table in LaTeX (booktabs), one line an image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from survey.analysis.items.intervals import DEFAULT_INTERVAL, INTERVALS
from survey.exports.making_words import making_words
from survey.exports.tables import records
from survey.results.export import Export

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\n": " ",
}
_PATTERN: Final = re.compile("|".join(map(re.escape, _SPECIAL)))

_LETTERS_SAID: Final = " Figure: the letter at the start of the image's name."
# A name such as `label = "A"` of a plan gives.
_OWN_LETTER: Final = re.compile(r"([A-Z][0-9A-Z]?): (.+)", re.DOTALL)


def escape(text: object) -> str:
    """Return `text` escaped for LaTeX."""
    return _PATTERN.sub(lambda match: _SPECIAL[match.group()], str(text))


def ended(text: str) -> str:
    """Return a sentence with its stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def latex_table(export: Export) -> str:
    """Return a document fragment with one `table` for each question: factors, image, n, MOS ± CI, SD, median.

    Where a name begins with a letter ("A: cat × wave"), a first column has the letters, and the caption says so. The table
    has the factors in which the images differ. The interval is Student's t at 95 %, given as its half width after the ±.
    A dash means that it is not defined.
    """
    head = [
        f"% Needs \\usepackage{{booktabs}}. Half widths are those of 95 % {INTERVALS[DEFAULT_INTERVAL]} intervals.",
        f"% {making_words(export.settings, export.items)}",
        *(
            f"% {key}: {value}"
            for key, value in export.analysis.stamp.items()
            if isinstance(value, str | int)
        ),
    ]
    figures = _figures(list(export.items["item"]))
    tables = [_table(export, question.key, question.text, figures) for question in export.questions]
    return "\n".join([*head, *tables]) + "\n"


def _figures(items: list[str]) -> dict[str, tuple[str, str]]:
    """Return {item: (figure, name)}: a letter at the start of a name moves to the figure, which others lack."""
    own = {item: match.groups() for item in items if (match := _OWN_LETTER.fullmatch(item))}
    letters = [letter for letter, _ in own.values()]
    if len(set(letters)) < len(letters):
        own = {}
    return {item: (own[item][0], own[item][1]) if item in own else ("", item) for item in items}


def _table(export: Export, key: str, text: str, figures: dict[str, tuple[str, str]]) -> str:
    mos = export.analysis.questions[key].mos
    place = {item: number for number, item in enumerate(figures)}
    rows = mos.assign(order=mos["item"].map(place)).sort_values("order")
    factors = _factors(export, list(mos["item"]))
    lettered = any(figures[item][0] for item in mos["item"])
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{export.kind}Mean Opinion Scores with 95\\,\\% confidence intervals{_on(export, key)}: {_asked(text, lettered)}}}",
        f"  \\label{{tab:mos-{re.sub('[^a-z0-9-]+', '-', f'{export.slug}-{key}'.lower())}}}",
        rf"  \begin{{tabular}}{{{'l' if lettered else ''}{_alignment(factors)}lrrrr}}",
        r"    \toprule",
        f"    {' & '.join([*(['Figure'] if lettered else []), *map(escape, factors), 'Image'])} & $n$ & MOS & SD & Median \\\\",
        r"    \midrule",
        *(_line(row, figures, factors, lettered) for row in records(rows)),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _asked(text: str, lettered: bool) -> str:
    return f"{ended(escape(text))}{_LETTERS_SAID}" if lettered else escape(text)


def _on(export: Export, key: str) -> str:
    """Return the words that name a scale, nothing for the usual one."""
    scale = next(question.scale for question in export.questions if question.key == key)
    return "" if scale.is_acr else f" on the scale {scale.describe()}"


def _factors(export: Export, items: list[str]) -> dict[str, dict[str, Any]]:
    """Return {factor: {item: level}} of the factors in which the items differ, or the condition without factors."""
    table = export.items[export.items["item"].isin(items)]

    def varying(names: Iterable[str]) -> list[str]:
        shown = [name for name in dict.fromkeys(names) if name in table.columns]
        return [name for name in shown if table[name].map(str).nunique() > 1]

    own = varying(export.factors)
    columns = [*varying(["content", "style"]), *(own or varying(["condition"]))]
    levels = {row["item"]: row for row in records(table[["item", *columns]])}
    return {name: {item: row[name] for item, row in levels.items()} for name in columns}


def _alignment(factors: dict[str, dict[str, Any]]) -> str:
    """Return "r" for each factor of numbers, "l" for the others."""

    def is_number(level: Any) -> bool:
        return isinstance(level, int | float) and not isinstance(level, bool)

    return "".join("r" if all(map(is_number, levels.values())) else "l" for levels in factors.values())


def _line(
    row: dict[str, Any],
    figures: dict[str, tuple[str, str]],
    factors: dict[str, dict[str, Any]],
    lettered: bool,
) -> str:
    half = "" if row["ci_low"] is None else f" \\pm {(row['ci_high'] - row['ci_low']) / 2:.2f}"
    mos = _number(row["mos"])
    figure, name = figures[row["item"]]
    cells = [
        *([figure or "--"] if lettered else []),
        *(_level(levels.get(row["item"])) for levels in factors.values()),
        escape(name),
        str(row["n"]),
        f"${mos}{half}$" if half else mos,
        _number(row["sd"]),
        _number(row["median"], 1),
    ]
    return f"    {' & '.join(cells)} \\\\"


def _level(value: Any) -> str:
    if value is None:
        return "--"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else escape(value)


def _number(value: float | None, digits: int = 2) -> str:
    return "--" if value is None else f"{value:.{digits}f}"
