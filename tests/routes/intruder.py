"""Somebody with a browser and an app of their own, who has found out everything of another's."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlencode

from werkzeug.test import TestResponse

from app.domain.tokens import TYPE_URN
from app.protocol.connection_tokens import SCOPE as TOKENS
from tests.protocol.machines import PROOF, Machine
from tests.routes.holder import Holder, make
from tests.routes.stage import FORM, REDIRECT, Stage
from tests.routes.table import TABLE, Route

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
DECISIONS = ("/admin/clients/", "/admin/registrations/", "/waiting/approve", "/waiting/reject")
"""Where approvers decide about software for everybody."""
SENT = ("state", "code", "ticket", "access_token", "refresh_token")
"""What of hers somebody might send; the rest of her secrets never comes with a request."""
PLACE = re.compile(r"<(?:\w+:)?\w+>")


def token_of(app: Machine) -> str:
    """Return an access token that an app got for itself, and that opens connections to it."""
    answer = app.post("/token", grant_type="client_credentials", scope=TOKENS)
    assert answer.status_code == 200, answer.text
    return str(answer.json["access_token"])


class Attempt(NamedTuple):
    """What Bob tried, with which of Ada's things, and what came of it."""

    method: str
    address: str
    brought: list[str]
    answer: TestResponse

    def learned(self, hidden: Mapping[str, str]) -> list[str]:
        """Return the names of what Bob reads in the answer and did not bring himself."""
        body = self.answer.data.decode(errors="replace")  # a picture is no text
        said, brought = f"{self.answer.headers}{body}", unquote(" ".join(self.brought))
        return [name for name, each in hidden.items() if each in said and each not in brought]


class Intruder:
    """Bob; he tries with what is Ada's whatever there is to try."""

    def __init__(self, stage: Stage, ada: Holder) -> None:
        self.stage, self.ada, self.app = stage, ada, make(stage, "App of Bob")
        stage.values |= {"client_id": self.app.client_id, "client_secret": self.app.secret}
        self.own_token = token_of(self.app)
        token = ada.secrets["access_token"]
        self.stolen = ada.known_of | {name: ada.secrets[name] for name in SENT}
        self.stolen |= {"token": token, "subject_token": token, "subject_token_type": TYPE_URN}
        self.stolen |= {"code_verifier": PROOF.verifier, "redirect_uri": REDIRECT}

    def attempts(self, path: str, role: str) -> Iterator[Attempt]:
        """Call a path plainly, with what was stolen, and in place of each identifier.

        A member tries the methods too that are not served, for nobody gets beyond them.
        """
        self.sign_in(role)
        served = {route.method: route for route in TABLE if route.path == path}
        for method in METHODS if role == "member" else served:
            if role == "approver" and method == "POST" and path.startswith(DECISIONS):
                continue
            route = served.get(method) or next(iter(served.values()))._replace(method=method)
            plain, moved = self.stage.path_of(route), self.moved(path) if method in served else []
            yield self.attempt(role, route, plain, self.stolen)
            for address in [plain, *moved]:
                yield self.attempt(role, route, address, {})

    def sign_in(self, role: str) -> None:
        """Begin anew where what was tried before has signed Bob out, or in as another."""
        if f"{role}@people.example" not in self.stage.browser(role).get("/").text:
            self.stage.browsers.pop(role)

    def moved(self, path: str) -> list[str]:
        """Return where a route with a place for an identifier would be for each of Ada's."""
        marks = {*self.ada.known_of.values(), self.ada.secrets["state"]}
        addresses = [PLACE.sub(quote(mark, safe=""), path) for mark in sorted(marks)]
        return addresses if PLACE.search(path) else []

    def attempt(self, role: str, route: Route, address: str, stolen: dict[str, str]) -> Attempt:
        """Call a route with everything that it takes."""
        answer = self.call(role, route, address, stolen)
        return Attempt(route.method, address, [address, *stolen.values()], answer)

    def call(self, role: str, route: Route, address: str, stolen: dict[str, str]) -> TestResponse:
        """Send what a route takes, in Bob's name."""
        browser, options = self.stage.browser(role), self.stage.machine_options(route)
        if route.role == "client token":
            options["headers"] = {"Authorization": f"Bearer {self.own_token}"}
        if route.method in ("GET", "HEAD", "DELETE"):
            joint = "&" if "?" in address else "?"
            address += f"{joint}{urlencode(stolen)}" if stolen else ""
        elif "json" not in options:
            options |= {"data": urlencode(self.form(role, route, stolen)), "content_type": FORM}
        return browser.open(address, method=route.method, buffered=True, **options)

    def form(self, role: str, route: Route, stolen: dict[str, str]) -> dict[str, str]:
        """Return the fields of a form, with the CSRF token of Bob's own session."""
        guard = {"csrf_token": self.stage.tokens[role]} if route.csrf == "required" else {}
        return self.stage.form_of(route) | stolen | guard
