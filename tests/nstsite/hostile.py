"""Requests of somebody who tries every address of the site: in its parts, its headers, its query and its forms.

The suite sends some of them to the test client, `benchmarks/attack.py` sends all of them to a running server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any, Final
from urllib.parse import quote

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from survey.access import tokens
from survey.models import Study
from survey.session.starting import return_token
from survey.study.publish import publish
from survey.study.study_file import parse
from tests.survey.desk.access_table import ROWS
from tests.survey.desk.world import filled, make_world
from tests.survey.exports.studies import rated_study
from tests.survey.factories import join, make_study, pictures

#: No NUL, which refuses a request as a whole: tests/nstsite/test_nul.py.
VALUES: Final = (
    "http://[bad",
    "//[::1",
    "\ud800",
    "٣",
    "9" * 5000,
    "-1",
    "1e999",
    "NaN",
    "%00",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}",
    "a" * 20_000,
    "2020-13-45",
    "é" * 300,
    "",
)
#: What decides whether a request gets in at all: hostile in one try of so many, so that the others go deeper.
DOORS_OPEN: Final = 4
DOORS: Final = ("Host", "Cookie", "Origin", "Sec-Fetch-Site", "Authorization")
HEADERS: Final = (
    *DOORS,
    "Referer",
    "Accept",
    "Accept-Language",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
    "Content-Type",
)
#: Fields that are read though no page's form has them, and those of the participants' pages.
NAMES: Final = (
    "revision",
    "q-overall",
    "rt_ms",
    "waited_ms",
    "dpr",
    "viewport_w",
    "known",
    "reason",
    "code",
    "action",
    "form",
    "consent",
    "once",
    "language",
    "invitation",
    "preview",
    "simulation",
    "PROLIFIC_PID",
    "question",
    "panel",
    "ci",
    "page",
    "only",
    "v",
    "next",
    "text",
    "plan",
    "slug",
    "title",
    "count",
    "typed",
    "state",
    "username",
    "password",
    "started_from",
    "started_to",
    "came",
    "by",
    "name",
    "scope",
    "days",
    "study",
    "cell",
    "picture",
    "purge_on",
    "limits.grace_minutes",
    "made",
    "noise",
    "search",
)
_LAST: Final = {"remove_ratings_file", "delete_study", "purge", "archive", "sign_out"}
FIELDS_IN_A_LINE: Final = 20
#: Addresses whose answer may be a 5xx: they say that something is not ready.
MAY_FAIL: Final = {"readyz"}
_INPUT = re.compile(r"<(?:input|select|textarea|button)\b[^>]*>", re.I)
_ATTRIBUTE = re.compile(r"""\b(name|value|type)="([^"]*)\"""")


@dataclass(frozen=True)
class Request:
    """One request: of whom, to which address by its name, and what it brings."""

    who: str
    method: str
    name: str
    path: str
    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Prey:
    """A site to be attacked: its addresses, what their parts are called, and the headers of who is signed in."""

    routes: dict[str, str]
    keys: dict[str, dict[str, Any]]
    trial: str
    headers: dict[str, dict[str, str]]


def routes(resolver: URLResolver, prefix: str = "") -> dict[str, str]:
    """Return every route below a resolver by its name; the admin's own pages are Django's to test."""
    found: dict[str, str] = {}
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            assert entry.name not in found, f"two addresses are called {entry.name}"
            found[str(entry.name)] = route
        elif isinstance(entry, URLResolver) and route != "admin/":
            found |= routes(entry, route)
    return found


def address(route: str, keys: dict[str, Any]) -> str:
    """Fill the parts of a route, written as in urls.py."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(keys[part[1]]), route)


def _uploaded(admin: Client) -> dict[str, str]:
    """Upload a ratings file; return what addresses call it by in that session."""
    rows = "\n".join(f"P{p},image {i},{1 + (p + i) % 5}" for p in range(4) for i in range(3))
    file = SimpleUploadedFile("ratings.csv", f"participant,item,rating\n{rows}\n".encode())
    place = admin.post("/analyse/", {"file": file})["Location"]
    page = admin.get(place).content.decode()
    found = re.search(r'href="/analyse/([^"/]+)/([^"/]+)/results/"', page)
    assert found, page
    return {"key": found[1], "reading": found[2]}


def make_prey() -> Prey:
    """Make one of each thing that an address can name, and an administrator, a program and a participant."""
    owner = User.objects.create_user("owner")
    study = rated_study(people=2)
    Study.objects.filter(pk=study.pk).update(owner=owner)
    study.refresh_from_db()
    publish("draft", parse('title = "A draft"\n', "study.toml"), pictures(), state=Study.State.DRAFT)
    name = study.stimuli.all()[0].name
    world = make_world(study, owner) | {"number": 1, "name": name, "file_format": "csv"}
    admin, person = Client(), Client()
    root = User.objects.get(username="admin")
    admin.force_login(root)
    world |= _uploaded(admin)
    participant = join(person, make_study(slug="open"))
    trial = participant.trials.all()[0]
    in_study = {"slug": "open", "name": trial.stimulus.name, "token": return_token(participant)}
    found = routes(get_resolver())

    def keys(name: str, route: str) -> dict[str, Any]:
        if route.startswith("s/"):
            return world | in_study
        if "/setup/" in route and name in ROWS and not ROWS[name].post:
            return world | filled(ROWS[name].keys, world) | {"slug": "draft"}
        row = filled(ROWS[name].keys, world) if name in ROWS else {}
        return world | row | {key: world[key] for key in ("key", "reading")}

    # What changes or ends something comes last: until then there is something to attack.
    order = sorted(found, key=lambda name: (name in _LAST, name in ROWS and ROWS[name].post))
    return Prey(
        routes={name: found[name] for name in order},
        keys={name: keys(name, found[name]) for name in order},
        trial=trial.token,
        headers={
            "admin": {"Cookie": admin.cookies.output(attrs=[], header="", sep=";").strip()},
            "person": {"Cookie": person.cookies.output(attrs=[], header="", sep=";").strip()},
            "program": {"Authorization": f"Bearer {tokens.make(root, 'a test')}"},
        },
    )


def visitors(route: str) -> tuple[str, ...]:
    """Return who attacks an address: whoever it shows most."""
    if route.startswith("s/"):
        return ("person", "admin")
    return ("program",) if route.startswith("api/") else ("admin",)


def attacks(prey: Prey, stride: int = 1) -> Iterator[Request]:
    """Yield requests with every hostile value in every header, in every field, and in every part of each address.

    Args:
        prey: what is attacked.
        stride: try each header and each field with every so many-th value only, another one at each address.
    """
    for number, (name, route) in enumerate(prey.routes.items()):
        path = address(route, prey.keys[name])
        for shift in range(number % stride, len(VALUES), stride):
            for who in visitors(route):
                for method in ("get", "post"):
                    plain = Request(who, method, name, path, headers=prey.headers[who])
                    yield from _of_address(prey, shift, plain)


def _of_address(prey: Prey, shift: int, plain: Request) -> Iterator[Request]:
    def values(count: int) -> list[str]:
        return [VALUES[(shift + place) % len(VALUES)] for place in range(count)]

    headers = dict(zip(HEADERS, map(sendable, values(len(HEADERS))), strict=True))
    if shift % DOORS_OPEN:
        headers = {header: value for header, value in headers.items() if header not in DOORS}
    yield replace(plain, headers=plain.headers | headers)
    form = dict(zip(NAMES, map(_text, values(len(NAMES))), strict=True))
    if plain.method == "post":
        yield replace(plain, form=form | {"trial": prey.trial})
    else:
        # In parts, since a server takes no longer line than this.
        for part in batched(form.items(), FIELDS_IN_A_LINE):
            yield replace(plain, form={name: short(value) for name, value in part})
    keys = prey.keys[plain.name]
    for part in re.findall(r"<(?:\w+:)?(\w+)>", prey.routes[plain.name]):
        bad = quote(_text(VALUES[shift])[:200], safe="")
        yield replace(plain, path=address(prey.routes[plain.name], keys | {part: bad}))


def spoiled(page: str, number: int, values: Iterable[str] = VALUES) -> Iterator[dict[str, str]]:
    """Yield the forms of a page as a browser would send them, but with one field hostile at a time.

    Args:
        page: its HTML.
        number: which hostile value the first field gets; the next field gets the next one.
        values: the hostile values.
    """
    inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(page)]
    form = {tag["name"]: unescape(tag.get("value", "")) for tag in inputs if tag.get("name")}
    form.pop("csrfmiddlewaretoken", None)
    listed: Sequence[str] = tuple(values)
    for place, name in enumerate(form):
        yield form | {name: _text(listed[(number + place) % len(listed)])}


def short(value: str, most: int = 150) -> str:
    """Return the beginning of a value that takes no more than this in an address."""
    while len(quote(value)) > most:
        value = value[: len(value) // 2]
    return value


def sendable(value: str) -> str:
    """Return a value as a header can hold it."""
    return _text(value).encode("latin-1", "replace").decode("latin-1")[:4000]


def batched(items: Iterable[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    """Yield the items in lists of so many."""
    listed = list(items)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()
