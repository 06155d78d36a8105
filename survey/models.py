"""The survey's tables. Words as in docs/architecture.md; the database has the last word on every invariant.

Nothing here can hold an IP address or a user agent: there is no column for either.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

# Without 0/O, 1/I/L and U: read aloud and typed from paper without mistakes.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token() -> str:
    """Return an unguessable address-safe token of 128 bits (22 characters)."""
    return secrets.token_urlsafe(16)


def new_code(length: int) -> str:
    """Return a random code of `length` characters for people to read and type (4.9 bits each)."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


def participant_code() -> str:
    """Return a participant's public name, as it stands in exports."""
    return new_code(8)


def withdrawal_code() -> str:
    """Return a secret of 59 bits that deletes its holder's answers."""
    return new_code(12)


def random_seed() -> int:
    """Return the seed of one participant's design (31 bits: fits every database's integer)."""
    return secrets.randbelow(2**31)


def image_path(stimulus: Stimulus, filename: str) -> str:
    """Return where a stimulus's bytes lie in the media store: by its opaque name, nothing else."""
    return f"stimuli/{stimulus.name}.png"


class Study(models.Model):
    """One rating survey. What it asks and how is in its newest StudyVersion."""

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
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="studies"
    )
    purge_on = models.DateField(
        null=True, blank=True, help_text="day on which all that may name a person goes"
    )
    created_at = models.DateTimeField(db_default=Now())

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
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def takes_people(self) -> bool:
        """Whether a person may begin now: it is open, and its participants are no program's."""
        return self.state == self.State.OPEN and not self.is_simulated

    @property
    def version(self) -> StudyVersion:
        """The newest version: what a participant who starts now is asked."""
        return self.versions.latest("number")


class StudyVersion(models.Model):
    """One definition of a study, immutable once a person has rated under it; each participant keeps theirs."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField(help_text="survey.definition.Definition as JSON")
    sha256 = models.CharField(max_length=64, help_text="of the definition's canonical JSON")
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
    """What is asked of each image. `text` and `labels` are in the study's first language."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="questions")
    key = models.SlugField(max_length=40)
    text = models.CharField(max_length=500)
    labels = models.JSONField(help_text="5 labels, of category 1 first to category 5")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="question_key_once"),
            models.UniqueConstraint(fields=["study", "position"], name="question_position_once"),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=4), name="question_position_1_to_4"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}/{self.key}"


class Stimulus(models.Model):
    """One image of a study. Participants see `name`; researchers see `item`."""

    class Role(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        GOLD = "gold"
        TRAP = "trap"
        REFERENCE = "reference"

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
    expected = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="the answer of a gold or a trap"
    )
    cell = models.ForeignKey(
        "generator.Cell", null=True, blank=True, on_delete=models.SET_NULL, related_name="stimuli"
    )

    class Meta:
        verbose_name_plural = "stimuli"
        ordering = ["study", "item"]
        constraints = [
            models.UniqueConstraint(fields=["study", "item"], name="stimulus_item_once"),
            models.CheckConstraint(
                condition=Q(role__in=["main", "practice", "gold", "trap", "reference"]),
                name="stimulus_role_known",
            ),
            models.CheckConstraint(
                condition=Q(expected__isnull=True) | Q(expected__gte=1, expected__lte=5),
                name="stimulus_expected_1_to_5",
            ),
            models.CheckConstraint(
                condition=~Q(role__in=["gold", "trap"]) | Q(expected__isnull=False),
                name="stimulus_gold_has_expected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}/{self.item}"


class Participant(models.Model):
    """One anonymous person in one study. `code` is public; `token` (cookie) and `withdrawal` are secrets."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FINISHED = "finished"
        STOPPED = "stopped", "stopped early, answers kept"
        SCREENED_OUT = "screened-out", "screened out"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participants")
    version = models.ForeignKey(StudyVersion, on_delete=models.RESTRICT, related_name="participants")
    code = models.CharField(max_length=16, default=participant_code)
    token = models.CharField(max_length=32, unique=True, null=True, default=new_token)  # noqa: DJ001
    withdrawal = models.CharField(max_length=16, unique=True, null=True, default=withdrawal_code)  # noqa: DJ001
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    language = models.CharField(max_length=10, default="en")
    consent_version = models.CharField(max_length=40)
    consented_at = models.DateTimeField()
    is_preview = models.BooleanField(default=False, help_text="a researcher's look; never counted")
    is_simulated = models.BooleanField(default=False)
    seed = models.PositiveIntegerField(default=random_seed)
    batches = models.PositiveSmallIntegerField(default=1, help_text="how many batches this person took")
    screening = models.JSONField(null=True, blank=True, help_text="null: not asked yet")
    about = models.JSONField(null=True, blank=True, help_text="null: not asked yet")
    started_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "pk"]
        indexes = [models.Index(fields=["study", "state", "last_seen_at"], name="participant_by_freshness")]
        constraints = [
            models.UniqueConstraint(fields=["study", "code"], name="participant_code_once"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "finished", "stopped", "screened-out"]),
                name="participant_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="finished") | Q(finished_at__isnull=False),
                name="participant_finished_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}/{self.code}"


class Trial(models.Model):
    """One showing of one stimulus to one participant. `token` lets a repeated POST be recognised."""

    class Phase(models.TextChoices):
        PRACTICE = "practice"
        STABILISING = "stabilising"
        MAIN = "main"
        REPEAT = "repeat"
        GOLD = "gold"
        TRAP = "trap"

    class Outcome(models.TextChoices):
        OPEN = "open", "to be answered (again)"
        RATED = "rated"
        SKIPPED = "skipped", "the image could not be shown"

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="trials")
    stimulus = models.ForeignKey(Stimulus, on_delete=models.RESTRICT, related_name="trials")
    other = models.ForeignKey(
        Stimulus,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="trials_beside",
        help_text="the reference (DCR) or the second image of the pair",
    )
    position = models.PositiveIntegerField(help_text="1 for the first image that this participant sees")
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.MAIN)
    token = models.CharField(max_length=32, unique=True, default=new_token)
    revision = models.PositiveSmallIntegerField(default=0, help_text="how often it was opened again by undo")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN)
    reason = models.CharField(max_length=40, blank=True, help_text="why it was skipped")
    shown_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    viewport_w = models.PositiveIntegerField(null=True, blank=True, help_text="CSS pixels")
    viewport_h = models.PositiveIntegerField(null=True, blank=True, help_text="CSS pixels")
    shown_w = models.FloatField(null=True, blank=True, help_text="width of the image as shown, CSS pixels")
    shown_h = models.FloatField(null=True, blank=True, help_text="height of the image as shown, CSS pixels")
    dpr = models.FloatField(null=True, blank=True, help_text="device pixels per CSS pixel")
    zoom = models.FloatField(null=True, blank=True, help_text="pinch zoom (visual viewport scale)")
    load_ms = models.PositiveIntegerField(null=True, blank=True, help_text="from request to decoded")

    class Meta:
        ordering = ["participant", "position"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "position"], name="trial_position_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="trial_position_from_1"),
            models.CheckConstraint(
                condition=Q(phase__in=["practice", "stabilising", "main", "repeat", "gold", "trap"]),
                name="trial_phase_known",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["open", "rated", "skipped"]), name="trial_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="open") | Q(answered_at__isnull=False), name="trial_closed_has_time"
            ),
            models.CheckConstraint(
                condition=Q(other__isnull=True) | ~Q(other=F("stimulus")), name="trial_beside_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} {self.position} ({self.phase})"


class Answer(models.Model):
    """What every answer to one question at one trial keeps."""

    class Input(models.TextChoices):
        MOUSE = "mouse"
        TOUCH = "touch"
        KEY = "key"
        UNKNOWN = "", "not known (no script)"

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="%(class)ss")
    question = models.ForeignKey(Question, on_delete=models.RESTRICT, related_name="%(class)ss")
    changes = models.PositiveSmallIntegerField(
        default=0, help_text="times the choice was changed, undo included"
    )
    rt_ms = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="from the decoded image on screen to the last choice; null without script",
    )
    input = models.CharField(max_length=5, choices=Input, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Rating(Answer):
    """An opinion score 1..5. `first_value` is the first one given, before any undo."""

    value = models.PositiveSmallIntegerField()
    first_value = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "question"], name="rating_once"),
            models.CheckConstraint(condition=Q(value__gte=1, value__lte=5), name="rating_value_1_to_5"),
            models.CheckConstraint(
                condition=Q(first_value__gte=1, first_value__lte=5), name="rating_first_value_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial}: {self.value}"


class Preference(Answer):
    """Which image of a pair was preferred: the first (`trial.stimulus`), the second (`trial.other`), or neither."""

    class Choice(models.TextChoices):
        FIRST = "first"
        SECOND = "second"
        TIE = "tie"

    value = models.CharField(max_length=6, choices=Choice)
    first_value = models.CharField(max_length=6, choices=Choice)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "question"], name="preference_once"),
            models.CheckConstraint(
                condition=Q(value__in=["first", "second", "tie"]), name="preference_known"
            ),
            models.CheckConstraint(
                condition=Q(first_value__in=["first", "second", "tie"]), name="preference_first_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial}: {self.value}"


class Invitation(models.Model):
    """A single-use link. It belongs to at most one participant, whom it brings back to where they stopped."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    participant = models.OneToOneField(
        Participant, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitation"
    )
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(participant__isnull=True) | Q(used_at__isnull=False),
                name="invitation_taken_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.study}: {'used' if self.used_at else 'free'}"


class Recruit(models.Model):
    """What a crowd platform says of a participant: pseudonymous, so apart from the ratings, and purged first."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="recruits")
    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="recruit")
    platform = models.CharField(max_length=20)
    person = models.CharField(max_length=100)
    session = models.CharField(max_length=100, blank=True)
    assignment = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "platform", "person"], name="recruit_person_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform} recruit of {self.study}"


class Exclusion(models.Model):
    """A researcher's decision to leave one participant out of the results; lifted, it stays here as history."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="exclusions")
    reason = models.CharField(max_length=200)
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


class ShareLink(models.Model):
    """An address that shows a study's results without sign-in, until it is revoked."""

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
    """An account that may read one study's results, and change nothing."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="viewers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="viewed_studies"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="viewer_once")]

    def __str__(self) -> str:
        return f"{self.user} of {self.study}"
