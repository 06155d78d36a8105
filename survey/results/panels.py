"""Which ratings the results rest on: one of three panels, and all items or those of one level."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final, Literal

import pandas as pd

from survey.analysis import Analysis, QuestionAnalysis, Ratings
from survey.analysis.items.intervals import DEFAULT_INTERVAL, Interval
from survey.analysis.participants.screening import flagged
from survey.analysis.table import main_phase

Panel = Literal["everyone", "screened", "model"]
PANELS: Final[dict[str, str]] = {
    "everyone": "Everyone",
    "screened": "Marked participants left out",
    "model": "Weighted by the subject model",
}


@dataclass(frozen=True)
class Selection:
    """Which ratings are analysed, and how. The default is used for publication and export.

    Attributes:
        panel: `everyone`; `screened`, without the participants that a screening rule flags; `model`, everyone
            weighted by the subject model.
        only: A factor column and the level that items must have.
    """

    ci: Interval = DEFAULT_INTERVAL
    panel: Panel = "everyone"
    only: tuple[str, str] | None = None


DEFAULT: Final = Selection()


def of_level(rows: pd.DataFrame, only: tuple[str, str] | None) -> pd.Series[bool]:
    """Return which rows are of items with this level of a factor: all of them for None."""
    if only is None:
        return pd.Series(True, index=rows.index)
    column, level = only
    return rows[column].astype("str") == level


class NobodyLeftError(ValueError):
    """A panel in which nobody is left to answer a question; the message is a sentence for the page."""


def without_flagged(ratings: Ratings, everyone: Analysis) -> Ratings:
    """Return the ratings without the participants that a screening rule flags.

    Raises:
        NobodyLeftError: All who answered one of the questions are flagged.
    """
    left = ratings.without(flagged(everyone.screening))
    of_question = main_phase(left.table).get("question")
    answered = set() if of_question is None else set(of_question)
    for question in everyone.questions:
        if not len(main_phase(left.table)) or (question and question not in answered):
            of = f" of {question!r}" if question and answered else ""
            raise NobodyLeftError(
                f"Every participant{of} is marked, so nobody is left. Look at what marks them, such as a gold image with a wrong "
                "answer."
            )
    return left


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
