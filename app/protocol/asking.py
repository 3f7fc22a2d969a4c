"""Owns how a browser asks: with an authorization request, or with the reference to a pushed one."""

from dataclasses import replace

from app import browser_session, clock
from app.config import current_settings
from app.domain import credentials, errors, pushed_requests
from app.domain.client_records import ClientRecord, Standing
from app.limits import spend
from app.protocol import authorization_request, caller, parameters, request_objects
from app.protocol.authorization_request import LocalRefusal
from app.protocol.par import KEPT
from app.protocol.parameters import Parameters

SIGN_IN_PROMPTS = frozenset(("login", "select_account"))
REMEMBERED = 5
"""How many opened requests one browser is remembered by."""
LONGEST = 8000
"""Bytes of a request that fit into every address of ours; a request line takes 8190."""
TOO_LONG = (
    "The request is too long for an address; shorten its state, or send it to the"
    " pushed_authorization_request_endpoint first."
)


def read() -> Parameters:
    """Return what the query asks for; beside a reference nothing in it counts (RFC 9126 section 4).

    Raises LocalRefusal for a reference that does not count.
    """
    sent = parameters.read_query()
    reference = sent.get("request_uri")
    if reference is None or not pushed_requests.is_reference(reference):
        check_length(sent)
        return sent
    mark, session_id = credentials.thumbprint(reference), browser_session.current().session_id
    opened_at, opened_in = opened().get(mark, (None, session_id))
    try:
        pushed = pushed_requests.find(reference, sent.get("client_id") or "", opened_at)
    except errors.InvalidRequestURI as refusal:
        raise LocalRefusal(refusal) from None
    if opened_at is None:
        remember(mark, session_id)
    asked = Parameters(pushed.values, pushed.resources, reference)
    return asked if opened_in == session_id else after_sign_in(asked)


def keep_signed(sent: Parameters) -> Parameters:
    """Keep what a client asks for in a request object; return it with what stands for it.

    Raises LocalRefusal for an object that is not proven: no address in it counts before.
    """
    client = signer(sent.get("client_id") or "")
    try:
        asked = request_objects.opened(sent, client, KEPT)
    except errors.Refusal as refusal:
        raise LocalRefusal(refusal, client) from None
    authorization_request.read(authorization_request.prove_origin(asked), asked)
    if client.is_public:
        spend(current_settings().token_rate_limit, "push", caller.network())
    reference = pushed_requests.push(
        client.client_id,
        asked.values,
        asked.resources,
        lifetime_seconds=current_settings().pushed_request_seconds,
        signed=asked.signed,
        by=caller.actor(),
    )
    return replace(asked, reference=reference)


def signer(client_id: str) -> ClientRecord:
    """Return the active client that may have signed a request; raises LocalRefusal."""
    client = caller.look_up(client_id)
    standing = client.standing(clock.epoch()) if client is not None else Standing.DELETED
    if standing is Standing.PENDING:
        raise LocalRefusal(errors.AccessDenied(caller.waiting_sentence()), client)
    if client is None or standing is not Standing.ACTIVE:
        raise LocalRefusal(errors.InvalidRequest(authorization_request.UNKNOWN))
    return client


def check_length(asked: Parameters) -> None:
    """Raise LocalRefusal for a request that a browser could not bring back here."""
    if len(authorization_request.canonical(asked)) > LONGEST:
        raise LocalRefusal(errors.InvalidRequest(TOO_LONG))


def opened() -> dict[str, tuple[int | None, str | None]]:
    """Return when, and in which session, this browser opened which pushed requests first."""
    noted = browser_session.current().get(browser_session.OPENED, {})
    return {mark: (at, session_id) for mark, (at, session_id) in noted.items()}


def remember(mark: str, session_id: str | None) -> None:
    """Note that this browser has opened a pushed request, so that it may come back to it."""
    earlier = list(opened().items())[-REMEMBERED + 1 :]
    noted = dict(earlier) | {mark: (clock.epoch(), session_id)}
    browser_session.current()[browser_session.OPENED] = noted


def after_sign_in(asked: Parameters) -> Parameters:
    """Return a request without its demand for a fresh sign-in, which was met."""
    prompts = (asked.get("prompt") or "").split()
    prompt = " ".join(each for each in prompts if each not in SIGN_IN_PROMPTS)
    fresh = not (asked.get("max_age") or "").strip("0")
    others = {
        name: value
        for name, value in asked.values.items()
        if name != "prompt" and (name != "max_age" or not fresh)
    }
    return replace(asked, values=others | ({"prompt": prompt} if prompt else {}))
