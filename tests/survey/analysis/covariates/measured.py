"""Ratings of images on which something was measured."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from tests.survey.analysis.effects.grids import grid


def measured_grid() -> pd.DataFrame:
    """Return the 222 ratings of `grid` with a number `z` for each image, without the factors."""
    table = grid()
    c, s, k = (table[name].str[1:].astype(int) for name in ("content", "style", "layer"))
    z = 0.3 * c + 0.5 * k + ((7 * c + 5 * s + 3 * k) % 11) / 10
    return table.assign(z=z).drop(columns=["style", "layer"])


def measured(
    people: int = 20,
    contents: int = 8,
    each: int = 5,
    *,
    slope: float = 0.6,
    missing: float = 0.2,
    seed: int = 4,
) -> pd.DataFrame:
    """Return ratings that rise by `slope` for one unit of `ssim` within contents; `noise` has no link with them."""
    rng = np.random.default_rng(seed)
    base, bias = rng.normal(3, 0.3, contents), rng.normal(0, 0.4, people)
    own = rng.normal(slope, 0.4, people)
    ssim, noise = rng.normal(0, 1, (contents, each)).round(3), rng.normal(0, 1, (contents, each)).round(3)
    rows = []
    for i, c, k in product(range(people), range(contents), range(each)):
        if rng.random() < missing:
            continue
        latent = base[c] + bias[i] + own[i] * ssim[c, k] + rng.normal(0, 0.6)
        rating = int(np.clip(round(latent), 1, 5))
        rows.append((f"p{i:02d}", f"c{c}_{k}", f"c{c}", ssim[c, k], noise[c, k], rating))
    return pd.DataFrame(rows, columns=["participant", "item", "content", "ssim", "noise", "rating"])
