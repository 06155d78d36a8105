"""Decisions of researchers: exclusions, viewers and share links; and the audit log."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from survey.models.keys import new_token
from survey.models.participation import Participant
from survey.models.study import Study


class Exclusion(models.Model):
    """A researcher's decision to exclude one participant from the results. A lifted exclusion stays as history."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="exclusions")
    reason = models.CharField(max_length=200)
    batch = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="shared by those left out together"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant"], condition=Q(lifted_at__isnull=True), name="exclusion_in_force_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="exclusion_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.participant}: {self.reason}{' (lifted)' if self.lifted_at else ''}"

    @classmethod
    def in_force(cls, study: Study) -> models.QuerySet[Exclusion]:
        """Return the exclusions of a study that nobody has lifted."""
        return cls.objects.filter(participant__study=study, lifted_at__isnull=True)


class ShareLink(models.Model):
    """A link to a study's results without sign-in, until it is revoked."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="share_links")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.study}: {'revoked' if self.revoked_at else 'open'}"


class Viewer(models.Model):
    """An account that may read one study's results, but not change anything."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="viewers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="viewed_studies"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="viewer_once")]

    def __str__(self) -> str:
        return f"{self.user} of {self.study}"


class AuditEntry(models.Model):
    """One administrative act. Triggers refuse to change or delete rows.

    It stores the names of its actor and study, and refers to the study without a constraint, because it outlives both.
    """

    at = models.DateTimeField(db_default=Now())
    who = models.CharField(max_length=150, help_text="a user name, or (command)")
    study = models.ForeignKey(
        Study, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="audit"
    )
    slug = models.CharField(max_length=50, blank=True, help_text="the study's name at that time")
    act = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(who="") & ~Q(act=""), name="audit_entry_says_who_and_what")
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.act} {self.slug}".rstrip()


class ApiToken(models.Model):
    """A program's access to the studies of its account, or to fewer. Only a hash is stored, fast since it has 256 random bits."""

    class Scope(models.TextChoices):
        RESULTS = "results", "results only, nothing of single people"
        ALL = "all", "results and every rating"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.ALL, db_default=Scope.ALL.value)
    study = models.ForeignKey(
        Study,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        help_text="the only one that it reads; empty: all that its account may read",
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True, help_text="to the day: no trace of each request")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="api_token_has_name"),
            models.CheckConstraint(condition=Q(scope__in=["results", "all"]), name="api_token_scope_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.name}{' (revoked)' if self.revoked_at else ''}"
