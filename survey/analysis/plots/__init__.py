"""All plots of a study: what each shows, its table and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from survey.analysis import Analysis, QuestionAnalysis
from survey.analysis.effects import Effects
from survey.analysis.factors import factor_plane
from survey.analysis.items.conditions import cells
from survey.analysis.items.mos import count_columns, error_bars
from survey.analysis.items.sos import sos_curve
from survey.analysis.participants.screening import flagged
from survey.analysis.planning.convergence import convergence
from survey.analysis.plots.covariates import MAX_PANELS, covariates_height, draw_covariates
from survey.analysis.plots.effects import (
    OVER_LEVELS_HEIGHT,
    draw_interaction,
    draw_means,
    draw_numeric,
    interaction_means,
    marginal_means,
    means_height,
    numeric_means,
)
from survey.analysis.plots.factors import (
    conditions_height,
    draw_conditions,
    draw_factors,
    draw_significance,
    factors_height,
    significance_height,
)
from survey.analysis.plots.items import (
    CONVERGENCE_HEIGHT,
    MAX_CATEGORIES,
    SOS_HEIGHT,
    distribution_height,
    draw_convergence,
    draw_distribution,
    draw_mos,
    draw_sos,
    mos_height,
)
from survey.analysis.plots.raters import OBSERVERS_HEIGHT, draw_observers, draw_ratings, ratings_height
from survey.analysis.plots.style import EXPORTED, FORMATS, WIDTH, of_scale, render, render_formats
from survey.analysis.table import main_phase

__all__ = [
    "EXPORTED",
    "FORMATS",
    "PLOTS",
    "Plot",
    "PlotData",
    "drawable",
    "drawable_of",
    "plot_named",
    "render",
    "render_formats",
    "select_question",
]

MAX_IN_MATRIX: Final = 50
MAX_IN_HEAT_MAP: Final = 2_000_000
"""Limit on cells of participants by items: more would need gigabytes and exceed the pixels of a screen."""


@dataclass(frozen=True)
class PlotData:
    """One question's analysis and the rows behind it; `plane` names the two factors of the factor plot."""

    analysis: QuestionAnalysis
    rows: pd.DataFrame
    plane: tuple[str, str] | None = None


Data = TypeVar("Data")


@dataclass(frozen=True)
class Plot(Generic[Data]):
    """One kind of plot.

    Attributes:
        table: Returns the data, which are also shown under the drawing, or None without data.
        draw: Draws them, `style.WIDTH` inches wide.
        height: Returns the drawing's height in inches, so that a page can keep its place before it is drawn.
    """

    name: str
    title: str
    caption: str
    table: Callable[[Data], pd.DataFrame | None]
    draw: Callable[[pd.DataFrame], Figure]
    height: Callable[[pd.DataFrame], float]

    def shape(self, table: pd.DataFrame) -> tuple[int, int]:
        """Return width and height of the drawing in points."""
        return round(72 * WIDTH), round(72 * self.height(table))


def select_question(analysis: Analysis, rows: pd.DataFrame, question: str | None = None) -> PlotData:
    """Return one question's results and rows, by default the first's; KeyError for a question not analysed."""
    question = next(iter(analysis.questions)) if question is None else question
    part = analysis.questions[question]
    mine = rows[rows["question"] == question] if question else rows
    return PlotData(part, mine, factor_plane(mine))


def plot_named(name: str) -> Plot[PlotData]:
    """Return the plot of that name; KeyError if there is none."""
    return {plot.name: plot for plot in PLOTS}[name]


def drawable(data: PlotData) -> list[tuple[Plot[PlotData], pd.DataFrame]]:
    """Return the plots for which there is something to draw, each with its table."""
    return drawable_of(PLOTS, data)


def drawable_of(some: Sequence[Plot[Data]], data: Data) -> list[tuple[Plot[Data], pd.DataFrame]]:
    """Return those of `some` plots for which there is something to draw, each with its table."""
    tables = [(plot, plot.table(data)) for plot in some]
    return [(plot, table) for plot, table in tables if table is not None and not table.empty]


def _mos(data: PlotData) -> pd.DataFrame:
    mos = data.analysis.mos
    return pd.concat([mos[["item", "n", "mos"]], error_bars(mos, data.analysis.scale)], axis=1)


def _distribution(data: PlotData) -> pd.DataFrame | None:
    counts = count_columns(data.analysis.scale)
    if not 0 < len(counts) <= MAX_CATEGORIES:
        return None
    return data.analysis.mos[["item", "n", "mos", *counts]].astype(dict.fromkeys(counts, np.int64))


def _sos(data: PlotData) -> pd.DataFrame | None:
    a = data.analysis.summary["sos_a"]
    if a is None:
        return None
    mos = data.analysis.mos[data.analysis.mos["n"] >= 2].reset_index(drop=True)
    return mos[["item", "n", "mos"]].assign(
        variance=mos["sd"] ** 2, expected=sos_curve(a, mos["mos"], data.analysis.scale)
    )


def _observers(data: PlotData) -> pd.DataFrame:
    model = data.analysis.observer_model
    return model.assign(flagged=model["participant"].isin(flagged(data.analysis.screening)))


def _ratings(data: PlotData) -> pd.DataFrame | None:
    rows = main_phase(data.rows)
    if rows["item"].nunique() * rows["participant"].nunique() > MAX_IN_HEAT_MAP:
        return None
    names = {name: rows[name].astype("str") for name in ("item", "participant")}
    grid = rows["rating"].groupby([names["item"], names["participant"]]).mean().unstack()
    # A participant may be called "item".
    return grid.rename_axis(columns=None).reset_index(allow_duplicates=True)


def _conditions(data: PlotData) -> pd.DataFrame | None:
    table = data.analysis.conditions
    if table is None:
        return None
    renamed = table.rename(columns={"ci_low": "low", "ci_high": "high"})
    return renamed[["condition", "n", "mos", "low", "high", "naive_low", "naive_high", "too_narrow"]]


def _factors(data: PlotData) -> pd.DataFrame | None:
    if data.plane is None:
        return None
    down, across = data.plane
    # A file's levels are text; numbers are sorted by value.
    rows = data.rows.assign(**{name: _numbers(data.rows[name]) for name in data.plane})
    table = cells(rows, row=down, column=across, scale=data.analysis.scale)
    return table.rename(columns={"ci_low": "low", "ci_high": "high"})


def _of_effects(
    table: Callable[[Effects], pd.DataFrame],
) -> Callable[[PlotData], pd.DataFrame | None]:
    def of(data: PlotData) -> pd.DataFrame | None:
        effects = data.analysis.factor_effects.result
        return None if effects is None else table(effects)

    return of


def _covariates(data: PlotData) -> pd.DataFrame | None:
    links = data.analysis.covariate_links.quick
    return None if links is None else links.points


def _numbers(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.astype("object"), errors="coerce")
    return column if (numbers.isna() & column.notna()).any() else numbers


def _pairs(of: str) -> Callable[[PlotData], pd.DataFrame | None]:
    """Return what takes the pairs from a table of comparisons, if the matrix is small enough to read."""

    def pairs(data: PlotData) -> pd.DataFrame | None:
        table: pd.DataFrame | None = getattr(data.analysis, of)
        # Where nobody saw both of any two, no pair has a difference.
        if table is None or table["difference"].isna().all():
            return None
        if len(set(table["a"]) | set(table["b"])) > MAX_IN_MATRIX:
            return None
        return table[["a", "b", "n", "difference", "p_holm"]].rename(columns={"p_holm": "p_adjusted"})

    return pairs


def _convergence(data: PlotData) -> pd.DataFrame | None:
    table = convergence(data.rows, data.analysis.scale)
    return table if len(table) > 1 else None


def _marked(
    table: Callable[[PlotData], pd.DataFrame | None],
) -> Callable[[PlotData], pd.DataFrame | None]:
    """Return the same table, marked with the scale that it is drawn on."""

    def marked(data: PlotData) -> pd.DataFrame | None:
        result = table(data)
        return None if result is None else of_scale(result, data.analysis.scale)

    return marked


def _draw_wide(table: pd.DataFrame) -> Figure:
    return draw_ratings(_by_item(table).astype(np.float64))


def _by_item(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a heat map with its items as index."""
    return table.iloc[:, 1:].set_axis(table.iloc[:, 0])


_DIFFERENCES: Final = (
    "How much higher the row was rated than the column; a dot marks a difference that chance would rarely give. Wilcoxon "
    "signed-rank tests on the participants' means, p adjusted by Holm."
)
_CUT: Final = "An arrow: the interval goes on beyond the scale."
PLOTS: Final[tuple[Plot[PlotData], ...]] = (
    Plot(
        "mos",
        "Mean Opinion Scores",
        "Items sorted by MOS with 95 % confidence intervals on the whole scale. Where Student's t is not usable "
        "(two participants or fewer, all ratings equal, or an end beyond the scale) the bounded interval is drawn.",
        _marked(_mos),
        draw_mos,
        mos_height,
    ),
    Plot(
        "distribution",
        "Distribution of the ratings",
        "The share of each category; bars lie to the right the more of the upper categories were given. Two items of "
        "one MOS can differ in this: agreement and division.",
        _marked(_distribution),
        draw_distribution,
        distribution_height,
    ),
    Plot(
        "factors",
        "Factor by factor",
        "Mean of the items in each cell of two factors, with 95 % intervals over participants.",
        _marked(_factors),
        draw_factors,
        factors_height,
    ),
    Plot(
        "conditions",
        "Conditions",
        "Mean of each condition with a 95 % interval over participants; in grey the interval that pools all votes "
        f"as if each were a new person's, which is wrong and as a rule too narrow. {_CUT}",
        _marked(_conditions),
        draw_conditions,
        conditions_height,
    ),
    Plot(
        "effects",
        "Effects of the factors",
        "The score of each level of a factor, whatever the levels of the others: marginal means of the mixed model with 95 % intervals, "
        f"about people and items like these. {_CUT}",
        _marked(_of_effects(marginal_means)),
        draw_means,
        means_height,
    ),
    Plot(
        "interaction",
        "How two factors act together",
        "Parallel lines mean that each factor acts alike at all levels of the other. Marginal means of the combinations of two factors, "
        f"those with the smallest p. {_CUT}",
        _marked(_of_effects(interaction_means)),
        draw_interaction,
        lambda _: OVER_LEVELS_HEIGHT,
    ),
    Plot(
        "numeric",
        "Score over numeric factors",
        f"How the score changes with the number: marginal means with 95 % intervals over a logarithmic axis. {_CUT}",
        _marked(_of_effects(numeric_means)),
        draw_numeric,
        lambda _: OVER_LEVELS_HEIGHT,
    ),
    Plot(
        "covariates",
        "Scores over the covariates",
        f"Each MOS with both 95 % intervals: Student's t (thin) and the bounded one (wide, grey), on what was "
        f"measured beside it, and the line fitted on these data. {_CUT} At most {MAX_PANELS} covariates are drawn.",
        _marked(_covariates),
        draw_covariates,
        covariates_height,
    ),
    Plot(
        "significance",
        "Pairwise differences",
        _DIFFERENCES,
        _marked(_pairs("comparisons")),
        draw_significance,
        significance_height,
    ),
    Plot(
        "condition_significance",
        "Pairwise differences of the conditions",
        _DIFFERENCES,
        _marked(_pairs("condition_comparisons")),
        draw_significance,
        significance_height,
    ),
    Plot(
        "sos",
        "Spread of opinions (SOS)",
        "How far opinions on each item differ: the higher a dot, the more people disagree on it. The curve a(MOS − L)(H − MOS), on a scale "
        "from L to H, is fitted to all items; a small a means that people agree "
        "(Hoßfeld, Schatz and Egger 2011).",
        _marked(_sos),
        draw_sos,
        lambda _: SOS_HEIGHT,
    ),
    Plot(
        "observers",
        "Participants: bias and inconsistency",
        "Each mark is a person: further right, they rate higher than the others; further up, they are harder to predict. From the subject "
        "model of ITU-T P.910 Annex E with 95 % intervals; larger marks rated more.",
        _marked(_observers),
        draw_observers,
        lambda _: OBSERVERS_HEIGHT,
    ),
    Plot(
        "ratings",
        "Every rating",
        "Participants by items, both sorted by their mean. A participant who does not follow the gradient stands out.",
        _marked(_ratings),
        _draw_wide,
        lambda table: ratings_height(_by_item(table)),
    ),
    Plot(
        "convergence",
        "Convergence",
        "How sure the scores are with the first k ratings of each item: where the line is flat, more ratings of the same kind change little. "
        "Half width of the bounded 95 % interval.",
        _marked(_convergence),
        draw_convergence,
        lambda _: CONVERGENCE_HEIGHT,
    ),
)
