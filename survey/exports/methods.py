"""The methods paragraph of a study: what was done and how it was analysed. Results stand in the other files."""

from __future__ import annotations

import pandas as pd

from survey.analysis import QuestionAnalysis
from survey.analysis.covariates.labels import label
from survey.analysis.participants.rules import EXCLUSIONS
from survey.analysis.planning.stopping import stopping_interval
from survey.analysis.scale import Scale, number_text
from survey.analysis.summary import named
from survey.analysis.terms import listed
from survey.exports.group_words import assignment_text
from survey.exports.making_words import making_words
from survey.exports.viewing import viewing_words
from survey.results.export import Export, QuestionText
from survey.study.methods import METHOD_WORDS
from survey.study.stop_rule import parse_stop_rule
from survey.study.stopping import scored_roles
from survey.study.tables import Session


def methods_text(export: Export) -> str:
    """Return a paragraph for a paper's methods section: only what this study used, and no result."""
    said = export.said_simulated
    simulated = f"{said}\n\n" if said else ""
    parts = [
        making_words(export.settings, export.items),
        _design(export),
        _participants(export),
        viewing_words(export.definition, export.participants, export.ratings),
        assignment_text(export.participants, export.definition),
    ]
    parts += [_stopping(export), _scores(export)]
    parts += [_agreement(export), _comparisons(export), _differences(export), _screening(export)]
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
    without = f" Nobody rated {len(unrated)} more: {named(unrated)}." if unrated else ""
    images = len(rated)
    usual = all(question.scale.is_acr for question in export.questions)
    on = "five categories" if usual else "the scales given in parentheses"
    return f"Participants rated {images} images by {METHOD_WORDS[export.method].name} (ITU-T P.910) on {on}: {questions}.{without}"


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
        f"In all, {summary['participants']} participants gave {summary['ratings']} ratings that count, {order}; "
        f"{int((people['state'] == 'finished').sum())} of {len(people)} finished."
    )
    if excluded:
        text += f" The researchers left out {excluded} more, for the reasons in participants.csv."
    return text


def _groups(export: Export, question: QuestionText) -> str:
    """Say how the groups were compared; empty without groups."""
    part, about = _part(export, question)
    found = part.group_comparison.result
    if found is None:
        return ""
    means = "Welch's t test on participants' means" if len(found.of_kind("difference")) else ""
    model = "a linear mixed model by REML (group fixed; participant, image and image × group random; Satterthwaite)"
    ways = " and ".join(filter(None, [means, model if found.by_model else ""]))
    return f"The groups were compared{about} by {ways}, with Holm's correction." if ways else ""


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
        "Student's t distribution (ITU-T P.1401), beside an interval bounded to the scale (Wilson's, with an "
        f"effective sample size of n divided by the SOS parameter a).{again}"
    )


def _span(n: pd.Series[int]) -> str:
    return f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"


def _agreement(export: Export) -> str:
    """Name the measures of agreement that the data allow."""
    parts = export.analysis.questions.values()
    found = {key for part in parts for key, value in part.summary.items() if value is not None}
    measures = [
        words
        for key, words in (
            ("sos_a", "the SOS parameter a (Hoßfeld et al. 2011)"),
            ("alpha_ordinal", "Krippendorff's ordinal α"),
            ("alpha_interval", "Krippendorff's interval α"),
            ("icc_2_1", "ICC(2,1) and ICC(2,k)"),
        )
        if key in found and not (key == "alpha_interval" and "alpha_ordinal" in found)
    ]
    return f"Agreement was measured by {listed(measures)}." if measures else ""


def _comparisons(export: Export) -> str:
    """Say how images were compared with one another; empty where no two were."""
    parts = list(export.analysis.questions.values())
    pairs = max((int(part.comparisons["p"].notna().sum()) for part in parts), default=0)
    over = "Friedman's test" if any(part.summary.get("friedman_p") is not None for part in parts) else ""
    each = (
        f"Wilcoxon's signed-rank test of {'the pair' if pairs == 1 else f'each of {pairs} pairs'} on the ratings of participants "
        "who rated both, with Holm's correction"
        if pairs
        else ""
    )
    ways = " and ".join(filter(None, [over, each]))
    return f"Images were compared by {ways}." if ways else ""


def _differences(export: Export) -> str:
    if export.analysis.dmos is None:
        return ""
    return (
        "The differential score (DMOS) is the mean of each participant's rating less that of the image's hidden reference, plus the "
        "scale's high end."
    )


def _screening(export: Export) -> str:
    """Say by which rules participants were screened: those that could judge anybody."""
    table = export.analysis.screening
    judged = set(table.loc[table["verdict"] != "cannot judge", "rule"])
    rules = [exclusion.phrase for rule, exclusion in EXCLUSIONS.items() if rule in judged]
    if not rules:
        return ""
    return (
        f"Participants were screened by {listed(rules)}. The scores are of all of them. Those without the marked participants, and "
        "those of the subject model of ITU-T P.910 Annex E, are given beside them."
    )


def _part(export: Export, question: QuestionText) -> tuple[QuestionAnalysis, str]:
    """Return a question's analysis, and the words that name the question where there are several."""
    parts = export.analysis.questions
    if len(parts) > 1:
        return parts[question.key], f" for “{question.key}”"
    return next(iter(parts.values())), ""


def _covariates(export: Export, question: QuestionText) -> str:
    """Say how covariates were compared with the scores; empty where nothing was tested."""
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
        f"Measures of the images ({', '.join(map(label, part.covariate_links.names))}) were compared with the scores{about} by correlations with intervals from the jackknife "
        f"over contents, by the measures of ITU-T P.1401 after a linear fit, and tested by {model}, with Holm's correction."
    )


def _split(export: Export, question: QuestionText) -> str:
    """Say how votes in two camps were sought; empty where nothing was tested."""
    part, about = _part(export, question)
    found = part.split_votes.found
    if found.table["p"].isna().all():
        return ""
    return (
        f"Images whose votes{about} split into two camps were sought by the depth of the valley between two peaks, tested by "
        "samples of the best generalised score distribution with one peak (Janowski et al. 2019), with Holm's correction over "
        "the images."
    )


def _effects(export: Export, question: QuestionText) -> str:
    """Say how the effects of the factors were tested; empty where nothing was tested."""
    part, about = _part(export, question)
    found = part.factor_effects.result
    if found is None or found.of_kind("test")["p"].isna().all():
        return ""
    random = [str(name) for name in found.of_kind("variance")["effect"] if name != "residual"]
    ordinal = (
        " An ordered probit model with participants as clusters checked the order of the levels."
        if found.ordinal.agrees is not None
        else ""
    )
    beside = found.of_kind("test")["people_method"].dropna().iloc[0]
    return (
        f"Effects of the factors{about} were tested in a linear mixed model fitted by REML with {', '.join(random)} as "
        "random parts, type III F tests with Satterthwaite's degrees of freedom, Holm's correction over all effects, and "
        f"with participants as the only random unit ({beside}) as a check.{ordinal}"
    )
