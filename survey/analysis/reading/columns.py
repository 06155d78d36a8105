"""Which column is what: the user's choice, else the names that columns usually have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from survey.analysis.reading.options import ReadOptions
from survey.analysis.reading.roles import ROLES, STATISTICS, plain, rank, role_of
from survey.analysis.table import TableError

#: Roles that may take several columns, joined by +.
_SEVERAL: Final = ("participant", "item", "rating", "condition")


@dataclass
class Columns:
    """The columns of a table by role.

    Attributes:
        of: role -> its columns, in the file's order or as the user gave them.
        rivals: role -> columns of which any could be it.
        numbers: role -> a number that the user gave in place of a column.
        hints: role -> columns that may have it by what they hold.
    """

    of: dict[str, list[str]] = field(default_factory=dict)
    rivals: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    hints: dict[str, list[str]] = field(default_factory=dict)

    def one(self, role: str) -> str | None:
        """Return the role's first column, None without one."""
        return self.of[role][0] if role in self.of else None

    def known(self) -> set[str]:
        """Return every column that has a role."""
        return {name for names in self.of.values() for name in names}


def resolve(names: list[str], source: str, options: ReadOptions) -> Columns:
    """Give columns their roles.

    Raises:
        TableError: the user names a column that is not there.
    """
    columns = Columns()
    for role, text in options.columns.items():
        found = _chosen(text, names, role in _SEVERAL)
        if found is None and role == "n" and text.isdigit():
            columns.numbers[role] = int(text)
        elif found is None and role == "question" and _are_parts(text, names):
            continue
        elif found is None:
            raise TableError(f"{source}: --columns {role}={text}: {_not_there(text, names)}")
        else:
            columns.of[role] = found
    taken = columns.known()
    for role in ROLES:
        if role in options.columns:
            continue
        candidates = [name for name in names if name not in taken and role_of(name) == role]
        if not candidates:
            continue
        nearest = min(rank(name, role) for name in candidates)
        best = [name for name in candidates if rank(name, role) == nearest]
        columns.of[role] = best[:1]
        if len(best) > 1:
            columns.rivals[role] = best
    return columns


def renamed(columns: Columns, roles: Iterable[str]) -> str:
    """Return a sentence on the columns that are called otherwise than their role, "" for none."""
    parts = [
        f"{', '.join(map(repr, names))} as {role}"
        for role, names in columns.of.items()
        if role in roles and names != [role]
    ]
    return f"columns read by another name: {'; '.join(parts)}" if parts else ""


def refuse_rivals(columns: Columns, source: str, roles: Iterable[str]) -> None:
    """Raise TableError where two columns could be one of the roles."""
    for role in roles:
        if role in columns.rivals:
            shown = " and ".join(map(repr, columns.rivals[role][:4]))
            first = columns.rivals[role][0]
            raise TableError(
                f"{source}: columns {shown} could each be the {role}: say which by --columns {role}={first}"
            )


def missing_column(role: str, names: list[str], hints: list[str]) -> str:
    """Return what to say of a role that no column has, with the column that may have it by its cells or its name."""
    if hints:
        return f"{role!r} (is it {hints[0]!r}? then add --columns {role}={hints[0]})"
    plain_names = {plain(name): name for name in names if role_of(name) not in ROLES[:3]}
    close = difflib.get_close_matches(role, list(plain_names), n=1, cutoff=0.6)
    hint = (
        f" (is it {plain_names[close[0]]!r}? then add --columns {role}={plain_names[close[0]]})"
        if close
        else ""
    )
    return f"{role!r}{hint}"


def listed(names: list[str]) -> str:
    """Return names for a message, at most 20 of them."""
    shown = [name[:40] if name.isprintable() else ascii(name[:40]) for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _chosen(text: str, names: list[str], several: bool) -> list[str] | None:
    whole = _match(text, names)
    if whole or not several:
        return whole or None
    found: list[str] = []
    parts = text.split("+")
    while parts:
        # A name may hold a plus itself: the longest that is there counts.
        length = next((n for n in range(len(parts), 0, -1) if _match("+".join(parts[:n]).strip(), names)), 0)
        if not length:
            return None
        found += [name for name in _match("+".join(parts[:length]).strip(), names) if name not in found]
        parts = parts[length:]
    return found


def _match(text: str, names: list[str]) -> list[str]:
    """Return the column of a name, in any case where that is clear, or those of a pattern such as ``P*``."""
    if text in names:
        return [text]
    same = [name for name in names if name.strip().casefold() == text.casefold()] or [
        name for name in names if plain(name) and plain(name) == plain(text)
    ]
    if len(same) == 1:
        return same
    if "*" in text or "?" in text:
        return [name for name in names if fnmatchcase(name, text)]
    if text.isdigit() and 1 <= int(text) <= len(names):
        return [names[int(text) - 1]]
    return []


def _are_parts(text: str, names: list[str]) -> bool:
    """Whether the words of ``text``, joined by +, are each a part of several columns' names: the questions of a wide table."""
    words = [part.strip().casefold() for part in text.split("+")]
    return all(word and sum(word in name.casefold() for name in names) > 1 for word in words)


def _not_there(text: str, names: list[str]) -> str:
    parts = [part.strip() for part in text.split("+")]
    absent = next((part for part in parts if not _match(part, names)), text)
    close = difflib.get_close_matches(absent, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"no column {absent!r}{hint}; found: {listed(names)}"


def has_statistics(columns: Columns) -> bool:
    """Whether any column holds means, SDs or numbers of ratings."""
    return any(role in columns.of for role in STATISTICS)
