"""The audit log of administrative acts: who did what to which study, and when.

Every service function that changes something for a researcher writes its entry in the same transaction. Both succeed
or fail together. Details contain no participant's code, because the log outlives a withdrawal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import User

from survey.models import AuditEntry, Study

if TYPE_CHECKING:
    import pandas as pd

#: The actor of a command without an account. User names cannot contain brackets.
COMMAND: Final = "(command)"
#: The actor of a participant's act after their study is over. It does not identify the person.
PARTICIPANT: Final = "(participant)"
#: The actor where a study's own rule acts.
STOP_RULE: Final = "(stopping rule)"
#: The actor where a platform follows the study's state.
FOLLOWING: Final = "(with the study)"

ACTS: Final = {
    "account.delete": "deleted an account",
    "account.invite": "invited a colleague",
    "account.join": "joined by an invitation",
    "account.off": "switched an account off",
    "account.on": "switched an account on",
    "account.password": "changed their own password",
    "account.reset": "set a new password by a link",
    "account.reset_link": "made a link to a new password",
    "account.role": "changed an account's role",
    "account.uninvite": "ended an invitation",
    "account.unlock": "unlocked an account after wrong passwords",
    "exclusion.lift": "included a participant again",
    "exclusion.lift_many": "included many participants again",
    "exclusion.make_many": "left many participants out of the results",
    "exclusion.make": "left a participant out of the results",
    "invitations.make": "made personal links",
    "factor.codes": "made new recovery codes",
    "factor.off": "switched their second factor off",
    "factor.on": "switched their second factor on",
    "factor.recovery": "signed in by a recovery code",
    "factor.remove": "removed an account's second factor",
    "images.delete": "deleted an image set",
    "images.discard": "discarded a plan",
    "images.make": "started the images of a plan",
    "images.rename": "renamed an image set",
    "images.resume": "continued an image set",
    "images.stop": "stopped an image set",
    "participant.leave": "a participant deleted their own answers",
    "participant.withdraw": "deleted a participant on request",
    "prolific.approve": "approved submissions on Prolific",
    "prolific.connect": "connected the study to Prolific",
    "prolific.create": "created the draft on Prolific",
    "prolific.disconnect": "removed Prolific’s token",
    "prolific.follow": "set whether Prolific pauses with the study",
    "prolific.gone": "found that Prolific’s study is gone",
    "prolific.pause": "paused on Prolific",
    "prolific.places": "added places on Prolific",
    "prolific.publish": "published on Prolific",
    "prolific.start": "started again on Prolific",
    "prolific.stop": "stopped on Prolific",
    "share.make": "made a share link",
    "share.revoke": "revoked a share link",
    "study.archive": "archived",
    "study.copy": "copied",
    "study.delete": "deleted the study and everything in it",
    "study.owner": "gave the study to another owner",
    "study.publish": "published",
    "study.purge": "deleted the personal data",
    "study.restore": "took the study out of the archive",
    "study.revise": "changed the definition",
    "study.simulate": "added simulated participants",
    "study.stop": "paused by its own rule",
    "study.state": "opened, paused or closed",
    "token.make": "made an API token",
    "token.revoke": "revoked an API token",
    "viewer.add": "gave an account access to the results",
    "viewer.remove": "removed an account's access to the results",
}
"""The name of each act on pages. An act that is missing here shows its key."""


def record(act: str, study: Study | None, by: User | str | None, **detail: Any) -> AuditEntry:
    """Write one entry. Call it inside the transaction of the act.

    Args:
        act: A key of the acts above.
        study: The study, if any.
        by: Who acted; None for a command, PARTICIPANT for a participant, STOP_RULE for a study's rule.
        **detail: Details, as JSON types.
    """
    return AuditEntry.objects.create(
        who=by.get_username() if isinstance(by, User) else by or COMMAND,
        study=study,
        slug=study.slug if study else "",
        act=act,
        detail=detail,
    )


def in_words(entry: AuditEntry) -> str:
    """Return the name of an entry's act."""
    return ACTS.get(entry.act, entry.act)


def table(entries: Iterable[AuditEntry]) -> pd.DataFrame:
    """Return entries as a table, in the order given: `at` (UTC), `who`, `study`, `act`, `detail` (as JSON)."""
    # Every command imports this module, and pandas takes most of a second.
    import pandas as pd

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
