"""Who may open which address. Every address of the site has its row here: tests/survey/desk/test_access.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

#: The least that one must be: anyone; with an account; may create studies; reads the study; owns it;
#: is its very owner; administers; uploaded the file in this session.
LEVELS: Final = {
    "public": {"admin", "owner", "viewer", "researcher", "anonymous"},
    "account": {"admin", "owner", "viewer", "researcher"},
    "creator": {"admin", "owner", "researcher"},
    "viewer": {"admin", "owner", "viewer"},
    "owner": {"admin", "owner"},
    "self": {"owner"},
    "admin": {"admin"},
    # Only the session that uploaded the file, and no session of this test did.
    "session": set(),
}


@dataclass(frozen=True)
class Row:
    """One address: who may, by which method, with which parts in the address and which form."""

    level: str
    post: bool = False
    keys: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)


def _act(level: str = "owner", keys: dict[str, Any] | None = None, **form: Any) -> Row:
    return Row(level, post=True, keys=keys or {}, form=form)


_PAGES: Final = {
    "results": {},
    "results_conditions": {},
    "results_covariates": {},
    "results_groups": {},
    "results_reliability": {},
    "results_downloads": {},
    "results_images": {},
    "plot": {"name": "mos", "file_format": "svg"},
    "table": {"name": "mos"},
    "download": {"file_format": "csv"},
    "stimulus_image": {"name": "$stimulus"},
    "stimulus_thumbnail": {"name": "$stimulus"},
}

_READING: Final = {"key": "key", "reading": "reading"}
_SET: Final = {"slug": "$set"}

#: `$word` in keys stands for what the test's study holds under that word.
ROWS: Final[dict[str, Row]] = {
    **{name: Row("viewer", keys=keys) for name, keys in _PAGES.items()},
    **{
        f"shared_{name}": Row("public", keys={"token": "$link_token", **keys})
        for name, keys in _PAGES.items()
    },
    "studies": Row("account"),
    "open_example": _act("creator"),
    "common_scale": Row("viewer"),
    "participants": Row("owner"),
    "exclude": _act(keys={"pk": "$other"}, reason="a test"),
    "leave_out": Row("owner"),
    "lift_many": _act(batch="x"),
    "lift": _act(keys={"pk": "$exclusion"}),
    "withdraw_participant": _act(keys={"pk": "$other"}, typed="$other_code"),
    "sharing": Row("owner"),
    "share": _act(),
    "revoke": _act(keys={"pk": "$link"}),
    "invite_reader": _act(note="a test"),
    "uninvite_reader": _act(keys={"pk": "$reader_invitation"}),
    "add_viewer": _act(username="stranger"),
    "remove_viewer": _act(keys={"pk": "$viewing"}),
    "live": Row("owner"),
    "live_now": Row("owner"),
    "setup": Row("owner"),
    **{
        f"setup_{name}": Row("owner")
        for name in (
            "texts",
            "languages",
            "questions",
            "own_questions",
            "assignment",
            "groups",
            "recruitment",
            "privacy",
            "open",
            "images",
        )
    },
    "study_file": Row("owner"),
    "version_file": Row("owner", keys={"number": 1}),
    "study_state": _act(state="closed"),
    "qr": Row("owner"),
    "prolific": Row("owner"),
    "prolific_choose": _act(),
    "prolific_connect": _act(token="one two"),
    "prolific_disconnect": _act(),
    "prolific_look": _act(),
    "prolific_follow": _act(follows="1"),
    "prolific_draft": Row("owner"),
    "prolific_places": Row("owner"),
    "prolific_submissions": Row("owner"),
    "prolific_step": Row("owner", keys={"name": "publish"}),
    "preregistration": Row("owner"),
    "preregistration_file": Row("owner"),
    "invitations": Row("owner"),
    "invitations_file": Row("owner"),
    "copy": Row("owner"),
    "end": Row("owner"),
    "archive": _act(),
    "restore": _act(),
    "purge": _act(typed="$slug"),
    "delete_study": _act(typed="$slug"),
    "log": Row("owner"),
    "log_file": Row("owner"),
    "analyse_file": Row("account"),
    "ratings_file": Row("session", keys={"key": "key"}),
    "remove_ratings_file": _act("session", keys={"key": "key"}),
    "keep_as_study": _act("session", keys=_READING, title="A title"),
    **{
        f"file_{name}": Row("session", keys={**keys, **_READING})
        for name, keys in _PAGES.items()
        if name not in ("results_images", "download", "stimulus_image", "stimulus_thumbnail")
    },
    "file_download": Row("session", keys=_READING),
    "planning": Row("creator"),
    "published": Row("account"),
    "account": Row("account"),
    "password_change": Row("account"),
    "second_factor": Row("account"),
    "accounts": Row("admin"),
    "account_of": Row("admin", keys={"pk": "$stranger"}),
    "uninvite": _act("admin", keys={"pk": "$invitation"}),
    "join": Row("public", keys={"token": "$invitation_token"}),
    "new_password": Row("public", keys={"token": "$reset_token"}),
    "revoke_token": _act("self", keys={"pk": "$token"}),
    "help": Row("public"),
    "help_page": Row("public", keys={"name": "reference/plans"}),
    "help_picture": Row("public", keys={"name": "presets.jpg"}),
    "whole_log": Row("admin"),
    "whole_log_file": Row("admin"),
    "pictures": Row("creator"),
    "upload": _act("creator"),
    "upload_thumbnail": Row("owner", keys={"pk": "$upload"}),
    "remove_upload": _act(keys={"pk": "$upload"}),
    "new_plan": Row("creator"),
    "plan_count": _act("creator"),
    "plan": Row("owner", keys={"pk": "$plan"}),
    "plan_state": Row("owner", keys={"pk": "$plan"}),
    "go": _act(keys={"pk": "$plan"}),
    "stop_plan": _act(keys={"pk": "$plan"}),
    "discard_plan": _act(keys={"pk": "$plan"}),
    "image_sets": Row("creator"),
    **{
        name: Row("owner", keys=_SET)
        for name in ("image_set", "set_progress", "set_plan", "set_sheet", "set_archive", "delete_set")
    },
    "rename_set": _act(keys=_SET, title="A name"),
    **{name: _act(keys=_SET) for name in ("stop_set", "resume_set", "retry_set")},
    **{
        name: Row("owner", keys={**_SET, "index": 0})
        for name in ("cell", "cell_image", "cell_thumbnail", "cell_curve")
    },
    "cell_reference": Row("owner", keys={**_SET, "index": 0, "place": 0}),
    "study_from_set": Row("owner", keys=_SET),
    "new_study": Row("creator"),
}

#: The participants' own pages, the API, health and signing in: each has tests of its own.
ELSEWHERE: Final = frozenset(
    "home participant screening viewing before plate rate skip undo image about done again leave come_back delete "  # noqa: SIM905
    "api_studies api_study api_results api_ratings sign_in sign_in_code admin_sign_in admin_password sign_out healthz readyz metrics".split()
)
