"""The names that a recipe may choose from. The modules that compute them import these."""

from __future__ import annotations

METHODS = ("optimised", "feedforward", "strotss", "nnst")
# The methods with losses and steps of their own, in generator/nst/kolkin/.
KOLKIN = ("strotss", "nnst")
STYLE_LOSSES = ("gram", "wasserstein", "patches")
# Those that masks can guide; maps guide "patches".
MASKED_LOSSES = ("gram", "wasserstein")
TV_FORMS = ("keras", "l1", "l2", "mahendran-vedaldi", "nine-point")
COLOURS = ("none", "luminance", "histogram", "covariance", "recoloured", "matched")
