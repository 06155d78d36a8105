"""What a study is on Prolific: its name and text, its link, its codes, places, minutes and reward."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from survey.access.errors import DeskError
from survey.models import ProlificLink, Study, new_code
from survey.study.definition import Definition
from survey.study.readiness import load_of
from survey.study.tables import Recruitment

#: Devices as Prolific calls them.
DEVICES: Final = ("desktop", "tablet", "mobile")
#: Pay of an hour where nothing else is said, in pence and in other currencies' cents: what Prolific recommends. It asks for 600 or 800
#: at least (researcher-help.prolific.com, "Prolific’s payment principles").
HOURLY: Final = {"GBP": 900, "": 1_200}
#: Where a person hands in their code.
RETURN_TO: Final = "https://app.prolific.com/submissions/complete?cc={code}"
_PARAMETERS: Final = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
_PURPOSE: Final = "Look at images, one after the other, and say how good each one looks to you."


@dataclass(frozen=True)
class Draft:
    """A study as it is proposed to Prolific; `reward` of each person is in pence or cents."""

    name: str
    description: str
    places: int
    minutes: int
    reward: int
    devices: tuple[str, ...] = DEVICES

    @property
    def an_hour(self) -> float:
        """What the reward comes to for an hour."""
        return self.reward * 60 / self.minutes


def proposal(study: Study, definition: Definition, currency: str) -> Draft:
    """Return the draft of a study: as many people and minutes as its forecast says, in its first language."""
    hourly = HOURLY.get(currency, HOURLY[""])
    load, first = load_of(study, definition), definition.languages[0]
    return Draft(
        name=definition.say(definition.title, first)[:120],
        description=definition.say(definition.consent.purpose, first) or _PURPOSE,
        places=max(1, min(load.people, definition.limits.participants or load.people)),
        minutes=load.minutes,
        devices=_devices(definition),
        reward=ceil(load.minutes * hourly / 60),
    )


def _devices(definition: Definition) -> tuple[str, ...]:
    """Return the devices whose windows are usually large enough for a study."""
    width = definition.viewing.min_width or 0
    return DEVICES[:1] if width > 1_000 else DEVICES[:2] if width > 500 else DEVICES


def recruitment_of(definition: Definition) -> Recruitment:
    """Return the table of a study that recruits by Prolific; DeskError where it cannot, with what to do."""
    found = definition.recruitment
    if found is None or found.platform != "prolific":
        raise DeskError("The study does not recruit by Prolific yet. Choose it under “Recruit people”.")
    if len({found.complete, found.screened_out, found.withdrew}) < 3:
        raise DeskError("Two of the three completion codes are the same. Give each its own.")
    return found


def with_prolific(definition: Definition) -> Definition:
    """Return a definition that recruits by Prolific, with new codes; other values of the table stay."""
    was = definition.recruitment
    table = Recruitment(
        platform="prolific",
        complete=new_code(8),
        screened_out=new_code(8),
        withdrew=new_code(8),
        return_to=RETURN_TO,
        open_to_others=bool(was and was.open_to_others),
    )
    return definition.model_copy(update={"recruitment": table})


def internal_name(link: ProlificLink) -> str:
    """Return the name by which researchers see a study, and by which a draft is found whose answer was lost."""
    return f"{link.study.slug} [{link.mark}]"


def body(link: ProlificLink, recruitment: Recruitment, draft: Draft, address: str) -> dict[str, Any]:
    """Return what Prolific is asked to make. Nobody is approved, and nobody refused, by itself."""
    joint = "&" if "?" in address else "?"
    types = (
        ("COMPLETED", recruitment.complete),
        ("OTHER", recruitment.screened_out),
        ("NO_CONSENT", recruitment.withdrew),
    )
    return {
        "name": draft.name,
        "internal_name": internal_name(link),
        "description": draft.description,
        "external_study_url": f"{address}{joint}{_PARAMETERS}",
        "prolific_id_option": "url_parameters",
        "completion_codes": [
            {"code": code, "code_type": kind, "actions": [{"action": "MANUALLY_REVIEW"}]}
            for kind, code in types
        ],
        "total_available_places": draft.places,
        "estimated_completion_time": draft.minutes,
        "reward": draft.reward,
        "device_compatibility": list(draft.devices),
    }
