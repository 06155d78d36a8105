"""The answer of one question in words: which images are best, how certain that is, and which claims are justified.

Each sentence follows from the tables alone. Images are compared by the Holm-adjusted signed-rank tests of
``items.comparisons``; an image ties with the best where its test is not significant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from survey.analysis.analysis import QuestionAnalysis
from survey.analysis.effects import Effects
from survey.analysis.items.comparisons import SIGNIFICANT, Reach, compact_letters, out_of_reach
from survey.analysis.participants.rules import EXCLUSIONS, RULES
from survey.analysis.participants.screening import flagged
from survey.analysis.summary import named
from survey.analysis.terms import Terms, listed

Mark = Literal["yes", "no", "warning"]

MIN_PEOPLE: Final = 15
"""Fewest observers of an assessment: ITU-R BT.500."""
PEOPLE_OUTSIDE: Final = 35
"""Participants that ITU-T P.913 asks for outside a laboratory."""
CLOSE: Final = 1 / 8
"""Half width of an interval up to which a score is called known, as a share of the scale: half a point of 1 to 5."""
MAX_NAMED: Final = 3
MAX_GROUPED: Final = 40
"""Images up to which groups are shown; with more, letters no longer help."""
DISAGREE: Final = tuple(name for name, exclusion in EXCLUSIONS.items() if exclusion.disagrees)
"""Rules that mark a participant whose ratings disagree with everyone's."""

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass(frozen=True)
class Claim:
    """One line of what may be said. about: "participants" or "design" where a page tells more, else empty."""

    mark: Mark
    text: str
    about: str = ""


@dataclass(frozen=True)
class Answer:
    """The finding in one sentence, who rated what in one line, and what may be said, in a fixed order.

    letters: item -> its groups; two items share a letter exactly where the tests cannot tell them apart. Empty where
    nothing was tested, or where so few people can show no difference.
    """

    finding: str
    panel: str
    claims: tuple[Claim, ...]
    letters: Mapping[str, str]


def answer(
    part: QuestionAnalysis,
    items: pd.DataFrame | None = None,
    *,
    wanted: int = PEOPLE_OUTSIDE,
    thing: str = "image",
) -> Answer:
    """Return the answer of one question.

    Args:
        part: its analysis.
        items: one row an item with ``item``, ``content`` and a column for each factor; None where nothing is known of
            the items.
        wanted: participants, or votes of each image, that the study is planned for.
        thing: what one item is called.
    """
    rated = part.mos[part.mos["n"] > 0].sort_values(["mos", "item"], ascending=[False, True], kind="stable")
    people = int(part.summary["participants"])
    ties = tied_with_best(rated, part.comparisons)
    reach = reach_of(part.comparisons)
    # Letters would say "alike" where so few people could never be told to differ.
    letters = {} if reach else _letters(rated, part.comparisons)
    return Answer(
        finding=_finding(rated, ties, reach, people, wanted, f"{part.scale.high:g}", thing),
        panel=f"{_panel(rated, people, thing)} {_unrated(part.mos, thing)}".strip(),
        claims=tuple(_claims(part, rated, ties, reach, people, items, letters, thing)),
        letters=letters,
    )


def tied_with_best(rated: pd.DataFrame, comparisons: pd.DataFrame) -> list[str] | None:
    """Return the items that the tests do not separate from the first of `rated`, itself included.

    None where not every comparison with the first could be tested.
    """
    if len(rated) < 2:
        return list(rated["item"])
    best = rated["item"].iloc[0]
    with_best = comparisons[(comparisons["a"] == best) | (comparisons["b"] == best)]
    p = {a if b == best else b: p for a, b, p in with_best[["a", "b", "p_holm"]].itertuples(index=False)}
    others = list(rated["item"].iloc[1:])
    if any(pd.isna(p.get(other)) for other in others):
        return None
    return [best, *(other for other in others if p[other] >= SIGNIFICANT)]


def reach_of(comparisons: pd.DataFrame) -> Reach | None:
    """Return what tests of so few people can reach, where that is never significant; else None."""
    return out_of_reach(comparisons["n"], comparisons["n_nonzero"])


def _letters(rated: pd.DataFrame, comparisons: pd.DataFrame) -> dict[str, str]:
    # An item without any rating has rows among the comparisons, too, without a p.
    known = set(rated["item"])
    comparisons = comparisons[comparisons["a"].isin(known) & comparisons["b"].isin(known)]
    tested = comparisons["p_holm"].notna().all() and len(comparisons) == len(rated) * (len(rated) - 1) // 2
    if not 2 <= len(rated) <= MAX_GROUPED or not tested:
        return {}
    return {str(item): found for item, found in compact_letters(comparisons, list(rated["item"])).items()}


def _finding(
    rated: pd.DataFrame,
    ties: list[str] | None,
    reach: Reach | None,
    people: int,
    wanted: int,
    top: str,
    thing: str,
) -> str:
    if rated.empty:
        return "No answers count yet."
    if people < MIN_PEOPLE:
        then = f"; {wanted} are wanted" if wanted > MIN_PEOPLE else ""
        return (
            f"Too early to say: {_people(people)} so far. From {MIN_PEOPLE} on there is a first answer{then}."
        )
    best, score = _quoted(rated["item"].iloc[0]), f"{rated['mos'].iloc[0]:.1f}"
    count = len(rated)
    if count == 1:
        return f"{best} has the score {score} out of {top}."
    if ties is None or reach is not None:
        why = "people rated both" if ties is None else f"people rated the same {thing}s"
        return (
            f"{best} has the highest score, {score} out of {top}. Whether it is really ahead cannot be tested: too few "
            f"{why}."
        )
    if len(ties) == 1:
        others = "the other" if count == 2 else f"all {_number(count - 1)} others"
        return f"{best} looks best: {score} out of {top}, clearly ahead of {others}."
    if len(ties) <= MAX_NAMED and len(ties) < count:
        scores = rated.set_index("item")["mos"]
        given = listed([f"{scores[item]:.1f}" for item in ties])
        return f"{listed([_quoted(item) for item in ties])} look best ({given} out of {top}); these ratings cannot say which."
    if len(ties) == count:
        return f"No {thing} stands out: these ratings cannot tell the best of all {count} apart."
    if len(ties) > count / 2:
        return f"No {thing} stands out: these ratings cannot tell the best {len(ties)} of {count} apart."
    return f"{_number(len(ties)).capitalize()} {thing}s look best, {best} first with {score}; these ratings cannot order them."


def _panel(rated: pd.DataFrame, people: int, thing: str) -> str:
    total, least, most = int(rated["n"].sum()), rated["n"].min(), rated["n"].max()
    if not total:
        return ""
    each = f"{least}" if least == most else f"{least} to {most}"
    things = f"1 {thing}" if len(rated) == 1 else f"each of {len(rated)} {thing}s"
    ratings = "rating" if total == 1 else "ratings"
    return f"{_people(people)} gave {total:,} {ratings}, {each} for {things}.".replace(
        ",", " ", f"{total:,}".count(",")
    )


def _unrated(mos: pd.DataFrame, thing: str) -> str:
    """Return which items nobody has rated, as far as a line holds their names."""
    names = [str(name) for name in mos.loc[mos["n"] == 0, "item"]]
    if not names or len(names) == len(mos):
        return ""
    some = f"1 {thing} has" if len(names) == 1 else f"{len(names)} {thing}s have"
    return f"{some} no rating yet: {named(names, MAX_NAMED)}."


def _claims(
    part: QuestionAnalysis,
    rated: pd.DataFrame,
    ties: list[str] | None,
    reach: Reach | None,
    people: int,
    items: pd.DataFrame | None,
    letters: Mapping[str, str],
    thing: str,
) -> list[Claim]:
    if rated.empty:
        return []
    claims: list[Claim] = []
    if people >= MIN_PEOPLE and ties and len(ties) == 1 and len(rated) > 1:
        claims.append(_best(part, ties[0], thing))
    if people >= MIN_PEOPLE and (known := _precision(part, rated, thing)):
        claims.append(known)
    if reach is not None:
        said = f"{_which(rated, thing)}: {reach.said(people, thing)}."
        claims.append(Claim("no", f"{said}{_not_all_alike(part.summary.get('friedman_p'))}"))
    elif group := _unordered(rated, letters, thing):
        claims.append(Claim("no", f"An order among {group}: these ratings cannot tell them apart."))
    if items is not None:
        claims += confounded(items[items["item"].isin(set(rated["item"]))])
    if marked := len(flagged(part.screening)):
        claims.append(Claim("warning", _marked(part.screening, marked, people), "participants"))
    if people < PEOPLE_OUTSIDE:
        claims.append(
            Claim(
                "warning",
                f"Only {_people(people)}: ITU-T P.913 asks for {PEOPLE_OUTSIDE} outside a laboratory.",
            )
        )
    return claims


def _marked(screening: pd.DataFrame, marked: int, people: int) -> str:
    """Return how many people screening marks, the same number as on the other pages, and for what."""
    if marked >= people:
        all_of_them = f"All {people} people are" if people > 1 else "The only person is"
        return (
            f"{all_of_them} marked: look at the rules, and at the expected answers of gold and trap images."
        )
    said = f"{marked} of {_people(people)} {'is' if marked == 1 else 'are'} marked"
    disagree = set(flagged(screening, DISAGREE))
    reasons = [f"{len(disagree)} disagree{'s' * (len(disagree) == 1)} with the rest"] if disagree else []
    if others := set(flagged(screening)) - disagree:
        found = [rule for rule in EXCLUSIONS if others & set(flagged(screening, [rule]))]
        words = ", ".join(RULES[rule].words.lower() for rule in found)
        reasons.append(f"{len(others)}{' more' if disagree else ''} by other rules ({words})")
    return f"{said}: {', '.join(reasons)}."


def _best(part: QuestionAnalysis, best: str, thing: str) -> Claim:
    marked = len(part.summary["participants_flagged"] or [])
    said = f"{_quoted(best)} is rated best."
    if not marked:
        return Claim("yes", said)
    ranks = part.panels.set_index("item")["rank_screened"]
    without = f"the {marked} marked people" if marked > 1 else "the marked person"
    if pd.isna(ranks[best]):
        return Claim("yes", said)
    if ranks[best] == 1 and (ranks == 1).sum() == 1:
        verb = "are" if marked > 1 else "is"
        return Claim("yes", f"{said} It also stays first when {without} {verb} left out.")
    return Claim("warning", f"{said} Without {without} another {thing} is first: say so.", "participants")


def _precision(part: QuestionAnalysis, rated: pd.DataFrame, thing: str) -> Claim | None:
    """Return how well the scores are known: "yes" only where every interval is there and small against the scale."""
    half = (rated["ci_high"] - rated["ci_low"]) / 2
    if half.isna().all():
        return None
    widest = f"± {half.max():.2f}"
    some = int(half.isna().sum())
    if half.max() > CLOSE * part.scale.range:
        ends = f"{part.scale.low:g} to {part.scale.high:g}"
        return Claim(
            "no", f"A close score of each {thing}: the widest interval is {widest} on a scale of {ends}."
        )
    if not some:
        return Claim("yes", f"Each score is known to {widest} or better.")
    verb = "has" if some == 1 else "have"
    return Claim(
        "yes",
        f"{len(rated) - some} of {len(rated)} scores are known to {widest} or better; {some} {verb} no interval.",
    )


def _which(rated: pd.DataFrame, thing: str) -> str:
    return f"Which of the {_number(len(rated))} {thing}s differ"


def _not_all_alike(friedman_p: float | None) -> str:
    if friedman_p is None or friedman_p >= SIGNIFICANT:
        return ""
    return f" Friedman’s test shows that not all are alike (p {_p(friedman_p)})."


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _unordered(rated: pd.DataFrame, letters: Mapping[str, str], thing: str) -> str:
    """Return which images after the first cannot be ordered: the largest group that the tests leave undivided."""
    order = list(rated["item"])
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(order):
        for letter in split_letters(letters.get(item, "")):
            groups.setdefault(letter, []).append(place)
    largest = max(groups.values(), key=len, default=[])
    if len(largest) < 2:
        return ""
    if len(largest) == len(order):
        return f"the {_number(len(order))} {thing}s"
    after_first = largest[0] == 1 and largest == list(range(1, len(largest) + 1))
    if after_first:
        return f"the next {_number(len(largest))}"
    if largest == list(range(len(largest))):
        return f"the first {_number(len(largest))}"
    return f"places {largest[0] + 1} to {largest[-1] + 1}"


def split_letters(letters: str) -> list[str]:
    """Split "ab'" into "a" and "b'"."""
    found: list[str] = []
    for sign in letters:
        if sign == "'" and found:
            found[-1] += sign
        else:
            found.append(sign)
    return found


def condition_meaning(part: QuestionAnalysis) -> str:
    """Return what a condition of these images is: which factors tell conditions apart, and what varies within one."""
    rows, terms = part.factor_effects.rows, part.factor_effects.terms
    if part.condition_table is None or "condition" not in rows.columns:
        return ""
    items = rows.dropna(subset=["condition"]).drop_duplicates("item")
    names = [name for name in ("content", "style", *part.factor_effects.factors) if name in items.columns]
    names = [name for name in dict.fromkeys(names) if name != "condition" and items[name].nunique() > 1]
    levels = items.groupby("condition", observed=True)[names].nunique()
    fixed = [name for name in names if levels[name].max() == 1]
    varying = [terms.content if name == "content" else name for name in names if name not in fixed]
    if not fixed:
        return f"A condition is what the column “condition” says of the {terms.item}s."
    what = f"one combination of {listed(fixed)}" if len(fixed) > 1 else f"one level of {fixed[0]}"
    within = f"; its {terms.item}s differ in {listed(varying)}" if varying else ""
    return f"A condition here is {what}{within}."


def condition_finding(part: QuestionAnalysis, thing: str = "image") -> str:
    """Return which condition scores highest, and whether the tests separate it from the others."""
    table, tests = part.conditions, part.condition_comparisons
    if table is None or table.empty:
        return f"These {thing}s have no conditions to compare."
    rated = table.rename(columns={table.columns[0]: "item"}).sort_values(
        ["mos", "item"], ascending=[False, True], kind="stable"
    )
    best, mean = _quoted(rated["item"].iloc[0]), f"{rated['mos'].iloc[0]:.2f}"
    if tests is None:
        return f"There is one condition, {best}, with the mean {mean}."
    ties = tied_with_best(rated, tests)
    first = f"Condition {best} has the highest mean, {mean}."
    if ties is None:
        return f"{first} Whether it is really ahead cannot be tested."
    if reach := reach_of(tests):
        alike = _not_all_alike(part.summary.get("friedman_conditions_p"))
        return f"{first} {reach.said(int(part.summary['participants']), 'condition')}.{alike}"
    if len(ties) == 1:
        return (
            f"Condition {best} scores highest, {mean}, clearly ahead of the {_number(len(rated) - 1)} others."
        )
    return (
        f"Condition {best} has the highest mean, {mean}. These ratings cannot tell the best {len(ties)} of {len(rated)} "
        "conditions apart."
    )


def two_tests(part: QuestionAnalysis, effects: Effects, terms: Terms) -> str:
    """Return what to report where the pairs of conditions and the test of their factors seem to disagree; else nothing.

    The pairs take people as the only sample: they hold for what was shown. The test of a factor takes the contents as a
    sample, too.
    """
    if part.condition_comparisons is None:
        return ""
    pairs = int((part.condition_comparisons["p_holm"] < SIGNIFICANT).sum())
    tests = effects.of_kind("test")["p_holm"].dropna()
    if (tests < SIGNIFICANT).any() or not pairs:
        return ""
    some = "1 pair of conditions differs" if pairs == 1 else f"{pairs} pairs of conditions differ"
    it = "it" if pairs == 1 else "them"
    factor = f", and the test of the factor for other {terms.content}s" if len(tests) else ""
    return f"{some} significantly, on these {terms.item}s alone: report {it} as a finding on these{factor}."


def reliability_finding(summary: Mapping[str, Any]) -> str:
    """Return one sentence on whether another such panel would give the same scores: ICC(2,k), Koo and Li 2016."""
    value = summary.get("icc_2_k")
    if value is None:
        return "How reliable these scores are cannot be computed from these ratings."
    low, high = summary.get("icc_2_k_low"), summary.get("icc_2_k_high")
    interval = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    levels = ((0.9, "Yes"), (0.75, "Nearly"), (0.5, "Only roughly"), (float("-inf"), "No"))
    word = next(word for least, word in levels if value >= least)
    return (
        f"Would another {_people(int(summary['participants']))} give the same scores? {word}: the reliability of the "
        f"means is {value:.2f}{interval}."
    )


def confounded(items: pd.DataFrame) -> list[Claim]:
    """Warn of each factor whose levels were not tried on the same contents: its effect cannot be told from theirs.

    items: one row an item, with ``item``, ``content`` and the factors.
    """
    if "content" not in items.columns or items["content"].nunique() < 2:
        return []
    reasons: dict[str, list[str]] = {}
    for name in items.columns.drop(["item", "content"]):
        contents = list(items.groupby(name, observed=True)["content"].agg(set))
        if reason := _uneven(contents):
            reasons.setdefault(reason, []).append(str(name))
    return [
        Claim(
            "warning", f"Do not say that one {' or '.join(names)} is better than another: {reason}.", "design"
        )
        for reason, names in reasons.items()
    ]


def _uneven(contents: Sequence[set[str]]) -> str:
    """Return how the contents of a factor's levels differ; empty where each level was tried on all."""
    if len(contents) < 2 or all(found == contents[0] for found in contents):
        return ""
    if not any(a & b for i, a in enumerate(contents) for b in contents[:i]):
        return "no two levels were tried on the same content"
    if single := sum(len(found) == 1 for found in contents):
        return f"{single} of {len(contents)} levels were tried on one content only"
    return "not every level was tried on every content"


def _quoted(name: object) -> str:
    return f"“{name}”"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
