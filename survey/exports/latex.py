"""The MOS table in LaTeX (booktabs), one line an image."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from survey.exports.export import Export
from survey.exports.tables import records

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


def escape(text: object) -> str:
    """Return `text` so that LaTeX prints it as it stands."""
    return _PATTERN.sub(lambda match: _SPECIAL[match.group()], str(text))


def latex_table(export: Export) -> str:
    """Return a document fragment with one `table` for each question: figure, image, n, MOS ± CI, SD, median.

    Figures are lettered in the order of the study's items, A first, as the images of a paper's figure are. The
    interval is Student's t at 95 %, its half width after the ±; a dash stands where it is not defined.
    """
    head = [
        "% Needs \\usepackage{booktabs}. Half widths are those of 95 % Student t intervals.",
        *(
            f"% {key}: {value}"
            for key, value in export.analysis.stamp.items()
            if isinstance(value, str | int)
        ),
    ]
    letters = {item: _letters(index) for index, item in enumerate(export.items["item"])}
    tables = [_table(export, question.key, question.text, letters) for question in export.questions]
    return "\n".join([*head, *tables]) + "\n"


def _table(export: Export, key: str, text: str, letters: dict[str, str]) -> str:
    mos = export.analysis.questions[key].mos
    simulated = "Simulated ratings. " if export.simulated else ""
    rows = mos.assign(order=mos["item"].map(list(letters).index)).sort_values("order")
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{simulated}Mean Opinion Scores with 95\\,\\% confidence intervals: {escape(text)}}}",
        f"  \\label{{tab:mos-{re.sub('[^a-z0-9-]+', '-', f'{export.slug}-{key}'.lower())}}}",
        r"  \begin{tabular}{llrrrr}",
        r"    \toprule",
        r"    Figure & Image & $n$ & MOS & SD & Median \\",
        r"    \midrule",
        *(_line(row, letters) for row in records(rows)),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _line(row: dict[str, object], letters: dict[str, str]) -> str:
    half = (float(row["ci_high"]) - float(row["ci_low"])) / 2  # type: ignore[arg-type]
    mos = f"${_number(row['mos'])} \\pm {half:.2f}$" if pd.notna(half) else _number(row["mos"])
    cells = [
        letters[str(row["item"])],
        escape(row["item"]),
        str(row["n"]),
        mos,
        _number(row["sd"]),
        _number(row["median"], 1),
    ]
    return f"    {' & '.join(cells)} \\\\"


def _number(value: object, digits: int = 2) -> str:
    return "--" if pd.isna(value) else f"{value:.{digits}f}"  # type: ignore[call-overload]


def _letters(index: int) -> str:
    """Return A to Z, then AA, AB, ... as a spreadsheet names its columns."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
