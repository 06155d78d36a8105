"""The loss curve of one image, as its provenance holds it."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from survey.analysis.plots.style import BLUE, GREEN, GRID, ORANGE, new_axes

#: Term of the loss -> its name in the legend, and its colour.
TERM_LOOKS: Final = {
    "content": ("content", BLUE),
    "style": ("style", ORANGE),
    "tv": ("total variation", GREEN),
}


def loss_table(provenance: dict[str, Any]) -> pd.DataFrame:
    """Return the points of the curve: `evaluation` and a column for each term of the loss; empty without a curve."""
    curve = provenance.get("curve") or {}
    # None, where the loss was not finite, becomes a gap.
    table = pd.DataFrame({name: values for name, values in curve.items() if values}, dtype=float)
    return table if "evaluation" in table else table.iloc[0:0]


def draw_curve(table: pd.DataFrame) -> Figure:
    """Draw each term against the evaluation, the loss on a logarithmic axis; a term that is 0 has no line."""
    figure, axes = new_axes(2.8)
    for name in table.columns.drop("evaluation"):
        positive = table[name].where(table[name] > 0)
        if positive.notna().any():
            label, colour = TERM_LOOKS.get(name, (name, None))
            axes.plot(table["evaluation"], positive, label=label, color=colour, linewidth=1.4)
    axes.set_yscale("log")
    axes.set_xlabel("evaluation")
    axes.set_ylabel("weighted loss")
    axes.grid(color=GRID, linewidth=0.6)
    figure.legend(loc="outside upper center", ncols=3)
    return figure
