"""Which factors of a study's images can be tested, which cannot and why, and the model's design matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import pandas as pd

from survey.analysis.effects.reml import Floats, Ints, RandomParts
from survey.analysis.factors import factor_columns
from survey.analysis.table import main_phase
from survey.analysis.terms import IMAGES, Terms

FEWEST_PEOPLE = 5
PEOPLE_FOR_INTERACTIONS = 15
FEW_CONTENTS = 4
MAX_IN_INTERACTION = 60
STANDS_FOR = "it only names"
"""How the reason begins for a factor that is another name of others, such as a condition."""
"""Combinations of two factors up to which their interaction is tested."""
_DRAWS = "seed"

Term = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """One row for each participant and image, with the factors of the image as codes.

    Attributes:
        rating: mean of the participant's ratings of the image, shape (rows,).
        people, items: names; participant, item: codes into them.
        content: codes from 0; None where the images have no content, or all the same.
        codes: factor -> codes into its ``levels``.
        levels: factor -> names of its levels, numbers in their order.
        single, row: every rating by itself, and the row that it is part of, shape (ratings,).
        untested: effect -> why it is not tested.
        remarks: what else the reader must know.
        terms: what items and contents are called.
    """

    rating: Floats
    participant: Ints
    item: Ints
    content: Ints | None
    people: list[str]
    items: list[str]
    codes: dict[str, Ints]
    levels: dict[str, list[str]]
    single: Floats
    row: Ints
    untested: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    terms: Terms = IMAGES

    def of_items(self, name: str) -> Ints:
        """Return each item's level of a factor, shape (items,)."""
        codes = np.zeros(len(self.items), np.int64)
        codes[self.item] = self.codes[name]
        return codes

    @property
    def content_of_items(self) -> Ints:
        """Return each item's content, shape (items,); all 0 without contents."""
        codes = np.zeros(len(self.items), np.int64)
        if self.content is not None:
            codes[self.item] = self.content
        return codes

    @property
    def complete(self) -> bool:
        """Whether every participant rated every image."""
        return len(self.rating) == len(self.people) * len(self.items)


@dataclass(frozen=True)
class Design:
    """Design matrix with sum-to-zero coding: an intercept, then the columns of each term.

    Attributes:
        grid: the ratings. terms: main effects, then interactions. columns: term -> its columns of ``x``.
        tested: the terms that may be tested.
    """

    grid: Grid
    x: Floats
    columns: dict[Term, Ints]
    tested: list[Term]
    parts: RandomParts

    def mean_row(self, at: dict[str, int]) -> Floats:
        """Return the combination of effects that is the mean at some levels, over all levels of the others."""
        row = np.zeros(self.x.shape[1])
        row[0] = 1
        for term, columns in self.columns.items():
            if all(name in at for name in term):
                row[columns] = _coded([_coding(len(self.grid.levels[n]))[[at[n]]] for n in term])[0]
        return row


def label(value: object) -> str:
    """Return a level as text, a number in its shortest form."""
    text = str(value).strip()
    number = as_number(text)
    return text if number is None else f"{number:.12g}"


def as_number(text: str) -> float | None:
    """Return the finite number that a text is, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def tested_columns(table: pd.DataFrame) -> list[str]:
    """Return the factor columns whose effects are asked for: all but the content, which is a sample of contents."""
    return [name for name in factor_columns(main_phase(table)) if name != "content"]


def grid_of(table: pd.DataFrame, terms: Terms = IMAGES) -> Grid | None:
    """Return one question's ratings with the factors of the images; None where the images have no factors."""
    main = main_phase(table)
    names = tested_columns(main)
    if not names:
        return None
    items = main.drop_duplicates("item").set_index("item")
    untested: dict[str, str] = {}
    remarks: list[str] = []
    for name in list(names):
        if items[name].isna().mean() > 0.5:
            untested[name] = f"more than half of the {terms.item}s have no {name}"
            names.remove(name)
    empty = items[names].isna().any(axis=1)
    if empty.any():
        remarks.append(
            f"{terms.item.capitalize()}s without a level of every factor are left out: {int(empty.sum())}."
        )
        main = main[~main["item"].isin(items.index[empty])]
    columns = ["participant", "item", *names] + (["content"] if "content" in main.columns else [])
    rows = main[columns].astype("str").assign(rating=main["rating"].astype("float64"))
    if "content" in rows and (main["content"].isna().any() or (main["content"] == "").any()):
        rows = rows.drop(columns="content")
    by_item = rows.drop_duplicates("item").set_index("item")
    pairs = rows.groupby(["participant", "item"], sort=True)["rating"]
    single, row = rows["rating"].to_numpy(np.float64), np.asarray(pairs.ngroup(), np.int64)
    rows = pairs.mean().reset_index()
    people, item_names = sorted(rows["participant"].unique()), sorted(rows["item"].unique())
    item = pd.Categorical(rows["item"], item_names).codes.astype(np.int64)
    levels, codes = {}, {}
    for name in names:
        text = by_item.loc[item_names, name].map(label)
        if text.nunique() < 2:
            untested[name] = f"the {terms.item}s with a level of every factor have one level of {name}"
            continue
        levels[name] = _ordered(set(text))
        codes[name] = pd.Categorical(text, levels[name]).codes.astype(np.int64)[item]
    content = None
    if "content" in by_item and by_item["content"].nunique() > 1:
        content = pd.factorize(by_item.loc[item_names, "content"], sort=True)[0].astype(np.int64)[item]
    return Grid(
        rows["rating"].to_numpy(np.float64),
        pd.Categorical(rows["participant"], people).codes.astype(np.int64),
        item,
        content,
        people,
        item_names,
        codes,
        levels,
        single,
        row,
        untested,
        remarks,
        terms,
    )


def _ordered(levels: set[str]) -> list[str]:
    numbers = {level: as_number(level) for level in levels}
    if all(number is not None for number in numbers.values()):
        return sorted(levels, key=lambda level: (numbers[level] or 0.0, level))
    return sorted(levels)


def why_not(grid: Grid) -> str:
    """Return why nothing can be tested, in words; empty where something can."""
    if len(grid.people) < FEWEST_PEOPLE:
        people = "1 participant" if len(grid.people) == 1 else f"{len(grid.people)} participants"
        return f"{people} rated these {grid.terms.item}s, and tests of factors need at least {FEWEST_PEOPLE}"
    if np.ptp(grid.rating) == 0:
        return "all ratings are equal"
    return ""


def design_of(grid: Grid) -> Design | None:
    """Return the model of a grid, with the reasons added to ``grid.untested``; None where no factor can be tested."""
    kept, testable = _main_effects(grid)
    mains: list[Term] = [(name,) for name in kept]
    items = _first_rows(grid)
    x, columns = _matrix(grid, mains)
    if np.linalg.matrix_rank(x[items]) < x.shape[1]:
        kept = _independent(grid, kept, items)
        testable = [name for name in testable if name in kept]
        mains = [(name,) for name in kept]
        x, columns = _matrix(grid, mains)
    if x.shape[1] >= len(grid.items):
        for name in testable:
            grid.untested[name] = f"there are no more {grid.terms.item}s than combinations of levels"
        return None
    if not testable:
        return None
    pairs = _interactions(grid, kept, testable, items)
    x, columns = _matrix(grid, [*mains, *pairs])
    tested = [(name,) for name in testable] + pairs
    return Design(grid, x, columns, tested, _random_parts(grid, kept))


def _first_rows(grid: Grid) -> Ints:
    return np.unique(grid.item, return_index=True)[1].astype(np.int64)


def _main_effects(grid: Grid) -> tuple[list[str], list[str]]:
    """Return the factors that the model holds and, of those, the ones that can be tested."""
    names = list(grid.codes)
    of = {name: grid.of_items(name) for name in names}
    out = grid.untested
    for name in names:
        if name == _DRAWS:
            out[name] = (
                f"its levels are draws of one recipe, which count as {grid.terms.item}s of the same kind"
            )
    _leave_out_combinations(of, out)
    for name in [n for n in names if n not in out]:
        counts = np.bincount(of[name])
        single = np.flatnonzero(counts == 1)
        contents = grid.content_of_items
        if len(single) * 2 >= len(counts):
            out[name] = _single(grid, name, int(single[0]))
        elif grid.content is not None and _determines(of[name], contents):
            out[name] = (
                f"each level was seen on one content only; a difference may come from {name} or from the content"
            )
    kept = [name for name in names if name not in out]
    testable = []
    for name in kept:
        counts = np.bincount(of[name])
        if (counts == 1).any():
            out[name] = _single(grid, name, int(np.flatnonzero(counts == 1)[0]))
    for a, b in combinations(kept, 2):
        if _determines(of[a], of[b]) or _determines(of[b], of[a]):
            together = f"{a} and {b} were changed together; a difference may come from either"
            out.setdefault(a, together)
            out.setdefault(b, together)
    testable = [name for name in kept if name not in out]
    return kept, testable


def _leave_out_combinations(of: dict[str, Ints], out: dict[str, str]) -> None:
    """Leave out factors that are only names of combinations of others, such as a condition."""
    for name in of:
        others = [o for o in of if o != name and o not in out and _determines(of[name], of[o])]
        apart = any(
            not _determines(of[a], of[b]) and not _determines(of[b], of[a])
            for a, b in combinations(others, 2)
        )
        if name not in out and (apart or (name == "condition" and others)):
            out[name] = (
                f"{STANDS_FOR} combinations of {' and '.join(others)}"
                if len(others) > 1
                else f"{STANDS_FOR} the levels of {others[0]}"
            )


def _determines(a: Ints, b: Ints) -> bool:
    pairs = np.unique(np.column_stack([a, b]), axis=0)
    return len(pairs) == len(np.unique(a))


def _single(grid: Grid, name: str, level: int) -> str:
    item = grid.terms.item
    return (
        f"{name} {grid.levels[name][level]} was seen in one {item} only, so its score is that {item}'s; whether another "
        f"{item} would rank the levels alike cannot be told"
    )


def _independent(grid: Grid, kept: list[str], items: Ints) -> list[str]:
    """Return the factors without those whose effects are mixed up with each other."""
    x, columns = _matrix(grid, [(name,) for name in kept])
    mixed = [name for name in kept if not _estimable(x[items], columns[(name,)])]
    for name in mixed:
        others = [other for other in mixed if other != name] or ["the others"]
        why = f"it cannot be told apart from {' and '.join(others)} in these {grid.terms.item}s"
        grid.untested.setdefault(name, why)
    # The model still holds as many of them as it can, so that the others are compared at equal levels.
    independent: list[str] = []
    for name in kept:
        trial, _ = _matrix(grid, [(n,) for n in [*independent, name]])
        if np.linalg.matrix_rank(trial[items]) == trial.shape[1]:
            independent.append(name)
    return independent


def _estimable(x: Floats, columns: Ints) -> bool:
    """Say whether the columns' effects are combinations of the rows of x."""
    basis = np.linalg.svd(x, full_matrices=False)
    rows = basis.Vh[1e-9 * basis.S[0] < basis.S]
    unit = np.eye(x.shape[1])[columns]
    return bool(np.abs(unit - unit @ rows.T @ rows).max() < 1e-7)


def _interactions(grid: Grid, kept: list[str], testable: list[str], items: Ints) -> list[Term]:
    found: list[Term] = []
    for a, b in combinations(testable, 2):
        if reason := _no_interaction(grid, a, b):
            grid.untested[effect_name((a, b))] = reason
        else:
            found.append((a, b))
    mains: list[Term] = [(name,) for name in kept]
    x, columns = _matrix(grid, [*mains, *found])
    mixed = [pair for pair in found if not _estimable(x[items], columns[pair])]
    for pair in mixed:
        grid.untested[effect_name(pair)] = (
            f"these {grid.terms.item}s do not tell it apart from other effects; it is taken to be nil"
        )
    found = [pair for pair in found if pair not in mixed]
    while found and np.linalg.matrix_rank(_matrix(grid, [*mains, *found])[0][items]) >= len(grid.items):
        grid.untested[effect_name(found.pop())] = (
            f"each combination was seen in one {grid.terms.item} only, so a difference may be that {grid.terms.item}'s"
        )
    return found


def _no_interaction(grid: Grid, a: str, b: str) -> str:
    """Return why an interaction cannot be tested by itself; empty where it can."""
    shape = len(grid.levels[a]), len(grid.levels[b])
    if shape[0] * shape[1] > MAX_IN_INTERACTION:
        return f"there are more than {MAX_IN_INTERACTION} combinations"
    there = set(zip(grid.of_items(a).tolist(), grid.of_items(b).tolist(), strict=True))
    holes = [cell for cell in product(range(shape[0]), range(shape[1])) if cell not in there]
    if holes:
        i, j = holes[0]
        more = f" and {len(holes) - 1} more" if len(holes) > 1 else ""
        return (
            f"no {grid.terms.item} has {a} {grid.levels[a][i]} with {b} {grid.levels[b][j]}{more}; the means of {a} and {b} "
            "hold only if the two do not interact"
        )
    if len(grid.people) < PEOPLE_FOR_INTERACTIONS:
        return f"interactions need at least {PEOPLE_FOR_INTERACTIONS} participants"
    return ""


def effect_name(term: Term) -> str:
    """Return an effect's name: its factors, with a cross between two."""
    return " × ".join(term)


def _coding(levels: int) -> Floats:
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])


def _coded(codings: list[Floats]) -> Floats:
    result = codings[0]
    for coding in codings[1:]:
        result = (result[:, :, None] * coding[:, None, :]).reshape(len(result), -1)
    return result


def _matrix(grid: Grid, terms: list[Term]) -> tuple[Floats, dict[Term, Ints]]:
    blocks = [np.ones((len(grid.rating), 1))]
    columns: dict[Term, Ints] = {}
    at = 1
    for term in terms:
        block = _coded([_coding(len(grid.levels[name]))[grid.codes[name]] for name in term])
        columns[term] = np.arange(at, at + block.shape[1])
        at += block.shape[1]
        blocks.append(block)
    return np.column_stack(blocks), columns


def _random_parts(grid: Grid, kept: list[str]) -> RandomParts:
    """Participant, participant × factor, content, content × factor, item; each part that can differ from the others."""
    rows = len(grid.rating)
    within: dict[str, Ints] = {"participant": np.zeros(rows, np.int64)}
    for name in kept:
        both = grid.participant * len(grid.levels[name]) + grid.codes[name]
        count = len(np.unique(both))
        if count == len(grid.people):
            grid.remarks.append(
                f"Each participant saw one level of {name} only: it is compared between people."
            )
        elif count < rows:
            within[f"participant × {name}"] = grid.codes[name]
    between: dict[str, Ints] = {}
    if grid.content is not None:
        between["content"] = grid.content
        contents = int(grid.content.max()) + 1
        if contents < FEW_CONTENTS:
            grid.remarks.append(f"There are only {contents} contents: little can be said about others.")
        for name in kept:
            both = _codes(grid.content * len(grid.levels[name]) + grid.codes[name])
            if both.max() + 1 == contents:
                grid.remarks.append(
                    f"Each content has one level of {name} only: it is compared between contents."
                )
            elif both.max() + 1 < len(grid.items):
                between[f"content × {name}"] = both
    else:
        grid.remarks.append(
            f"The {grid.terms.item}s have no different contents: what is said holds for {grid.terms.item}s like these."
        )
    between["item"] = grid.item
    return RandomParts(grid.participant, within, between)


def _codes(values: Ints) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
