"""Django's admin, to look and search: what has rules is changed on its own page, which keeps them, and the log."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import admin as _registers_users  # noqa: F401
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from survey.access import accounts
from survey.access.audit import record
from survey.models import (
    AccountLink,
    ApiToken,
    AuditEntry,
    Exclusion,
    Invitation,
    OwnAnswer,
    Participant,
    Preference,
    ProlificLink,
    Question,
    Rating,
    Recruit,
    ShareLink,
    Stimulus,
    StimulusProvenance,
    Stored,
    StoredPart,
    Study,
    StudyVersion,
    Tally,
    Trial,
    Viewer,
)


def signed_in(request: HttpRequest) -> User | None:
    """Return who is signed in, for the log."""
    return request.user if isinstance(request.user, User) else None


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """What people answered is looked at here; changing it would falsify the results."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse to filter by what is not shown: who filters by its first letters finds it out."""
        fields = (self.opts.get_field(name) for name in self.exclude or ())
        hidden = {name for field in fields for name in (field.name, getattr(field, "attname", field.name))}
        return lookup.partition("__")[0] not in hidden and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class QuestionInline(admin.TabularInline):  # type: ignore[type-arg]
    """Seen with their study; `revise` writes them, beside the version that they belong to."""

    model = Question
    extra = 0
    can_delete = False
    readonly_fields = ("key", "text", "labels", "position")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ViewerInline(admin.TabularInline):  # type: ignore[type-arg]
    """Seen here, changed on the study's page of sharing: there the log hears of it."""

    model = Viewer
    extra = 0
    can_delete = False
    readonly_fields = ("user",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whose a study is can change here; all else has its page, which keeps the study whole."""

    list_display = ("slug", "title", "state", "method", "is_simulated", "owner", "created_at", "archived_at")
    list_filter = ("state", "method", "is_simulated", ("archived_at", admin.EmptyFieldListFilter), "owner")
    list_select_related = ("owner",)
    search_fields = ("slug", "title", "owner__username")
    date_hierarchy = "created_at"
    autocomplete_fields = ("owner",)
    readonly_fields = (
        "slug",
        "title",
        "state",
        "method",
        "is_simulated",
        "purge_on",
        "created_at",
        "archived_at",
    )
    inlines = (QuestionInline, ViewerInline)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A study without images and a version would be none."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its own page deletes a study's files with it, and asks first."""
        return False

    def save_model(self, request: HttpRequest, obj: Study, form: ModelForm[Study], change: bool) -> None:
        """Save, and write it into the log."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if form.changed_data:
                record("study.owner", obj, signed_in(request), owner=str(obj.owner) if obj.owner else None)

    def view_on_site(self, obj: Study) -> str:
        """Lead to the study's set-up."""
        return reverse("setup", args=[obj.slug])


@admin.register(ProlificLink)
class ProlificLinkAdmin(ReadOnly):
    """Without the token, even encrypted: nobody needs to see it."""

    exclude = ("secret",)
    list_display = ("study", "account", "remote", "status", "looked_at")
    list_filter = ("status",)
    search_fields = ("study__slug",)


@admin.register(Question)
class QuestionAdmin(ReadOnly):
    """Questions as asked in each study's first language."""

    list_display = ("study", "key", "text", "position")
    list_filter = ("study",)
    list_select_related = ("study",)
    search_fields = ("key", "text", "study__slug")


@admin.register(Stimulus)
class StimulusAdmin(ReadOnly):
    """Images of studies: their factors and roles are what ratings were drawn by."""

    list_display = ("item", "study", "role", "content", "style", "condition", "width", "height")
    list_filter = ("role", "study")
    list_select_related = ("study",)
    search_fields = ("item", "name", "content", "style", "condition", "sha256", "study__slug")


@admin.register(StimulusProvenance)
class StimulusProvenanceAdmin(ReadOnly):
    """How images from other sites were made."""

    list_display = ("stimulus", "sha256")
    list_select_related = ("stimulus__study",)
    search_fields = ("stimulus__item", "stimulus__study__slug", "sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StimulusProvenance]:
        """Leave the long provenances to the pages that show them."""
        rows: QuerySet[StimulusProvenance] = super().get_queryset(request)
        return rows.defer("account")


@admin.register(StudyVersion)
class StudyVersionAdmin(ReadOnly):
    """What each study said when."""

    list_display = ("study", "number", "sha256", "created_at")
    list_filter = ("study",)
    list_select_related = ("study",)
    search_fields = ("study__slug", "sha256")
    date_hierarchy = "created_at"


@admin.register(Participant)
class ParticipantAdmin(ReadOnly):
    """Participants by their public codes."""

    list_display = ("code", "study", "state", "language", "is_preview", "is_simulated", "started_at")
    list_filter = ("state", "is_preview", "is_simulated", "language", "study")
    list_select_related = ("study",)
    search_fields = ("code", "study__slug")
    date_hierarchy = "started_at"
    # The secrets open sessions and delete answers.
    exclude = ("token", "withdrawal")

    def get_exclude(self, request: HttpRequest, obj: Participant | None = None) -> tuple[str, ...]:
        """Leave out what people said of themselves from the purge date on, also before it is deleted."""
        said = ("screening", "before", "about") if obj is not None and obj.study.is_purged else ()
        return (*self.exclude, *said)


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    """Each showing of an image."""

    list_display = ("participant", "position", "phase", "stimulus", "outcome", "reason", "answered_at")
    list_filter = ("phase", "outcome", "participant__study")
    search_fields = ("participant__code", "stimulus__item")
    list_select_related = ("participant__study", "stimulus__study")
    exclude = ("token",)


@admin.register(Tally)
class TallyAdmin(ReadOnly):
    """The running counts by which images are assigned."""

    list_display = ("study",)
    list_select_related = ("study",)
    search_fields = ("study__slug",)


@admin.register(Stored)
class StoredAdmin(ReadOnly):
    """What was made in the background of large studies."""

    list_display = ("study", "kind", "state", "step", "problem", "began_at", "made_at", "size")
    list_select_related = ("study",)
    list_filter = ("state",)
    search_fields = ("study__slug", "kind")


@admin.register(StoredPart)
class StoredPartAdmin(ReadOnly):
    """Its pieces, without their data."""

    list_display = ("stored", "number")
    list_select_related = ("stored__study",)
    search_fields = ("stored__study__slug", "stored__kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredPart]:
        """Return the pieces as rows: a list of a hundred with their data would be a hundred megabytes."""
        return super().get_queryset(request).defer("data")


@admin.register(Rating, Preference)
class AnswerAdmin(ReadOnly):
    """Answers."""

    list_display = ("trial", "question", "value", "first_value", "changes", "rt_ms", "created_at")
    list_filter = ("question__study", "question__key", "value")
    search_fields = ("trial__participant__code", "trial__stimulus__item")
    list_select_related = ("trial__participant__study", "question__study")
    # A count of millions of rows for each page of the list costs more than the page.
    show_full_result_count = False


@admin.register(OwnAnswer)
class OwnAnswerAdmin(ReadOnly):
    """Answers to studies' own questions about images."""

    list_display = ("trial", "key", "words", "chosen")
    list_filter = ("trial__participant__study", "key")
    search_fields = ("trial__participant__code", "trial__stimulus__item")
    list_select_related = ("trial__participant__study",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OwnAnswer]:
        """Leave out what people wrote from the purge date on, also before it is deleted."""
        over = Q(trial__participant__study__purge_on__lte=timezone.localdate())
        return super().get_queryset(request).exclude(over & ~Q(words=""))


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnly):
    """Who was left out, why, by whom."""

    list_display = ("participant", "reason", "by", "created_at", "lifted_by", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "participant__study")
    list_select_related = ("participant__study", "by", "lifted_by")
    search_fields = ("participant__code", "reason", "by__username")


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnly):
    """Share links, without their secret."""

    list_display = ("study", "by", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "study")
    list_select_related = ("study", "by")
    search_fields = ("study__slug", "by__username")
    exclude = ("token",)


@admin.register(Viewer)
class ViewerAdmin(ReadOnly):
    """Who reads which study."""

    list_display = ("user", "study")
    list_filter = ("study",)
    list_select_related = ("user", "study")
    search_fields = ("user__username", "study__slug")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Personal links, without their secret, and without who used which."""

    list_display = ("study", "used_at", "created_at")
    list_filter = (("used_at", admin.EmptyFieldListFilter), "study")
    list_select_related = ("study",)
    search_fields = ("study__slug",)
    exclude = ("token", "participant")


@admin.register(Recruit)
class RecruitAdmin(ReadOnly):
    """People of crowd platforms: who they are there, and nothing of what they answered."""

    list_display = ("study", "platform", "person")
    list_filter = ("platform", "study")
    list_select_related = ("study",)
    search_fields = ("person", "study__slug")
    exclude = ("participant",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recruit]:
        """Leave out people from the purge date on, also before they are deleted."""
        return super().get_queryset(request).exclude(study__purge_on__lte=timezone.localdate())


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """The log."""

    list_display = ("at", "who", "slug", "act", "detail")
    list_filter = ("act", "who")
    search_fields = ("who", "slug", "act")
    date_hierarchy = "at"
    exclude = ("study",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens of programs, without their hash; an account that is switched off ends them."""

    list_display = (
        "user",
        "name",
        "study",
        "scope",
        "created_at",
        "expires_at",
        "last_used_on",
        "revoked_at",
    )
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "study")
    search_fields = ("user__username", "name")
    exclude = ("sha256",)


@admin.register(AccountLink)
class AccountLinkAdmin(ReadOnly):
    """Invitations and links to a new password, without their hash."""

    list_display = ("kind", "role", "note", "user", "by", "created_at", "expires_at", "used_at", "revoked_at")
    list_filter = ("kind", "role")
    list_select_related = ("user", "by")
    search_fields = ("note", "user__username", "by__username")
    exclude = ("sha256",)


# Those of Django and django-otp would change accounts past the rules and the log, and show keys.
for model in (User, TOTPDevice, StaticDevice):
    admin.site.unregister(model)


@admin.register(User)
class AccountAdmin(ReadOnly):
    """Accounts, to look and search. The desk's page of accounts changes them, by its rules, and writes the log."""

    list_display = ("username", "is_superuser", "is_active", "date_joined", "last_login")
    list_filter = ("is_superuser", "is_active", "groups")
    search_fields = ("username",)
    exclude = ("password",)
    actions = ("end_wait",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let an administrator delete any account but their own."""
        return bool(request.user.is_superuser and obj and obj.pk != request.user.pk)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete, and write it into the log."""
        accounts.delete(obj, signed_in(request))

    def view_on_site(self, obj: User) -> str:
        """Lead to the desk's page of this account."""
        return reverse("account_of", args=[obj.pk])

    @admin.action(description="Let them sign in again now (forget wrong passwords)")
    def end_wait(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Forget the wrong passwords given for these accounts."""
        for account in chosen:
            accounts.end_wait(account, signed_in(request))
        self.message_user(request, "They can sign in again now.")


admin.site.site_header = admin.site.site_title = "Image ratings: administration"
admin.site.index_title = "Accounts and tables"
admin.site.site_url = "/studies/"
