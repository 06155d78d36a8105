"""What the covariates that the generator measures are called where people read them; files keep their names."""

from __future__ import annotations

from typing import Final

import pandas as pd

LABELS: Final = {
    "ssim": "similarity to the content (SSIM)",
    "edge_agreement": "agreement of edges with the content",
    "colour_from_content": "difference in colour from the content",
    "colour_from_style": "difference in colour from the style",
    "total_variation": "total variation",
    "colourfulness": "colourfulness",
    "content_loss": "content loss",
    "style_loss": "style loss",
    "near_duplicate_of": "looks the same as image",
}
"""Each reads on after "images with higher", the last one excepted, which is no covariate of scores."""
_PREFIX: Final = "covariate_"


def label(name: str) -> str:
    """Return what a covariate is called. A name that a researcher chose stays as it is."""
    return LABELS.get(name.removeprefix(_PREFIX), name)


def with_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table to be read: with labels in its column ``covariate``, where it has one."""
    if "covariate" not in table.columns:
        return table
    return table.assign(covariate=table["covariate"].astype("str").map(label))
