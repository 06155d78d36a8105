"""Plots of conditions and factors: means, a plane of two factors, pairwise differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey.analysis.plots.names import Labels, matrix_names, named_height, say_shared, tell_apart
from survey.analysis.plots.style import (
    BLUE,
    FAINT,
    INK,
    mark_cut,
    new_axes,
    scale_of,
    score_axis,
    score_ticks,
    short,
)

#: Inches that a colour bar with its label needs at least.
_FOR_BAR = 3.2
#: Rows of a matrix up to which each cell tells its number.
_WRITTEN = 12


def conditions_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_conditions` in inches."""
    return named_height(_names(table), len(table), 0.3)


def _names(table: pd.DataFrame) -> Labels:
    return tell_apart(table["condition"], lines=3)


def draw_conditions(table: pd.DataFrame) -> Figure:
    """Draw the mean of each condition with its interval, and in grey the naive one that pools the votes.

    table: `condition, mos, low, high, naive_low, naive_high`.
    """
    data = table.sort_values(["mos", "condition"], ignore_index=True, kind="stable")
    scale, labels = scale_of(table), _names(data)
    figure, axes = new_axes(conditions_height(table))
    rows = np.arange(len(data))
    axes.hlines(
        rows,
        data["low"].clip(scale.low, scale.high),
        data["high"].clip(scale.low, scale.high),
        color=BLUE,
        linewidth=1.6,
        label="participants as units",
    )
    mark_cut(axes, rows, data["low"], data["high"], scale, BLUE)
    axes.hlines(
        rows - 0.22,
        data["naive_low"].clip(scale.low, scale.high),
        data["naive_high"].clip(scale.low, scale.high),
        color=FAINT,
        linewidth=1.2,
        label="pooled votes",
    )
    axes.scatter(data["mos"], rows, color=BLUE, s=26, zorder=3)
    axes.set_yticks(rows, labels.texts)
    say_shared(axes, labels)
    axes.set_ylim(-0.7, len(data) - 0.3)
    score_axis(axes, scale=scale)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def factors_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_factors` in inches."""
    return max(_FOR_BAR, 1.2 + min(0.55 * table.iloc[:, 0].nunique(), 9))


def draw_factors(table: pd.DataFrame) -> Figure:
    """Draw the means over two factors as a heat map on the whole scale, interval and n in each cell.

    table: first column the factor down, second the factor across, then `mos, low, high, n`.
    """
    down, across = table.columns[:2]
    grid = {name: _grid(table, down, across, name) for name in ("mos", "low", "high", "n")}
    mos, scale = grid["mos"], scale_of(table)
    height, width = mos.shape
    figure, axes = new_axes(factors_height(table))
    image = axes.imshow(
        np.ma.masked_invalid(mos.to_numpy(float)),
        cmap="cividis",
        vmin=scale.low,
        vmax=scale.high,
        aspect="auto",
        interpolation="nearest",
    )
    bar = figure.colorbar(image, ax=axes, ticks=score_ticks(scale), shrink=0.8, pad=0.01)
    bar.set_label("Mean Opinion Score", color=INK)
    bar.outline.set_visible(False)
    axes.set_yticks(range(height), tell_apart(mos.index, 20, 2).texts)
    axes.set_xticks(range(width), tell_apart(mos.columns, 14, 2).texts)
    if width > 8:
        axes.tick_params(axis="x", rotation=45)
    axes.set_ylabel(short(down))
    axes.set_xlabel(short(across))
    axes.spines[:].set_visible(False)
    if width <= 10 and height <= 15:
        _write_cells(axes, grid, dark_below=scale.low + 0.55 * scale.range)
    return figure


def _grid(table: pd.DataFrame, down: str, across: str, value: str) -> pd.DataFrame:
    """Return `value` as a grid whose rows and columns are in the table's own order of levels."""
    grid = table.pivot(index=down, columns=across, values=value)
    return grid.loc[table[down].unique(), table[across].unique()]


def _write_cells(axes: Axes, grid: dict[str, pd.DataFrame], dark_below: float) -> None:
    for (i, j), mos in np.ndenumerate(grid["mos"].to_numpy(float)):
        if np.isnan(mos):
            axes.text(j, i, "–", ha="center", va="center", color=FAINT)
            continue
        low, high, n = (grid[name].to_numpy(float)[i, j] for name in ("low", "high", "n"))
        half = "" if np.isnan(low) else f" ± {(high - low) / 2:.2f}"
        axes.text(
            j,
            i,
            f"{mos:.2f}{half}\nn = {n:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if mos < dark_below else INK,
        )


def significance_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_significance` in inches."""
    names = sorted({*table["a"], *table["b"]})
    rows, _ = matrix_names(names)
    return max(_FOR_BAR, 1.6 + min(0.34 * len(names), 6)) + rows.above


def draw_significance(table: pd.DataFrame) -> Figure:
    """Draw each pair's difference of means, row minus column, marked where it is significant at 5 % after Holm.

    table: `a, b, difference, p_adjusted`.
    """
    names, difference, p = _matrices(table)
    figure, axes = new_axes(significance_height(table))
    most = max(float(np.nanmax(np.abs(difference))), 0.1)
    image = axes.imshow(
        difference, cmap="PuOr", vmin=-most, vmax=most, aspect="auto", interpolation="nearest"
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01)
    bar.set_label("Difference, row − column", color=INK)
    bar.outline.set_visible(False)
    _mark_significant(axes, difference, p, most)
    size = 8 if len(names) <= 20 else 7 if len(names) <= 30 else 5
    rows, columns = matrix_names(names)
    axes.set_yticks(range(len(names)), rows.texts, fontsize=size)
    turned = 0 if columns[0] == "1" else 90
    axes.set_xticks(range(len(names)), columns, rotation=turned, fontsize=size)
    say_shared(axes, rows)
    axes.spines[:].set_visible(False)
    figure.supxlabel("• significant at 5 % (Wilcoxon signed-rank, Holm)", fontsize=8, color=FAINT)
    return figure


def _matrices(table: pd.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the names, best first, and the matrices of differences (row − column) and adjusted p, NaN if untested."""
    pairs = list(zip(*(table[name].tolist() for name in ("a", "b", "difference", "p_adjusted")), strict=True))
    gain: dict[str, float] = {}
    for a, b, difference, _ in pairs:
        gain[a] = gain.get(a, 0.0) + difference
        gain[b] = gain.get(b, 0.0) - difference
    names = sorted(gain, key=lambda name: (-gain[name], str(name)))
    place = {name: index for index, name in enumerate(names)}
    differences = np.full((len(names), len(names)), np.nan)
    adjusted = np.full_like(differences, np.nan)
    for a, b, difference, p in pairs:
        i, j = place[a], place[b]
        differences[i, j], differences[j, i] = difference, -difference
        adjusted[i, j] = adjusted[j, i] = p
    return names, differences, adjusted


def _mark_significant(axes: Axes, difference: np.ndarray, p: np.ndarray, most: float) -> None:
    if len(difference) > _WRITTEN:
        # One collection of marks: hundreds of texts would take seconds.
        i, j = np.nonzero(p < 0.05)
        dark = np.abs(difference[i, j]) > 0.6 * most
        axes.scatter(j, i, s=7, c=np.where(dark, "white", INK), linewidths=0)
        return
    for i, j in np.argwhere(~np.isnan(difference)):
        # Adding 0 makes -0.0 to 0.0.
        text = f"{round(difference[i, j], 2) + 0:+.2f}{'•' if p[i, j] < 0.05 else ''}"
        dark = abs(difference[i, j]) > 0.6 * most
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else INK)
