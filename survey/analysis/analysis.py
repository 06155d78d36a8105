"""One function, ``analyse``: a tidy table in, every table of the analysis out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survey.analysis.covariates import CovariateLinks
from survey.analysis.covariates.summary import covariates_summary
from survey.analysis.effects import FactorEffects
from survey.analysis.effects.summary import effects_summary
from survey.analysis.groups import GroupComparison
from survey.analysis.groups.summary import groups_summary
from survey.analysis.items.comparisons import compact_letters, compare, compare_items, friedman, out_of_reach
from survey.analysis.items.conditions import (
    ConditionTable,
    Levels,
    cluster_means,
    levels,
    participant_level_means,
)
from survey.analysis.items.dmos import dmos_table
from survey.analysis.items.intervals import DEFAULT_INTERVAL, Interval
from survey.analysis.items.mos import category_counts, count_columns, mos_table
from survey.analysis.items.ordinal import ordinal_check
from survey.analysis.items.panels import panels
from survey.analysis.items.split import SplitVotes
from survey.analysis.items.tally import tally
from survey.analysis.participants.correlation import panel_correlation
from survey.analysis.participants.recovery import Recovery, recover
from survey.analysis.participants.screening import bt500, p913_rejected, screen
from survey.analysis.scale import Scale
from survey.analysis.simulated import SCORED, marked, simulated_people
from survey.analysis.stamp import computed_by
from survey.analysis.summary import Summary, plain, summarise
from survey.analysis.table import Coded, Ratings, check, code, data_hash, main_phase
from survey.analysis.terms import Terms


@dataclass(frozen=True)
class QuestionAnalysis:
    """The results of one question.

    Attributes:
        scale: of the ratings.
        mos: one row an item, see ``mos.mos_table``; items without any rating too, with n = 0.
        observers: one row a participant: ``participant,n,mean,sd,correlation,bt500_rejected,
            p913_correlation_rejected,bias,inconsistency`` (the last two of the strict subject model).
        recovered: ``item,quality,ci_low,ci_high``, strict subject model.
        recovered_shrunken: the same of the variant that is safe for participants with few ratings.
        observer_model: bias and inconsistency with intervals, strict; see ``recovery.Recovery.observers``.
        screening: every rule for every participant, see ``screening.screen``.
        condition_table: the means of conditions, computed when first asked for; None without a ``condition``.
        comparisons: pairs of items, see ``comparisons.compare``.
        condition_comparisons: pairs of conditions, on participants' means; None with fewer than two conditions.
        dmos: see ``dmos.dmos_table``; None without rated references.
        panels: see ``panels.Panels``.
        factor_effects: the effects of the items' factors, fitted when first asked for.
        covariate_links: the items' covariates against the MOS, computed when first asked for.
        group_comparison: the participants' groups, compared when first asked for.
        split_votes: the items whose votes split into two camps, sought when first asked for.
        summary: what one number says of the study, JSON-ready; None where the data do not allow it, with the
            reason under ``notes``.
    """

    scale: Scale
    mos: pd.DataFrame
    observers: pd.DataFrame
    recovered: pd.DataFrame
    recovered_shrunken: pd.DataFrame
    observer_model: pd.DataFrame
    screening: pd.DataFrame
    condition_table: ConditionTable | None
    comparisons: pd.DataFrame
    condition_comparisons: pd.DataFrame | None
    dmos: pd.DataFrame | None
    panels: pd.DataFrame
    factor_effects: FactorEffects
    covariate_links: CovariateLinks
    group_comparison: GroupComparison
    split_votes: SplitVotes
    summary: Summary

    @property
    def conditions(self) -> pd.DataFrame | None:
        """See ``conditions.condition_means``, with compact ``letters``; None without a ``condition``."""
        return None if self.condition_table is None else self.condition_table.table

    @property
    def effects(self) -> pd.DataFrame | None:
        """Effects of the factors, see ``effects.Effects.table``; None where the items have no factors."""
        found = self.factor_effects.result
        return None if found is None else found.table

    @property
    def covariates(self) -> pd.DataFrame | None:
        """Covariates against the MOS, see ``links.Links.table``; None where the items have none."""
        found = self.covariate_links.result
        return None if found is None else found.table

    @property
    def groups(self) -> pd.DataFrame | None:
        """The participants' groups, see ``groups.Comparison.table``; None where there are none."""
        found = self.group_comparison.result
        return None if found is None else found.table

    @property
    def split(self) -> pd.DataFrame | None:
        """Items whose votes split into two camps, see ``split.Split.table``."""
        return self.split_votes.result.table

    @property
    def whole_summary(self) -> Summary:
        """The summary with split votes, effects of the factors, covariates and groups, where there are any."""
        split = self.split_votes.found
        return (
            self.summary
            | {"split_finding": " ".join(split.sentences), "split_items": list(split.camps)}
            | effects_summary(self.factor_effects.result)
            | covariates_summary(self.covariate_links.result)
            | groups_summary(self.group_comparison.result)
        )


@dataclass(frozen=True)
class Analysis(QuestionAnalysis):
    """The results of one table.

    With several questions, every table has ``question`` as its first column. The summaries of the questions are under
    ``summary["questions"]``, with the counts of the whole table above them.

    Attributes:
        questions: the results of each question by its name; ``""`` where the table has no column ``question``.
        stamp: what was analysed by what: rows, hash of the data, seed, versions.
    """

    questions: dict[str, QuestionAnalysis]
    stamp: Summary

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table that the data allow, by its file name without ending."""
        names = [
            "conditions" if field.name == "condition_table" else field.name
            for field in fields(QuestionAnalysis)
        ]
        frames = {name: getattr(self, name) for name in names}
        frames |= {"split": self.split, "effects": self.effects, "covariates": self.covariates}
        frames |= {"groups": self.groups}
        return {name: frame for name, frame in frames.items() if isinstance(frame, pd.DataFrame)}

    @property
    def conditions(self) -> pd.DataFrame | None:
        """Means of the conditions on every question; None without a ``condition``."""
        return cast("pd.DataFrame | None", _stack(self.questions, "conditions"))

    @property
    def split(self) -> pd.DataFrame | None:
        """Items whose votes split, of every question."""
        return cast("pd.DataFrame | None", _stack(self.questions, "split"))

    @property
    def effects(self) -> pd.DataFrame | None:
        """Effects of the factors on every question; None where the items have no factors."""
        return cast("pd.DataFrame | None", _stack(self.questions, "effects"))

    @property
    def covariates(self) -> pd.DataFrame | None:
        """Covariates against the MOS of every question; None where the items have none."""
        return cast("pd.DataFrame | None", _stack(self.questions, "covariates"))

    @property
    def groups(self) -> pd.DataFrame | None:
        """The participants' groups on every question; None where there are none."""
        return cast("pd.DataFrame | None", _stack(self.questions, "groups"))

    @property
    def whole_summary(self) -> Summary:
        """The summary with split votes, effects of the factors, covariates and groups, where there are any."""
        if len(self.questions) == 1:
            return super().whole_summary
        return self.summary | {
            "questions": {name: part.whole_summary for name, part in self.questions.items()}
        }


def analyse(table: pd.DataFrame | Ratings, *, ci: Interval = DEFAULT_INTERVAL, seed: int = 0) -> Analysis:
    """Return everything that the results page, the exports and ``manage.py analyse`` show.

    Args:
        table: a tidy table, as read or as ``table.check`` returned it.
        ci: the interval in ``mos``'s ``ci_low`` and ``ci_high``.
        seed: of everything random.

    Raises:
        TableError: the table is not one of ratings, see ``table.check``.
    """
    ratings = table if isinstance(table, Ratings) else check(table)
    questions = {
        name: _analyse_one(rows, ratings.scale_of(name), ratings.unrated_items(name), ci, seed, ratings.terms)
        for name, rows in _questions(ratings.table).items()
    }
    stamp = plain(_stamp(ratings, questions, ci, seed))
    frames = {f.name: _stack(questions, f.name) for f in fields(QuestionAnalysis) if f.name not in _NO_TABLES}
    summary = _summary(ratings, questions) | {"stamp": stamp}
    first = next(iter(questions.values()))
    return Analysis(
        **frames,
        scale=first.scale,
        condition_table=first.condition_table,
        factor_effects=first.factor_effects,
        covariate_links=first.covariate_links,
        group_comparison=first.group_comparison,
        split_votes=first.split_votes,
        summary=summary,
        questions=questions,
        stamp=stamp,
    )


_NO_TABLES = (
    "scale",
    "condition_table",
    "factor_effects",
    "covariate_links",
    "group_comparison",
    "split_votes",
    "summary",
)


def _stack(questions: dict[str, QuestionAnalysis], name: str) -> Any:
    frames: dict[str, pd.DataFrame | None] = {key: getattr(part, name) for key, part in questions.items()}
    there = {key: frame for key, frame in frames.items() if frame is not None}
    if len(questions) == 1 or not there:
        return next(iter(there.values()), None)
    stacked = pd.concat([frame.assign(question=key) for key, frame in there.items()], ignore_index=True)
    stacked.insert(0, "question", stacked.pop("question"))
    if name == "mos":
        # Questions of different scales count different categories; a category that one does not have stays empty.
        counts = list(
            dict.fromkeys(column for part in questions.values() for column in count_columns(part.scale))
        )
        stacked = (
            stacked.astype(dict.fromkeys(counts, "Int64"))
            if stacked[counts].isna().any(axis=None)
            else stacked
        )
        if SCORED in stacked:
            stacked[SCORED] = stacked[SCORED].fillna(0).astype("int64")
    return stacked


def _questions(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "question" not in rows.columns or rows["question"].isna().all():
        return {"": rows}
    parts = {name: rows[rows["question"] == name] for name in sorted(rows["question"].unique())}
    return {name: part for name, part in parts.items() if len(main_phase(part))}


def _analyse_one(
    rows: pd.DataFrame, scale: Scale, unrated: list[str], ci: Interval, seed: int, terms: Terms
) -> QuestionAnalysis:
    main = main_phase(rows)
    ratings = code(main, scale)
    listed = code(main, scale, items=sorted([*ratings.items, *unrated])) if unrated else ratings
    by = "condition" if "condition" in main.columns and main["condition"].notna().any() else None
    strict, shrunken = recover(ratings, "strict"), recover(ratings, "shrunken")
    recovered, of_shrunken = (_of_all(model.items, listed) for model in (strict, shrunken))
    mos, screening = mos_table(listed, ci=ci, seed=seed), screen(rows, scale)
    observers = _observers(ratings, main["condition"].to_numpy(object) if by else None, strict)
    comparisons, remark = compare_items(listed)
    summary, notes = summarise(ratings, strict, observers, seed, unrated=unrated)
    reach = out_of_reach(comparisons["n"], comparisons["n_nonzero"])
    few = reach.said(len(ratings.participants), terms.item) if reach else ""
    if remark or few:
        notes["comparisons"] = ". ".join(filter(None, [few, remark]))
    conditions, between, of_conditions = _conditions(main, by, scale, seed)
    several = between is not None
    if between is not None and (reach := out_of_reach(between["n"], between["n_nonzero"])):
        notes["condition_comparisons"] = reach.said(len(ratings.participants), by or "condition")
    if by is not None and not several:
        notes["conditions"] = "not compared: there is only one"
    shown = panels(
        main,
        mos,
        of_shrunken,
        screening,
        between if between is not None else comparisons,
        by if several else None,
        scale,
    )
    if shown.summary["conclusions_depend_on_panel"] is None:
        notes["panels"] = shown.summary["conclusions"]
    return QuestionAnalysis(
        scale=scale,
        mos=marked(mos, main),
        observers=observers,
        recovered=recovered,
        recovered_shrunken=of_shrunken,
        observer_model=strict.observers,
        screening=screening,
        condition_table=conditions,
        comparisons=comparisons,
        condition_comparisons=between,
        dmos=dmos_table(main, scale=scale),
        panels=shown.table,
        factor_effects=FactorEffects(main, scale, terms),
        covariate_links=CovariateLinks(main, scale, terms),
        group_comparison=GroupComparison(main, terms),
        split_votes=SplitVotes(listed, seed, terms),
        summary=summary
        | {"simulated_participants": simulated_people(main)}
        | plain(of_conditions)
        | plain(shown.summary)
        | {"notes": notes},
    )


def _of_all(items: pd.DataFrame, listed: Coded) -> pd.DataFrame:
    """Return a table of the rated items with an empty row for each of the others."""
    if len(items) == len(listed.items):
        return items
    return items.set_index("item").reindex(listed.items).rename_axis("item").reset_index()


def _conditions(
    main: pd.DataFrame, by: str | None, scale: Scale, seed: int
) -> tuple[ConditionTable | None, pd.DataFrame | None, Summary]:
    """Means, comparisons and what the summary says of conditions: None where there is only one, nothing without any."""
    names = ("friedman_conditions_chi2", "friedman_conditions_p", "ordinal_agrees", "ordinal")
    if by is None:
        return None, None, {}
    these = levels(main, [by], scale)
    if len(these.names) < 2:
        alone = ConditionTable(main, by, scale, seed, dict.fromkeys(these.names, "a"))
        return alone, None, dict.fromkeys(names)
    scores, unit = participant_level_means(these)
    between = compare(scores, list(these.names), unit)
    means = cluster_means(these)["mos"].to_numpy()
    letters = compact_letters(between, list(these.names[np.argsort(-means, kind="stable")]))
    test = friedman(scores[~np.isnan(scores).any(axis=1)])
    agrees, sentence = ordinal_check(_level_counts(these), these.names, between)
    values = (test.chi2 if test else None, test.p if test else None, agrees, sentence)
    return ConditionTable(main, by, scale, seed, letters), between, dict(zip(names, values, strict=True))


def _level_counts(these: Levels) -> NDArray[np.int64] | None:
    if these.ratings.scale.step is None:
        return None
    return category_counts(replace(these.ratings, item=these.level, items=these.names))


def _observers(ratings: Coded, condition: Any, model: Recovery) -> pd.DataFrame:
    own = tally(replace(ratings, item=ratings.participant, items=ratings.participants))
    correlation = panel_correlation(ratings, condition)
    return pd.DataFrame(
        {
            "participant": ratings.participants,
            "n": own.n,
            "mean": own.mean,
            "sd": np.sqrt(own.variance),
            "correlation": correlation.pearson,
            "bt500_rejected": bt500(ratings).rejected,
            "p913_correlation_rejected": p913_rejected(correlation),
            "bias": model.observers["bias"],
            "inconsistency": model.observers["inconsistency"],
        }
    )


def _summary(ratings: Ratings, questions: dict[str, QuestionAnalysis]) -> Summary:
    parts = {name: part.summary for name, part in questions.items()}
    main = main_phase(ratings.table)
    said = ratings.said_simulated
    notes = ({"simulated": said} if said else {}) | ratings.notes
    first = next(iter(parts.values()))
    if len(parts) == 1:
        return first | {"notes": notes | first["notes"]}
    counts = {
        "items": len({item for part in questions.values() for item in part.mos["item"]}),
        "participants": main["participant"].nunique(),
        "ratings": len(main),
        "simulated_participants": simulated_people(main),
    }
    notes |= {"questions": "several questions: the numbers of each are under 'questions'"}
    return dict.fromkeys(first) | counts | {"notes": notes, "questions": parts}


def _stamp(ratings: Ratings, questions: dict[str, QuestionAnalysis], ci: Interval, seed: int) -> Summary:
    by = computed_by()
    return {
        "program": by["program"],
        "data_sha256": data_hash(ratings.table),
        "scale": {name or "rating": str(part.scale) for name, part in questions.items()},
        "rows_in": ratings.rows_in,
        "rows_left_out": ratings.left_out,
        "rows_of_other_phases": len(ratings.table) - len(main_phase(ratings.table)),
        "estimators": {
            "ci": f"{ci}, 95 %, both ends, participants as the unit",
            "bounded": "SOS-Wilson, z, 95 %",
            "recovered": "ITU-T P.910 Annex E, quality ± 1.96 s/√n",
            "comparisons": "Wilcoxon signed-rank on participants' means, Holm",
        },
        "seed": seed,
        "versions": by["versions"],
    }
