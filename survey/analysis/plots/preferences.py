"""Plots of a pair study: scores with intervals, and preferences between pairs."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from survey.analysis.pairs.preferences import QuestionPreferences
from survey.analysis.plots import Plot
from survey.analysis.plots.names import Labels, matrix_names, named_height, say_shared, tell_apart
from survey.analysis.plots.style import BLUE, FAINT, INK, NAMED_ROWS, new_axes

MAX_IN_MATRIX: Final = 40
#: Rows between two groups.
_GAP: Final = 0.7


def preference_scores_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_preference_scores` in inches."""
    gaps = table["group"].nunique() - 1
    return named_height(_names(table), len(table) + int(_GAP * gaps), 0.24)


def _names(table: pd.DataFrame) -> Labels:
    return tell_apart(table[table.columns[1]], lines=3)


def draw_preference_scores(table: pd.DataFrame) -> Figure:
    """Draw each item's or condition's score with its interval, groups apart, the best of each on top.

    table: `group`, the name's column, `score, ci_low, ci_high, n`.
    """
    name = table.columns[1]
    data = table.sort_values(["group", "score", name], ascending=[False, True, True], ignore_index=True)
    gap = (data["group"] != data["group"].shift()).cumsum().to_numpy() - 1
    rows = np.arange(len(data)) + _GAP * gap
    figure, axes = new_axes(preference_scores_height(table))
    axes.axvline(0, color=FAINT, linewidth=0.8, linestyle=":")
    axes.hlines(rows, data["ci_low"], data["ci_high"], color=BLUE, linewidth=1.4)
    axes.scatter(data["score"], rows, color=BLUE, s=24, zorder=3)
    axes.set_ylim(-0.7, rows[-1] + 0.7)
    if len(data) <= NAMED_ROWS:
        labels = _names(data)
        numbers = zip(labels.texts, data["n"], strict=True)
        axes.set_yticks(rows, [f"{text}  (n = {n})" for text, n in numbers])
        say_shared(axes, labels)
    else:
        axes.set_yticks([])
    axes.set_xlabel("Score: log odds of being chosen, against the mean of its group")
    axes.grid(axis="x")
    return figure


def preferences_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_preferences` in inches."""
    names = sorted({*table["a"], *table["b"]})
    return 1.4 + min(0.42 * len(names), 6.5) + matrix_names(names)[0].above


def draw_preferences(table: pd.DataFrame) -> Figure:
    """Draw the share of choices for the row over the column, a tie as half to each.

    table: `group, a, b, n, a_share`.
    """
    names, share, n = _matrix(table)
    figure, axes = new_axes(preferences_height(table))
    image = axes.imshow(share, cmap="PuOr", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("Share of choices for the row", color=INK)
    bar.outline.set_visible(False)
    size = 8 if len(names) <= 25 else 6
    rows, columns = matrix_names(names)
    axes.set_yticks(range(len(names)), rows.texts, fontsize=size)
    axes.set_xticks(range(len(names)), columns, rotation=0 if columns[0] == "1" else 90, fontsize=size)
    say_shared(axes, rows)
    axes.spines[:].set_visible(False)
    if len(names) <= 12:
        for i, j in np.argwhere(~np.isnan(share)):
            colour = "white" if abs(share[i, j] - 0.5) > 0.3 else INK
            text = f"{100 * share[i, j]:.0f} %\nn = {n[i, j]:.0f}"
            axes.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
    return figure


def _matrix(table: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the names, by group, most often chosen first, and matrices of shares (row over column) and numbers, NaN where none."""
    pairs = list(zip(table["a"], table["b"], table["a_share"], table["n"], strict=True))
    group = dict(zip([*table["a"], *table["b"]], [*table["group"]] * 2, strict=True))
    shares: dict[str, list[float]] = {}
    for a, b, share, _ in pairs:
        shares.setdefault(a, []).append(share)
        shares.setdefault(b, []).append(1 - share)
    names = sorted(shares, key=lambda name: (group[name], -float(np.mean(shares[name])), name))
    place = {name: i for i, name in enumerate(names)}
    matrix, n = np.full((2, len(names), len(names)), np.nan)
    for a, b, share, count in pairs:
        i, j = place[a], place[b]
        matrix[i, j], matrix[j, i] = share, 1 - share
        n[i, j] = n[j, i] = count
    return names, matrix, n


def _scores(data: QuestionPreferences) -> pd.DataFrame | None:
    return _known(data.scores)


def _conditions(data: QuestionPreferences) -> pd.DataFrame | None:
    return None if data.conditions is None else _known(data.conditions)


def _known(table: pd.DataFrame) -> pd.DataFrame:
    known = table[table["score"].notna()].reset_index(drop=True)
    return known[["group", known.columns[1], "score", "ci_low", "ci_high", "n"]]


def _preferences(data: QuestionPreferences) -> pd.DataFrame | None:
    known = data.pairs["a_share"].notna().all()
    return data.pairs if known and len(data.scores) <= MAX_IN_MATRIX else None


PAIR_PLOTS: Final[tuple[Plot[QuestionPreferences], ...]] = (
    Plot(
        "scores",
        "Scores of the images",
        "Log odds of being chosen with 95 % intervals (Bradley-Terry model, ties as Davidson has them). Images that no "
        "chain of comparisons connects form separate groups, each with a separate zero.",
        _scores,
        draw_preference_scores,
        preference_scores_height,
    ),
    Plot(
        "conditions",
        "Scores of the conditions",
        "The same model of conditions: each comparison of two images stands for one of their conditions.",
        _conditions,
        draw_preference_scores,
        preference_scores_height,
    ),
    Plot(
        "preferences",
        "Who is preferred to whom",
        "Share of the choices for the row over the column; a tie counts half for each.",
        _preferences,
        draw_preferences,
        preferences_height,
    ),
)
