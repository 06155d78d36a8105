"""Bots that play whole sessions on a real server. They send forms like a browser without JavaScript."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from django.urls import reverse

from survey.access.studies import simulation_pass
from survey.analysis.scale import number_text
from survey.models import Participant, Stimulus, Study
from survey.session.own_answers import PREFIX
from survey.session.pages.visit import COOKIE
from survey.session.plates import plate_digits
from survey.simulation.client import Browser
from survey.simulation.people import SAID, Person, SimulationError, again
from survey.study.definition import definition_for

_TIMEOUT: Final = 60
_TURNED_AWAY: Final = 5
"""How often a bot waits before it gives up, if the server limits the number of starts."""


def player(base: str) -> Callable[[Study, Person], str]:
    """Return a function that plays one person's session on the server at `base` and returns their code.

    Raises:
        SimulationError: If `base` is not an http address of this machine. Bots would load another server, and
            their answers would be in another database than the report.
    """
    parts = urlsplit(base)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise SimulationError(f"--http {base}: not a valid address; write one such as http://127.0.0.1:8000")
    if not _is_here(parts.hostname):
        raise SimulationError(
            f"--http {base}: bots play on this machine's own server only (http://127.0.0.1:8000)"
        )
    return lambda study, person: _Session(parts.hostname or "", parts.port or 80, study, person).play()


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_OTHER_PAGES: Final = 4
"""Limit on a session's forms in addition to its trials. It ends a session whose pages repeat forever."""


@dataclass
class Page:
    """A page as a bot reads it: its path, its images, and the fields of its forms.

    `choices` are those of each field, `words` the length that a field for words takes.
    """

    status: int
    path: str
    retry_after: int = 0
    images: list[str] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)


def _place(page: Page) -> str:
    """Return the name of a page of the study."""
    return page.path.rstrip("/").rpartition("/")[2]


class _Reader(HTMLParser):
    """Fills a page from its HTML."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record images and fields."""
        has = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.page.images.append(has.get("src", ""))
        elif tag == "input" and has.get("type") == "hidden":
            self.page.hidden[has["name"]] = has.get("value", "")
        elif tag == "textarea":
            self.page.words[has.get("name", "")] = int(has.get("maxlength", "0"))
        elif tag == "input" and has.get("type") in ("radio", "checkbox") and "name" in has:
            self.page.choices.setdefault(has["name"], []).append(has.get("value", "on"))


def _besides(page: Page) -> dict[str, str]:
    """Return answers to a study's own questions: the first choice, or some words."""
    chosen = {name: choices[0] for name, choices in page.choices.items() if name.startswith(PREFIX)}
    return chosen | {name: SAID[:most] for name, most in page.words.items()}


class _Session:
    """One person's session, over one open connection."""

    def __init__(self, host: str, port: int, study: Study, person: Person) -> None:
        self.base = f"http://{host}:{port}"
        self.browser = Browser(port, host, accept="text/html")
        # Django forbids reading the database while an event loop runs, so it runs only during requests.
        self.runner = asyncio.Runner()
        self.study, self.person = study, person
        self.method: str = study.method
        self.stimuli = {stimulus.name: stimulus for stimulus in study.stimuli.all()}
        self.looks: Counter[str] = Counter()

    def play(self) -> str:
        """Play from consent to the last page; return the participant's code."""
        try:
            page = self._begin()
            participant = self._participant()
            self.method = definition_for(participant).method
            answers: dict[str, Callable[[Page], dict[str, str]]] = {
                "rate": self._rate,
                "screening": self._screen(participant),
                "viewing": lambda page: {"no_card": "on", "distance": "arm"},
                "before": _besides,
                "about": lambda page: (
                    {name: choices[-1] for name, choices in page.choices.items()} | _besides(page)
                ),
            }
            for _ in range(participant.trials.count() + _OTHER_PAGES):
                if (act := answers.get(_place(page))) is None:
                    break
                page = self._send(page, act(page))
            if _place(page) != "done":
                raise SimulationError(f"{self.base}{page.path}: is not the expected page of the session")
        except (OSError, EOFError) as error:
            raise SimulationError(
                f"{self.base}: no answer ({error}); start the server first (make serve)"
            ) from error
        finally:
            self.browser.close()
            self.runner.close()
        return participant.code

    def _begin(self) -> Page:
        page = self._ask(
            f"{reverse('participant', args=[self.study.slug])}?simulation={simulation_pass(self.study)}"
        )
        if "consent" not in page.choices:
            raise SimulationError(f"{self.base}{page.path}: answered {page.status} and asks for no consent")
        for _ in range(_TURNED_AWAY):
            begun = self._send(page, {"consent": "on"})
            if begun.status != HTTPStatus.TOO_MANY_REQUESTS:
                return begun
            time.sleep(begun.retry_after)
        raise SimulationError(f"{self.base}: allows too few starts a minute; run it with STARTS_PER_MINUTE=0")

    def _participant(self) -> Participant:
        participant = Participant.objects.filter(
            study=self.study, token=self.browser.cookies.get(COOKIE)
        ).first()
        if participant is None:
            raise SimulationError(
                f"{self.base}: uses another database than this command; set the same DATABASE_URL"
            )
        return participant

    def _screen(self, participant: Participant) -> Callable[[Page], dict[str, str]]:
        plates = definition_for(participant).screening.plates
        digits = plate_digits(participant.seed, plates)
        seen = {f"plate_{number}": str(digit) for number, digit in enumerate(digits, 1)}
        return lambda page: {name: seen.get(name, "yes") for name in page.choices}

    def _rate(self, page: Page) -> dict[str, str]:
        """Fetch the images and answer. An image that was shown before gets its further vote."""
        shown = [self._look(source) for source in page.images]
        # In a degradation study (DCR) the reference is first, and the question is about the second image.
        stimulus = shown[-1] if self.method == Study.Method.DCR else shown[0]
        other = shown[1] if len(shown) > 1 and self.person.pair else None
        further = other is None and self.looks[stimulus.item] > 0
        self.looks[stimulus.item] += 1
        rt_ms = self.person.rt_ms[again(stimulus.item) if further else stimulus.item]
        answers = self.person.answers(stimulus, other, further=further)
        # A browser measures this by JavaScript. Bots send it, but do not wait that long.
        texts = {
            key: number_text(value) if isinstance(value, int | float) else str(value)
            for key, value in answers.items()
        }
        return {f"q-{key}": text for key, text in texts.items()} | {"rt_ms": str(rt_ms)} | _besides(page)

    def _look(self, source: str) -> Stimulus:
        self._ask(source, want_page=False)
        return self.stimuli[source.rpartition("/")[2]]

    def _send(self, page: Page, answers: Mapping[str, str]) -> Page:
        return self._ask(page.path, {**page.hidden, **answers})

    def _ask(self, path: str, form: Mapping[str, str] | None = None, *, want_page: bool = True) -> Page:
        """Send a request and follow redirects."""
        for _ in range(5):
            status, content = self.runner.run(
                asyncio.wait_for(
                    self.browser.ask("GET" if form is None else "POST", path, dict(form or {})), _TIMEOUT
                )
            )
            if not 300 <= status < 400:
                break
            path, form = urlsplit(urljoin(self.base + path, self.browser.location)).path, None
        page = Page(status, urlsplit(path).path, int(self.browser.headers.get("retry-after", "0")))
        if status >= 400 and status != HTTPStatus.TOO_MANY_REQUESTS:
            raise SimulationError(f"{self.base}{page.path}: answered {status}, which ends the session")
        if want_page:
            _Reader(page).feed(content.decode())
        if want_page and _place(page) == "rate" and not page.images:
            # A break, or what this person's group is asked to do: read, and go on.
            return self._ask(f"{page.path}?on=1")
        return page
