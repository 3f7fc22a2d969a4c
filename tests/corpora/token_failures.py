"""What goes wrong at a token endpoint like that of Keycloak, and what an operator is told of it."""

import socket
import time
from typing import NamedTuple

from app.exits import OK, REFUSED
from app.outbound.connection_trials import SECONDS
from tests.outbound.conftest import Script
from tests.services.gate import drip, said, silent, token_answer

PATH = "/realms/shop/protocol/openid-connect/token"
HTTP, HTTPS = f"http://127.0.0.1:{{port}}{PATH}", f"https://127.0.0.1:{{port}}{PATH}"
PAGE = b"<!DOCTYPE html><html><body><h1>Keycloak</h1></body></html>"
WAITED = 0.3
"""Who answers later than in so many seconds does so too late, in the tests of that."""


class Case(NamedTuple):
    """One answer with the gist of both sentences about it, a word for it, and the exit code.

    Without an answer nobody listens; ``greets`` answers before it was asked.
    """

    name: str
    answer: Script | None
    code: str
    says: str
    advises: str
    url: str = HTTP
    seconds: float = SECONDS
    greets: bool = False
    exit_code: int = REFUSED


def late(connection: socket.socket) -> None:
    """Answer slowly, but in time."""
    time.sleep(WAITED)
    connection.sendall(token_answer("at-0123456789"))


def error(status: int, code: str, description: str) -> bytes:
    """Write an error as Keycloak does."""
    return said(status, {"error": code, "error_description": description})


def page(status: int, extra: str = "") -> bytes:
    """Write a page for people."""
    return said(status, PAGE, "text/html;charset=UTF-8", extra)


ANSWERS = [
    Case("late", late, "", "A token was got.", "", exit_code=OK),
    Case(
        *("unknown-client", error(401, "invalid_client", "Invalid client credentials")),
        *("invalid_client", "does not know this client", "Compare client_id and authentication"),
    ),
    Case(
        *("unauthorized-client", error(401, "unauthorized_client", "Invalid client secret")),
        *(
            "unauthorized_client",
            "may not ask for a token of its own",
            "client_credentials allowed",
        ),
    ),
    Case(
        *("unknown-scope", error(400, "invalid_scope", "Invalid scopes: a b")),
        *("invalid_scope", "no such scope", "Change the scope of the connection"),
    ),
    Case(
        *("unknown-resource", error(400, "invalid_target", "Not here")),
        *("invalid_target", "no token for the resource", "Change the resource"),
    ),
    Case("bare-401", page(401), "token", "does not know this client", "Compare client_id"),
    Case("bare-403", page(403), "token", "has not allowed it", "allow the client"),
    Case(
        *("no-realm", said(404, {"error": "Realm does not exist"})),
        *("token", "nothing at this URL", "Check the path of the token endpoint"),
    ),
    Case("no-post", said(405), "token", "taken there by POST", "this is the token endpoint"),
    Case(
        *("throttled", said(429, b"slow down", "text/plain", "Retry-After: 30\r\n")),
        *("token", "too busy", "Retry-After may say when"),
    ),
    Case("broken", page(500), "token", "or a proxy before it, failed", "Try again later"),
    Case("bad-gateway", page(502), "token", "or a proxy before it, failed", "Try again later"),
    Case("starting", page(503), "token", "too busy", "Try again later"),
    Case("page", page(200), "token", "no bearer token in the answer", "a page for people"),
    Case(
        *("half-json", said(200, b'{"access_token": "a')),
        *("token", "no bearer token in the answer", "must be a JSON object"),
    ),
    Case("list", said(200, ["a"]), "token", "no bearer token", "must be a JSON object"),
    Case(
        *("number", said(200, {"access_token": 7})),
        *("token", "no bearer token", "must be a JSON object"),
    ),
    Case(
        *("other-kind", token_answer(token_type="DPoP")),
        *("token", "no bearer token", "token_type Bearer"),
    ),
    Case(
        *("sign-in", page(302, "Location: /login\r\n")),
        *("redirect", "It leads elsewhere", "Enter the URL that it leads to"),
    ),
    Case(
        *("huge", said(200, b"{" + b" " * 70000 + b"}")),
        *("size", "longer than any answer", "not of a page for people"),
    ),
    Case(
        *("compressed", page(200, "Content-Encoding: gzip\r\n")),
        *("encoding", "compressed, although that was not asked for", "Accept-Encoding: identity"),
    ),
    Case("silent", silent, "timeout", "no whole answer in time", "is up", seconds=WAITED),
    Case("dripping", drip, "timeout", "no whole answer in time", "is up", seconds=WAITED),
    Case(
        *(
            "ssh",
            b"SSH-2.0-OpenSSH\r\n",
            "protocol",
            "does not speak HTTP",
            "Check scheme and port",
        ),
    ),
    Case("hangs-up", b"", "protocol", "does not speak HTTP", "Check scheme and port"),
]
"""What the endpoint says, as far as it comes to speak."""

PLACES = [
    Case("nobody", None, "network", "Nobody took the connection", "Check that the server runs"),
    Case(
        *("unknown-authority", token_answer(), "tls", "of an unknown authority"),
        *("GATEWRIGHT_OUTBOUND_CA_FILE", HTTPS),
    ),
    Case(
        *("no-tls", b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls", "nothing there speaks TLS"),
        *("https sent to a port of http", HTTPS),
        greets=True,
    ),
    Case(
        *("no-name", None, "dns", "The host has no address", "Check the host for a misspelling"),
        url=f"https://nowhere.example{PATH}",
    ),
    Case(
        *("private-name", None, "address", "not public", "GATEWRIGHT_OUTBOUND_ALLOW"),
        url=f"https://private.example{PATH}",
    ),
    Case(
        *("private-address", None, "address", "not public", "GATEWRIGHT_OUTBOUND_ALLOW"),
        url=f"https://192.168.0.1{PATH}",
    ),
    Case(
        *("not-listed", None, "scheme", "does not begin with https", "GATEWRIGHT_OUTBOUND_ALLOW"),
        url=f"http://localhost:{{port}}{PATH}",
    ),
    Case(
        *("other-port", None, "port", "not the one of https", "GATEWRIGHT_OUTBOUND_ALLOW"),
        url=f"https://id.example:8443{PATH}",
    ),
]
"""Where there is nobody to speak with."""

CASES = [*ANSWERS, *PLACES]
