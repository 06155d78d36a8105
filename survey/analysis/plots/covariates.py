"""The plot of covariates: a scatter of the MOS over each, with both intervals and the fitted line."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from survey.analysis.covariates.labels import label
from survey.analysis.plots.names import tell_apart
from survey.analysis.plots.style import (
    BLUE,
    GRID,
    VERMILION,
    WIDTH,
    draw_bars,
    draw_dots,
    mark_cut,
    scale_of,
    score_axis,
)

MAX_PANELS: Final = 12
_ACROSS: Final = 3
_MANY: Final = 100
_PANEL: Final = 2.3


def covariates_height(table: pd.DataFrame) -> float:
    """Return the height of `draw_covariates` in inches."""
    panels = min(table["covariate"].nunique(), MAX_PANELS)
    return _PANEL * -(-panels // _ACROSS)


def draw_covariates(table: pd.DataFrame) -> Figure:
    """Draw a panel for each covariate. table: `covariate,item,x,mos,low,high,bounded_low,bounded_high,line`."""
    scale = scale_of(table)
    names = list(table["covariate"].unique())[:MAX_PANELS]
    across = min(_ACROSS, len(names))
    down = -(-len(names) // across)
    figure = Figure(figsize=(WIDTH, covariates_height(table)), layout="constrained")
    labels = tell_apart([label(name) for name in names], 28, 2).texts
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    for place, axes in enumerate(panels.ravel()):
        if place >= len(names):
            axes.set_visible(False)
            continue
        mine = table[table["covariate"] == names[place]].sort_values("x", kind="stable")
        x, many = mine["x"].to_numpy(), len(mine) > _MANY
        ends = {name: np.clip(mine[name].to_numpy(), scale.low, scale.high) for name in _ENDS}
        draw_bars(
            axes, x, ends["bounded_low"], ends["bounded_high"], color=GRID, linewidth=1.5 if many else 4
        )
        draw_bars(axes, x, ends["low"], ends["high"], color=BLUE, linewidth=0.4 if many else 0.9)
        mark_cut(axes, x, mine["low"], mine["high"], scale, BLUE, "y", size=3 if many else 9)
        draw_dots(axes, x, mine["mos"], 3 if many else 4.5, edgecolor=BLUE, zorder=3)
        line = mine.dropna(subset=["line"])
        axes.plot(
            line["x"], np.clip(line["line"], scale.low, scale.high), color=VERMILION, linewidth=1.2, zorder=4
        )
        axes.set_xlabel(labels[place])
        score_axis(axes, "y", label="MOS" if place % across == 0 else "", scale=scale)
    return figure


_ENDS: Final = ("low", "high", "bounded_low", "bounded_high")
