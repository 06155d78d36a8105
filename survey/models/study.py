"""Studies, their versions, questions and stimuli."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from survey.analysis.scale import Scale
from survey.models.keys import new_token

FAR: Final = 1e12
"""Numbers beyond it, infinity and NaN among them, are on no scale."""


def image_path(stimulus: Stimulus, filename: str) -> str:
    """Return a stimulus's path in the media store: only its opaque name."""
    return f"stimuli/{stimulus.name}.png"


class Study(models.Model):
    """One rating survey. Its newest StudyVersion has its definition."""

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Method(models.TextChoices):
        """Test methods of ITU-T P.910 clause 8, and pair comparison."""

        ACR = "acr"
        ACR_HR = "acr-hr"
        DCR = "dcr"
        PAIR = "pair"

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    method = models.CharField(max_length=10, choices=Method, default=Method.ACR)
    is_simulated = models.BooleanField(default=False, help_text="its participants are a program's")
    # Only a database default: with a Python default, SQLite would rebuild the table and lose its triggers.
    is_imported = models.BooleanField(db_default=False, help_text="its ratings were made elsewhere")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="studies"
    )
    purge_on = models.DateField(
        null=True, blank=True, help_text="day on which all that may name a person goes"
    )
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="set by the database's own triggers"
    )
    archived_at = models.DateTimeField(null=True, blank=True, help_text="off the list; nothing is deleted")

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paused", "closed"]), name="study_state_known"
            ),
            models.CheckConstraint(
                condition=Q(method__in=["acr", "acr-hr", "dcr", "pair"]), name="study_method_known"
            ),
            models.CheckConstraint(
                condition=Q(archived_at__isnull=True) | Q(state__in=["draft", "closed"]),
                name="study_archived_takes_nobody",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def takes_people(self) -> bool:
        """Return whether a person may begin now: the study is open and not simulated."""
        return self.state == self.State.OPEN and not self.is_simulated and not self.is_over

    @property
    def is_purged(self) -> bool:
        """Return whether the day for deleting personal data has come."""
        return self.purge_on is not None and self.purge_on <= timezone.localdate()

    @property
    def is_over(self) -> bool:
        """Return whether it is closed or its purge date has come. Then it accepts only answers already under way."""
        return self.state == self.State.CLOSED or self.is_purged

    @property
    def over_since(self) -> dt.datetime | None:
        """When it closed, or its purge date began, whichever was first; None if it is not over or this is unknown."""
        ends = [self.closed_at] if self.state == self.State.CLOSED and self.closed_at else []
        if (purged := self.purged_since) is not None:
            ends.append(purged)
        return min(ends, default=None)

    @property
    def purged_since(self) -> dt.datetime | None:
        """When its purge date began; None if that is to come, or there is none."""
        if self.purge_on is None or not self.is_purged:
            return None
        return timezone.make_aware(dt.datetime.combine(self.purge_on, dt.time()))

    @property
    def version(self) -> StudyVersion:
        """The newest version, which applies to participants who start now.

        What it says is read where it is asked for: most pages know it by its hash (`survey.study.definition`).
        """
        return self.versions.defer("definition").latest("number")


class StudyVersion(models.Model):
    """One definition of a study, immutable once a person has rated under it. Each participant keeps their version."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField(help_text="survey.study.definition.Definition as JSON")
    sha256 = models.CharField(max_length=64, help_text="of the definition's canonical JSON")
    median_seconds = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="of its first finished sessions"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="version_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_number_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.study} v{self.number}"


class Question(models.Model):
    """A question about each image. `text` and `labels` are in the study's first language.

    Triggers of the database keep every rating on the scale (migration 0010).
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="questions")
    key = models.SlugField(max_length=40)
    text = models.CharField(max_length=500)
    labels = models.JSONField(help_text="of each category, low end first, or of the two ends")
    low = models.FloatField(default=1, db_default=1, help_text="the scale's low end")
    high = models.FloatField(default=5, db_default=5, help_text="the scale's high end")
    step = models.FloatField(
        default=1, db_default=1, null=True, blank=True, help_text="of the scale; null: it is continuous"
    )
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="question_key_once"),
            models.UniqueConstraint(fields=["study", "position"], name="question_position_once"),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=4), name="question_position_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(low__gte=-FAR, high__lte=FAR, low__lt=F("high")), name="question_low_below_high"
            ),
            models.CheckConstraint(
                condition=Q(step__isnull=True) | Q(step__gt=0, step__lte=FAR), name="question_step_above_0"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}/{self.key}"

    @property
    def scale(self) -> Scale:
        """The scale that it is answered on."""
        return Scale(self.low, self.high, self.step)


class Stimulus(models.Model):
    """One image of a study. Participants see `name`; researchers see `item`."""

    class Role(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        GOLD = "gold"
        TRAP = "trap"
        REFERENCE = "reference"
        LEFT_OUT = "left-out", "left out"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="stimuli")
    name = models.CharField(max_length=32, unique=True, default=new_token)
    item = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=Role, default=Role.MAIN)
    image = models.FileField(upload_to=image_path, max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, help_text="of the bytes that participants receive")
    content = models.CharField(max_length=200, blank=True)
    style = models.CharField(max_length=200, blank=True)
    condition = models.CharField(max_length=200, blank=True)
    factors = models.JSONField(default=dict, blank=True)
    covariates = models.JSONField(default=dict, blank=True)
    expected = models.FloatField(null=True, blank=True, help_text="the answer of a gold or a trap")
    cell = models.ForeignKey(
        "generator.Cell", null=True, blank=True, on_delete=models.SET_NULL, related_name="stimuli"
    )

    class Meta:
        verbose_name_plural = "stimuli"
        ordering = ["study", "item"]
        constraints = [
            models.UniqueConstraint(fields=["study", "item"], name="stimulus_item_once"),
            models.CheckConstraint(
                condition=Q(role__in=["main", "practice", "gold", "trap", "reference", "left-out"]),
                name="stimulus_role_known",
            ),
            models.CheckConstraint(
                condition=Q(expected__isnull=True) | Q(expected__gte=-FAR, expected__lte=FAR),
                name="stimulus_expected_is_a_number",
            ),
            models.CheckConstraint(
                condition=~Q(role__in=["gold", "trap"]) | Q(expected__isnull=False),
                name="stimulus_gold_has_expected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}/{self.item}"


class StimulusProvenance(models.Model):
    """How an image of another site was made, by the provenance in its file. An image of an image set has its cell's.

    A table of its own: a loss curve is long, and no page for participants needs it.
    """

    stimulus = models.OneToOneField(
        Stimulus, on_delete=models.CASCADE, primary_key=True, related_name="provenance"
    )
    account = models.JSONField(help_text="the provenance as the file has it")
    sha256 = models.CharField(max_length=64, help_text="of the file, with the provenance in it")

    def __str__(self) -> str:
        return f"provenance of {self.stimulus}"
