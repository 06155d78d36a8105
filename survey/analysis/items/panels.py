"""The scores of three panels: everyone, without flagged participants, and weighted by the subject model."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from survey.analysis.items.comparisons import SIGNIFICANT, compare
from survey.analysis.items.conditions import levels, participant_level_means
from survey.analysis.items.means import exact_by_item
from survey.analysis.items.mos import mos_table
from survey.analysis.participants.screening import flagged
from survey.analysis.scale import ACR, Scale
from survey.analysis.table import code

FEWEST_LEFT = 2
_NAMED = 3


@dataclass(frozen=True)
class Panels:
    """The comparison of the panels.

    Attributes:
        table: ``item,everyone,screened,model,rank_everyone,rank_screened,rank_model`` (rank 1 is the best).
        summary: Who was left out, the largest changes, and whether the conclusions depend on the panel.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def panels(
    main: pd.DataFrame,
    mos: pd.DataFrame,
    model: pd.DataFrame,
    screening: pd.DataFrame,
    comparisons: pd.DataFrame,
    by: str | None,
    scale: Scale = ACR,
) -> Panels:
    """Compare the panels.

    Args:
        main: Rows of the main phase.
        mos: MOS table of everyone.
        model: Recovered qualities of everyone.
        screening: As returned by ``screening.screen``.
        comparisons: Of everyone, between the levels of ``by``, or between items if that is None. The conclusions
            are its significant pairs and their directions.
        by: The column of conditions, if any.
        scale: Of the ratings.
    """
    out = flagged(screening)
    kept = main[~main["participant"].isin(out)]
    left = kept["participant"].nunique()
    enough = left >= FEWEST_LEFT
    screened = (
        mos_table(code(kept, scale)).set_index("item")["mos"] if enough else pd.Series(dtype=np.float64)
    )
    table = mos[["item"]].assign(
        everyone=mos["mos"],
        screened=screened.reindex(mos["item"]).to_numpy(np.float64),
        model=model["quality"].to_numpy(),
    )
    for name in ("everyone", "screened", "model"):
        table[f"rank_{name}"] = table[name].rank(ascending=False, method="min")
    summary: dict[str, Any] = {"participants_flagged": out}
    for name in ("screened", "model"):
        summary[f"largest_change_{name}"] = _largest(table[name] - table["everyone"])
        summary[f"largest_rank_change_{name}"] = _largest(table[f"rank_{name}"] - table["rank_everyone"])
    before = _conclusions(comparisons)
    after = _conclusions(_compare_again(kept, comparisons, by, scale)) if enough and out else before
    changed = {
        "reversed": [pair for pair in before if after.get(pair, before[pair]) != before[pair]],
        "lost": [pair for pair in before if pair not in after],
        "gained": [pair for pair in after if pair not in before],
        "reversed_by_model": _reversed_by_model(main, model, before, by),
    }
    summary |= {f"pairs_{name}": len(pairs) for name, pairs in changed.items()}
    summary["conclusions_depend_on_panel"] = any(changed.values()) if enough else None
    summary["conclusions"] = _sentence(changed, len(before), len(out), left, by or "item")
    return Panels(table, summary)


def _largest(change: pd.Series) -> float | None:
    return None if change.isna().all() else float(change.abs().max())


Pair = tuple[Hashable, Hashable]


def _conclusions(comparisons: pd.DataFrame) -> dict[Pair, float]:
    """Return the significant pairs and the signs of their differences."""
    sure = comparisons[comparisons["p_holm"] < SIGNIFICANT]
    return {(a, b): np.sign(d) for a, b, d in zip(sure["a"], sure["b"], sure["difference"], strict=True)}


def _compare_again(
    kept: pd.DataFrame, comparisons: pd.DataFrame, by: str | None, scale: Scale
) -> pd.DataFrame:
    """Return the same pairs, compared by the remaining participants."""
    names = list(dict.fromkeys([*comparisons["a"], *comparisons["b"]]))
    if by is not None:
        these = levels(kept, [by], scale)
        scores, columns = participant_level_means(these), list(these.names)
    else:
        ratings = code(kept, scale)
        some = np.flatnonzero(np.isin(ratings.items, names))
        scores, columns = exact_by_item(ratings, some), list(ratings.items[some])
    frame = pd.DataFrame(scores.value, columns=columns).reindex(columns=names)
    return compare(frame.to_numpy(np.float64), names, scores.unit)


def _reversed_by_model(
    main: pd.DataFrame, model: pd.DataFrame, conclusions: dict[Pair, float], by: str | None
) -> list[Pair]:
    quality = dict(zip(model["item"], model["quality"], strict=True))
    if by is not None:
        of_row = main["item"].map(quality).astype(np.float64)
        quality = of_row.groupby(main[by], observed=True).mean().to_dict()
    return [(a, b) for (a, b), sign in conclusions.items() if (quality[a] - quality[b]) * sign < 0]


def _sentence(changed: dict[str, list[Pair]], significant: int, out: int, left: int, unit: str) -> str:
    """Return how the significant pairs change without the marked participants, and under the subject model."""
    if out and not left:
        people = f"all {out} participants are" if out > 1 else "the only participant is"
        return f"{people} marked, so nobody is left: look at what marks them, such as a gold image with a wrong answer"
    if left < FEWEST_LEFT:
        return f"{out} participants are marked, and too few others are left to compare with"
    if not out:
        without = "no participant is marked, so nothing changes"
    else:
        people = f"the {out} marked participants" if out > 1 else "the marked participant"
        without = f"without {people}, {_changes(changed, significant, unit)}"
    turned = changed["reversed_by_model"]
    return f"{without}; the subject model reverses {f'{len(turned)}{_named(turned)}' if turned else 'none'}"


def _changes(changed: dict[str, list[Pair]], significant: int, unit: str) -> str:
    pairs = f"{significant} significant pair{'' if significant == 1 else 's'} of {unit}s"
    told = [
        f"{len(changed[name])} {one if len(changed[name]) == 1 else many}{_named(changed[name])}"
        for name, one, many in (
            ("reversed", "turns round", "turn round"),
            ("lost", "is no longer significant", "are no longer significant"),
        )
        if changed[name]
    ]
    gained = changed["gained"]
    if told:
        told = [f"of {pairs}, {' and '.join(told)}"]
    elif significant == 1:
        told = [f"the one significant pair of {unit}s stays"]
    elif significant:
        told = [f"the {pairs} stay"]
    elif not gained:
        return f"no pair of {unit}s is significant either"
    if gained:
        more = "more " if significant else f"pair{'' if len(gained) == 1 else 's'} of {unit}s "
        told.append(
            f"{len(gained)} {more}{'becomes' if len(gained) == 1 else 'become'} significant{_named(gained)}"
        )
    return " and ".join(told)


def _named(pairs: list[Pair]) -> str:
    more = ", ..." if len(pairs) > _NAMED else ""
    return f" ({'; '.join(f'{a} and {b}' for a, b in pairs[:_NAMED])}{more})"
