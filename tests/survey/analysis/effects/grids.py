"""A grid of stimuli rated by simulated people."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

COLUMNS = ["participant", "item", "content", "style", "layer", "rating"]


def grid(
    people: int = 15,
    contents: int = 4,
    *,
    base: float = 3.2,
    style: float = 0.3,
    layer: float = 0.25,
    missing: float = 0.4,
    seed: int = 7,
) -> pd.DataFrame:
    """Return ratings of contents × 2 styles × 3 layers.

    By default the 222 ratings (their sum is 683, of their squares 2237) that R's packages were given too.

    Args:
        style, layer: rating points for each step. missing: share of the ratings that were never given.
    """
    rng = np.random.default_rng(seed)
    content, bias = rng.normal(0, 0.4, contents), rng.normal(0, 0.4, people)
    own, of_content = rng.normal(0, 0.3, (people, 3)), rng.normal(0, 0.2, (contents, 3))
    rows = []
    for i, c, s, k in product(range(people), range(contents), range(2), range(3)):
        if rng.random() < missing:
            continue
        latent = base + content[c] + bias[i] + style * s + layer * (k - 1) + own[i, k] + of_content[c, k]
        rating = int(np.clip(round(latent + rng.normal(0, 0.7)), 1, 5))
        rows.append((f"p{i:02d}", f"c{c}_s{s}_l{k}", f"c{c}", f"s{s}", f"l{k}", rating))
    return pd.DataFrame(rows, columns=COLUMNS)
