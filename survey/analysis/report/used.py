"""Which entries of the glossary an analysis needs: those of what it computed."""

from __future__ import annotations

from typing import Final

from survey.analysis.analysis import Analysis, QuestionAnalysis
from survey.analysis.items.intervals import DEFAULT_INTERVAL
from survey.analysis.participants.rules import RULES
from survey.analysis.report.words import GLOSSARY, Entry

#: Term -> the numbers of the summary that it explains.
_NUMBERS: Final = {
    "SOS a": {"sos_a"},
    "Krippendorff's α": {"alpha_ordinal", "alpha_interval"},
    "ICC(2,1), ICC(2,k)": {"icc_2_1"},
    "Friedman, Kendall's W": {"friedman_p", "friedman_conditions_p"},
}


def glossary_of(analysis: Analysis) -> list[Entry]:
    """Return the glossary's entries of what an analysis holds, with its scale in that of the MOS."""
    parts = list(analysis.questions.values())
    scales = " or ".join(dict.fromkeys(part.scale.describe() for part in parts))
    held = [_held(part) for part in parts]
    return [
        entry._replace(sentence=f"{entry.sentence} The scale is {scales}.") if entry.term == "MOS" else entry
        for entry in GLOSSARY
        if any(terms.get(entry.term, True) for terms in held)
    ]


def _held(part: QuestionAnalysis) -> dict[str, bool]:
    """Return whether an analysis holds what a term explains, of each term that it may lack. No model is fitted for it."""
    judged = set(part.screening.loc[part.screening["verdict"] != "cannot judge", "rule"])
    numbers = {key for key, value in part.summary.items() if value is not None}
    has_factors = bool(part.factor_effects.factors)
    return {
        **{rule.term: False for rule in RULES.values()},
        **{rule.term: True for name, rule in RULES.items() if name in judged},
        **{term: bool(numbers & ours) for term, ours in _NUMBERS.items()},
        "GoB, PoW": "gob" in part.mos,
        "other intervals": not part.mos["ci_method"].isin([DEFAULT_INTERVAL, "bounded"]).all(),
        "Wilcoxon, Holm": bool(part.comparisons["p"].notna().any()),
        "recovered quality": bool(part.recovered["quality"].notna().any()),
        "bias, inconsistency": bool(part.observers["inconsistency"].notna().any()),
        "condition mean": part.condition_table is not None,
        "bootstrap, mixed model": part.condition_table is not None,
        "letters": part.condition_comparisons is not None,
        "ordinal check": part.condition_comparisons is not None or has_factors,
        "effects of factors": has_factors,
        "marginal mean, d": has_factors,
        "covariates": bool(part.covariate_links.names),
        "groups": len(part.group_comparison.groups) > 1,
        "two camps": part.scale.categories is not None,
        "DMOS": part.dmos is not None,
    }
