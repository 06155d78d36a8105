"""Plots of items: scores with intervals, distributions, the SOS curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey.analysis.items.sos import sos_curve
from survey.analysis.plots.names import Labels, named_height, say_shared, tell_apart
from survey.analysis.plots.style import (
    BLUE,
    FAINT,
    INK,
    NAMED_ROWS,
    ORANGE,
    PURPLE,
    VERMILION,
    category_colours,
    draw_bars,
    draw_dots,
    new_axes,
    scale_of,
    score_axis,
)
from survey.analysis.scale import Scale

MAX_CATEGORIES = 11
"""Categories up to which each has a part of the bar; of more, none could be told apart."""
_BY_RANK = 3.6
_BAND = 4.5
SOS_HEIGHT = 3.6
CONVERGENCE_HEIGHT = 3.2


def mos_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_mos` in inches."""
    data = _by_mos(table)
    return _BY_RANK if len(data) > NAMED_ROWS else named_height(_names(data), len(data), 0.2)


def distribution_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_distribution` in inches."""
    data = _by_mos(table)
    return _BAND if len(data) > NAMED_ROWS else named_height(_names(data), len(data), 0.2) + 0.3


def _names(data: pd.DataFrame) -> Labels:
    return tell_apart(data["item"], lines=3)


def draw_mos(table: pd.DataFrame) -> Figure:
    """Draw items sorted by MOS with their intervals on the whole scale.

    table: `item, n, mos, low, high, method`; an interval is clipped in the drawing alone, with an arrow where.
    """
    data = _by_mos(table)
    if len(data) > NAMED_ROWS:
        return _draw_mos_by_rank(data)
    scale, labels = scale_of(table), _names(data)
    figure, axes = new_axes(mos_height(table))
    rows = np.arange(len(data))
    low, high = (data[end].clip(scale.low, scale.high) for end in ("low", "high"))
    axes.hlines(rows, low, high, color=BLUE, linewidth=1.4)
    _mark_clipped(axes, data, rows, scale)
    bounded = (data["method"] == "bounded").to_numpy()
    axes.scatter(data["mos"][~bounded], rows[~bounded], color=BLUE, s=24, zorder=3)
    axes.scatter(data["mos"][bounded], rows[bounded], facecolor="white", edgecolor=BLUE, s=24, zorder=3)
    axes.set_yticks(rows, labels.texts)
    say_shared(axes, labels)
    axes.set_ylim(-0.7, len(data) - 0.3)
    beside = scale.high + 0.04 * scale.range
    for row, n in enumerate(data["n"]):
        axes.text(beside, row, f"{n}", va="center", fontsize=8, color=FAINT)
    axes.text(beside, len(data) - 0.3, "n", va="bottom", fontsize=8, color=FAINT)
    score_axis(axes, scale=scale)
    if bounded.any():
        figure.supxlabel(
            "open marker: bounded interval, where Student's t is unusable", fontsize=8, color=FAINT
        )
    return figure


def _draw_mos_by_rank(data: pd.DataFrame) -> Figure:
    scale = scale_of(data)
    figure, axes = new_axes(_BY_RANK)
    ranks = np.arange(1, len(data) + 1)
    low, high = (data[end].clip(scale.low, scale.high) for end in ("low", "high"))
    draw_bars(axes, ranks, low, high, color=BLUE, alpha=0.35, linewidth=0.8)
    draw_dots(axes, ranks, data["mos"], 2.5, edgecolor=BLUE, zorder=2)
    axes.set_xlabel(f"Rank of {len(data)} items")
    axes.set_xlim(0, len(data) + 1)
    score_axis(axes, "y", scale=scale)
    return figure


def _mark_clipped(axes: Axes, data: pd.DataFrame, rows: np.ndarray, scale: Scale) -> None:
    """Point an arrow out of the scale where an interval goes beyond it."""
    low, high = scale.low, scale.high
    for beyond, edge, marker in ((data["low"] < low, low, "<"), (data["high"] > high, high, ">")):
        axes.scatter(
            np.full(beyond.sum(), edge), rows[beyond.to_numpy()], marker=marker, color=BLUE, s=14, zorder=3
        )


def draw_distribution(table: pd.DataFrame) -> Figure:
    """Draw each item's shares of the categories as a bar, the middle of the scale at zero.

    table: `item, n, mos`, then the counts of the categories, `n1..n5` on five.
    """
    data = _by_mos(table)
    names = [str(name) for name in table.columns[3:]]
    shares = data[names].to_numpy(float)
    colours, half = category_colours(len(names)), len(names) // 2
    shares = 100 * shares / shares.sum(axis=1, keepdims=True)
    left = np.cumsum(shares, axis=1) - shares
    middle = shares[:, half] / 2 if len(names) % 2 else 0
    left -= (shares[:, :half].sum(axis=1) + middle)[:, None]
    named = len(data) <= NAMED_ROWS
    figure, axes = new_axes(distribution_height(table))
    rows = np.arange(len(data))
    for category, name in enumerate(names):
        start, width = left[:, category], shares[:, category]
        if named:
            axes.barh(
                rows, width, left=start, color=colours[category], height=0.8, label=name.removeprefix("n")
            )
            _write_shares(axes, rows, start, width, category in (0, len(names) - 1))
        else:
            axes.fill_betweenx(
                rows,
                start,
                start + width,
                step="mid",
                color=colours[category],
                linewidth=0,
                label=name.removeprefix("n"),
            )
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_xlim(-105, 105)
    axes.set_xticks([-100, -50, 0, 50, 100], ["100 %", "50 %", "0", "50 %", "100 %"])
    axes.set_xlabel("Share of the ratings, divided at the middle of the scale")
    if named:
        labels = _names(data)
        axes.set_yticks(rows, labels.texts)
        say_shared(axes, labels)
        for row, mos in enumerate(data["mos"]):
            axes.text(107, row, f"{mos:.2f}", va="center", fontsize=8)
        axes.text(107, len(data) - 0.4, "MOS", va="bottom", fontsize=8, color=FAINT)
    else:
        axes.set_ylabel(f"{len(data)} items, lowest MOS at the bottom")
    axes.set_ylim(-0.6, len(data) - 0.4)
    figure.legend(
        loc="outside upper center", ncols=min(len(names), 11), title="Rating", fontsize=8, title_fontsize=8
    )
    return figure


def _write_shares(axes: Axes, rows: np.ndarray, start: np.ndarray, width: np.ndarray, dark: bool) -> None:
    colour = "white" if dark else INK
    for row, x, share in zip(rows, start, width, strict=True):
        if share >= 8:
            axes.text(x + share / 2, row, f"{share:.0f}", ha="center", va="center", fontsize=7, color=colour)


def draw_sos(table: pd.DataFrame) -> Figure:
    """Draw each item's variance over its MOS with the curve of the SOS hypothesis.

    table: `item, n, mos, variance, expected`, where `expected` is a(MOS−L)(H−MOS) on a scale from L to H; the items farthest from the
    curve are named. Hoßfeld, Schatz and Egger, QoMEX 2011.
    """
    figure, axes = new_axes(SOS_HEIGHT)
    scale = scale_of(table)
    grid = np.linspace(scale.low, scale.high, 201)
    shape = sos_curve(1, grid, scale)
    ends = f"only {scale.low:g} and {scale.high:g} given"
    axes.plot(grid, shape, color=FAINT, linestyle=":", label=f"a = 1 ({ends})")
    axes.plot(grid, 0.25 * shape, color=ORANGE, linestyle="--", label="a = 0.25 (binomial)")
    inner = table[(table["mos"] > scale.low) & (table["mos"] < scale.high)]
    if not inner.empty:
        a = float(inner["expected"].iloc[0] / sos_curve(1, inner["mos"].iloc[0], scale))
        axes.plot(grid, a * shape, color=BLUE, label=f"a = {a:.3f} (this study)")
    axes.scatter(table["mos"], table["variance"], s=14, color=INK, alpha=0.5, linewidths=0)
    _name_outlying(axes, table, scale)
    axes.set_ylim(0, 1.025 * shape.max())
    axes.set_ylabel("Variance of the ratings")
    axes.grid(axis="y")
    score_axis(axes, scale=scale)
    axes.legend(fontsize=8, loc="upper left")
    return figure


def _name_outlying(axes: Axes, table: pd.DataFrame, scale: Scale, most: int = 4) -> None:
    """Name the items farthest from the curve, leaving out any whose name would cover one already written."""
    written: list[tuple[float, float]] = []
    labels = tell_apart(table["item"], 24, 3)
    names = dict(zip(table.index, labels.texts, strict=True))
    wide, tall = 0.175 * scale.range, 0.0125 * scale.range**2 * labels.lines
    distance = (table["variance"] - table["expected"]).abs()
    for index in distance.nlargest(2 * most).index if len(table) >= 8 else []:
        x, y = table["mos"][index], table["variance"][index]
        if len(written) < most and all(abs(x - u) > wide or abs(y - v) > tall for u, v in written):
            written.append((x, y))
            axes.annotate(
                names[index],
                (x, y),
                textcoords="offset points",
                xytext=(5, 4),
                fontsize=7,
                color=VERMILION,
            )


def draw_convergence(table: pd.DataFrame) -> Figure:
    """Draw how the half width of the 95 % interval shrinks as ratings come in.

    table: `ratings_per_item, half_width, low, high` (median and the middle half of the items).
    """
    figure, axes = new_axes(CONVERGENCE_HEIGHT)
    axes.fill_between(
        table["ratings_per_item"],
        table["low"],
        table["high"],
        color=PURPLE,
        alpha=0.2,
        linewidth=0,
        label="middle half of the items",
    )
    axes.plot(table["ratings_per_item"], table["half_width"], color=PURPLE, label="median item")
    for share in (1 / 8, 1 / 16):
        target = share * scale_of(table).range
        axes.axhline(target, color=FAINT, linestyle=":", linewidth=0.8)
        axes.annotate(
            f"±{target:g}", (1, target), xycoords=("axes fraction", "data"), fontsize=7, color=FAINT
        )
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Ratings of each item, in the order given")
    axes.set_ylabel("Half width of the 95 % interval")
    axes.grid(axis="y")
    axes.legend(fontsize=8)
    return figure


def _by_mos(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rated items, lowest MOS first; equal scores by name, so that the drawing is always the same."""
    return table[table["n"] > 0].sort_values(["mos", "item"], ignore_index=True, kind="stable")
