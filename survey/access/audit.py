"""The log of administrative acts: who did what to which study, and when.

Every service function that changes something for a researcher writes its entry in its own transaction, so that an act
and its entry stand or fall together. Details hold no participant's code: the log outlives a withdrawal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd
from django.contrib.auth.models import User

from survey.models import AuditEntry, Study

#: Who acts where no account does. Its brackets cannot stand in a user name.
COMMAND: Final = "(command)"
#: A participant's own act, once their study is over; nothing tells who it was.
PARTICIPANT: Final = "(participant)"

ACTS: Final = {
    "account.unlock": "ended the wait after wrong passwords",
    "exclusion.lift": "counted a participant again",
    "exclusion.make": "left a participant out of the results",
    "invitations.make": "made single-use links",
    "images.discard": "discarded a plan",
    "images.make": "had the images of a plan made",
    "images.resume": "went on with an image set",
    "images.stop": "stopped an image set",
    "participant.leave": "a participant deleted their own answers",
    "participant.withdraw": "deleted a participant on request",
    "share.make": "made a share link",
    "share.revoke": "revoked a share link",
    "study.archive": "archived",
    "study.copy": "made as a copy",
    "study.delete": "deleted with all that it held",
    "study.owner": "gave it to another owner",
    "study.publish": "published",
    "study.purge": "deleted what may tie answers to a person",
    "study.restore": "took out of the archive",
    "study.revise": "changed what it says",
    "study.simulate": "let simulated participants take part",
    "study.state": "opened, paused or closed",
    "token.make": "made an API token",
    "token.revoke": "revoked an API token",
    "viewer.add": "let an account read the results",
    "viewer.remove": "took an account's right to read back",
}
"""What each act is called on pages; an act that is not here shows as its key."""


def record(act: str, study: Study | None, by: User | str | None, **detail: Any) -> AuditEntry:
    """Write one entry; `by` is None for a command, PARTICIPANT for a participant. Call it inside the transaction of the act itself."""
    return AuditEntry.objects.create(
        who=by.get_username() if isinstance(by, User) else by or COMMAND,
        study=study,
        slug=study.slug if study else "",
        act=act,
        detail=detail,
    )


def in_words(entry: AuditEntry) -> str:
    """Return what an entry's act is called."""
    return ACTS.get(entry.act, entry.act)


def table(entries: Iterable[AuditEntry]) -> pd.DataFrame:
    """Return entries as a table, in the order given: `at` (UTC), `who`, `study`, `act`, `detail` (as JSON)."""
    rows = [
        (
            entry.at,
            entry.who,
            entry.slug,
            entry.act,
            json.dumps(entry.detail, sort_keys=True, ensure_ascii=False),
        )
        for entry in entries
    ]
    frame = pd.DataFrame(rows, columns=["at", "who", "study", "act", "detail"])
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True))
