"""How many rating points a covariate is worth: a slope of the ratings within contents, and one between them."""

from __future__ import annotations

import numpy as np

from survey.analysis.covariates.columns import Panel
from survey.analysis.distributions import t_critical
from survey.analysis.effects.people import cluster_fit
from survey.analysis.effects.reml import Contrast, Floats, Ints, RandomParts, RemlFit, fit_reml

MAX_DUMMIES = 200
"""Contents up to which the check by least squares holds each one's own level."""
_NO = Contrast(*[float("nan")] * 6)


def split(x: Floats, content: Ints | None) -> tuple[Floats, Floats]:
    """Return x as its part within contents and the contents' means less the mean of all; all between without contents."""
    centre = x - x.mean()
    if content is None:
        return np.zeros(len(x)), centre
    between = (np.bincount(content, centre) / np.maximum(np.bincount(content), 1))[content]
    inside = centre - between
    return np.where(np.abs(inside) < 1e-12, 0.0, inside), between - between.mean()


def mixed_slopes(panel: Panel, x: Floats, content: Ints | None) -> tuple[Contrast, Contrast, RemlFit]:
    """Estimate the slopes within and between contents in a mixed model by REML, NaN where one does not exist.

    Random parts: participant, participant × slope, content and item.

    Args:
        panel: the ratings, of items that have a value only.
        x: each item's value over the SD, shape (items,).
        content: of each item, or None.
    """
    inside, between = split(x, content)
    columns = [np.ones(len(panel.rating))]
    places: dict[str, int] = {}
    for name, part in (("within", inside), ("between", between)):
        if np.ptp(part) > 1e-9:
            places[name] = len(columns)
            columns.append(part[panel.item])
    design = np.column_stack(columns)
    zero = panel.participant * 0
    random: dict[str, Ints] = {}
    contents = 0 if content is None else int(content.max()) + 1
    if content is not None and 1 < contents < len(panel.items):
        random["content"] = content[panel.item]
    random["item"] = panel.item
    centre = (x - x.mean())[panel.item]
    parts = RandomParts(
        panel.participant,
        {"participant": zero, "participant × slope": zero},
        random,
        {"participant × slope": centre},
    )
    fit = fit_reml(panel.rating, design, parts)
    unit = np.eye(len(columns))
    found = {name: fit.contrast(unit[at]) for name, at in places.items()}
    return found.get("within", _NO), found.get("between", _NO), fit


def clustered_slope(mos: Floats, x: Floats, content: Ints | None) -> Contrast:
    """Regress MOS on x and content by least squares with CR2, contents as clusters; NaN where it cannot be.

    Without contents each item is a cluster of its own.
    """
    cluster = np.arange(len(x)) if content is None else np.unique(content, return_inverse=True)[1]
    design = np.column_stack([np.ones(len(x)), x])
    inside = split(x, content)[0]
    if content is not None and np.ptp(inside) > 1e-9:
        if cluster.max() >= MAX_DUMMIES:
            return _NO
        design = np.column_stack([design, np.eye(int(cluster.max()) + 1)[cluster][:, 1:]])
    if cluster.max() < 1 or len(x) <= design.shape[1]:
        return _NO
    fit = cluster_fit(mos, design, cluster.astype(np.int64))
    row = np.eye(design.shape[1])[1:2]
    test = fit.test(row)
    estimate = float(fit.beta[1])
    if not np.isfinite(test.p) or test.statistic <= 0:
        return _NO
    se = abs(estimate) / float(np.sqrt(test.statistic))
    half = float(t_critical(test.df2)) * se
    return Contrast(estimate, se, test.df2, estimate - half, estimate + half, test.p)
