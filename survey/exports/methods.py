"""The methods paragraph with a study's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from survey.analysis import QuestionAnalysis
from survey.analysis.covariates.labels import label
from survey.analysis.planning.stopping import stopping_interval
from survey.analysis.scale import Scale, number_text
from survey.analysis.summary import named
from survey.exports.group_words import assignment_text
from survey.exports.viewing import viewing_words
from survey.results.export import Export, QuestionText
from survey.study.stop_rule import parse_stop_rule
from survey.study.stopping import scored_roles
from survey.study.tables import Session

_METHODS = {
    "acr": "Absolute Category Rating (ACR)",
    "acr-hr": "Absolute Category Rating with Hidden Reference (ACR-HR)",
    "dcr": "Degradation Category Rating (DCR)",
    "pair": "pair comparison",
}


def methods_text(export: Export) -> str:
    """Return a paragraph for a paper's methods section, with numbers from the study's analysis."""
    said = export.said_simulated
    simulated = f"{said}\n\n" if said else ""
    parts = [
        _design(export),
        _participants(export),
        viewing_words(export.definition, export.participants, export.ratings),
        assignment_text(export.participants, export.definition),
    ]
    parts += [_stopping(export), _scores(export)]
    parts += [_agreement(export, question) for question in export.questions]
    parts += [_split(export, question) for question in export.questions]
    parts += [_effects(export, question) for question in export.questions]
    parts += [_covariates(export, question) for question in export.questions]
    parts += [_groups(export, question) for question in export.questions]
    parts.append(
        f"The analysis was made with {export.analysis.stamp['program']} on data with SHA-256 {export.analysis.stamp['data_sha256']}."
    )
    return f"{simulated}{' '.join(part for part in parts if part)}\n"


def _design(export: Export) -> str:
    questions = "; ".join(f"“{question.text}” ({_labels(question)})" for question in export.questions)
    mos = export.analysis.mos
    rated, unrated = (list(dict.fromkeys(mos.loc[mask, "item"])) for mask in (mos["n"] > 0, mos["n"] == 0))
    unrated = [item for item in unrated if item not in rated]
    without = (
        f" {len(unrated)} more {'has' if len(unrated) == 1 else 'have'} no rating: {named(unrated)}."
        if unrated
        else ""
    )
    images = len(rated)
    usual = all(question.scale.is_acr for question in export.questions)
    on = "five categories" if usual else "the scales given in parentheses"
    return f"{images} images were rated by {_METHODS[export.method]} (ITU-T P.910) on {on}: {questions}.{without}"


def _labels(question: QuestionText) -> str:
    labels = ", ".join(reversed(question.legend_parts))
    return labels if question.scale.is_acr else f"{_kind(question.scale)}: {labels}"


def _kind(scale: Scale) -> str:
    ends = f"{number_text(scale.low)} to {number_text(scale.high)}"
    return (
        f"{len(scale.categories)} categories, {ends}" if scale.categories else f"a continuous scale, {ends}"
    )


def _participants(export: Export) -> str:
    summary, people = export.analysis.summary, export.participants
    order = Session.model_validate(export.definition["session"]).order_in_words
    excluded = int(people["excluded"].notna().sum())
    text = (
        f"{summary['participants']} participants gave {summary['ratings']} ratings that count, {order}; "
        f"{int((people['state'] == 'finished').sum())} of {len(people)} finished."
    )
    if excluded:
        text += f" {excluded} more {'was' if excluded == 1 else 'were'} excluded, for the reasons in participants.csv."
    return text


def _groups(export: Export, question: QuestionText) -> str:
    """Say how the groups were compared and what was found; empty without groups."""
    part, about = _part(export, question)
    found = part.group_comparison.result
    if found is None:
        return ""
    means = "Welch's t test on participants' means" if len(found.of_kind("difference")) else ""
    model = "a linear mixed model by REML (group fixed; participant, image and image × group random; Satterthwaite)"
    ways = " and ".join(filter(None, [means, model if found.by_model else ""]))
    return (
        f"The groups were compared{about} by {ways}, with Holm's correction. {' '.join(found.sentences)}"
        if ways
        else ""
    )


def _stopping(export: Export) -> str:
    """Say by which rule collecting was to stop, and when it did; empty without a rule."""
    said = export.definition.get("stop_when")
    text = ""
    if said:
        rule = parse_stop_rule(said)
        text = f"Collecting was to pause when {rule.in_words}, checked after each finished session."
        if rule.kind == "half width":
            images = int((export.items["role"].isin(scored_roles(export.method))).sum())
            text += f" {stopping_interval(images)} The rule looks at widths only and favours no image."
    for stop in export.stops.itertuples():
        text += f" The rule “{stop.rule}” paused it after {stop.sessions} sessions ({stop.at:%Y-%m-%d})."
    return text.strip()


def _scores(export: Export) -> str:
    mos = export.analysis.mos[export.analysis.mos["n"] > 0]
    again = (
        " The intervals take participants as the unit, since some rated an image more than once."
        if (mos["n"] > mos["participants"]).any()
        else ""
    )
    return (
        f"Each image received {_span(mos['n'])} ratings; its Mean Opinion Score is reported with a 95 % confidence interval from "
        "Student's t distribution (ITU-T P.1401), beside an interval bounded to the scale (Wilson's, with the "
        f"effective sample size n/a of the SOS hypothesis).{again}"
    )


def _span(n: pd.Series[int]) -> str:
    return f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"


def _agreement(export: Export, question: QuestionText) -> str:
    summary = export.analysis.summary
    several = summary.get("questions")
    numbers = several[question.key] if several else summary
    parts = [
        f"the SOS parameter was a = {_digits(numbers.get('sos_a'))}",
        _alpha(numbers),
        f"ICC(2,1) = {_digits(numbers.get('icc_2_1'))}",
        f"ICC(2,k) = {_digits(numbers.get('icc_2_k'))}",
    ]
    known = [part for part in parts if not part.endswith("None")]
    if not known:
        return ""
    about = f"For “{question.key}”, " if several else ""
    text = f"{about}{', '.join(known)}."
    return text if about else text[0].upper() + text[1:]


def _part(export: Export, question: QuestionText) -> tuple[QuestionAnalysis, str]:
    """Return a question's analysis, and the words that name the question where there are several."""
    parts = export.analysis.questions
    if len(parts) > 1:
        return parts[question.key], f" for “{question.key}”"
    return next(iter(parts.values())), ""


def _covariates(export: Export, question: QuestionText) -> str:
    """Say how covariates were compared with the scores and what was found; empty where nothing was tested."""
    part, about = _part(export, question)
    links = part.covariate_links.result
    if links is None or links.table["p_holm"].isna().all():
        return ""
    model = (
        "the slope within contents in a linear mixed model by REML (participant, participant × slope, content and item random)"
        if links.by_model
        else "the slope of a regression of the scores with contents as clusters (CR2)"
    )
    return (
        f"{', '.join(map(label, part.covariate_links.names))} were compared with the scores{about} by correlations with intervals from the jackknife "
        f"over contents, by the measures of ITU-T P.1401 after a linear fit, and tested by {model}, with Holm's correction. "
        f"{' '.join(links.sentences)}"
    )


def _split(export: Export, question: QuestionText) -> str:
    """Say how votes in two camps were sought and what was found; empty where nothing was tested."""
    part, about = _part(export, question)
    found = part.split_votes.found
    if found.table["p"].isna().all():
        return ""
    return (
        f"Images whose votes{about} split into two camps were sought by the depth of the valley between two peaks, tested by "
        "samples of the best generalised score distribution with one peak (Janowski et al. 2019), with Holm's correction over "
        f"the images. {' '.join(found.sentences)}"
    )


def _effects(export: Export, question: QuestionText) -> str:
    """Say how the effects of the factors were tested and what was found; empty where nothing was tested."""
    part, about = _part(export, question)
    found = part.factor_effects.result
    if found is None or found.of_kind("test")["p"].isna().all():
        return ""
    random = [str(name) for name in found.of_kind("variance")["effect"] if name != "residual"]
    beside = found.of_kind("test")["people_method"].dropna().iloc[0]
    return (
        f"Effects of the factors{about} were tested in a linear mixed model fitted by REML with {', '.join(random)} as "
        "random parts, type III F tests with Satterthwaite's degrees of freedom, Holm's correction over all effects, and "
        f"with participants as the only random unit ({beside}) as a check. {' '.join(found.sentences)} "
        f"{found.ordinal.sentence}"
    )


def _alpha(numbers: Mapping[str, Any]) -> str:
    """Return the ordinal coefficient, or the interval one where the scale is continuous."""
    kind = "interval" if numbers.get("alpha_ordinal") is None else "ordinal"
    return f"Krippendorff's {kind} α = {_digits(numbers.get(f'alpha_{kind}'))}"


def _digits(value: Any) -> str:
    return "None" if value is None else f"{value:.2f}"
