"""The tables of a study file, each checked by itself; `definition` checks them together."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Final, Literal, NamedTuple, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from generator.plans.complaints import matching
from survey.analysis.scale import Scale, parse_scale
from survey.models.study import FAR
from survey.study.parts import Key, Language, Line, LineText, Part, ProseText

Platform = Literal["prolific", "mturk", "other"]
Parameter = Annotated[
    str,
    matching(
        "[A-Za-z][A-Za-z0-9_.-]{0,39}",
        "must be at most 40 letters, digits, _ . and -, and begin with a letter",
    ),
]
Labels = Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(min_length=2)]

#: Parameters of the participants' own addresses, which no platform's may replace.
_RESERVED: Final = frozenset(
    {
        *(
            "invitation",
            "preview",
            "simulation",
            "consent",
            "form",
            "language",
            "adult",
            "csrfmiddlewaretoken",
        ),
        *("window_w", "window_h"),
    }
)
#: Which parameters of a platform's link name the person, the session and the assignment.
_PARAMETERS: Final = {
    "prolific": ("PROLIFIC_PID", "SESSION_ID", "STUDY_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
}
#: Where a finished participant may be sent: a page elsewhere would be an open redirect in the study's name.
RETURN_HOSTS: Final = frozenset(
    {"app.prolific.com", "app.prolific.co", "www.mturk.com", "worker.mturk.com", "workersandbox.mturk.com"}
)


def _canonical_scale(text: str) -> str:
    """Return a scale as `Scale` writes it, so that the same scale has the same hash."""
    scale = parse_scale(text)
    if max(abs(scale.low), abs(scale.high)) > FAR:
        raise ValueError(f"{text!r} goes beyond {FAR:g}")
    return str(scale)


def _plain_number(answer: float) -> float:
    if not isfinite(answer):
        raise ValueError("must be a finite number")
    return int(answer) if float(answer).is_integer() else answer


ScaleText = Annotated[str, Field(max_length=60), AfterValidator(_canonical_scale)]
# A whole number stays an int, as it was when answers were 1 to 5: the hash is of its text.
Answer = Annotated[int | float, AfterValidator(_plain_number)]


class AskedQuestion(Part):
    """One question and its scale.

    `labels` are those of the categories, low end first, or of the two ends. Without them the method's accepted wording
    is used: all of it on a scale from 1 to 5, its ends on another. `show_value` is for sliders only.
    """

    key: Key
    text: LineText
    labels: Labels | dict[Language, Labels] | None = None
    scale: ScaleText = str(Scale())
    show_value: bool = False

    @property
    def asked_on(self) -> Scale:
        """The scale that it is answered on."""
        return parse_scale(self.scale)

    @property
    def used_keys(self) -> frozenset[str]:
        """The keys that have another value than their default."""
        return frozenset(self.model_dump(exclude_defaults=True))


class Consent(Part):
    """What a person agrees to before the first image; `version` is kept with the time of agreement."""

    version: Annotated[str, Field(min_length=1, max_length=40)] = "1"
    organiser: LineText | None = None
    contact: Line | None = None
    purpose: ProseText | None = None
    legal_basis: ProseText | None = None
    adults_only: bool = False
    minutes: Annotated[int, Field(ge=1, le=45)] | None = None


PairRule = Literal["balanced", "informative"]
Order = Literal["random", "fixed", "latin"]


class OrderWords(NamedTuple):
    """What an order of the images is called.

    Attributes:
        choice: On the desk, where it is chosen.
        note: In the line of the set-up's list; empty for the usual one.
        sentence: In the methods paragraph, as a part of a sentence.
    """

    choice: str
    note: str
    sentence: str


ORDER_WORDS: Final[dict[Order, OrderWords]] = {
    "random": OrderWords("Random for each person", "", "in a separate random order for each participant"),
    "fixed": OrderWords(
        "The same for everybody: as the images stand in the study",
        " · fixed order",
        "in one fixed order for all",
    ),
    "latin": OrderWords(
        "Latin square: each follows each other equally often, and people take its rows in turn",
        " · Latin square",
        "in orders of a Latin square in which each follows each other equally often (Williams)",
    ),
}


def _size_or_column(said: Any) -> int | str:
    """Return a block's size as a number, also where a form sends it as text; else the name of a column."""
    if isinstance(said, str) and said.isascii() and said.isdigit():
        said = int(said)
    is_size = isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= MAX_BLOCK
    if not is_size and not (isinstance(said, str) and 0 < len(said) <= MAX_BLOCK):
        raise ValueError(f"must be a number of images from 1 to {MAX_BLOCK}, or the name of a column")
    return cast("int | str", said)


MAX_BLOCK: Final = 500
"""Images of a block, as many as a session may have."""
Blocks = Annotated[int | str, BeforeValidator(_size_or_column)]


class Session(Part):
    """What one participant is shown. `images` counts main images (pairs in a pair study); None means all.

    `pairs` says how the pairs of a pair study are chosen: those with the fewest votes, or those whose answers are expected
    to tell most about the scores. Of the latter None means one fewer than the images of each content.

    `blocks` parts the images by a break: after so many, or by a column of theirs. `order` is that of the blocks, or of
    the images where there are none.
    """

    images: Annotated[int, Field(ge=1, le=500)] | None = None
    pairs: PairRule = "balanced"
    repeats: Annotated[int, Field(ge=0, le=50)] = 0
    stabilising: Annotated[int, Field(ge=0, le=10)] = 0
    batches: Annotated[int, Field(ge=1, le=50)] = 1
    order: Order = "random"
    blocks: Blocks | None = None

    @property
    def orders_images(self) -> bool:
        """Whether the order of the images themselves, and not of blocks of them, is given."""
        return self.order != "random" and self.blocks is None

    @property
    def order_in_words(self) -> str:
        """In which order people see the images, as a part of a sentence."""
        order = ORDER_WORDS[self.order].sentence
        if self.blocks is None:
            return order
        parts = (
            f"blocks of {self.blocks}" if isinstance(self.blocks, int) else f"a block for each {self.blocks}"
        )
        return f"in {parts}, the blocks {order}, with a break between them and a random order within each"


class Gold(Part):
    """An image whose rating is known beforehand, on the first question's scale (± a quarter of it is taken as right)."""

    item: Line
    answer: Answer


class Images(Part):
    """Which images play another role than to be rated. Names are items; `*` and `?` match as in file names.

    `enlarge` is how many times its size an image may be shown, in whole numbers, where there is room; 1 for its own.
    """

    practice: list[Line] = []
    references: list[Line] | dict[Line, Line] = []
    gold: list[Gold] = []
    trap: Answer | None = None
    left_out: list[Line] = []
    enlarge: Annotated[int, Field(ge=1, le=8)] = 1


class Screening(Part):
    """Questions before the images. They inform the analysis; only `required` ones end a session."""

    display: bool = False
    vision: bool = False
    plates: Annotated[int, Field(ge=0, le=4)] = 0
    required: bool = False

    @property
    def asks(self) -> bool:
        """Whether anything is asked before the images."""
        return self.display or self.vision or self.plates > 0


Side = Annotated[int, Field(ge=200, le=4_000)]


class Viewing(Part):
    """What people see the images on: the smallest window that may take part, in CSS pixels, and what is asked about the screen.

    `card`: people match an outline with a card (ISO/IEC 7810 ID-1), which tells the pixels of a millimetre. `distance`:
    they say how far their eyes are. Both together tell the pixels of a degree.
    """

    min_width: Side | None = None
    min_height: Side | None = None
    card: bool = False
    distance: bool = False

    @property
    def asks(self) -> bool:
        """Whether anything is asked before the images."""
        return self.card or self.distance

    @property
    def has_door(self) -> bool:
        """Whether a window can be too small."""
        return bool(self.min_width or self.min_height)

    def admits(self, window: tuple[int, int] | None) -> bool:
        """Return whether people may take part with a window so wide and high; None where it is not known."""
        if not self.has_door:
            return True
        return (
            window is not None and window[0] >= (self.min_width or 0) and window[1] >= (self.min_height or 0)
        )


class Recruitment(Part):
    """A crowd platform: its three codes, and where it wants people back ("{code}" and "{person}" are replaced).

    Of `other` platforms the parameters are named here by which its link says who comes.
    """

    platform: Platform
    complete: Line
    screened_out: Line
    withdrew: Line
    person_parameter: Annotated[Parameter | None, Field(validate_default=True)] = None
    session_parameter: Parameter | None = None
    assignment_parameter: Parameter | None = None
    return_to: Line | None = None
    open_to_others: bool = False

    @property
    def parameters(self) -> tuple[str, str, str]:
        """The parameters of the platform's link that name the person, the session and the assignment; "" for none."""
        if self.platform in _PARAMETERS:
            return _PARAMETERS[self.platform]
        return self.person_parameter or "", self.session_parameter or "", self.assignment_parameter or ""

    @field_validator("person_parameter", "session_parameter", "assignment_parameter")
    @classmethod
    def _belongs_to_another_platform(cls, name: str | None, info: ValidationInfo) -> str | None:
        is_other = info.data.get("platform") == "other"
        if name is None and is_other and info.field_name == "person_parameter":
            raise ValueError("name the parameter of the platform's link that says who comes")
        if name is not None and not is_other:
            raise ValueError('only with platform = "other"; the others have their own')
        if name in _RESERVED:
            raise ValueError(f"{name} is taken by the study's own addresses")
        if name is not None and name in [
            info.data.get(key) for key in ("person_parameter", "session_parameter")
        ]:
            raise ValueError("each parameter says one thing")
        return name

    @field_validator("return_to")
    @classmethod
    def _is_a_known_platform(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        is_https = parts.scheme == "https" and bool(parts.hostname) and not (parts.username or parts.port)
        if info.data.get("platform") == "other":
            if not is_https:
                raise ValueError("must be an https address")
        elif not is_https or parts.hostname not in RETURN_HOSTS:
            raise ValueError(f"must be an https address of one of {', '.join(sorted(RETURN_HOSTS))}")
        return address


class Goal(Part):
    """When there is enough: `votes` for each image (35: ITU-T P.913 for tests outside a laboratory), or as many as
    make the 95 % interval of a MOS `half_width` wide to either side, in points of a scale from 1 to 5. It steers nothing;
    the live page counts by it."""

    votes: Annotated[int, Field(ge=1, le=10_000)] = 35
    half_width: Annotated[float, Field(ge=0.05, le=2)] = 0.25

    def half_width_on(self, scale: Scale) -> float:
        """Return the half width in points of a scale: the same share of its range."""
        return self.half_width * scale.range / Scale().range


class Limits(Part):
    """Whose answers are taken, and how many people's.

    `participants` and `per_hour` bound who may begin, in all and within 60 minutes. `grace_minutes` is how long after
    the end answers are taken that were given before it.
    """

    participants: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    per_hour: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    grace_minutes: Annotated[int, Field(ge=0, le=10_080)] = 10
