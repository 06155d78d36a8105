"""The style of all plots: colours for colour-blind readers, and files with the same bytes for the same data."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from survey.analysis.scale import ACR, Scale, parse_scale

FORMATS: Final = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
#: Of the files of an export.
EXPORTED: Final = ("svg", "pdf")

# Okabe and Ito (2008): distinguishable with any of the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, VERMILION, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
INK, FAINT, GRID = "#1f2328", "#6e7781", "#d8dee4"
# Bad to Excellent: ColorBrewer's PuOr, diverging, safe in print and for colour-blind readers.
CATEGORIES: Final = ("#b35806", "#f1a340", "#d0d3d9", "#998ec3", "#542788")
# Up to this many rows are drawn with their names; more are drawn by rank.
NAMED_ROWS: Final = 60
MAX_TICKS: Final = 11
WIDTH: Final = 7.2
"""Inches: the text width of a two-column paper."""

_STYLE: Final[dict[Any, Any]] = {
    # Without the salt, matplotlib draws the ids inside an SVG at random.
    "svg.hashsalt": "nstsite",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
}
_METADATA: Final[dict[str, dict[str, None]]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
}
_PRINTERS: Final[dict[str, type[FigureCanvasBase]]] = {
    "svg": FigureCanvasSVG,
    "png": FigureCanvasAgg,
    "pdf": FigureCanvasPdf,
}
_DPI: Final = 200
# matplotlib's settings and font cache are shared by all threads of the web process.
_lock = threading.Lock()


def render(draw: Callable[[pd.DataFrame], Figure], table: pd.DataFrame, file_format: str = "svg") -> bytes:
    """Draw `table` and return the file's bytes, the same for the same table.

    file_format: `svg`, `png` (200 dpi) or `pdf`.

    Raises:
        KeyError: For any other.
    """
    return render_formats(draw, table, [file_format])[file_format]


def render_formats(
    draw: Callable[[pd.DataFrame], Figure], table: pd.DataFrame, file_formats: Sequence[str]
) -> dict[str, bytes]:
    """Draw `table` once and return the file's bytes in each format, laid out as for the first.

    Raises:
        KeyError: For a format that `render` does not know.
    """
    files = {}
    with _lock, matplotlib.rc_context(_STYLE):
        figure = draw(table)
        for file_format in file_formats:
            buffer = io.BytesIO()
            printer = _PRINTERS[file_format](figure)
            figure.dpi = _DPI
            # Not cropped: a page keeps a place of the figure's own size for it. Not `savefig` either, which draws each file
            # twice, the first time for the layout alone.
            getattr(printer, f"print_{file_format}")(buffer, metadata=_METADATA[file_format])
            files[file_format] = buffer.getvalue()
            # Half of a drawing's time is its layout, which is there now.
            figure.set_layout_engine("none")
    return files


def new_axes(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return a figure of `width` × `height` inches with one pair of axes, made without pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def draw_bars(axes: Axes, x: Any, low: Any, high: Any, **how: Any) -> None:
    """Draw a vertical bar at each x as parts of one line: thousands as a line each would take seconds."""
    gap = np.full(len(x), np.nan)
    ends = (np.column_stack(columns).ravel() for columns in ((x, x, gap), (low, high, gap)))
    axes.plot(*ends, solid_capstyle="butt", **how)


def draw_dots(axes: Axes, x: Any, y: Any, size: float, **how: Any) -> None:
    """Draw a dot of `size` points across at each place as parts of one path: thousands as a marker each would take seconds.

    Each is a line with round ends, too short to be seen. Of no length at all, it would not be drawn in a PNG.
    """
    places = np.column_stack((x, y)).astype(float)
    places = places[np.isfinite(places).all(axis=1)]
    if len(places):
        short = [0, 1e-5 * max(float(np.ptp(places[:, 1])), 1e-3)]
        vertices = np.column_stack((places, places + short)).reshape(-1, 2)
        path = Path(vertices, np.tile((Path.MOVETO, Path.LINETO), len(places)))
        # Not `add_patch`, which looks for each line's ends as for a curve's.
        axes.add_artist(PathPatch(path, fill=False, linewidth=size, capstyle="round", snap=False, **how))
        axes.update_datalim(places)
        axes.autoscale_view()


def rows_height(rows: int, each: float = 0.2, most: int = NAMED_ROWS) -> float:
    """Return the height in inches for a plot of `rows` named rows."""
    return 1.1 + each * min(max(rows, 3), most)


def of_scale(table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Return the table to be drawn, marked with the scale of its ratings."""
    table.attrs["scale"] = str(scale)
    return table


def scale_of(table: pd.DataFrame) -> Scale:
    """Return the scale that a table to be drawn is marked with."""
    return parse_scale(table.attrs.get("scale", str(ACR)))


def score_ticks(scale: Scale) -> list[float]:
    """Return the values to mark on an axis: the categories, or six of many."""
    few = scale.categories is not None and len(scale.categories) <= MAX_TICKS
    return list(scale.categories or ()) if few else np.linspace(scale.low, scale.high, 6).tolist()


def category_colours(categories: int) -> list[Any]:
    """Return a colour for each category from low to high."""
    if categories == len(CATEGORIES):
        return list(CATEGORIES)
    ramp = LinearSegmentedColormap.from_list("categories", CATEGORIES)
    return [ramp(share) for share in np.linspace(0, 1, categories)]


def score_axis(axes: Axes, which: str = "x", label: str = "Mean Opinion Score", scale: Scale = ACR) -> None:
    """Show the whole scale on one axis, so that studies can be compared."""
    margin = scale.range / 40
    limits, ticks = (scale.low - margin, scale.high + margin), score_ticks(scale)
    if which == "x":
        axes.set_xlim(limits)
        axes.set_xticks(ticks)
        axes.set_xlabel(label)
    else:
        axes.set_ylim(limits)
        axes.set_yticks(ticks)
        axes.set_ylabel(label)
    axes.grid(axis=which)  # type: ignore[arg-type]


def mark_cut(
    axes: Axes,
    places: Any,
    low: Any,
    high: Any,
    scale: Scale,
    colour: str,
    which: str = "x",
    size: float = 30,
) -> None:
    """Put an arrow at the end of the scale where an interval, drawn up to there, goes on beyond it.

    which: the axis of the scores.
    """
    places = np.asarray(places, float)
    beyond = (
        (np.asarray(low) < scale.low, scale.low, "<v"),
        (np.asarray(high) > scale.high, scale.high, ">^"),
    )
    for cut, end, signs in beyond:
        if not cut.any():
            continue
        at = np.full(int(cut.sum()), end, float)
        x, y = (at, places[cut]) if which == "x" else (places[cut], at)
        marker = signs[0] if which == "x" else signs[1]
        axes.scatter(x, y, marker=marker, s=size, color=colour, linewidths=0, zorder=3, clip_on=False)


def short(name: object, length: int = 40) -> str:
    """Return a name for an axis, with its middle left out if it is longer than `length`.

    A dollar sign is escaped: matplotlib would read a formula.
    """
    text = " ".join(str(name).split())
    if len(text) > length:
        half = (length - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return text.replace("$", r"\$")
