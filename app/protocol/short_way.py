"""Owns the short way of the plainest token request, which does without the framework.

A client that proves itself by its secret and asks for a token of its own is answered here, if it
gets one. Everything else, and whatever is to be refused, goes to the framework as it came and is
judged there by the same functions; so nothing is granted here that would not be granted there.

The generation counters are not read first: a request is decided by those that the last one saw,
and the statement that records the token does so only while they are still true.
"""

import io
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from authlib.oauth2 import OAuth2Error
from flask import Flask

from app import logs, security
from app.answers import NOT_KEPT
from app.config import Settings
from app.domain.audit import Actor
from app.domain.generations import Changed
from app.encryption import IN_CLEAR
from app.errors import LOSS
from app.extensions import LOST, commit
from app.protocol import caller, client_credentials
from app.protocol.parameters import FORM, collect, pairs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()
PATH = "/token"
LONGEST_BODY = 4096
"""No setting allows less."""
UNUSUAL = (
    "HTTP_CONTENT_ENCODING",
    "HTTP_COOKIE",
    "HTTP_DPOP",
    "HTTP_TRANSFER_ENCODING",
    IN_CLEAR,
)


class ShortWay:
    """Stands in front of the framework: answers what it can grant and hands everything else on."""

    def __init__(self, app: Flask, application: "WSGIApplication") -> None:
        """Prepare what is the same in all answers."""
        settings: Settings = app.extensions["gatewright.settings"]
        self.app, self.application = app, application
        common = {"Content-Type": "application/json", **NOT_KEPT}
        self.headers = [*(common | security.machine_headers(settings)).items()]
        self.seen: dict[str, int] | None = None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a token request, or let the framework answer."""
        if self.is_plain(environ):
            started = time.perf_counter()
            request_id = logs.request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
            answer = self.grant(environ, request_id)
            if answer is not None:
                content = orjson.dumps(answer)
                own = [("Content-Length", str(len(content))), ("X-Request-Id", request_id)]
                start_response("200 OK", [*self.headers, *own])
                address = environ.get("REMOTE_ADDR")
                logs.write(
                    request_id, started, method="POST", path=PATH, status=200, address=address
                )
                return [content]
        return self.application(environ, start_response)

    def is_plain(self, environ: "WSGIEnvironment") -> bool:
        """Tell whether a request is for the token endpoint and nothing about it is unusual."""
        length = environ.get("CONTENT_LENGTH", "")
        return (
            environ.get("PATH_INFO") == PATH
            and environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE") == FORM
            and not environ.get("QUERY_STRING")
            and length.isdecimal()
            and len(length) <= len(str(LONGEST_BODY))
            and int(length) <= LONGEST_BODY
            and not any(name in environ for name in UNUSUAL)
        )

    def grant(self, environ: "WSGIEnvironment", request_id: str) -> dict[str, Any] | None:
        """Return a token answer; None when another grant is asked for or the answer is no."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            parameters = collect(pairs(body))
            if not client_credentials.is_asked_for(parameters):
                return None
            with self.app.app_context():
                seen = self.seen = caller.current_generations(self.seen)
                client = caller.proven(parameters, environ.get("HTTP_AUTHORIZATION"))
                address = environ.get("REMOTE_ADDR") or ""
                by = Actor("client", client.client_id, client.name[:255], address[:64], request_id)
                answer = client_credentials.issue(client, parameters, by=by, decided_at=seen)
                commit()
        except (OAuth2Error, Changed):
            self.seen = None
            return None
        except LOST as loss:
            environ[LOSS] = loss  # the framework answers it and does not wait once more
            return None
        except Exception as error:  # noqa: BLE001  # the framework meets it again and answers it
            log.warning("short_way_failed", request_id=request_id, kind=type(error).__name__)
            return None
        return answer
