"""Image sets, cells, sources, uploads and plans in Django's admin: to look and search, not to edit what a run has made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from generator.models import Cell, CellStyle, ImageSet, PlanRun, Source, SourceProvenance, Upload


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows come from plans and runs; a hand-made change would break what their hashes vouch for."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows by hand."""
        return False


@admin.register(ImageSet)
class ImageSetAdmin(ReadOnlyAdmin):
    """Image sets with how far they are."""

    list_display = ("slug", "title", "owner", "created", "progress")
    list_select_related = ("owner",)
    search_fields = ("slug", "title", "owner__username")
    date_hierarchy = "created"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageSet]:
        """Count the cells in the same query."""
        done, failed = Q(cells__status=Cell.Status.DONE), Q(cells__status=Cell.Status.FAILED)
        counts = {"done": Count("cells", done), "failed": Count("cells", failed), "total": Count("cells")}
        rows: QuerySet[ImageSet] = super().get_queryset(request)
        return rows.annotate(**counts)

    @admin.display(description="done of all")
    def progress(self, image_set: Any) -> str:
        """Say how many cells are done, and how many failed."""
        failed = f", {image_set.failed} failed" if image_set.failed else ""
        return f"{image_set.done} of {image_set.total}{failed}"


@admin.register(Cell)
class CellAdmin(ReadOnlyAdmin):
    """Cells by set and status."""

    list_display = ("label", "image_set", "index", "status", "attempts", "made_at")
    list_filter = ("status", "image_set", "is_anchor")
    list_select_related = ("image_set",)
    search_fields = ("label", "key", "sha256", "image_set__slug", "reason")


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Reference images."""

    list_display = ("name", "width", "height", "licence", "created")
    search_fields = ("name", "pixels", "licence")


@admin.register(SourceProvenance)
class SourceProvenanceAdmin(ReadOnlyAdmin):
    """How uploaded pictures were made that another site made."""

    list_display = ("source", "sha256")
    list_select_related = ("source",)
    search_fields = ("source__name", "sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceProvenance]:
        """Leave the long provenances to the pages that show them."""
        rows: QuerySet[SourceProvenance] = super().get_queryset(request)
        return rows.defer("account")


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Uploaded pictures by owner."""

    list_display = ("name", "owner", "source", "created")
    list_select_related = ("owner", "source")
    search_fields = ("name", "owner__username")


@admin.register(PlanRun)
class PlanRunAdmin(ReadOnlyAdmin):
    """Plans given in the browser, and what became of them."""

    list_display = ("slug", "owner", "state", "created", "began", "host", "problem")
    list_filter = ("state",)
    list_select_related = ("owner",)
    search_fields = ("slug", "title", "owner__username", "problem")


@admin.register(CellStyle)
class CellStyleAdmin(ReadOnlyAdmin):
    """The style images of cells that have several, or guides."""

    list_display = ("cell", "place", "source", "weight")
    list_select_related = ("cell", "source")
    search_fields = ("cell__label", "source__name")
