"""The survey's tables. Words as in docs/architecture.md; the database has the last word on every invariant.

Nothing here can hold an IP address or a user agent: there is no column for either.
"""

from __future__ import annotations

from survey.models.desk import ApiToken, AuditEntry, Exclusion, ShareLink, Viewer
from survey.models.keys import (
    CODE_ALPHABET,
    new_code,
    new_token,
    participant_code,
    random_seed,
    withdrawal_code,
)
from survey.models.participation import (
    Answer,
    Invitation,
    Participant,
    Preference,
    Rating,
    Recruit,
    Tally,
    Trial,
)
from survey.models.study import Question, Stimulus, Study, StudyVersion, image_path

__all__ = [
    "CODE_ALPHABET",
    "Answer",
    "ApiToken",
    "AuditEntry",
    "Exclusion",
    "Invitation",
    "Participant",
    "Preference",
    "Question",
    "Rating",
    "Recruit",
    "ShareLink",
    "Stimulus",
    "Study",
    "StudyVersion",
    "Tally",
    "Trial",
    "Viewer",
    "image_path",
    "new_code",
    "new_token",
    "participant_code",
    "random_seed",
    "withdrawal_code",
]
