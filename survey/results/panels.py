"""The three panels of the results: everyone, without flagged participants, and weighted by the subject model."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final, Literal

import pandas as pd

from survey.analysis import Analysis, QuestionAnalysis

Panel = Literal["everyone", "screened", "model"]
PANELS: Final[dict[str, str]] = {
    "everyone": "Everyone",
    "screened": "Flagged participants left out",
    "model": "Weighted by the subject model",
}


def weighted_by_model(analysis: Analysis) -> Analysis:
    """Return the analysis with qualities and intervals of the shrunken subject model instead of the MOS.

    Counts, shares and SD stay those of the ratings. The bounded interval is the model's, clipped to the scale.
    """
    questions = {name: replace(part, mos=_weighted(part)) for name, part in analysis.questions.items()}
    whole = {field.name: getattr(analysis, field.name) for field in fields(analysis)}
    return Analysis(**whole | {"mos": _weighted(analysis), "questions": questions})


def _weighted(part: QuestionAnalysis) -> pd.DataFrame:
    keys = [name for name in ("question", "item") if name in part.mos.columns]
    model = part.mos[keys].merge(part.recovered_shrunken, on=keys, how="left", validate="one_to_one")
    return part.mos.assign(
        mos=model["quality"].to_numpy(),
        ci_low=model["ci_low"].to_numpy(),
        ci_high=model["ci_high"].to_numpy(),
        ci_method="model",
        bounded_low=model["ci_low"].clip(part.scale.low, part.scale.high).to_numpy(),
        bounded_high=model["ci_high"].clip(part.scale.low, part.scale.high).to_numpy(),
    )
