"""Owns calling our own endpoints as a client would, and what is shown of each call."""

import time
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from flask import current_app, g, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.config import current_settings
from app.domain import client_assertions
from app.domain.assertion_keys import BY_SECRET, METHOD
from app.domain.client_records import ClientRecord
from app.extensions import db
from app.outbound import logins
from app.outbound.exhibits import HIDDEN, ISSUED, SENT
from app.outbound.watching import FORM

JSON = "application/json"
USER_AGENT = "Gatewright Acquire"
SHOWN = 8
"""So much of an issued credential is shown, enough to tell its kind."""


@dataclass(frozen=True, slots=True)
class Call:
    """One POST to an endpoint below the issuer: a form, or a body of JSON."""

    path: str
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)
    """Identifier and secret for HTTP Basic."""
    bearer: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Return the address that a client would call."""
        return current_settings().issuer + self.path


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer as they are shown; ``answer`` alone holds credentials."""

    method: str
    url: str
    call: Call = field(repr=False)
    request_headers: Mapping[str, str]
    request_body: str
    status: int
    answer_headers: Mapping[str, str]
    answer_body: str
    milliseconds: float
    request_id: str
    answer: Mapping[str, Any] = field(repr=False)

    @property
    def error(self) -> str:
        """Return the OAuth error of the answer, empty when there is none."""
        return str(self.answer.get("error", ""))


def of_client(client: ClientRecord, path: str, proof: str, parameters: Mapping[str, str]) -> Call:
    """Return a call with which a client proves itself in the way it is registered for."""
    form = {name: value for name, value in parameters.items() if value}
    if client.auth_method == "client_secret_basic":
        return Call(path, form, login=(client.client_id, proof))
    if client.auth_method in (METHOD, BY_SECRET):
        signed = {"client_assertion_type": client_assertions.KIND, "client_assertion": proof}
        return Call(path, form | signed)
    own = {"client_id": client.client_id}
    if client.auth_method == "client_secret_post":
        own["client_secret"] = proof
    return Call(path, form | own)


def run(call: Call) -> Exchange:
    """Make a call through the whole application, with no transaction of this request open.

    It runs in a context of its own, where nothing of the operator's request is known: it has its
    own database session, no cookie, and the operator's address. The request id is the operator's,
    so that audit trail and log tie both together.
    """
    db.session.rollback()
    environ, application = environ_of(call), current_app.wsgi_app
    started = time.perf_counter()
    content, status, answered = Context().run(run_wsgi_app, application, environ, buffered=True)
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return exchange(call, int(status.split()[0]), answered, b"".join(content), milliseconds)


def environ_of(call: Call) -> dict[str, Any]:
    """Return what a server would hand to the application."""
    parts = urlsplit(call.url)
    address = request.remote_addr or ""
    builder = EnvironBuilder(
        path=parts.path,
        base_url=f"{parts.scheme}://{parts.netloc}/",
        method="POST",
        data=(call.body or urlencode(call.form)).encode(),
        headers=headers(call) | {"X-Request-Id": g.get("request_id", "")},
        environ_overrides={"REMOTE_ADDR": address} if address else {},
    )
    return builder.get_environ()


def headers(call: Call, *, hidden: bool = False) -> dict[str, str]:
    """Return the headers of a call, as sent or as shown."""
    found = {"Content-Type": JSON if call.body else FORM, "User-Agent": USER_AGENT}
    if call.login is not None:
        found["Authorization"] = f"Basic {HIDDEN}" if hidden else logins.basic(*call.login)
    if call.bearer:
        found["Authorization"] = f"Bearer {HIDDEN if hidden else call.bearer}"
    return found


def exchange(
    call: Call, status: int, answered: Headers, content: bytes, milliseconds: float
) -> Exchange:
    """Return what is shown of a call and its answer."""
    answer = members(content)
    text = content.decode(errors="replace")
    return Exchange(
        "POST",
        call.url,
        call,
        headers(call, hidden=True),
        call.body or urlencode(without_credentials(call.form), safe="*/:"),
        status,
        dict(answered),
        orjson.dumps(shortened(answer), option=orjson.OPT_INDENT_2).decode() if answer else text,
        milliseconds,
        answered.get("X-Request-Id", ""),
        answer,
    )


def without_credentials(form: Mapping[str, str]) -> dict[str, str]:
    """Return parameters with their credentials hidden."""
    return {name: HIDDEN if name in SENT else value for name, value in form.items()}


def shortened(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with only the beginning of what it issues."""
    return {
        name: f"{str(value)[:SHOWN]}…" if name in ISSUED else value
        for name, value in answer.items()
    }


def members(content: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, none for anything else."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
