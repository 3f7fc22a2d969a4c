"""Owns app-wide errors: OAuth JSON for machines, a page for people; never a trace."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from app import browser_session
from app.answers import json_answer, refusal_answer
from app.domain.errors import Refusal, TooManyRequests
from app.extensions import LOST, db
from app.mount import MACHINE_PATHS
from app.views import page

log = structlog.get_logger()
LOSS = "gatewright.loss"
"""Stands in the environment of a request for which the database was asked in vain already."""
MACHINES = frozenset(
    (
        "clients",
        "connection_tokens",
        "device_authorization",
        "discovery",
        "introspect",
        "par",
        "provider_logout",
        "register",
        "revoke",
        "token",
        "userinfo",
    )
)
SENTENCES = {
    400: ("invalid_request", "The request is malformed."),
    403: ("access_denied", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("invalid_request", "This address does not take this method; see the Allow header."),
    413: ("invalid_request", "The request body is too large."),
    414: ("invalid_request", "The address is too long."),
    415: ("invalid_request", "This media type is not supported here."),
    429: ("temporarily_unavailable", "Too many requests; try again later."),
    500: ("server_error", "Something went wrong here; quote the request id when you ask."),
    503: ("temporarily_unavailable", "The database does not answer; try again in a moment."),
}


def init_app(app: Flask) -> None:
    """Handle everything that no door handles itself."""
    app.before_request(demand_database)
    app.register_error_handler(CSRFError, refuse_forgery)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(DataError, refuse_unstorable)
    for lost in LOST:
        app.register_error_handler(lost, answer_lost_database)
    app.register_error_handler(Exception, answer_defect)


def demand_database() -> None:
    """Raise why the database did not answer earlier in this request, if it did not."""
    loss = request.environ.get(LOSS) or browser_session.current().loss
    if loss is not None:
        raise loss


def answer_refusal(refusal: Refusal) -> Response:
    """Answer a refusal in the format of the door that refused."""
    if is_machine():
        return refusal_answer(refusal)
    answer = int(refusal.status), refusal.error, str(refusal.description)
    if not isinstance(refusal, TooManyRequests):
        return error_page(*answer)
    response = error_page(*answer, f"Come back in {refusal.retry_after} seconds.")
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def answer_http_error(error: HTTPException) -> Response:
    """Answer an error of the framework with one of our sentences.

    The framework wraps what was raised too late for a handler: while a refusal was recorded, or
    while the session was stored.
    """
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, LOST):
        return answer_lost_database(cause)
    status = error.code or 500
    code, sentence = SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])
    response = error_answer(status, code, sentence)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def refuse_forgery(_error: CSRFError) -> Response:
    """Refuse a form that did not come from a page of this session."""
    return error_answer(
        400, "invalid_request", "This page is too old or not ours; load it again and retry."
    )


def refuse_unstorable(error: DataError) -> Response:
    """Refuse text that the database cannot hold, such as NUL; nothing was done."""
    db.session.rollback()
    g.current_user = None
    log.warning("unstorable", request_id=g.get("request_id"), kind=type(error.orig).__name__)
    code, _ = SENTENCES[400]
    return error_answer(400, code, "A value holds characters or a length that cannot be stored.")


def answer_lost_database(error: Exception) -> Response:
    """Answer 503 when the database is away or too busy; what is not committed is undone."""
    db.session.rollback()
    g.current_user = None  # the error page must not ask the database
    browser_session.current().loss = error
    log.error("database_unavailable", request_id=g.get("request_id"), kind=type(error).__name__)
    code, sentence = SENTENCES[503]
    response = error_answer(HTTPStatus.SERVICE_UNAVAILABLE, code, sentence)
    response.headers["Retry-After"] = "2"
    return response


def answer_defect(error: Exception) -> Response:
    """Answer 500 with a fixed sentence; the trace is in the log under the request id."""
    db.session.rollback()
    g.current_user = None
    log.error("defect", request_id=g.get("request_id"), exc_info=error)
    code, sentence = SENTENCES[500]
    return error_answer(500, code, sentence)


def error_answer(status: int, code: str, sentence: str) -> Response:
    """Answer in the format of the door."""
    if is_machine():
        return json_answer({"error": code, "error_description": sentence}, status)
    return error_page(status, code, sentence)


def error_page(status: int, code: str, sentence: str, advice: str = "") -> Response:
    """Say an error to a person, and what to do about it."""
    title = "Not found" if status == 404 else "This did not work"
    values = {"title": title, "what": sentence, "code": code, "next_step": advice}
    return page("error.html", status=status, **values)


def is_machine() -> bool:
    """Tell whether the request was for a machine endpoint."""
    return request.blueprint in MACHINES or request.path.startswith(MACHINE_PATHS)
