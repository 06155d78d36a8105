"""How many people and images studies have, for lists of studies."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from survey.models import Participant, Stimulus, Study


def counted(studies: QuerySet[Study]) -> QuerySet[Any]:
    """Return studies with the counts `people`, `finished` (both without previews) and `images` (to be rated)."""

    def count(rows: QuerySet[Any]) -> Coalesce:
        # One subquery each: a join would count participants times images.
        of_study = rows.filter(study=OuterRef("pk")).order_by().values("study").annotate(n=Count("pk"))
        return Coalesce(Subquery(of_study.values("n")), 0)

    people = Participant.objects.filter(is_preview=False)
    return studies.annotate(
        people=count(people),
        finished=count(people.filter(state=Participant.State.FINISHED)),
        images=count(Stimulus.objects.filter(role=Stimulus.Role.MAIN)),
    )
