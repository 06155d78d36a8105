"""Django's admin for what has no page of its own. Ratings and trials are read there, never edited."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from survey.models import (
    Exclusion,
    Invitation,
    Participant,
    Preference,
    Question,
    Rating,
    ShareLink,
    Stimulus,
    Study,
    StudyVersion,
    Trial,
    Viewer,
)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """What people answered is looked at here; changing it would falsify the results."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class QuestionInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Question
    extra = 0


class ViewerInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Viewer
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("slug", "title", "state", "method", "is_simulated", "owner", "created_at")
    list_filter = ("state", "method", "is_simulated")
    search_fields = ("slug", "title")
    autocomplete_fields = ("owner",)
    inlines = (QuestionInline, ViewerInline)


@admin.register(Stimulus)
class StimulusAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("item", "study", "role", "content", "style", "condition", "width", "height")
    list_filter = ("study", "role")
    search_fields = ("item", "name", "content", "style", "condition")
    readonly_fields = ("name", "sha256", "width", "height", "image", "cell")
    autocomplete_fields = ("study",)


@admin.register(StudyVersion)
class StudyVersionAdmin(ReadOnly):
    list_display = ("study", "number", "sha256", "created_at")
    list_filter = ("study",)


@admin.register(Participant)
class ParticipantAdmin(ReadOnly):
    list_display = ("code", "study", "state", "language", "is_preview", "is_simulated", "started_at")
    list_filter = ("study", "state", "is_preview", "is_simulated")
    search_fields = ("code",)
    # The secrets open sessions and delete answers.
    exclude = ("token", "withdrawal")


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    list_display = ("participant", "position", "phase", "stimulus", "outcome", "answered_at")
    list_filter = ("phase", "outcome", "participant__study")
    search_fields = ("participant__code", "stimulus__item")
    list_select_related = ("participant__study", "stimulus__study")
    exclude = ("token",)


@admin.register(Rating, Preference)
class AnswerAdmin(ReadOnly):
    list_display = ("trial", "question", "value", "first_value", "changes", "rt_ms", "created_at")
    list_filter = ("question__study", "question__key")
    search_fields = ("trial__participant__code", "trial__stimulus__item")
    list_select_related = ("trial__participant__study", "question__study")


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnly):
    list_display = ("participant", "reason", "by", "created_at", "lifted_by", "lifted_at")
    list_filter = ("participant__study",)
    search_fields = ("participant__code", "reason")


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnly):
    list_display = ("study", "by", "created_at", "revoked_at")
    exclude = ("token",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ("study", "used_at", "created_at")
    list_filter = ("study",)
    exclude = ("token",)
