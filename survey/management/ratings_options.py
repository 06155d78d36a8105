"""The options of commands that read a ratings file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from survey.analysis import ReadOptions
from survey.analysis.reading.options import parse_options

_HELP = {
    "columns": (
        "ROLE=COLUMN,...",
        "which column is what, such as participant=Judge,item=Wine,rating=Score+Appeal",
    ),
    "wide": ("auto|items|participants|no", "whether each row is an item, a participant or one rating"),
    "scale": (
        "LOW:HIGH[:STEP]",
        "the rating scale (default 1:5), or QUESTION=LOW:HIGH,... where each question has its own",
    ),
    "labels": ("A,B,...", "the labels of the categories, lowest first"),
    "missing": ("CODE,...", "codes of a missing rating, such as --missing=-1,99"),
    "encoding": ("NAME", "the encoding of the text, such as shift_jis"),
    "sheet": ("NAME", "the sheet of a workbook"),
    "header": ("none", "the file has no header: --columns takes numbers"),
}


def add_options(parser: ArgumentParser) -> None:
    """Declare the options, see docs/reference/ratings-files.md."""
    for name, (shown, text) in _HELP.items():
        parser.add_argument(f"--{name}", default="", metavar=shown, help=text)


def options_of(options: dict[str, Any]) -> ReadOptions:
    """Return the options as the reader takes them; OptionError for one that cannot be understood."""
    given = {name: options.get(name) or "" for name in _HELP}
    return parse_options(**given | {"wide": given["wide"] or "auto"})
