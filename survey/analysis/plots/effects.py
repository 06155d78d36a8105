"""Plots of the factors' effects: marginal means, interactions, and the mean over a numeric factor."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from survey.analysis.effects.design import as_number
from survey.analysis.effects.effects import Effects
from survey.analysis.plots.names import Labels, named_height, say_shared, tell_apart
from survey.analysis.plots.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    WIDTH,
    mark_cut,
    new_axes,
    scale_of,
    score_axis,
    short,
)
from survey.analysis.scale import Scale

_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, INK)
MAX_LINES = len(_COLOURS)
_SHOWN = ["effect", "level", "items", "n", "raw_mean", "mos", "low", "high"]
_FEWEST_NUMBERS = 3
OVER_LEVELS_HEIGHT = 0.5 * WIDTH


def marginal_means(effects: Effects) -> pd.DataFrame:
    """Return `effect,level,items,n,raw_mean,mos,low,high` of the factors."""
    means = _means(effects)
    alone = np.array([len(effects.factors[name]) == 1 for name in means["effect"]], dtype=bool)
    chosen: pd.DataFrame = means[alone].reset_index(drop=True)
    return chosen


def interaction_means(effects: Effects) -> pd.DataFrame:
    """Return the same of the interaction with the smallest p, and each factor's level; empty without any.

    The columns `first` and `second` hold the levels, `across` and `lines` the factors' names.
    """
    means, tests = _means(effects), effects.of_kind("test").dropna(subset=["p"])
    tests = tests[[len(effects.factors[name]) == 2 for name in tests["effect"]]] if len(tests) else tests
    if tests.empty:
        return means.iloc[:0]
    effect = str(tests.sort_values("p", kind="stable")["effect"].iloc[0])
    chosen = means[means["effect"] == effect].reset_index(drop=True)
    across, lines = effects.factors[effect]
    levels = [means.loc[means["effect"] == name, "level"] for name in (across, lines)]
    # The rows are in the order of the levels: names that hold a cross themselves need not be taken apart.
    pairs = list(product(*levels))
    return chosen.assign(
        first=[a for a, _ in pairs], second=[b for _, b in pairs], across=across, lines=lines
    )


def numeric_means(effects: Effects) -> pd.DataFrame:
    """Return the means of the factors whose levels are three or more positive numbers, with `value`."""
    means = marginal_means(effects)
    if means.empty:
        return means
    value = pd.Series([as_number(level) for level in means["level"]], index=means.index, dtype="float64")
    means = means.assign(value=value)
    good = means.groupby("effect")["value"].transform(lambda v: (v > 0).all() and len(v) >= _FEWEST_NUMBERS)
    return means[good.astype(bool)].reset_index(drop=True)


def _means(effects: Effects) -> pd.DataFrame:
    means = effects.of_kind("mean").rename(columns={"estimate": "mos", "ci_low": "low", "ci_high": "high"})
    return means.loc[:, _SHOWN]


def means_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_means` in inches."""
    return named_height(_level_names(table), len(table) + _gaps(table)[-1], 0.26)


def _gaps(table: pd.DataFrame) -> np.ndarray:
    """Return the number of the factor in each row, from 1."""
    return (table["effect"] != table["effect"].shift()).cumsum().to_numpy()


def _level_names(table: pd.DataFrame) -> Labels:
    levels = zip(table["effect"], table["level"], strict=True)
    return tell_apart((f"{effect} = {level}" for effect, level in levels), lines=2)


def draw_means(table: pd.DataFrame) -> Figure:
    """Draw each level's marginal mean with its interval, factor by factor. table: `effect, level, mos, low, high`."""
    scale = scale_of(table)
    rows = -(np.arange(len(table)) + 0.6 * _gaps(table))
    figure, axes = new_axes(means_height(table))
    low, high = (table[end].clip(scale.low, scale.high).to_numpy() for end in ("low", "high"))
    axes.hlines(rows, low, high, color=BLUE, linewidth=1.6)
    mark_cut(axes, rows, table["low"], table["high"], scale, BLUE)
    axes.scatter(table["mos"], rows, color=BLUE, s=26, zorder=3)
    # Above the dots and longer than they are high: both means are often the same.
    axes.scatter(
        table["raw_mean"],
        rows,
        marker="|",
        color=VERMILION,
        s=110,
        linewidths=1.2,
        zorder=4,
        label="mean of the ratings",
    )
    axes.set_ylim(rows.min() - 0.7, rows.max() + 0.7)
    labels = _level_names(table)
    axes.set_yticks(rows, labels.texts)
    say_shared(axes, labels)
    score_axis(axes, scale=scale)
    figure.legend(loc="outside upper center", fontsize=8)
    return figure


def _within(means: pd.DataFrame, scale: Scale) -> np.ndarray:
    """Return how far the intervals go down and up from the means, not beyond the scale; of shape (2, means)."""
    low, high = (means[end].clip(scale.low, scale.high) for end in ("low", "high"))
    return np.stack([means["mos"] - low, high - means["mos"]]).clip(min=0)


def draw_interaction(table: pd.DataFrame) -> Figure:
    """Draw one factor along the axis and a line for each level of the other. table: `effect, first, second, mos, ...`."""
    names = {"first": str(table["across"].iloc[0]), "second": str(table["lines"].iloc[0])}
    across, lines = "first", "second"
    if table["second"].nunique() > table["first"].nunique():
        across, lines = lines, across
    scale = scale_of(table)
    figure, axes = new_axes(OVER_LEVELS_HEIGHT)
    places = {level: i for i, level in enumerate(table[across].unique())}
    levels = list(table[lines].unique())
    level_names = tell_apart(levels, 20, 2).texts
    for i, level in enumerate(levels):
        mine = table[table[lines] == level]
        x = mine[across].map(places).to_numpy(float) + 0.06 * (i - (len(levels) - 1) / 2)
        colour = _COLOURS[i % MAX_LINES]
        ends = _within(mine, scale)
        mark_cut(axes, x, mine["low"], mine["high"], scale, colour, "y")
        dashes = "-" if i < MAX_LINES else "--"
        axes.errorbar(
            x,
            mine["mos"],
            ends,
            color=colour,
            linestyle=dashes,
            marker="o",
            markersize=4,
            label=level_names[i],
        )
    axes.set_xticks(range(len(places)), tell_apart(places, 14, 2).texts)
    axes.set_xlabel(short(names[across]))
    score_axis(axes, "y", scale=scale)
    figure.legend(loc="outside right upper", title=short(names[lines], 20), fontsize=8)
    return figure


def draw_numeric(table: pd.DataFrame) -> Figure:
    """Draw the means over numeric factors on a logarithmic axis. table: `effect, value, mos, low, high`."""
    scale = scale_of(table)
    figure, axes = new_axes(OVER_LEVELS_HEIGHT)
    names = tell_apart(table["effect"].unique(), 20, 2).texts
    for i, (_, mine) in enumerate(table.groupby("effect", sort=False)):
        ends = _within(mine, scale)
        mark_cut(axes, mine["value"], mine["low"], mine["high"], scale, _COLOURS[i % MAX_LINES], "y")
        axes.errorbar(
            mine["value"],
            mine["mos"],
            ends,
            color=_COLOURS[i % MAX_LINES],
            marker="o",
            markersize=4,
            label=names[i],
        )
    axes.set_xscale("log")
    axes.set_xlabel(", ".join(names))
    score_axis(axes, "y", scale=scale)
    if table["effect"].nunique() > 1:
        figure.legend(loc="outside right upper", fontsize=8)
    return figure
