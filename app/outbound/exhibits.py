"""Owns what an operator sees of an exchange: credentials masked, and the same request as curl."""

import base64
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any
from urllib.parse import quote_plus, urlencode

import orjson

from app.outbound import json_answers
from app.outbound.client import Answer
from app.outbound.errors import Reason
from app.outbound.watching import Exchange

SENT = ("client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token")
"""Parameters whose values are credentials."""
ISSUED = (
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "registration_access_token",
)
"""Members of answers whose values are credentials."""
AUTHORIZING = ("authorization", "proxy-authorization")
HIDDEN = "***"
LONGEST_BODY, LONGEST_HEADER = 8000, 500
_ISSUED_IN_TEXT = re.compile(rf"""((?:{"|".join(ISSUED)})["']?\s*[:=]\s*["']?)[^\s"'&,}}]+""")
"""Where a body that is no JSON object says a credential all the same."""

ENCODED = "# CLIENT_SECRET is form-encoded before it goes into HTTP Basic (RFC 6749 section 2.3.1)"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One exchange for reading; without ``status`` there was no answer, for a reason."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None
    reason: Reason | None
    answer_headers: Mapping[str, str]
    answer_body: str
    took_ms: int
    curl: str


def of(exchange: Exchange, secrets: Collection[str]) -> Exhibit:
    """Return what is shown of an exchange; also where an answer quotes one of the secrets.

    Whoever answers may quote what was sent, so everything of theirs is searched.
    """
    hidden = sorted(credentials_in(exchange, secrets), key=len, reverse=True)
    answer = exchange.answer
    return Exhibit(
        exchange.method,
        exchange.url,
        headers_of(exchange.headers, hidden),
        request_body(exchange),
        answer.status if answer else None,
        exchange.reason,
        headers_of(answer.headers, hidden) if answer else {},
        answer_body(answer, hidden) if answer else "",
        exchange.took_ms,
        curl(exchange),
    )


def credentials_in(exchange: Exchange, secrets: Collection[str]) -> set[str]:
    """Return the credentials of an exchange, as they are and as they are written on the way."""
    found = {*secrets, *(quote_plus(each) for each in secrets)}
    found |= {value for name, value in exchange.form.items() if name in SENT}
    found.add(exchange.headers.get("Authorization", "").partition(" ")[2])
    if exchange.answer:
        issued = json_answers.members(exchange.answer)
        values = (value for name, value in issued.items() if name in ISSUED)
        found |= {value for value in values if isinstance(value, str)}
    return found - {""}


def masked(value: Any, hidden: Collection[str]) -> Any:
    """Return a JSON value without credentials, wherever in it they are."""
    if isinstance(value, str):
        return without(value, hidden)
    if isinstance(value, list):
        return [masked(each, hidden) for each in value]
    if isinstance(value, dict):
        return {
            without(name, hidden): HIDDEN if name in ISSUED else masked(each, hidden)
            for name, each in value.items()
        }
    return value


def without(text: str, hidden: Collection[str]) -> str:
    """Return a text without credentials."""
    for value in hidden:
        text = text.replace(value, HIDDEN)
    return text


def headers_of(headers: Mapping[str, str], hidden: Collection[str]) -> dict[str, str]:
    """Return headers for reading."""
    return {name: header(name.lower(), value, hidden) for name, value in headers.items()}


def header(name: str, value: str, hidden: Collection[str]) -> str:
    """Return the value of a header for reading; of a credential only the scheme is left."""
    if name in AUTHORIZING:
        return f"{value.partition(' ')[0]} {HIDDEN}"
    return HIDDEN if name == "set-cookie" else without(value, hidden)[:LONGEST_HEADER]


def request_body(exchange: Exchange) -> str:
    """Return a body that was sent, for reading."""
    form = {name: HIDDEN if name in SENT else value for name, value in exchange.form.items()}
    return urlencode(form, safe="*/:") if form else exchange.content.decode(errors="replace")


def answer_body(answer: Answer, hidden: Collection[str]) -> str:
    """Return a body that was answered, for reading; a JSON object is written in lines."""
    members = json_answers.members(answer)
    if members:
        shown = orjson.dumps(masked(members, hidden), option=orjson.OPT_INDENT_2).decode()
    else:
        text = without(answer.content.decode(errors="replace"), hidden)
        shown = _ISSUED_IN_TEXT.sub(rf"\1{HIDDEN}", text)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in shown[:LONGEST_BODY])


def curl(exchange: Exchange) -> str:
    """Write a request as a command for a shell; credentials come from its environment."""
    lines = [f"curl -sS {quote(exchange.url)}", *written_headers(exchange)]
    for name, value in exchange.form.items():
        written = f'"${name.upper()}"' if name in SENT else quote(value)
        lines.append(f"--data-urlencode {name}={written}")
    if exchange.headers.get("Authorization", "").startswith("Basic "):
        lines[0] = f"{ENCODED}\n{lines[0]}"
    return " \\\n  ".join(lines)


def written_headers(exchange: Exchange) -> Iterator[str]:
    """Yield the headers of a request as options of curl; it sets that of a form by itself."""
    for name, value in exchange.headers.items():
        scheme, _, credential = value.partition(" ")
        if name == "Authorization" and scheme == "Basic":
            client_id = base64.b64decode(credential).decode().partition(":")[0]
            yield f'-u {quote(f"{client_id}:")}"$CLIENT_SECRET"'
        elif name == "Authorization":
            yield f'-H "Authorization: {scheme} $TOKEN"'
        elif name != "Content-Type" or not exchange.form:
            yield f"-H {quote(f'{name}: {value}')}"
