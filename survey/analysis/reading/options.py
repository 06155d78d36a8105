"""What a user may say about a ratings file whose meaning cannot be guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from survey.analysis.reading.roles import ROLES
from survey.analysis.scale import Scale, parse_scale

Wide = Literal["auto", "items", "participants", "no"]
WIDE: Final[tuple[str, ...]] = get_args(Wide)


class OptionError(ValueError):
    """An option that cannot be understood; the message is one line that names the option and the fix."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read a ratings file. The defaults detect everything.

    Attributes:
        columns: role (``participant``, ``item``, ``rating`` ...) -> the text that names its column or columns,
            several joined by ``+``; numbers from 1 where the file has no header.
        wide: ``items`` for one row an item, ``participants`` for one row a participant, ``no`` for one row a rating.
        scale: the rating scale; None for 1 to 5, or as many categories as ``labels`` has.
        scales: question -> its scale, where each question has its own.
        labels: the labels of the categories, lowest first.
        missing: codes of a missing rating besides the usual ones.
        encoding: name of the text's encoding.
        sheet: name of the sheet, of a workbook.
        header: whether the table has a header.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    wide: Wide = "auto"
    scale: Scale | None = None
    scales: Mapping[str, Scale] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        alike = list(map(_alike, self.labels))
        if double := next((label for label in self.labels if alike.count(_alike(label)) > 1), None):
            raise OptionError(f"--labels: {double!r} is there twice; each category needs a label of its own")
        if self.labels and self.scales:
            raise OptionError("--labels: labels belong to one scale, and --scale gives several")
        if self.labels and self.scale is not None:
            values = self.scale.categories
            if values is None or len(values) != len(self.labels):
                have = "no categories" if values is None else f"{len(values)} categories"
                raise OptionError(
                    f"--labels: {len(self.labels)} labels, but the scale {self.scale} has {have}"
                )

    @property
    def used_scale(self) -> Scale:
        """The scale that is meant: as given, else 1 to the number of labels, else 1 to 5."""
        if self.scale is not None:
            return self.scale
        if self.scales:
            # Until it is known which rating answers which question, any of their values may be one.
            ends = self.scales.values()
            return Scale(min(scale.low for scale in ends), max(scale.high for scale in ends), None)
        return Scale(1, len(self.labels), 1) if self.labels else Scale()


def _alike(label: str) -> str:
    return unicodedata.normalize("NFKC", label).casefold().strip()


def parse_options(
    *,
    columns: str = "",
    wide: str = "auto",
    scale: str = "",
    labels: str = "",
    missing: str = "",
    encoding: str = "",
    sheet: str = "",
    header: str = "",
) -> ReadOptions:
    """Read the options as they are written on the command line, "" for one that is not given.

    Raises:
        OptionError: an option cannot be understood.
    """
    if wide not in WIDE:
        raise OptionError(f"--wide: {wide!r} is none of {', '.join(WIDE)}")
    if header not in ("", "auto", "none"):
        raise OptionError(
            f"--header: {header!r} is not 'none'; leave the option out for a file with a header"
        )
    parsed, scales = _parse_scales(scale)
    listed = _split(labels)
    if labels and (len(listed) < 2 or "" in listed):
        raise OptionError(
            f"--labels: list the labels from the lowest category to the highest, not {labels!r}"
        )
    return ReadOptions(
        columns=_parse_columns(columns),
        wide=wide,  # type: ignore[arg-type]
        scale=parsed,
        scales=scales,
        labels=listed,
        missing=_split(missing),
        encoding=encoding or None,
        sheet=sheet or None,
        header=header != "none",
    )


def _parse_scales(text: str) -> tuple[Scale | None, dict[str, Scale]]:
    """Read ``LOW:HIGH[:STEP]``, or ``QUESTION=LOW:HIGH[:STEP],...`` for questions on scales of their own."""
    try:
        if "=" not in text:
            return (parse_scale(text) if text else None), {}
        parts = [part.rpartition("=") for part in _split(text)]
        if bad := next((scale for name, _, scale in parts if not name.strip()), None):
            raise ValueError(f"{bad!r}: write QUESTION=LOW:HIGH for each question")
        return None, {name.strip(): parse_scale(scale) for name, _, scale in parts}
    except ValueError as error:
        raise OptionError(f"--scale: {error}") from None


def _parse_columns(text: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for part in _split(text):
        role, sign, name = part.partition("=")
        role = role.strip().lower()
        if not sign or not name.strip():
            raise OptionError(f"--columns: {part!r}: write ROLE=COLUMN, such as participant=Judge,item=Wine")
        if role not in ROLES:
            raise OptionError(f"--columns: {role!r} is none of {', '.join(ROLES)}")
        if role in columns:
            raise OptionError(
                f"--columns: {role} is given twice; join several columns by +, as in rating=A+B"
            )
        columns[role] = name.strip()
    return columns


def _split(text: str) -> tuple[str, ...]:
    """Split at commas outside quotation marks, which are taken off; two in a row are one."""
    parts, quoted = [""], False
    for piece in re.split(r'(""|"|,)', text):
        if piece == '"':
            quoted = not quoted
        elif piece == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += ('"' if quoted else "") if piece == '""' else piece
    return tuple(part.strip() for part in parts) if text.strip() else ()
