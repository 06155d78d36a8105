"""What the comparison of groups says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from survey.analysis.items.comparisons import SIGNIFICANT
from survey.analysis.terms import Terms


def sentences(
    table: pd.DataFrame, groups: Sequence[str], people: Sequence[int], terms: Terms, same_items: bool
) -> list[str]:
    """Return the finding first: by people's means where the groups rated the same items, else by the model."""
    count = dict(zip(groups, people, strict=True))
    welch, model = (table[table["kind"] == kind] for kind in ("difference", "model"))
    main = welch if same_items else model
    tested = main[main["p"].notna()]
    if tested.empty:
        return [_untested(count, terms, same_items), *_means(table)]
    name = "Welch" if same_items else "mixed model"
    sure = tested[tested["p_holm"] < SIGNIFICANT]
    said = [_higher(row, count, name) for row in sure.to_dict("records")]
    unsure = tested[~tested.index.isin(sure.index)]
    for row in unsure.to_dict("records"):
        said.append(_nothing_shown(row, count, name))
    if same_items and len(model):
        said.append(_by_model(model, terms))
    items = table[(table["kind"] == "item") & (table["p_holm"] < SIGNIFICANT)]
    if same_items:
        said.append(_on_items(items, table, terms))
    return said


def _untested(count: dict[str, int], terms: Terms, same_items: bool) -> str:
    names = " and ".join(count)
    if alone := [name for name, people in count.items() if people < 2]:
        return f"The groups {names} were not compared: {alone[0]} has one person."
    if same_items:
        return f"The groups {names} were not compared: all people of a group gave the same mean."
    return f"The groups {names} did not rate the same {terms.item}s; only the mixed model can compare them."


def _means(table: pd.DataFrame) -> list[str]:
    rows = table[table["kind"] == "mean"]
    return [
        f"{row.group}: mean {row.estimate:.2f} of {row.participants} people." for row in rows.itertuples()
    ]


def _people(name: str, count: dict[str, int]) -> str:
    return f"{count[name]} people of “{name}”" if count[name] != 1 else f"one person of “{name}”"


def _ends(row: dict[Any, Any]) -> tuple[str, str, float, float, float]:
    """Return the higher group, the lower one, the difference and its interval."""
    if row["estimate"] >= 0:
        return row["group"], row["against"], row["estimate"], row["ci_low"], row["ci_high"]
    return row["against"], row["group"], -row["estimate"], -row["ci_high"], -row["ci_low"]


def _numbers(row: dict[Any, Any], name: str) -> str:
    _, _, _, low, high = _ends(row)
    return f"95 % interval {low:.2f} to {high:.2f}, {name}, {_p(row['p_holm'])}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _higher(row: dict[Any, Any], count: dict[str, int], name: str) -> str:
    high, low, difference, _, _ = _ends(row)
    return (
        f"The {_people(high, count)} rated {difference:.2f} points higher than the {_people(low, count)} "
        f"({_numbers(row, name)})."
    )


def _nothing_shown(row: dict[Any, Any], count: dict[str, int], name: str) -> str:
    high, low, difference, _, _ = _ends(row)
    return (
        f"No difference could be shown between the {_people(high, count)} and the {_people(low, count)}: "
        f"{difference:.2f} points ({_numbers(row, name)})."
    )


def _by_model(model: pd.DataFrame, terms: Terms) -> str:
    parts = [
        f"“{row['group']}” less “{row['against']}” {row['estimate']:+.2f} (95 % interval {row['ci_low']:.2f} to "
        f"{row['ci_high']:.2f}, {_p(row['p_holm'])})"
        for row in model.to_dict("records")
    ]
    return f"By the mixed model, for {terms.item}s like these: {'; '.join(parts)}."


def _on_items(items: pd.DataFrame, table: pd.DataFrame, terms: Terms) -> str:
    of = table.loc[table["kind"] == "item", "item"].nunique()
    names = list(dict.fromkeys(items["item"]))
    if not names:
        return f"On no single {terms.item} of {of} could a difference be shown."
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"Single {terms.item}s with a difference: {len(names)} of {of} ({shown})."
