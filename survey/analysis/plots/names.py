"""Names on a plot: names that differ read differently, however long they are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes

from survey.analysis.plots.style import FAINT, rows_height

#: What a condition's parts are joined with.
_JOINT: Final = ", "
_CUT: Final = "…"
#: Rows of a matrix up to which its columns repeat the names, where none is longer than `_BESIDE`.
_FEW: Final = 12
_BESIDE: Final = 16
#: Characters of a line of a matrix's numbered rows.
_ROW: Final = 32
#: Inches of a line of a label.
_LINE: Final = 0.15
#: Inches for the line that says what all names share.
_SHARED_HEIGHT: Final = 0.2


@dataclass(frozen=True)
class Labels:
    """A label for each name.

    Attributes:
        texts: In the order of the names; equal only where the names are. Long ones have several lines.
        shared: What the labels leave out because all names share it, as a line of text; empty for nothing.
    """

    texts: list[str]
    shared: str = ""

    @property
    def lines(self) -> int:
        """Lines of the tallest label."""
        return max((text.count("\n") + 1 for text in self.texts), default=1)

    @property
    def above(self) -> float:
        """Inches that `say_shared` needs."""
        return _SHARED_HEIGHT if self.shared else 0.0


def tell_apart(names: Iterable[object], width: int = 40, lines: int = 1) -> Labels:
    """Return a label for each name.

    Long names drop the parts that all share, and go on in lines. What is still too long drops the words that begin the same part of
    each name ("ratio" of "ratio 0.1"). The rest is cut, and numbered where two would read alike.

    Args:
        names: One for each mark, in any order; the labels depend on the set of names alone.
        width: Characters a line at most.
        lines: Lines at most.
    """
    plain = [" ".join(str(name).split()) for name in names]
    distinct = sorted(set(plain))
    shown, shared = distinct, ""
    if any(len(name) > width for name in distinct):
        shown, shared = _shortened(distinct, width, lines)
    label = dict(zip(distinct, map(_unread, shown), strict=True))
    return Labels([label[name] for name in plain], _unread(shared))


def _shortened(names: Sequence[str], width: int, lines: int) -> tuple[list[str], str]:
    """Return a shorter text for each name, and what these leave out."""
    kept, shared = _without_shared(names)
    said = f"All: {shared}" if shared else ""
    briefer, keys = _without_keys(kept)
    for texts, told in ((kept, said), (briefer, f"{said}. Names give {keys}".removeprefix(". "))):
        wrapped = [_wrapped(text, width) for text in texts]
        if all(text.count("\n") < lines and _longest_line(text) <= width for text in wrapped):
            return wrapped, told
    return _cut(kept, width, lines), said


def _without_shared(names: Sequence[str]) -> tuple[list[str], str]:
    """Return the names without the parts that stand in all of them, and those parts."""
    parts = [name.split(_JOINT) for name in names]
    shared = [part for part in parts[0] if all(part in other for other in parts)]
    kept = [_JOINT.join(part for part in mine if part not in shared) for mine in parts]
    if not shared or not all(kept) or len(set(kept)) < len(kept):
        return list(names), ""
    return kept, _JOINT.join(shared)


def _without_keys(names: Sequence[str]) -> tuple[list[str], str]:
    """Return the names without the first word of each part in which all begin with the same word, and those words."""
    parts = [name.split(_JOINT) for name in names]
    if len({len(mine) for mine in parts}) > 1:
        return list(names), ""
    columns = [[part.partition(" ") for part in column] for column in zip(*parts, strict=True)]
    same = [
        len({key for key, _, _ in column}) == 1 and all(rest for _, _, rest in column) for column in columns
    ]
    kept = [
        _JOINT.join(part.partition(" ")[2] if drop else part for part, drop in zip(mine, same, strict=True))
        for mine in parts
    ]
    keys = [column[0][0] for column, drop in zip(columns, same, strict=True) if drop]
    return (kept, _JOINT.join(keys)) if len(set(kept)) == len(kept) else (list(names), "")


def _wrapped(text: str, width: int) -> str:
    """Return a text in lines that end between its parts or, within a long part, between its words."""
    *first, last = text.split(_JOINT)
    lines = [""]
    for part in (*(f"{part}," for part in first), last):
        for piece in textwrap.wrap(part, width, break_long_words=False):
            joined = f"{lines[-1]} {piece}".strip()
            if len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
    return "\n".join(filter(None, lines))


def _longest_line(text: str) -> int:
    return max(map(len, text.split("\n")))


def _cut(names: Sequence[str], width: int, lines: int) -> list[str]:
    """Return names cut in the middle or, where these would read alike, at the beginning, else numbered and cut at the end."""
    room = width * lines
    half = (room - 1) // 2
    for head, tail in ((half, half), (0, room - 1)):
        cut = [_cut_one(name, room, head, tail) for name in names]
        if len(set(cut)) == len(cut):
            return [_broken(name, width) for name in cut]
    room -= len(f"{len(names)}: ")
    numbered = (f"{n}: {_cut_one(name, room, room - 1, 0)}" for n, name in enumerate(names, start=1))
    return [_broken(name, width) for name in numbered]


def _cut_one(name: str, room: int, head: int, tail: int) -> str:
    return name if len(name) <= room else f"{name[:head]}{_CUT}{name[len(name) - tail :]}"


def _broken(text: str, width: int) -> str:
    """Return a text in lines of `width` characters, broken anywhere."""
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


def _unread(text: str) -> str:
    """Escape the sign at which matplotlib would begin a formula."""
    return text.replace("$", r"\$")


def named_height(labels: Labels, rows: int, each: float) -> float:
    """Return the inches for a plot of `rows` rows with these labels, `each` for a row of one line."""
    return rows_height(rows, max(each, _LINE * labels.lines + 0.02)) + labels.above


def say_shared(axes: Axes, labels: Labels) -> None:
    """Say once, above the axes, what the labels leave out."""
    if labels.shared:
        axes.set_title(labels.shared, loc="left", fontsize=8, color=FAINT)


def matrix_names(names: Sequence[str]) -> tuple[Labels, list[str]]:
    """Return the labels of a square matrix's rows, and those of its columns: names, or the numbers of many or long ones."""
    if len(names) <= _FEW and all(len(name) <= _BESIDE for name in names):
        labels = tell_apart(names)
        return labels, labels.texts
    columns = [str(n) for n in range(1, len(names) + 1)]
    labels = tell_apart(names, _ROW, 2)
    rows = [f"{text}  {n}" for text, n in zip(labels.texts, columns, strict=True)]
    return Labels(rows, labels.shared), columns
