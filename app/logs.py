"""Owns the log: JSON lines, one for each request, with its request id and never a credential."""

import logging
import re
import sys
import time

import orjson
import structlog
from flask import Flask, Response, g, request

from app.config import Settings
from app.domain import credentials

REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{8,64}\Z")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def init_app(app: Flask) -> None:
    """Configure the log once for the process and hook the requests of this application."""
    settings: Settings = app.extensions["gatewright.settings"]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=to_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.log_level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Authlib writes whole tokens at DEBUG
    logging.getLogger("authlib").setLevel(logging.INFO)
    app.before_request(begin)
    app.after_request(finish)


def hush() -> None:
    """Log defects only: a command says itself, in its one line, what went wrong elsewhere."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(LEVELS["error"]))


def to_line(event: object, **_options: object) -> str:
    """Write an event as one line; control characters are escaped by JSON."""
    return orjson.dumps(event, default=str).decode()


def begin() -> None:
    """Give the request its id: the caller's when it is plain, else a new one."""
    g.request_id = request_id_of(request.headers.get("X-Request-Id", ""))
    g.started = time.perf_counter()


def request_id_of(presented: str) -> str:
    """Return the caller's request id when it is plain, else a new one."""
    return presented if REQUEST_ID.match(presented) else credentials.new_id()


def finish(response: Response) -> Response:
    """Answer with the request id and write the access line, without query and body."""
    request_id = g.get("request_id", "")
    response.headers["X-Request-Id"] = request_id
    write(
        request_id,
        g.get("started", 0),
        method=request.method,
        path=request.path[:200],
        status=response.status_code,
        address=request.remote_addr,
    )
    return response


def write(request_id: str, started: float, **facts: str | int | None) -> None:
    """Write the access line of a request; ``started`` is a reading of the performance counter."""
    structlog.get_logger().info(
        "request",
        request_id=request_id,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
        **facts,
    )
