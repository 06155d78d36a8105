"""What was measured on the images, such as SSIM, against their Mean Opinion Scores."""

from __future__ import annotations

from survey.analysis.covariates.links import COVARIATE_COLUMNS, CovariateLinks, Links

__all__ = ["COVARIATE_COLUMNS", "CovariateLinks", "Links"]
