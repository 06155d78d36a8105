"""Links that let a person make an account, or set a new password, once and for a limited time."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from survey.models.study import Study


class AccountLink(models.Model):
    """An invitation or a password reset. Only a hash of its secret is stored, fast since the secret has 256 random bits."""

    class Kind(models.TextChoices):
        INVITE = "invite", "invitation"
        RESET = "reset", "new password"

    class Role(models.TextChoices):
        ADMIN = "admin", "administrator"
        RESEARCHER = "researcher", "researcher"
        VIEWER = "viewer", "viewer"

    kind = models.CharField(max_length=10, choices=Kind)
    sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role, blank=True, help_text="of the account to be made")
    note = models.CharField(max_length=100, blank=True, help_text="for whom, in the words of who made it")
    study = models.ForeignKey(
        Study,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="whose results the new account may read",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="account_links",
        help_text="whose password it sets, or who joined by it",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="invite", role__in=["admin", "researcher", "viewer"])
                | Q(kind="reset", role="", user__isnull=False, study__isnull=True),
                name="account_link_says_what_for",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(user__isnull=False),
                name="account_link_used_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user or self.note or self.get_role_display()}"
