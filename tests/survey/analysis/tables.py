"""Tables that the analysis is tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

from survey.analysis.planning.simulation import Population, simulate
from survey.analysis.table import Coded, check, code

few = settings(max_examples=25)
"""For laws whose every example costs milliseconds."""


def rows(text: str) -> pd.DataFrame:
    """`a x 3` a line: participant, item, rating."""
    lines = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame([(p, i, int(r)) for p, i, r in lines], columns=["participant", "item", "rating"])


def coded(table: pd.DataFrame) -> Coded:
    return code(check(table).table)


def study(seed: int = 0, items: int = 30, participants: int = 18, **population: float) -> pd.DataFrame:
    """A complete simulated study."""
    return simulate(np.linspace(1.2, 4.8, items), participants, Population(**population), seed=seed).table


def sparse_study(seed: int = 0) -> pd.DataFrame:
    """Each of 40 participants rates 12 of 30 items."""
    return simulate(np.linspace(1.2, 4.8, 30), 40, per_participant=12, seed=seed).table


@st.composite
def tables(draw: st.DrawFn, most_people: int = 6, most_items: int = 6) -> pd.DataFrame:
    """Any small table: gaps, repeats, constant raters, unanimous items."""
    pairs = st.tuples(st.integers(0, most_people - 1), st.integers(0, most_items - 1), st.integers(1, 5))
    drawn = draw(st.lists(pairs, min_size=1, max_size=60))
    return pd.DataFrame(
        [(f"p{person}", f"i{item}", rating) for person, item, rating in drawn],
        columns=["participant", "item", "rating"],
    )
