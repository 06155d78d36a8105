"""Participants, their trials and answers, and the links by which they came."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import LessThanOrEqual

from survey.models.keys import new_token, participant_code, random_seed, withdrawal_code
from survey.models.study import FAR, Question, Stimulus, Study, StudyVersion

MAX_WORDS: Final = 2000
"""Characters of an answer in words, at most."""


class Participant(models.Model):
    """One anonymous person in one study. `code` is public; `token` (cookie) and `withdrawal` are secrets."""

    class State(models.TextChoices):
        ACTIVE = "active"
        FINISHED = "finished"
        STOPPED = "stopped", "stopped early, answers kept"
        SCREENED_OUT = "screened-out", "screened out"

    class Review(models.IntegerChoices):
        """The last verdict of `survey.study.votes` on a session."""

        LIVE = 0
        OVER = 1
        OUT = 2, "left out of the results"
        BACK = 3, "over, and then came back"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participants")
    version = models.ForeignKey(StudyVersion, on_delete=models.RESTRICT, related_name="participants")
    code = models.CharField(max_length=200, default=participant_code)
    token = models.CharField(max_length=32, unique=True, null=True, default=new_token)  # noqa: DJ001
    withdrawal = models.CharField(max_length=16, unique=True, null=True, default=withdrawal_code)  # noqa: DJ001
    order_row = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="of the Latin square, from 0; null without one"
    )
    block_order = models.JSONField(
        null=True, blank=True, help_text="the blocks by name, as this person got them"
    )
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    language = models.CharField(max_length=10, default="en")
    consent_version = models.CharField(max_length=40)
    consented_at = models.DateTimeField()
    is_preview = models.BooleanField(default=False, help_text="a researcher's look; never counted")
    is_simulated = models.BooleanField(default=False)
    seed = models.PositiveIntegerField(default=random_seed)
    group = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="its key in the definition"
    )
    batches = models.PositiveSmallIntegerField(default=1, help_text="how many batches this person took")
    review = models.PositiveSmallIntegerField(choices=Review, default=Review.LIVE, db_default=0)
    screening = models.JSONField(null=True, blank=True, help_text="null: not asked yet")
    viewing = models.JSONField(
        null=True, blank=True, help_text="the screen's pixels and the distance; null: not asked yet"
    )
    before = models.JSONField(
        null=True, blank=True, help_text="own questions before the images; null: not asked yet"
    )
    about = models.JSONField(null=True, blank=True, help_text="null: not asked yet")
    started_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "pk"]
        indexes = [
            models.Index(fields=["study", "state", "last_seen_at"], name="participant_by_freshness"),
            models.Index(fields=["study", "review", "state", "last_seen_at"], name="participant_by_verdict"),
            models.Index(
                fields=["study", "state", "group", "order_row", "is_preview"], name="participant_by_group"
            ),
        ]
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
    """One presentation of one stimulus to one participant. `token` identifies a repeated POST."""

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
    block = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1 for the first block of this participant; null without blocks"
    )
    token = models.CharField(max_length=32, unique=True, default=new_token)
    revision = models.PositiveSmallIntegerField(default=0, help_text="how often it was opened again by undo")
    counted = models.BooleanField(default=False, db_default=False, help_text="is in its study's Tally")
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
    enlarged = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="how many times the image was enlarged; 1: not"
    )
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


class Tally(models.Model):
    """The running counts of a study's votes; see `survey.study.votes`.

    {"stimulus" or "stimulus,other", with "@group" behind where there are groups: count}.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="tally")
    counts = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"votes of {self.study}"


class Answer(models.Model):
    """The common fields of an answer to one question in one trial."""

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
    """An opinion score on the question's scale. `first_value` is the first score, before any undo.

    A value is stored as the number nearest to what was answered, which an export writes back digit by digit. Sums are
    exact where they are made: from whole numbers of steps (`Scale.whole`).
    """

    value = models.FloatField()
    first_value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "question"], name="rating_once"),
            models.CheckConstraint(
                condition=Q(value__gte=-FAR, value__lte=FAR), name="rating_value_is_a_number"
            ),
            models.CheckConstraint(
                condition=Q(first_value__gte=-FAR, first_value__lte=FAR),
                name="rating_first_value_is_a_number",
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


class OwnAnswer(models.Model):
    """The answer to one of the study's own questions about an image: words, or choices in the first language."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="own_answers")
    key = models.SlugField(max_length=40, help_text="of the question in the study's definition")
    words = models.TextField(blank=True)
    chosen = models.JSONField(null=True, blank=True, help_text="one choice, or a list; null for words")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "key"], name="own_answer_once"),
            models.CheckConstraint(
                condition=Q(words="", chosen__isnull=False) | (~Q(words="") & Q(chosen__isnull=True)),
                name="own_answer_words_or_choices",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("words"), MAX_WORDS), name="own_answer_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trial}: {self.key}"

    @property
    def answer(self) -> Any:
        """The words, the choice, or the list of choices."""
        return self.words if self.chosen is None else self.chosen


class Invitation(models.Model):
    """A personal link for at most one participant. It also continues their session."""

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
    """A participant's record from a crowd platform: pseudonymous, separate from the ratings, and purged first."""

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
