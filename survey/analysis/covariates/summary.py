"""The covariates in ``summary.json``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from survey.analysis.covariates.links import Links
from survey.analysis.summary import plain

_TOLD = ("plcc", "plcc_low", "plcc_high", "srocc", "rmse_star", "outlier_ratio", "test", "p_holm")


def covariates_summary(links: Links | None) -> dict[str, Any]:
    """Return what links each covariate with the MOS, and the finding in words; empty without covariates."""
    if links is None:
        return {}
    rows = {
        str(row["covariate"]): {name: None if pd.isna(row[name]) else plain(row[name]) for name in _TOLD}
        for row in links.table.to_dict("records")
    }
    return {
        "covariates": rows,
        "covariates_finding": " ".join(links.sentences),
        "covariates_remarks": links.remarks,
    }
