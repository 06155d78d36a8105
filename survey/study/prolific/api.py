"""Prolific's API (https://docs.prolific.com/api-reference): the few calls that this site needs, and what goes wrong with them.

No call is made in a participant's request, nor inside a transaction. Redirects are not followed, since the token would go along.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from django.conf import settings
from django.views.decorators.debug import sensitive_variables
from pydantic import BaseModel, Field, ValidationError

from survey.access.errors import DeskError

_Answer = TypeVar("_Answer", bound=BaseModel)
Action = Literal["PUBLISH", "PAUSE", "START", "STOP"]

#: Seconds to connect, between two pieces of an answer, and for a whole answer.
_CONNECT, _READ, _WHOLE = 5, 20, 40
_MOST_BYTES: Final = 20_000_000
_PAGE: Final = 100
#: More submissions than any study here has participants; an answer that never ends stops here.
_MOST_PAGES: Final = 1_000
#: Prolific recommends that one request approves no more.
_APPROVED_AT_ONCE: Final = 1_000
_TOKEN: Final = re.compile(r"[!-~]{8,500}")

RemoteId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Cents = Annotated[float, Field(ge=0, le=1e12)]


class ProlificError(DeskError):
    """Prolific refused, or could not be asked. Nothing was changed there."""


class NotThere(ProlificError):
    """Prolific knows no such thing, or shows it to another account only."""


class Uncertain(ProlificError):
    """No answer, or none that can be read, to a request that may have been carried out all the same."""


class Account(BaseModel):
    """Whose token it is."""

    id: RemoteId
    name: str | None = None
    email: str | None = None
    currency_code: str | None = None

    @property
    def title(self) -> str:
        """What the account is called."""
        return (self.name or self.email or self.id)[:200]


class Code(BaseModel):
    """A completion code of a study."""

    code: str | None = None


class RemoteStudy(BaseModel):
    """A study as Prolific has it. Amounts are pence or cents."""

    id: RemoteId
    status: Annotated[str, Field(max_length=40)]
    internal_name: str | None = None
    total_available_places: Annotated[int, Field(ge=0, le=10**9)] | None = None
    places_taken: Annotated[int, Field(ge=0, le=10**9)] | None = None
    estimated_completion_time: Annotated[float, Field(ge=0, le=1e6)] | None = None
    reward: Cents | None = None
    total_cost: Cents | None = None
    presentment_currency_code: str | None = None
    currency_code: str | None = None
    completion_codes: list[Code] | None = None


class _Listed(BaseModel):
    """A study in the list of all: of its fields only these are needed."""

    id: RemoteId
    internal_name: str | None = None


class _Studies(BaseModel):
    results: list[_Listed]


class Cost(BaseModel):
    """What a study would cost, by Prolific's own calculation, in pence or cents."""

    total_cost: Cents
    rewards: Cents | None = None
    fees: Cents | None = None
    vat: Cents | None = None


class Submission(BaseModel):
    """One person's submission."""

    id: RemoteId
    participant_id: str = ""
    status: str = ""
    study_code: str | None = None


class _Submissions(BaseModel):
    results: list[Submission]


def check_token(token: str) -> str:
    """Return a token as it was pasted, without spaces around it; DeskError where it cannot be one."""
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise DeskError("Paste the whole token: one word, as Prolific showed it.")
    return token


class Prolific:
    """Prolific's API for one token."""

    @sensitive_variables("token")
    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "Prolific(…)"

    def me(self) -> Account:
        """Return whose token it is."""
        return _read(Account, self._ask("GET", "users/me/"))

    def study(self, remote: str) -> RemoteStudy:
        """Return a study; NotThere if the account has no such one."""
        return _read(RemoteStudy, self._ask("GET", f"studies/{remote}/"))

    def find(self, internal_name: str) -> RemoteStudy | None:
        """Return the study of an internal name, if there is one."""
        listed = _read(_Studies, self._ask("GET", "studies/")).results
        found = next((study for study in listed if study.internal_name == internal_name), None)
        return self.study(found.id) if found else None

    def cost(self, places: int, minutes: int, reward: int) -> Cost:
        """Return what a study would cost; nothing is made."""
        asked = {"total_available_places": places, "estimated_completion_time": minutes, "reward": reward}
        return _read(Cost, self._ask("POST", "study-cost-calculator/", asked, changes=False))

    def create(self, body: dict[str, Any]) -> RemoteStudy:
        """Make a draft: nobody sees it, and it costs nothing."""
        return _read_after(RemoteStudy, self._ask("POST", "studies/", body))

    def transition(self, remote: str, action: Action) -> RemoteStudy:
        """Publish, pause, start or stop a study."""
        return _read_after(
            RemoteStudy, self._ask("POST", f"studies/{remote}/transition/", {"action": action})
        )

    def set_places(self, remote: str, places: int) -> RemoteStudy:
        """Set how many places a study has in all; Prolific refuses to take places away."""
        return _read_after(
            RemoteStudy, self._ask("PATCH", f"studies/{remote}/", {"total_available_places": places})
        )

    def submissions(self, remote: str) -> list[Submission]:
        """Return all submissions of a study, each once."""
        found: dict[str, Submission] = {}
        for page in range(_MOST_PAGES):
            address = f"studies/{remote}/submissions/?limit={_PAGE}&offset={page * _PAGE}"
            results = _read(_Submissions, self._ask("GET", address)).results
            news = {each.id: each for each in results if each.id not in found}
            found |= news
            # A server that does not page sends all at once, and the same again.
            if len(results) != _PAGE or not news:
                break
        return list(found.values())

    def approve(self, submissions: Sequence[str]) -> Iterator[int]:
        """Approve submissions, up to 1,000 at a time; yield how many each request approved."""
        for start in range(0, len(submissions), _APPROVED_AT_ONCE):
            some = list(submissions[start : start + _APPROVED_AT_ONCE])
            self._ask("POST", "submissions/bulk-approve/", {"submission_ids": some})
            yield len(some)

    def _ask(self, method: str, path: str, body: Any = None, *, changes: bool | None = None) -> Any:
        """Return what Prolific answers, as JSON.

        Raises:
            ProlificError: Refused, or not asked at all. NotThere where the thing is unknown.
            Uncertain: A request that `changes` something (all but GET) may have been carried out.
        """
        changes = method != "GET" if changes is None else changes
        status, headers, text = self._send(method, path, body, changes=changes)
        if 300 <= status < 400:
            raise ProlificError(
                f"Prolific’s address leads elsewhere (status {status}). The token was not sent there. "
                "Check the setting PROLIFIC_API."
            )
        if status >= 500:
            raise _unsure(f"Prolific has trouble at the moment (status {status}).", changes=changes)
        if status >= 400:
            raise _refusal(status, headers.get("Retry-After", ""), self._plain(text))
        try:
            return json.loads(text) if text.strip() else None
        except ValueError:
            raise _unsure("Prolific’s answer cannot be read: it is no JSON.", changes=changes) from None

    @sensitive_variables()
    def _send(self, method: str, path: str, body: Any, *, changes: bool) -> tuple[int, Any, str]:
        # Imported here, since every command imports this module.
        import requests
        from urllib3.exceptions import NewConnectionError

        address = f"{settings.PROLIFIC_API}/api/v1/{path}"
        until = time.monotonic() + _WHOLE
        try:
            with requests.request(
                method,
                address,
                json=body,
                # As `auth`, since requests would take that of a file .netrc before a header.
                auth=_Token(self._token),
                timeout=(_CONNECT, _READ),
                allow_redirects=False,
                stream=True,
            ) as response:
                data = b""
                for piece in response.iter_content(65_536):
                    data += piece
                    if len(data) > _MOST_BYTES or time.monotonic() > until:
                        raise _unsure("Prolific’s answer is too long, or too slow.", changes=changes)
                return response.status_code, response.headers, data.decode("utf-8", "replace")
        except requests.exceptions.ConnectTimeout:
            raise ProlificError("Prolific cannot be reached: no connection in time. Try again.") from None
        except requests.exceptions.SSLError:
            raise ProlificError("Prolific cannot be reached safely: its certificate is not valid.") from None
        except requests.exceptions.Timeout:
            raise _unsure("Prolific did not answer in time.", changes=changes) from None
        except requests.exceptions.RequestException as error:
            reason = getattr(error.args[0], "reason", None) if error.args else None
            if isinstance(reason, NewConnectionError):
                raise ProlificError("Prolific cannot be reached. Try again later.") from None
            raise _unsure("The connection to Prolific broke.", changes=changes) from None

    def _plain(self, text: str) -> str:
        """Return what Prolific says of a refusal, in one line, without the token should it stand there."""
        try:
            said = json.loads(text)
        except ValueError:
            return ""
        error = said.get("error", said) if isinstance(said, dict) else said
        detail = (error.get("detail") or error.get("title")) if isinstance(error, dict) else error
        line = " ".join("; ".join(_leaves(detail)).replace(self._token, "…").split())
        return line if len(line) <= 300 else f"{line[:299]}…"


class _Token:
    """The header that every request needs, as requests takes it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Token {self._token}"
        return request


def _refusal(status: int, wait: str, detail: str) -> ProlificError:
    said = f" It says: {detail}" if detail else ""
    if status == 401:
        return ProlificError("Prolific does not accept the token. Make a new one there, then connect again.")
    if status == 403:
        return ProlificError(f"Prolific does not allow this to the token’s account.{said}")
    if status == 404:
        return NotThere("Prolific does not find this. It may have been deleted there.")
    if status == 429:
        seconds = f"{wait} seconds" if wait.isdecimal() and len(wait) < 6 else "a minute"
        return ProlificError(f"Prolific asks to slow down. Try again in {seconds}.")
    return ProlificError(f"Prolific refuses this (status {status}).{said}")


def _unsure(why: str, *, changes: bool) -> ProlificError:
    if changes:
        return Uncertain(f"{why} It may have been done all the same: look it up before you try again.")
    return ProlificError(f"{why} Try again later.")


def _read(kind: type[_Answer], answer: Any) -> _Answer:
    try:
        return kind.model_validate(answer)
    except ValidationError:
        raise ProlificError("Prolific’s answer cannot be read: it is not as documented.") from None


def _read_after(kind: type[_Answer], answer: Any) -> _Answer:
    """Return the answer to a request that was carried out."""
    try:
        return _read(kind, answer)
    except ProlificError as error:
        raise _unsure(str(error), changes=True) from None


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from (f"{name}: {leaf}" for leaf in _leaves(part))
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif value not in (None, ""):
        yield str(value)
