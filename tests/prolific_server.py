"""Prolific's API as its documentation describes it (docs.prolific.com/api-reference), as a real server on this machine.

It is strict: a request that the documentation does not describe is a fault, which `Prolific.faults` keeps for the test.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

TOKEN: Final = "a-token-of-mara-0123456789"
_REQUIRED: Final = {
    "name": str,
    "description": str,
    "external_study_url": str,
    "prolific_id_option": str,
    "completion_codes": list,
    "total_available_places": int,
    "estimated_completion_time": int,
    "reward": int,
}
_OPTIONAL: Final = {"internal_name": str, "device_compatibility": list}
_CODE_TYPES: Final = {
    *("COMPLETED", "FAILED_ATTENTION_CHECK", "FOLLOW_UP_STUDY", "GIVE_BONUS", "INCOMPATIBLE_DEVICE"),
    *("NO_CONSENT", "OTHER", "FIXED_SCREENOUT"),
}
_STEPS: Final = {
    "PUBLISH": ({"UNPUBLISHED"}, "ACTIVE"),
    "PAUSE": ({"ACTIVE"}, "PAUSED"),
    "START": ({"PAUSED"}, "ACTIVE"),
    "STOP": ({"ACTIVE", "PAUSED"}, "AWAITING REVIEW"),
}
Answer = tuple[int, Any]


class Prolific:
    """What the server holds, what it was asked, and how it is to answer next.

    Attributes:
        studies: by id.
        submissions: of each study, by its id.
        asked: method and path of each request, in order.
        faults: what the documentation does not allow.
        before: is called before each answer, in the server's thread.
        instead: answers in the place of the next ones: status, headers and text; None for the usual one.
        after: is as `instead`, but the request is carried out first.
        waits: seconds before each answer.
    """

    def __init__(self) -> None:
        self.studies: dict[str, dict[str, Any]] = {}
        self.submissions: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.before: Callable[[], None] = lambda: None
        self.instead: list[tuple[int, dict[str, str], str] | None] = []
        self.after: list[tuple[int, dict[str, str], str] | None] = []
        self.waits = 0.0
        self.pages = True
        self.address = ""
        self._lock = threading.Lock()
        self._query: dict[str, list[str]] = {}

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        """Carry a request out."""
        known: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("GET", r"users/me/", self._me),
            ("GET", r"studies/", self._list),
            ("POST", r"studies/", self._create),
            ("GET", r"studies/(\w+)/", self._study),
            ("PATCH", r"studies/(\w+)/", self._change),
            ("POST", r"studies/(\w+)/transition/", self._transition),
            ("GET", r"studies/(\w+)/submissions/", self._submissions),
            ("POST", r"study-cost-calculator/", self._cost),
            ("POST", r"submissions/bulk-approve/", self._approve),
        )
        for by, pattern, act in known:
            found = re.fullmatch(f"/api/v1/{pattern}", path)
            if method == by and found:
                if found.groups() and found[1] not in self.studies:
                    return 404, _error(404, "Not found.")
                with self._lock:
                    self._query = query
                    return act(*found.groups(), body=body)
        return self._fault(f"{method} {path} is not documented")

    def add(self, remote: str, person: str, submission: str, status: str, code: str = "") -> None:
        """Let a person hand in a submission."""
        one = {"id": submission, "participant_id": person, "status": status, "study_code": code or None}
        self.submissions[remote].append(one | {"started_at": "2026-11-27T10:00:00Z"})

    def _me(self, body: Any) -> Answer:
        return 200, {"id": "5f00c0ffee", "email": "mara@example.org", "name": "Mara", "currency_code": "GBP"}

    def _list(self, body: Any) -> Answer:
        keys = ("id", "name", "internal_name", "status")
        return 200, {"results": [{key: study[key] for key in keys} for study in self.studies.values()]}

    def _create(self, body: Any) -> Answer:
        for name, kind in _REQUIRED.items():
            if type(body.get(name)) is not kind:
                return self._fault(f"{name} must be {kind.__name__}")
        if unknown := set(body) - set(_REQUIRED) - set(_OPTIONAL):
            return self._fault(f"unknown: {unknown}")
        codes = body["completion_codes"]
        for code in codes:
            if set(code) != {"code", "code_type", "actions"} or code["code_type"] not in _CODE_TYPES:
                return self._fault(f"no such code: {code}")
            if code["actions"] != [{"action": "MANUALLY_REVIEW"}]:
                return self._fault("a code that acts by itself")
        if len({code["code"] for code in codes}) < len(codes):
            return 400, _error(400, {"completion_codes": ["Codes must be unique."]})
        url = body["external_study_url"]
        if not all(f"{name}={{{{%{name}%}}}}" in url for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")):
            return self._fault("the address does not say who comes")
        if body["reward"] * 60 / body["estimated_completion_time"] < 600:
            return 400, _error(400, {"reward": ["The reward is below the minimum of £6.00 an hour."]})
        remote = f"{len(self.studies) + 1:024x}"
        self.studies[remote] = {
            **body,
            "id": remote,
            "status": "UNPUBLISHED",
            "places_taken": 0,
            "total_cost": round(body["reward"] * body["total_available_places"] * 4 / 3),
            "presentment_currency_code": "GBP",
        }
        self.submissions[remote] = []
        return 201, self.studies[remote]

    def _study(self, remote: str, body: Any) -> Answer:
        return 200, self.studies[remote]

    def _change(self, remote: str, body: Any) -> Answer:
        study = self.studies[remote]
        if set(body) != {"total_available_places"}:
            return self._fault(f"only places change here, not {set(body)}")
        if body["total_available_places"] <= study["total_available_places"]:
            return 400, _error(400, "Places can only be increased.")
        study.update(body)
        return 200, study

    def _transition(self, remote: str, body: Any) -> Answer:
        study = self.studies[remote]
        if set(body) != {"action"} or body["action"] not in _STEPS:
            return self._fault(f"no such transition: {body}")
        possible, then = _STEPS[body["action"]]
        if study["status"] not in possible:
            return 400, _error(400, f"The study is {study['status']}.")
        study["status"] = then
        return 200, study

    def _submissions(self, remote: str, body: Any) -> Answer:
        query = self._query
        if set(query) != {"limit", "offset"}:
            return self._fault(f"unknown parameters: {set(query)}")
        found = self.submissions[remote]
        if self.pages:
            start, limit = int(query["offset"][0]), int(query["limit"][0])
            found = found[start : start + limit]
        return 200, {"results": found, "meta": {"count": len(self.submissions[remote])}}

    def _cost(self, body: Any) -> Answer:
        if set(body) != {"total_available_places", "estimated_completion_time", "reward"}:
            return self._fault("unknown fields of the calculator")
        rewards = body["reward"] * body["total_available_places"]
        return 200, {"rewards": rewards, "fees": rewards // 3, "vat": 0, "total_cost": rewards + rewards // 3}

    def _approve(self, body: Any) -> Answer:
        ids = body.get("submission_ids")
        if set(body) != {"submission_ids"} or not ids or len(ids) > 1000:
            return self._fault("bulk-approve takes 1 to 1,000 submission_ids")
        known = {one["id"]: one for some in self.submissions.values() for one in some}
        for each in ids:
            if each not in known or known[each]["status"] != "AWAITING REVIEW":
                return 400, _error(400, f"{each} cannot be approved.")
        for each in ids:
            known[each]["status"] = "APPROVED"
        return 200, "The request to bulk approve has been made successfully."

    def _fault(self, said: str) -> Answer:
        self.faults.append(said)
        return 400, _error(400, said)


def _error(status: int, detail: Any) -> dict[str, Any]:
    return {"error": {"status": status, "error_code": 140100, "title": "Bad request", "detail": detail}}


class _Handler(BaseHTTPRequestHandler):
    prolific: Prolific

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def _serve(self) -> None:
        mine = self.prolific
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        parts = urlsplit(self.path)
        mine.asked.append((self.command, parts.path))
        mine.before()
        time.sleep(mine.waits)
        text: Any
        if mine.instead and (other := mine.instead.pop(0)):
            status, headers, text = other
        else:
            status, headers, text = 0, {}, self._usual(parts.path, parse_qs(parts.query), sent)
            if mine.after and (other := mine.after.pop(0)):
                status, headers, text = other
        if status < 0:
            # The connection breaks.
            self.close_connection = True
            return
        if not status:
            status, text = text[0], json.dumps(text[1])
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _usual(self, path: str, query: dict[str, list[str]], sent: bytes) -> Answer:
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return 401, _error(401, "Invalid token.")
        if self.command == "GET":
            body = None
            if sent:
                self.prolific.faults.append("a GET with a body")
        elif "application/json" not in (self.headers.get("Content-Type") or ""):
            self.prolific.faults.append("a body that says not that it is JSON")
            return 415, _error(415, "Unsupported media type")
        else:
            body = json.loads(sent)
        return self.prolific.answer(self.command, path, query, body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Prolific]:
    """Run the server while the block runs; its faults fail the test."""
    prolific = Prolific()
    handler = type("Handler", (_Handler,), {"prolific": prolific})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    prolific.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield prolific
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert prolific.faults == []
