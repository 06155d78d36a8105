"""Effects of the factors of the images: main effects, two-way interactions, marginal means, contrasts, slopes."""

from __future__ import annotations

from survey.analysis.effects.effects import EFFECT_COLUMNS, Effects, FactorEffects, factor_effects

__all__ = ["EFFECT_COLUMNS", "Effects", "FactorEffects", "factor_effects"]
