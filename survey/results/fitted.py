"""The large mixed models of a study: fitted in the background, kept as JSON, and put back into the analysis."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

import pandas as pd

from survey.analysis import QuestionAnalysis
from survey.analysis.covariates import CovariateLinks, Links
from survey.analysis.effects import Effects, FactorEffects
from survey.analysis.effects.ordinal import OrdinalLine
from survey.analysis.groups.compare import Comparison, GroupComparison
from survey.models import Study
from survey.results.collect import collect
from survey.results.export import Export
from survey.results.figures import read_table, written_table
from survey.results.panels import Selection

Found = Effects | Links | Comparison
Lazy = FactorEffects | CovariateLinks | GroupComparison
Fitted = Mapping[str, Mapping[str, Found]]
"""{question: {field of its analysis: what was found}}."""

#: The fields of a question's analysis that hold such models, and what they are called.
MODELS: Final = {
    "factor_effects": "effects of factors",
    "covariate_links": "covariates",
    "group_comparison": "groups",
}
_KINDS: Final[Mapping[str, Callable[..., Found]]] = {
    "factor_effects": Effects,
    "covariate_links": Links,
    "group_comparison": Comparison,
}


def of_everybody(selection: Selection) -> Selection:
    """Return the selection whose models another one shows: intervals and weights of scores change none."""
    return Selection(panel="screened" if selection.panel == "screened" else "everyone", only=selection.only)


def slow_models(export: Export) -> list[tuple[str, str]]:
    """Return (question, field) of the models that take longer than a page waits for."""
    return [
        (key, name)
        for key, part in export.analysis.questions.items()
        for name in MODELS
        if getattr(part, name).slow
    ]


def fitted_models(
    study: Study, selection: Selection, tell: Callable[[str], None] = lambda step: None
) -> Fitted:
    """Fit the slow models of a selection. tell: is told what is being done."""
    tell("reading the ratings")
    export = collect(study, selection)
    slow = slow_models(export)
    fitted: dict[str, dict[str, Found]] = {}
    for place, (key, name) in enumerate(slow, 1):
        tell(f"model {place} of {len(slow)}: {MODELS[name]}, question {key}"[:80])
        fitted.setdefault(key, {})[name] = getattr(export.analysis.questions[key], name).result
    return fitted


def with_fitted(export: Export, fitted: Fitted) -> Export:
    """Return an export whose analysis has these models, so that nothing waits for them."""
    questions = {
        key: _with_known(part, fitted.get(key, {})) for key, part in export.analysis.questions.items()
    }
    return replace(export, analysis=replace(export.analysis, questions=questions))


def _with_known(part: QuestionAnalysis, fitted: Mapping[str, Found]) -> QuestionAnalysis:
    known: dict[str, Any] = {name: _known(getattr(part, name), found) for name, found in fitted.items()}
    return replace(part, **known)


def _known(lazy: Lazy, found: Found) -> Lazy:
    """Return a copy of a model that is fitted when first asked for, with what was found."""
    known = copy.copy(lazy)
    vars(known).update(result=found, slow=False)
    return known


def to_json(fitted: Fitted) -> bytes:
    """Return models as JSON, with every digit."""
    plain = {key: {name: _plain(found) for name, found in part.items()} for key, part in fitted.items()}
    return json.dumps(plain).encode()


def from_json(data: bytes) -> Fitted:
    """Return the models that `to_json` wrote."""
    return {
        key: {name: _KINDS[name](**_values(found)) for name, found in part.items()}
        for key, part in json.loads(data).items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return written_table(value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _values(found: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        name: read_table(value) if name in ("table", "points") else value for name, value in found.items()
    }
    if "ordinal" in values:
        values["ordinal"] = OrdinalLine(**values["ordinal"])
        values["factors"] = {name: tuple(term) for name, term in values["factors"].items()}
    return values
