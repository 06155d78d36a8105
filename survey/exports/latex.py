"""The MOS table in LaTeX (booktabs), one line an image."""

from __future__ import annotations

import re
from typing import Any, Final

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


def _line(row: dict[str, Any], letters: dict[str, str]) -> str:
    half = "" if row["ci_low"] is None else f" \\pm {(row['ci_high'] - row['ci_low']) / 2:.2f}"
    mos = _number(row["mos"])
    cells = [
        letters[row["item"]],
        escape(row["item"]),
        str(row["n"]),
        f"${mos}{half}$" if half else mos,
        _number(row["sd"]),
        _number(row["median"], 1),
    ]
    return f"    {' & '.join(cells)} \\\\"


def _number(value: float | None, digits: int = 2) -> str:
    return "--" if value is None else f"{value:.{digits}f}"


def _letters(index: int) -> str:
    """Return A to Z, then AA, AB, ... as a spreadsheet names its columns."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
