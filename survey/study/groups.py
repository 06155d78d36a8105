"""Groups of participants who are shown or asked different things: one table of the study file for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final

from pydantic import Field

from survey.study.methods import Method
from survey.study.parts import Key, Line, Part, ProseText

#: As many as a study may have.
MAX_GROUPS: Final = 20


class Group(Part):
    """What is different for one group; what it leaves out is as the study says.

    `people` is how many fill it. `share` is its part of those who come, beside the other groups'; without it the
    groups fill in proportion to `people`. `questions` and `images` (names or patterns) are those that it gets.
    """

    key: Key
    people: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    share: Annotated[int, Field(ge=1, le=1000)] | None = None
    method: Method | None = None
    instructions: ProseText | None = None
    questions: Annotated[list[Key], Field(max_length=4)] = []
    images: list[Line] = []

    def shows(self, item: str) -> bool:
        """Return whether the group rates an image."""
        return not self.images or any(fnmatchcase(item, pattern) for pattern in self.images)


def shares(groups: Sequence[Group]) -> dict[str, int]:
    """Return each group's part of those who come: as `share` says, else in proportion to `people`, else equal."""
    if any(group.share for group in groups):
        return {group.key: group.share or 1 for group in groups}
    return {group.key: group.people or 1 for group in groups}


def check_groups(groups: Sequence[Group], method: str, questions: Sequence[str], *, has_gold: bool) -> None:
    """Raise ValueError, with the place, unless the groups fit together and the study.

    Args:
        groups: as the study file has them.
        method: the study's.
        questions: the keys of the study's questions.
        has_gold: whether the study has gold images or an attention picture.
    """
    if len(groups) == 1:
        raise ValueError("groups: one group is no comparison; give two or more, or none")
    if twice := [key for key, count in Counter(group.key for group in groups).items() if count > 1]:
        raise ValueError(f"groups: the key {twice[0]!r} stands there twice")
    limited = [group.people is not None for group in groups]
    if any(limited) and not all(limited):
        number = limited.index(False) + 1
        raise ValueError(f"groups.{number}.people: give it in every group, or in none")
    for number, group in enumerate(groups, 1):
        _check_group(f"groups.{number}", group, method, questions, has_gold=has_gold)


def _check_group(place: str, group: Group, method: str, questions: Sequence[str], *, has_gold: bool) -> None:
    if unknown := [key for key in group.questions if key not in questions]:
        raise ValueError(
            f"{place}.questions: no question has the key {unknown[0]!r} (there are {', '.join(questions)})"
        )
    if len(set(group.questions)) < len(group.questions):
        raise ValueError(f"{place}.questions: a key stands there twice")
    if has_gold and group.questions and questions[0] not in group.questions:
        raise ValueError(
            f"{place}.questions: gold and trap images ask the first question, {questions[0]!r}: every group needs it"
        )
    if group.method and (group.method == "pair") != (method == "pair"):
        raise ValueError(
            f"{place}.method: pairs and ratings cannot stand in one study; make two studies, and put them on one scale"
        )
