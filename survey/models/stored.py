"""What is made in the background of a large study: the figures of its pages, its models, and its exports."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from survey.models.study import Study


class Stored(models.Model):
    """One making of the figures of a study's pages, of its models, or of an export. `survey.study.stored` changes it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        MAKING = "making", "being made"
        DONE = "done"
        FAILED = "failed"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="stored")
    kind = models.CharField(
        max_length=20, help_text="figures, models, the format of an export, or a file of the API"
    )
    about = models.JSONField(null=True, blank=True, help_text="of models: the selection of ratings")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, db_default=State.WAITING)
    step = models.CharField(max_length=80, blank=True, help_text="what is being done")
    problem = models.CharField(max_length=200, blank=True)
    host = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(db_default=Now())
    began_at = models.DateTimeField(null=True, blank=True, help_text="it shows the answers as of then")
    made_at = models.DateTimeField(null=True, blank=True)
    name = models.CharField(max_length=100, blank=True, help_text="the file's")
    size = models.PositiveBigIntegerField(default=0, db_default=0, help_text="bytes")

    class Meta:
        verbose_name_plural = "stored"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind"],
                condition=Q(state__in=["waiting", "making"]),
                name="stored_made_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "making", "done", "failed"]), name="stored_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(began_at__isnull=False, made_at__isnull=False),
                name="stored_done_has_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}: {self.kind}"


class StoredPart(models.Model):
    """A piece of what was made, small enough to be read alone."""

    stored = models.ForeignKey(Stored, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["stored", "number"]
        constraints = [models.UniqueConstraint(fields=["stored", "number"], name="stored_part_once")]

    def __str__(self) -> str:
        return f"{self.stored} {self.number}"
