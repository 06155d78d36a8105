"""Tables of the generator: uploads, sources, runs of plans, image sets and their cells.

Constraints of the database ensure that a cell has a valid state, that one run at a time makes a key, and that a set
has each image once.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class Source(models.Model):
    """One reference image, stored for later runs: upright, opaque, sRGB with 8 bits, in its original size.

    `pixels` is the SHA-256 of its size and pixels (see `images.pixel_hash`). The same picture in another file
    format is therefore the same source.
    """

    pixels = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, help_text="File name under which it was first read.")
    file = models.FileField(max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    licence = models.CharField(max_length=300, blank=True, help_text="As the plan states it.")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def is_used(self) -> bool:
        """Return whether any cell uses it as an image or as a guide."""
        styles = CellStyle.objects.filter(Q(source=self) | Q(where=self) | Q(part=self) | Q(map=self))
        cells = Cell.objects.filter(Q(content=self) | Q(style=self) | Q(content_map=self))
        return cells.exists() or styles.exists()


class SourceProvenance(models.Model):
    """How an uploaded picture was made, where another site made it and its file said so."""

    source = models.OneToOneField(
        Source, on_delete=models.CASCADE, primary_key=True, related_name="provenance"
    )
    account = models.JSONField(help_text="the provenance as the file had it")
    sha256 = models.CharField(max_length=64, help_text="of the file, with the provenance in it")

    def __str__(self) -> str:
        return f"provenance of {self.source}"


class Upload(models.Model):
    """A picture that a user uploaded, with the name that the user's plans give it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=100)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="uploads")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="upload_name_once_for_each_owner")
        ]

    def __str__(self) -> str:
        return self.name


class ImageSet(models.Model):
    """The cells of one plan and the images made from them."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="image_sets",
        help_text="Who asked for it in the browser; nobody for a set made by command.",
    )
    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    plan = models.TextField(help_text="The plan's text, as it was read.")
    plan_sha256 = models.CharField(max_length=64)
    created = models.DateTimeField(auto_now_add=True)
    is_queued = models.BooleanField(
        default=False, db_default=False, help_text="Workers make its cells; taken back, they stop."
    )
    stopped_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person stopped it; empty once it goes on."
    )

    class Meta:
        ordering = ("-created", "slug")

    def __str__(self) -> str:
        return self.title


class PlanRun(models.Model):
    """One run of a plan from the browser: a dry run, then an image set. Continuing a set is a run, too.

    States: `new` -> `planning` -> `planned` or `refused`. After "Go": `queued` -> `running` -> `done`, `stopped`
    (by a person) or `failed`.
    """

    class State(models.TextChoices):
        NEW = "new"
        PLANNING = "planning"
        PLANNED = "planned"
        REFUSED = "refused"
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"

    #: States of a run that makes images, or will.
    OPEN: ClassVar = (State.QUEUED, State.RUNNING)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="plan_runs"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    slug = models.SlugField(max_length=100, help_text="Name of the image set.")
    title = models.CharField(max_length=200)
    plan = models.TextField(help_text="TOML")
    dry_run = models.JSONField(default=dict, blank=True, help_text="generator.making.dry_run.DryRun")
    image_set = models.ForeignKey(
        ImageSet, null=True, blank=True, on_delete=models.CASCADE, related_name="runs"
    )
    retries_failed = models.BooleanField(default=False)
    problem = models.TextField(blank=True, help_text="Why it was refused, or failed.")
    host = models.CharField(max_length=255, blank=True, help_text="Where its process runs.")
    created = models.DateTimeField(auto_now_add=True)
    began = models.DateTimeField(null=True, blank=True, help_text="When its images were begun.")

    class Meta:
        ordering = ("-created", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "new",
                        "planning",
                        "planned",
                        "refused",
                        "queued",
                        "running",
                        "done",
                        "stopped",
                        "failed",
                    ]
                ),
                name="plan_run_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["refused", "failed"]) & ~Q(problem="")
                | ~Q(state__in=["refused", "failed"]) & Q(problem=""),
                name="plan_run_problem_told",
            ),
            models.UniqueConstraint(
                fields=["image_set"],
                condition=Q(state__in=["queued", "running"]),
                name="plan_run_of_a_set_one_at_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state"], name="plan_run_by_state")]

    def __str__(self) -> str:
        return f"{self.slug} ({self.state})"

    @property
    def ahead(self) -> int:
        """Return how many plans will be made before this one."""
        return PlanRun.objects.filter(state__in=self.OPEN, pk__lt=self.pk).count()


class Cell(models.Model):
    """One image: a recipe, a seed and two sources. `styles` has rows for several style images or guides."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    image_set = models.ForeignKey(ImageSet, on_delete=models.CASCADE, related_name="cells")
    index = models.PositiveIntegerField(help_text="Place in the plan, from 0.")
    key = models.CharField(
        max_length=64,
        help_text="SHA-256 of recipe, seed, pixels of all images, weights and algorithm version.",
    )
    label = models.CharField(max_length=300)
    is_anchor = models.BooleanField(default=False)
    factors = models.JSONField(
        default=dict, help_text="What a table groups by: content, style and what varies."
    )
    recipe = models.JSONField()
    seed = models.PositiveBigIntegerField()
    content = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    style = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    content_map = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What is where in the content, for the patch loss.",
    )
    content_name = models.CharField(max_length=200)
    style_name = models.CharField(max_length=200)
    weights = models.CharField(max_length=64, help_text="SHA-256 of the network's weights.")
    algorithm = models.CharField(max_length=32)

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    reason = models.TextField(blank=True, help_text="Why it failed.")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim_token = models.CharField(max_length=32, blank=True, help_text="The run that makes it now.")
    claim_host = models.CharField(max_length=255, blank=True)
    claimed_at = models.DateTimeField(
        null=True, blank=True, help_text="When that run last said that it lives."
    )

    image = models.FileField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the image file.")
    made_at = models.DateTimeField(null=True, blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    covariates = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("image_set", "index")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image_set", "key"], name="cell_once_in_a_set"),
            models.UniqueConstraint(fields=["image_set", "index"], name="cell_place_taken_once"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(status="running"), name="cell_made_by_one_run_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "running", "done", "failed"]), name="cell_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="running", claimed_at__isnull=False) & ~Q(claim_token="")
                | ~Q(status="running") & Q(claim_token="", claimed_at__isnull=True),
                name="cell_claimed_while_running",
            ),
            models.CheckConstraint(
                condition=~Q(status="done")
                | ~Q(image="") & ~Q(sha256="") & Q(width__gt=0, height__gt=0, made_at__isnull=False),
                name="cell_done_has_its_image",
            ),
            models.CheckConstraint(
                condition=Q(status="failed") & ~Q(reason="") | ~Q(status="failed") & Q(reason=""),
                name="cell_failed_has_its_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["image_set", "status"], name="cell_by_set_and_status"),
            models.Index(fields=["key", "status"], name="cell_by_key_and_status"),
        ]

    def __str__(self) -> str:
        return self.label


def _guide(help_text: str) -> models.ForeignKey[Source | None, Source | None]:
    return models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text=help_text
    )


class CellStyle(models.Model):
    """One style image of a cell with several, or with masks or a map. The first is the cell's `style`."""

    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="styles")
    place = models.PositiveSmallIntegerField(help_text="In the blend, from 0.")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField(help_text="Share of the style loss; a cell's add up to 1.")
    where = _guide("Mask over the content: where this style goes.")
    part = _guide("Mask over the style image: from which part it is taken.")
    map = _guide("What is where in the style image, for the patch loss.")

    class Meta:
        ordering = ("cell", "place")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cell", "place"], name="cell_style_place_taken_once"),
            models.CheckConstraint(
                condition=Q(weight__gt=0, weight__lte=1), name="cell_style_weight_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(map__isnull=True) | Q(where__isnull=True, part__isnull=True),
                name="cell_style_has_masks_or_a_map",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.weight:g})"
