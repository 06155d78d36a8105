"""The codebook: the meaning of every column of every exported table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from survey.analysis.items.mos import count_columns
from survey.analysis.participants.rules import EXCLUSIONS
from survey.analysis.scale import Scale, number_text
from survey.results.export import Export
from survey.study.about import ABOUT_PREFIX

# Stands for the ends of the study's own scales.
_RATING_SCALE: Final = "scale"
SHARE: Final = "0..1"

Meanings = tuple[tuple[str, str, str], ...]
"""(column, unit or range, meaning) of each column of a table."""
QUESTION: Final = ("question", "", "key of the question; in studies that ask several")

RATINGS: Final = (
    ("study", "", "short name of the study"),
    ("version", "", "version of the study's definition for this participant"),
    ("participant", "", "public code of one anonymous person in this study"),
    ("language", "", "language of the pages"),
    ("group", "", "the participant's group; empty where the study has none"),
    ("simulated", "", "true where a program gave the answer, not a person"),
    ("trial", "", "number of one presentation of one image to one participant"),
    ("position", "from 1", "place of the trial in the participant's order"),
    ("block", "from 1", "the participant's block that it stood in; empty where the study has none"),
    ("phase", "practice, stabilising, main, repeat, gold, trap", "only main counts in a MOS"),
    (
        "repeat",
        "from 0",
        "how many times this participant had been shown the item before, in main and repeat",
    ),
    ("item", "", "the image"),
    ("content", "", "content image (source, SRC)"),
    ("style", "", "style image"),
    (
        "condition",
        "",
        "condition (HRC): how the image was made, one combination of the factors' levels whatever its content and style",
    ),
    ("reference", "", "the reference image shown with it (DCR)"),
    ("question", "", "key of the question"),
    ("question_scale", "", "its scale as LOW:HIGH or LOW:HIGH:STEP; step 0 is continuous"),
    ("rating", _RATING_SCALE, "opinion score: {high} is the best"),
    ("first_rating", _RATING_SCALE, "the first score, before any change"),
    ("changes", "", "how often the choice was changed"),
    ("rt_ms", "ms", "from the image on screen to the last choice; empty without JavaScript"),
    ("shown_at", "UTC", "when the image was shown"),
    ("answered_at", "UTC", "when the answer was saved"),
    ("input", "mouse, touch, key", "how the answer was given; empty if not known"),
    ("viewport_w", "CSS px", "width of the browser's window"),
    ("viewport_h", "CSS px", "height of the browser's window"),
    ("dpr", "", "device pixels for each CSS pixel"),
    ("zoom", "", "pinch zoom"),
    ("shown_w", "CSS px", "width of the image as shown"),
    ("shown_h", "CSS px", "height of the image as shown"),
    (
        "enlarged",
        "times",
        "how many times the image was enlarged; 1: not, or shown smaller; empty without JavaScript",
    ),
    ("load_ms", "ms", "from the request of the image to the end of decoding"),
    ("expected", _RATING_SCALE, "the expected answer in a gold or trap trial"),
    ("image_sha256", "", "SHA-256 of the image's bytes as the participant received them"),
)
ITEMS: Final = (
    ("item", "", "the image"),
    ("name", "", "opaque name that participants' browsers saw"),
    ("role", "main, practice, gold, trap, reference", "what the image is for"),
    ("content", "", "content image (source, SRC)"),
    ("style", "", "style image"),
    (
        "condition",
        "",
        "condition (HRC): how the image was made, one combination of the factors' levels whatever its content and style",
    ),
    ("width", "px", "width of the image"),
    ("height", "px", "height of the image"),
    ("sha256", "", "SHA-256 of the image's bytes as participants received them"),
    ("expected", _RATING_SCALE, "the expected answer to a gold or trap image"),
)
SETTINGS: Final = (
    ("item", "", "the image"),
    (
        "made",
        "",
        "how it came to be: style transfer; style transfer, as its file says, for a PNG that another site made; content image, "
        "scaled (a reference); attention check of the program; or unknown: the columns after it are empty then",
    ),
    ("image_set", "", "the image set that it was published from"),
    ("cell_key", "", "SHA-256 of recipe, seed, pixels of all source images, weights and algorithm"),
    (
        "image_sha256",
        "",
        "SHA-256 of the image's file in the image set, with its provenance inside; the ZIP of images has that file",
    ),
    ("preset", "", "the preset that the recipe began from; empty without one"),
    (
        "changed",
        "",
        "what the recipe sets otherwise than this program's preset of the name; empty also where it has none of the name",
    ),
    ("method", "", "method of the style transfer"),
    ("network", "", "the network; of one from a file, its name without folders"),
    ("network_sha256", "", "SHA-256 of the network's weights"),
    ("size", "px", "the recipe's size: longest side of the image"),
    (
        "ratio",
        "",
        "alpha / beta: weight of the content over that of the style, in the units of the recipe's convention",
    ),
    (
        "evaluations",
        "",
        "forward and backward passes of the network, at most, at each size; first_evaluations of the recipe holds for the "
        "first size where it is not 0",
    ),
    ("seed", "", "seed of the random numbers"),
    ("algorithm", "", "version of the algorithm that the key covers"),
    ("content_file", "", "file name under which the content image was first read"),
    (
        "content_pixels",
        "",
        "SHA-256 of 'WIDTHxHEIGHT RGB', a line feed, and its pixels as RGB bytes, row by row",
    ),
    ("style_file", "", "the same of the style image; several are parted by ;"),
    ("style_pixels", "", "SHA-256 of their pixels, in the same way and order"),
    ("style_shares", SHARE, "share of each of several style images in the style loss, in the same order"),
    ("guides", "", "masks and maps, each with the SHA-256 of its pixels"),
    ("recipe", "JSON", "every setting of the transfer except its images and its seed"),
)
PARTICIPANTS: Final = (
    ("participant", "", "public code of one anonymous person in this study"),
    ("version", "", "version of the study's definition"),
    ("state", "active, finished, stopped, screened-out", "state of the session"),
    ("language", "", "language of the pages"),
    ("group", "", "the participant's group; empty where the study has none"),
    ("order_row", "from 1", "row of the Latin square that gave their order; empty without one"),
    ("block_order", "", "their blocks in order, parted by >; empty where the study has none"),
    ("consent_version", "", "version of the consent text agreed to"),
    ("consented_at", "UTC", "when"),
    ("started_at", "UTC", "start of the session"),
    ("finished_at", "UTC", "end of the session; empty if not finished"),
    ("simulated", "", "true for answers of a program"),
    ("ratings", "", "ratings given, all phases"),
    ("excluded", "", "why a researcher excluded this participant; empty if not excluded"),
    ("pixels_per_mm", "CSS px/mm", "of the screen, by a card that was matched; empty without one"),
    (
        "calibrated_dpr",
        "",
        "device pixels per CSS pixel then; a rating with another dpr was made at another zoom",
    ),
    ("distance_cm", "cm", "from the eyes to the screen, as the person says; 60 for an arm's length"),
    (
        "distance_by",
        "said, arm, unknown",
        "how the distance was told: in cm, as an arm's length, or not at all",
    ),
    (
        "pixels_per_degree",
        "CSS px/°",
        "2 d tan(0.5°) times the pixels of a length, in the middle of the screen",
    ),
)
OWN_ANSWERS: Final = (
    ("participant", "", "public code of one anonymous person in this study"),
    ("version", "", "version of the study's definition"),
    ("language", "", "language of the pages"),
    ("trial", "", "number of the presentation, as in ratings"),
    ("position", "from 1", "place of the trial in the participant's order"),
    ("phase", "practice, stabilising, main, repeat, gold, trap", "what the image was shown for"),
    ("item", "", "the image"),
    ("other", "", "the reference (DCR) or the second image of a pair"),
    ("question", "", "key of the study's own question about the image"),
)
STOPS: Final = (
    ("rule", "", "stop_when of the study file, which paused the study"),
    ("at", "UTC", "when"),
    ("sessions", "", "finished sessions then, without those left out"),
    ("widest", "points", "widest half width of an image's 95 % interval then; empty for a rule on sessions"),
)
_MOS: Final = (
    QUESTION,
    ("item", "", "the image"),
    ("n", "", "ratings that count; 0: nobody rated the image, and ratings.csv has no row of it"),
    ("participants", "", "participants who gave them"),
    ("mos", _RATING_SCALE, "Mean Opinion Score (ITU-T P.800.1)"),
    ("sd", "", "sample standard deviation, N − 1; empty for fewer than 2 ratings"),
    ("ci_low", "", "lower end of the 95 % interval named in ci_method, not clipped to the scale"),
    ("ci_high", "", "its upper end"),
    ("ci_method", "", "t: Student's t with participants as the unit, on participants − 1 degrees of freedom"),
    ("bounded_low", _RATING_SCALE, "lower end of the 95 % SOS-Wilson interval, which stays on the scale"),
    ("bounded_high", _RATING_SCALE, "its upper end"),
    ("median", _RATING_SCALE, "median rating"),
    ("gob", SHARE, "share Good or Better (the upper two of five categories)"),
    ("pow", SHARE, "share Poor or Worse (the lower two of five categories)"),
    (
        "simulated_participants",
        "",
        "participants among them that are a program, no people; the column is there only where there are any",
    ),
)
_OBSERVERS: Final = (
    QUESTION,
    ("participant", "", "public code"),
    ("n", "", "ratings that count"),
    ("mean", _RATING_SCALE, "mean of the participant's ratings"),
    ("sd", "", "their sample standard deviation"),
    ("correlation", "−1..1", "with the items' MOS: the smaller of Pearson's and Spearman's"),
    ("bt500_rejected", "", "marked by ITU-R BT.500 Annex 1, in exact integers, unanimous items skipped"),
    (
        "p913_correlation_rejected",
        "",
        "verdict of P.913's correlation rule, which only informs and marks nobody; empty if it cannot judge",
    ),
    ("bias", "", "mean difference from other participants: higher (+) or lower (−) (ITU-T P.910 Annex E)"),
    ("inconsistency", "", "standard deviation around quality plus bias (ITU-T P.910 Annex E)"),
)
_RECOVERED: Final = (
    QUESTION,
    ("item", "", "the image"),
    ("quality", "", "quality recovered with bias and inconsistency modelled (ITU-T P.910 Annex E)"),
    ("ci_low", "", "lower end: quality − 1.96 s/√n, s the standard deviation of the residuals"),
    ("ci_high", "", "its upper end"),
)
_OBSERVER_MODEL: Final = (
    QUESTION,
    ("participant", "", "public code"),
    ("n", "", "ratings that count"),
    ("bias", "", "as in observers.csv"),
    ("bias_low", "", "lower end of its 95 % interval"),
    ("bias_high", "", "its upper end"),
    ("inconsistency", "", "as in observers.csv"),
    ("inconsistency_low", "", "lower end of its 95 % interval (χ²)"),
    ("inconsistency_high", "", "its upper end"),
)
_SCREENING: Final = (
    QUESTION,
    ("participant", "", "public code"),
    ("rule", "", "the screening rule"),
    ("value", "", "what the rule measured"),
    ("threshold", "", "value at which the rule flags"),
    (
        "verdict",
        "ok, flagged, cannot judge",
        f"flagged marks the participant, if the rule is one of {', '.join(EXCLUSIONS)}; the others only inform; a mark is a sign, not an exclusion",
    ),
    ("detail", "", "the numbers behind the verdict"),
)
_CONDITIONS: Final = (
    QUESTION,
    ("condition", "", "condition (HRC)"),
    ("items", "", "items of the condition"),
    ("participants", "", "participants who rated any of them"),
    ("n", "", "ratings"),
    ("mos", _RATING_SCALE, "mean over participants of each one's mean in the condition"),
    ("sd", "", "sample standard deviation of the participants' means"),
    ("ci_low", "", "lower end: Student's t over participants, 95 %"),
    ("ci_high", "", "its upper end"),
    ("bootstrap_low", "", "lower end of the two-way bootstrap over participants and items, 95 %"),
    ("bootstrap_high", "", "its upper end"),
    ("mixed_mean", "", "mean from the crossed mixed model (participants and items random)"),
    ("mixed_low", "", "lower end from the crossed mixed model, 95 %"),
    ("mixed_high", "", "its upper end"),
    ("naive_low", "", "lower end if all ratings were pooled as independent, for comparison"),
    ("naive_high", "", "its upper end"),
    ("too_narrow", "", "width of the interval over participants as a multiple of the naive one"),
    ("letters", "", "conditions that share a letter do not differ significantly (5 %, Holm)"),
)
_COMPARISONS: Final = (
    QUESTION,
    ("a", "", "first of the pair"),
    ("b", "", "second of the pair"),
    ("n", "", "participants who rated both"),
    ("n_nonzero", "", "those of them whose two ratings differ"),
    ("difference", "", "mean of a − b over those participants"),
    ("ci_low", "", "lower end of its 95 % interval"),
    ("ci_high", "", "its upper end"),
    ("w", "", "Wilcoxon's signed-rank statistic"),
    ("p", SHARE, "its p value, two-sided"),
    ("p_holm", SHARE, "p adjusted by Holm for the number of pairs"),
    ("rank_biserial", "−1..1", "matched-pairs rank-biserial correlation: the effect size"),
)
_DMOS: Final = (
    QUESTION,
    ("item", "", "the image"),
    ("reference", "", "its reference"),
    ("n", "", "participants who rated both"),
    ("dmos", "", "mean of rating − rating of the reference + {high} (ITU-T P.910, ACR-HR)"),
    ("sd", "", "sample standard deviation of the differences"),
    ("ci_low", "", "lower end of the 95 % interval, Student's t"),
    ("ci_high", "", "its upper end"),
)
_PANELS: Final = (
    QUESTION,
    ("item", "", "the image"),
    ("everyone", _RATING_SCALE, "MOS of all participants"),
    ("screened", _RATING_SCALE, "MOS without the marked participants"),
    ("model", "", "quality from the subject model, with all participants weighted"),
    ("rank_everyone", "from 1", "rank under each panel"),
    ("rank_screened", "from 1", "rank without the marked"),
    ("rank_model", "from 1", "rank by the model"),
)
_EFFECTS: Final = (
    QUESTION,
    ("effect", "", "the factor, the interaction of two, or the part of a variance"),
    (
        "kind",
        "test, mean, contrast, slope, variance",
        "test of an effect, marginal mean, difference of two levels, slope of a numeric factor, variance of a random part",
    ),
    ("level", "", "the level that a mean, a contrast or a slope is of"),
    ("against", "", "the level that a contrast is against: level − against"),
    ("items", "", "images of the level"),
    ("n", "", "pairs of a participant and an image; several ratings of one image by one person count once"),
    ("raw_mean", _RATING_SCALE, "mean of the ratings of the level, nothing held equal"),
    (
        "estimate",
        "rating points",
        "marginal mean, difference, points per tenfold, or variance (points squared)",
    ),
    ("se", "rating points", "its standard error"),
    ("ci_low", "", "lower end of its 95 % interval, on df2 degrees of freedom"),
    ("ci_high", "", "its upper end"),
    ("f", "", "F of the test: type III, mixed model by REML"),
    ("df1", "", "degrees of freedom of the effect"),
    ("df2", "", "degrees of freedom of the denominator (Satterthwaite)"),
    ("p", SHARE, "its p value; empty where nothing was tested"),
    (
        "p_holm",
        SHARE,
        "p adjusted by Holm: over all tests, or over a factor's contrasts if the factor's test is significant",
    ),
    ("d", "", "difference over the square root of the sum of all variances"),
    ("eta2", SHARE, "generalised η²: variance of the effect over that plus the sum of all variances"),
    ("people_method", "Greenhouse-Geisser, CR2", "the check with participants as the only random unit"),
    ("people_f", "", "its F"),
    ("people_df1", "", "its degrees of freedom of the effect"),
    ("people_df2", "", "its degrees of freedom of the denominator"),
    ("people_p", SHARE, "its p value; it holds for these images only"),
    (
        "ordinal",
        "latent SD",
        "the same difference of two levels in an ordered probit model: only its sign is to be compared",
    ),
    ("ordinal_p", SHARE, "its p value, participants as clusters"),
    ("note", "", "why nothing was tested"),
)
_COVARIATES: Final = (
    QUESTION,
    ("covariate", "", "what was measured on the images"),
    ("items", "", "images that have a value"),
    ("contents", "", "their contents; empty where they have none, or all the same"),
    ("mean", "", "mean of the covariate over the images"),
    ("sd", "", "its sample standard deviation"),
    ("plcc", "−1..1", "Pearson's correlation with the MOS"),
    ("plcc_low", "−1..1", "lower end of its 95 % interval: jackknife over contents, on Fisher's scale"),
    ("plcc_high", "−1..1", "its upper end"),
    ("srocc", "−1..1", "Spearman's rank correlation with the MOS"),
    ("srocc_low", "−1..1", "lower end of its 95 % interval, the same way"),
    ("srocc_high", "−1..1", "its upper end"),
    ("plcc_within", "−1..1", "Pearson's correlation of both less their mean in each content"),
    ("plcc_within_low", "−1..1", "lower end of its 95 % interval, the same way"),
    ("plcc_within_high", "−1..1", "its upper end"),
    (
        "ceiling",
        SHARE,
        "largest correlation that the ratings allow: square root of the reliability of the MOS",
    ),
    ("intercept", "rating points", "of the line fitted on these data: MOS = intercept + slope × covariate"),
    ("slope", "rating points", "of the line, for one unit of the covariate"),
    ("rmse", "rating points", "root mean square error of the line, N − 2 degrees of freedom (ITU-T P.1401)"),
    ("rmse_star", "rating points", "the same of what errors exceed the half width of the MOS (ITU-T P.1401)"),
    ("outlier_ratio", SHARE, "share of the errors beyond the half width of the MOS (ITU-T P.1401)"),
    ("outlier_ratio_se", SHARE, "its standard error"),
    (
        "rmse_left_out",
        "rating points",
        "root mean square error of each content by the line through the others",
    ),
    *(
        (f"{name}{end}", unit, f"{what}{of}")
        for name, what in (
            ("within", "slope within contents for one SD, mixed model by REML"),
            ("between", "slope between the means of contents for one SD, mixed model by REML"),
            ("regression", "slope for one SD by least squares of the MOS, contents as clusters (CR2)"),
        )
        for end, unit, of in (
            ("", "rating points", ""),
            ("_se", "rating points", ": standard error"),
            ("_low", "rating points", ": lower end of the 95 % interval"),
            ("_high", "rating points", ": upper end"),
            ("_df", "", ": degrees of freedom (Satterthwaite)"),
            ("_p", SHARE, ": p value"),
        )
    ),
    ("p_holm", SHARE, "p of the slope named in test, adjusted by Holm over the covariates"),
    ("test", "within, between, regression", "the slope that is the covariate's test"),
    ("note", "", "why nothing was compared"),
)
_GROUPS: Final = (
    QUESTION,
    (
        "kind",
        "mean, difference, test, model, model test, item, variance",
        "mean of a group; difference of two, by Welch on people's means; Welch's F over all; difference by the mixed model; its F; "
        "difference on one image, by Welch; variance of a random part of the model (named in note)",
    ),
    ("item", "", "the image, in rows of kind item"),
    ("group", "", "the group"),
    ("against", "", "the group that it is compared with: group − against"),
    ("participants", "", "people of the group, or of both"),
    ("n", "", "their ratings"),
    (
        "estimate",
        "rating points",
        "mean over people of each one's mean, difference, or variance (points squared)",
    ),
    ("se", "rating points", "its standard error"),
    ("ci_low", "", "lower end of its 95 % interval"),
    ("ci_high", "", "its upper end"),
    ("statistic", "", "t of a difference, F of a test"),
    ("df1", "", "degrees of freedom of F's numerator"),
    ("df2", "", "degrees of freedom: Welch's, or Satterthwaite's in the model"),
    ("p", SHARE, "p value, two-sided"),
    ("p_holm", SHARE, "p adjusted by Holm: over the pairs of groups, or over all images and pairs"),
    (
        "g",
        "",
        "Hedges' g; in rows of the model the difference over the square root of the sum of all variances",
    ),
    ("note", "", "why nothing was tested; or the part that a variance is of"),
)
GROUP_SESSIONS: Final = (
    ("group", "", "the group"),
    ("started", "", "people who began, without those screened out or left out"),
    ("finished", "", "those of them who finished"),
    ("share_unfinished", SHARE, "share of them who did not"),
    ("p", SHARE, "p of Fisher's exact test that all groups finish alike, the same in each row"),
)
_SPLIT: Final = (
    QUESTION,
    ("item", "", "the image"),
    ("n", "", "votes of different people; of several by one person the first counts"),
    (
        "psi",
        "from 1",
        "mean of the generalised score distribution fitted to the votes, categories counted from 1",
    ),
    ("rho", SHARE, "its agreement: 1 for the smallest variance that the mean allows, 0 for the largest"),
    ("valley", "nats", "log likelihood of the votes' own shares less that of the best shares with one peak"),
    ("p", SHARE, "chance of a valley as deep under the best generalised score distribution with one peak"),
    ("p_holm", SHARE, "p adjusted by Holm over the images"),
    ("split", "", "true where p_holm is 0.05 or less and the smaller camp has a fifth of the votes or more"),
    ("camps", "", "the two camps: how many votes at which categories"),
    ("note", "", "why nothing was tested"),
)
_DESCRIBED: Final = {
    "ratings": RATINGS,
    "items": ITEMS,
    "settings": SETTINGS,
    "participants": PARTICIPANTS,
    "own_answers": OWN_ANSWERS,
    "stops": STOPS,
    "group_sessions": GROUP_SESSIONS,
    "mos": _MOS,
    "observers": _OBSERVERS,
    "observer_model": _OBSERVER_MODEL,
    "recovered": _RECOVERED,
    "recovered_shrunken": _RECOVERED,
    "screening": _SCREENING,
    "conditions": _CONDITIONS,
    "comparisons": _COMPARISONS,
    "condition_comparisons": _COMPARISONS,
    "dmos": _DMOS,
    "panels": _PANELS,
    "effects": _EFFECTS,
    "covariates": _COVARIATES,
    "groups": _GROUPS,
    "split": _SPLIT,
}


def codebook(export: Export) -> pd.DataFrame:
    """Return one row for each column of each exported table: `table, column, type, unit, meaning`.

    `unit` is the unit, the range or the levels. The study describes its own columns (factors, covariates).
    """
    rows = [
        (table, column, kind_of(frame, column), *_meaning(table, column, export))
        for table, frame in {
            "ratings": export.ratings,
            "items": export.items,
            "settings": export.settings,
            **export.people_tables,
            **export.analysis.tables(),
        }.items()
        for column in frame.columns
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])


def _meaning(table: str, column: str, export: Export) -> tuple[str, str]:
    scales = {question.key: question.scale for question in export.questions}
    known = {name: (unit, meaning) for name, unit, meaning in _DESCRIBED[table]}
    if column in known:
        unit, meaning = known[column]
        high = _of_each({key: number_text(scale.high) for key, scale in scales.items()})
        return _ends(scales) if unit == _RATING_SCALE else unit, meaning.replace("{high}", high)
    if table == "mos":
        counted = {
            name: value
            for scale in scales.values()
            for name, value in zip(count_columns(scale), scale.categories or (), strict=True)
        }
        return "", f"ratings of {number_text(counted[column])}"
    if column.startswith(ABOUT_PREFIX):
        name = column.removeprefix(ABOUT_PREFIX)
        return "", f"the participant's own answer about: {export.own_questions.get(name, name)}"
    if table == "own_answers":
        asked = {str(key) for key in export.own_answers["question"]}
        told = "; ".join(f"{key}: {text}" for key, text in export.own_questions.items() if key in asked)
        return "", f"the answer, choices in the study's first language. {told}"
    return "", export.descriptions[column]


def _ends(scales: Mapping[str, Scale]) -> str:
    ends = {key: f"{number_text(scale.low)}..{number_text(scale.high)}" for key, scale in scales.items()}
    return _of_each(ends)


def _of_each(texts: Mapping[str, str]) -> str:
    """Return a text that all questions share, or that of each."""
    alike = set(texts.values())
    return alike.pop() if len(alike) == 1 else ", ".join(f"{text} ({key})" for key, text in texts.items())


def kind_of(frame: pd.DataFrame, column: str) -> str:
    dtype = frame[column].dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "true or false"
    if pd.api.types.is_integer_dtype(dtype):
        return "whole number"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    return "time" if isinstance(dtype, pd.DatetimeTZDtype) else "text"
