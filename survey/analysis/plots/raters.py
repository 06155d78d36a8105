"""Plots of participants: bias against inconsistency, and every rating as a heat map."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, LinearSegmentedColormap, ListedColormap, Normalize
from matplotlib.figure import Figure

from survey.analysis.plots.names import Labels, say_shared, tell_apart
from survey.analysis.plots.style import (
    BLUE,
    CATEGORIES,
    FAINT,
    INK,
    MAX_TICKS,
    NAMED_ROWS,
    VERMILION,
    category_colours,
    new_axes,
    scale_of,
    score_ticks,
)
from survey.analysis.scale import Scale

MAX_DRAWN_ONE_BY_ONE: Final = 500
"""Participants; more become pixels within the drawing, unnamed."""
OBSERVERS_HEIGHT: Final = 4.2
#: Inches along a line of 6 points.
_LETTER: Final = 0.05
_NAMED_ITEMS: Final = 40


def ratings_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_ratings` in inches: its rows, and the names of its items upright below them."""
    participants = len(table.columns)
    rows = max(0.14 * participants, 2) if participants <= NAMED_ROWS else 4.6
    labels = _item_labels(table.index)
    letters = max((len(line) for text in labels.texts for line in text.split("\n")), default=0)
    return 0.8 + max(_LETTER * letters, 0.6) + min(rows, 7) + labels.above


def _item_labels(names: pd.Index) -> Labels:
    return tell_apart(names, 34, 2) if len(names) <= _NAMED_ITEMS else Labels([])


def draw_observers(table: pd.DataFrame) -> Figure:
    """Draw each participant's bias over inconsistency (ITU-T P.910 Annex E), flagged ones as named triangles.

    table: `participant, n, bias, bias_low, bias_high, inconsistency, inconsistency_low, inconsistency_high,
    flagged`.
    """
    figure, axes = new_axes(OBSERVERS_HEIGHT)
    axes.axvline(0, color=FAINT, linewidth=0.8, linestyle=":")
    size = 14 + 46 * table["n"] / max(int(table["n"].max()), 1)
    many = len(table) > MAX_DRAWN_ONE_BY_ONE
    for flagged, colour, marker, label in (
        (False, BLUE, "o", "not marked"),
        (True, VERMILION, "^", "marked by a screening rule"),
    ):
        some = table[table["flagged"] == flagged]
        if some.empty:
            continue
        axes.hlines(
            some["inconsistency"],
            some["bias_low"],
            some["bias_high"],
            color=colour,
            alpha=0.35,
            linewidth=0.8,
            rasterized=many,
        )
        axes.vlines(
            some["bias"],
            some["inconsistency_low"],
            some["inconsistency_high"],
            color=colour,
            alpha=0.35,
            linewidth=0.8,
            rasterized=many,
        )
        axes.scatter(
            some["bias"],
            some["inconsistency"],
            s=size[some.index],
            marker=marker,
            color=colour,
            linewidths=0,
            label=label,
            rasterized=many,
        )
        named = some if flagged and not many else some.iloc[:0]
        names = tell_apart(named["participant"], 16).texts
        for name, x, y in zip(names, named["bias"], named["inconsistency"], strict=True):
            axes.annotate(
                name,
                (x, y),
                textcoords="offset points",
                xytext=(6, 4),
                fontsize=7,
            )
    axes.set_xlabel("Bias: rates lower (−) or higher (+) than the others, in scale points")
    axes.set_ylabel("Inconsistency (standard deviation)")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.legend(fontsize=8, loc="upper right")
    return figure


def _rating_colours(scale: Scale) -> tuple[Colormap, Normalize]:
    """Return a colour for each category of few, else a ramp."""
    if scale.categories is None or scale.step is None or len(scale.categories) > MAX_TICKS:
        return LinearSegmentedColormap.from_list("ratings", CATEGORIES), Normalize(scale.low, scale.high)
    many = len(scale.categories)
    edges = [scale.low + scale.step * (k - 0.5) for k in range(many + 1)]
    return ListedColormap(category_colours(many)), BoundaryNorm(edges, many)


def draw_ratings(table: pd.DataFrame) -> Figure:
    """Draw every participant × item cell as a heat map, both sorted by mean rating; white where there is none.

    table: items as rows (index), participants as columns, the mean rating of each cell, NaN where none was given.
    """
    data = table.loc[
        table.mean(axis=1).sort_values(kind="stable").index, table.mean().sort_values(kind="stable").index
    ].T
    participants, items = data.shape
    scale = scale_of(table)
    colours, norm = _rating_colours(scale)
    figure, axes = new_axes(ratings_height(table))
    # Coloured here, cell by cell: matplotlib would colour each pixel, once for each file.
    cells = colours(norm(np.ma.masked_invalid(data.to_numpy(float))), bytes=True)
    axes.imshow(cells, aspect="auto", interpolation="nearest")
    bar = figure.colorbar(
        ScalarMappable(norm, colours), ax=axes, ticks=score_ticks(scale), shrink=0.6, pad=0.01
    )
    bar.outline.set_visible(False)
    bar.set_label("Rating", color=INK)
    axes.set_xlabel(f"{items} items, by mean rating")
    axes.set_ylabel(f"{participants} participants, by mean rating")
    if participants <= NAMED_ROWS:
        axes.set_yticks(range(participants), tell_apart(data.index, 16).texts, fontsize=6)
    else:
        axes.set_yticks([])
    labels = _item_labels(data.columns)
    if labels.texts:
        axes.set_xticks(range(items), labels.texts, rotation=90, fontsize=6 if items <= 20 else 5)
        say_shared(axes, labels)
    else:
        axes.set_xticks([])
    return figure
