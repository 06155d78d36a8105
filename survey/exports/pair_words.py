"""What a pair study's export says in words: the meaning of every column, and the methods paragraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from survey.analysis.pairs.preferences import INFORMATIVE, drawn_by_answers
from survey.analysis.planning.stopping import stopping_interval
from survey.analysis.summary import named
from survey.exports.codebook import (
    ITEMS,
    OWN_ANSWERS,
    PARTICIPANTS,
    QUESTION,
    RATINGS,
    SETTINGS,
    SHARE,
    STOPS,
    Meanings,
    kind_of,
)
from survey.exports.group_words import assignment_text
from survey.exports.making_words import making_words
from survey.exports.viewing import viewing_words
from survey.models import Stimulus
from survey.study.stop_rule import parse_stop_rule
from survey.study.tables import Session

if TYPE_CHECKING:
    from survey.exports.pairs import PairExport

_OF_RATINGS: Final = frozenset(name for name, *_ in RATINGS) - {"phase", "question"}
_CHOICES: Final[Meanings] = (
    *(row for row in RATINGS if row[0] in _OF_RATINGS),
    ("phase", "practice, main, repeat", "only main counts in the scores"),
    (
        "drawn_by",
        "balanced, informative",
        "rule of the participant's version that drew a main pair: all equally often, or by what earlier answers left "
        "open; empty for other phases",
    ),
    ("question", "", "key of the question"),
    ("first", "", "the image shown first (A)"),
    ("second", "", "the image shown second (B)"),
    ("answer", "first, second, tie", "which was chosen; tie: no difference"),
    ("first_answer", "first, second, tie", "the first answer, before any change"),
)
_RECORD: Final[Meanings] = (
    ("n", "", "choices in which it was shown"),
    ("wins", "", "choices for it"),
    ("ties", "", "answers of no difference"),
    ("losses", "", "choices against it"),
    (
        "share",
        SHARE,
        "share of choices for it, a tie as half; empty where pairs were drawn by earlier answers",
    ),
    (
        "score",
        "log odds",
        "Bradley-Terry score, mean 0 in its group; empty where the choices do not place it",
    ),
    ("ci_low", "log odds", "lower end of the 95 % interval, participants as clusters"),
    ("ci_high", "log odds", "its upper end"),
)
_GROUP: Final = (
    "group",
    "",
    "items that a chain of comparisons connects; scores compare within a group only",
)
_DESCRIBED: Final[dict[str, Meanings]] = {
    "choices": _CHOICES,
    "choices_excluded": _CHOICES,
    "scores": (QUESTION, _GROUP, ("item", "", "the image"), *_RECORD),
    "conditions": (QUESTION, _GROUP, ("condition", "", "condition (HRC)"), *_RECORD),
    "pairs": (
        QUESTION,
        _GROUP,
        ("a", "", "first of the pair by name"),
        ("b", "", "second of the pair by name"),
        ("n", "", "choices between the two"),
        ("a_wins", "", "choices for a"),
        ("ties", "", "answers of no difference"),
        ("b_wins", "", "choices for b"),
        ("a_share", SHARE, "share of choices for a, a tie as half; empty as in scores"),
        ("p", SHARE, "sign test of decided choices, two-sided; empty as in scores"),
        ("p_holm", SHARE, "p adjusted by Holm for the number of pairs"),
    ),
    "items": ITEMS,
    "settings": SETTINGS,
    "participants": PARTICIPANTS,
    "own_answers": OWN_ANSWERS,
    "stops": STOPS,
}


def pair_codebook(export: PairExport) -> pd.DataFrame:
    """Return one row for each column of each exported table: `table, column, type, unit, meaning`."""
    rows = []
    for table, frame in export.tables().items():
        known = {name: (unit, meaning) for name, unit, meaning in _DESCRIBED[table]}
        for column in frame.columns:
            unit, meaning = known.get(column, ("", "the study's own column"))
            rows.append((table, column, kind_of(frame, column), unit, meaning))
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])


def pair_methods_text(export: PairExport) -> str:
    """Return a paragraph for a paper's methods section: only what this study used, and no result."""
    said = export.said_simulated
    simulated = f"{said}\n\n" if said else ""
    main = export.choices[export.choices["phase"] == "main"]
    asked = "; ".join(f"“{question.text}”" for question in export.questions)
    shown = pd.unique(pd.concat([main["first"], main["second"]]).astype("object"))
    asked_of = export.items.loc[export.items["role"] == Stimulus.Role.MAIN, "item"]
    unshown = [str(item) for item in asked_of if item not in set(shown)]
    people = export.participants
    order = Session.model_validate(export.definition["session"]).order_in_words
    parts = [
        making_words(export.settings, export.items),
        f"Participants compared {len(shown)} images in pairs ({asked}), with an answer for no difference.",
        f"Nobody was shown {len(unshown)} more: {named(unshown)}." if unshown else "",
        f"In all, {main['participant'].nunique()} participants made {len(main)} choices that count, {order}, "
        f"sides at random; {int((people['state'] == 'finished').sum())} of {len(people)} finished.",
        assignment_text(people, export.definition),
        viewing_words(export.definition, export.participants),
        _drawing(main),
        _stopping(export),
        _scores(export, main),
        f"The analysis was made with {export.analysis.stamp['program']} on data with SHA-256 {export.analysis.stamp['data_sha256']}.",
    ]
    return f"{simulated}{' '.join(part for part in parts if part)}\n"


def _drawing(main: pd.DataFrame) -> str:
    if not drawn_by_answers(main):
        return "Pairs of one content were assigned so that those with the fewest choices came first."
    share = (main.drop_duplicates("trial")["drawn_by"] == INFORMATIVE).mean()
    text = (
        f"{'Pairs' if share == 1 else f'Of the pairs, {share:.0%}'} were drawn by expected information gain under a penalised "
        "Bradley-Terry model, anew for each participant, by spanning trees of each content's images; pairs under way with "
        "other participants were counted as on loan."
    )
    return text if share == 1 else f"{text} The others were those with the fewest choices."


def _stopping(export: PairExport) -> str:
    said = export.definition.get("stop_when")
    text = ""
    if said:
        rule = parse_stop_rule(said)
        text = f"Collecting was to pause when {rule.in_words}, checked after each finished session."
        if rule.kind == "half width":
            text += (
                f" {stopping_interval(0, of_pairs=True)} The rule looks at widths only and favours no image."
            )
    for stop in export.stops.itertuples():
        text += f" The rule “{stop.rule}” paused it after {stop.sessions} sessions ({stop.at:%Y-%m-%d})."
    return text.strip()


def _scores(export: PairExport, main: pd.DataFrame) -> str:
    text = "Scores are log odds of the Bradley-Terry model with Davidson's ties"
    spreads = [part.summary.get("score_sd") for part in export.analysis.questions.values()]
    if drawn_by_answers(main):
        sd = ", ".join(f"{spread:.2f}" for spread in spreads if spread is not None and np.isfinite(spread))
        text += f", penalised by a normal distribution around 0 with an SD estimated from the choices ({sd})"
    else:
        text += " by maximum likelihood"
    text += ", with 95 % intervals that take a participant's choices as one cluster"
    if drawn_by_answers(main):
        text += ", or those of the model where they are wider, by Student's t with participants − 1 degrees of freedom"
    return f"{text}."
