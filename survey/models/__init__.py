"""The tables of the survey. docs/architecture.md defines the terms. Constraints of the database guard every invariant.

No column can store an IP address or a user agent.
"""

from __future__ import annotations

from survey.models.accounts import AccountLink
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
    OwnAnswer,
    Participant,
    Preference,
    Rating,
    Recruit,
    Tally,
    Trial,
)
from survey.models.recruiting import ProlificLink
from survey.models.stored import Stored, StoredPart
from survey.models.study import Question, Stimulus, StimulusProvenance, Study, StudyVersion, image_path

__all__ = [
    "CODE_ALPHABET",
    "AccountLink",
    "Answer",
    "ApiToken",
    "AuditEntry",
    "Exclusion",
    "Invitation",
    "OwnAnswer",
    "Participant",
    "Preference",
    "ProlificLink",
    "Question",
    "Rating",
    "Recruit",
    "ShareLink",
    "Stimulus",
    "StimulusProvenance",
    "Stored",
    "StoredPart",
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
