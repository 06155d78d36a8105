"""A study's connection to a crowd platform's own programs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from survey.models.keys import new_token
from survey.models.study import Study


class ProlificLink(models.Model):
    """A study's connection to Prolific: an API token, and the Prolific study that was made by it.

    Only `survey.study.prolific` writes it. The numbers are what Prolific said last; amounts are in its smallest unit of money.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="prolific")
    secret = models.TextField(blank=True, help_text="the token, by survey.access.vault; empty: not connected")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who gave the token; it works while they may change the study",
    )
    account = models.CharField(max_length=200, blank=True, help_text="what Prolific calls the account")
    mark = models.CharField(
        max_length=32, default=new_token, help_text="in the draft's internal name, to find it again"
    )
    is_asked = models.BooleanField(default=False, help_text="whether a draft was ever asked for")
    remote = models.CharField(max_length=64, blank=True, help_text="Prolific's id of its study")
    status = models.CharField(max_length=40, blank=True)
    places = models.PositiveIntegerField(null=True, blank=True)
    taken = models.PositiveIntegerField(null=True, blank=True, help_text="places")
    minutes = models.PositiveIntegerField(null=True, blank=True)
    reward = models.PositiveIntegerField(null=True, blank=True, help_text="of each person")
    total = models.PositiveIntegerField(null=True, blank=True, help_text="all rewards, fees and taxes")
    currency = models.CharField(max_length=3, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="when Prolific said so")
    busy_since = models.DateTimeField(null=True, blank=True, help_text="an act is under way")
    follows = models.BooleanField(default=False, help_text="Prolific pauses when the study does")
    pause_asked_at = models.DateTimeField(null=True, blank=True, help_text="a pause waits to be sent")
    problem = models.CharField(max_length=300, blank=True, help_text="why Prolific was not paused")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["remote"], condition=~Q(remote=""), name="prolific_study_of_one_study"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}: {self.remote or 'no Prolific study'}"

    @property
    def sends_people_in_vain(self) -> bool:
        """Whether people come from Prolific, as it said last, while the study takes nobody and no pause is under way."""
        return self.status == "ACTIVE" and not (
            self.study.takes_people or self.pause_asked_at or self.problem
        )
