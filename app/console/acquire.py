"""Acquire: get a token as one of our clients, through the real endpoints, and see what happened."""

from flask import Response, request

from app.console import code_runs
from app.console.acquire_form import (
    KINDS,
    chosen_client,
    redirect_uri_of,
    required,
    resource_of,
    scope_of,
    secret,
    show_form,
    tabs,
)
from app.console.acquire_result import (
    show_answer,
    show_opened,
    show_pushed,
    show_registration,
    show_token,
    show_tokens,
)
from app.console.code_runs import Answer, Run
from app.console.exchanges import Call, of_client, run
from app.console.forms import Form
from app.console.pages import asked, console_blueprint, render_page, requires

bp = console_blueprint("acquire", __name__, "/acquire")
NOTHING_WAITS = (
    "No run of this client waits in this browser: it was finished, or ten minutes have passed."
    " Make the authorization request again."
)


@bp.get("/")
def show_acquire() -> Response:
    """Show the form of one kind of test; the address names kind and client."""
    kind = asked("kind")
    return show_form(kind if kind in KINDS else next(iter(KINDS)), Form())


@bp.get("/inspect")
def inspect_token() -> Response:
    """Show the page that takes a token apart in the browser."""
    return render_page("acquire_inspect.html", tabs=tabs("inspect"))


@bp.post("/client-credentials")
@requires("approver")
def acquire_alone() -> Response:
    """Get a token for a client itself (RFC 6749 section 4.4)."""
    form, client = Form(), chosen_client()
    scope, resource = scope_of(form), resource_of(form)
    if form.faults or client is None:
        return show_form("client_credentials", form)

    sent = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
    exchange = run(of_client(client, "/token", secret("proof"), sent))
    return show_tokens("client_credentials", client, exchange, scope=scope, resource=resource)


@bp.post("/authorization")
@requires("approver")
def begin_code() -> Response:
    """Make the authorization request, which the operator's browser then opens."""
    form, client = Form(), chosen_client()
    scope, resource = scope_of(form), resource_of(form)
    redirect_uri = redirect_uri_of(form, client)
    if form.faults or client is None:
        return show_form("authorization_code", form)

    wanted = code_runs.begin(client, redirect_uri, scope, resource)
    if not client.pushes:
        return show_opened(client, wanted, scope, resource)
    pushed = run(of_client(client, "/par", secret("proof"), wanted))
    return show_pushed(client, pushed, scope, resource)


@bp.post("/code")
@requires("approver")
def redeem_code() -> Response:
    """Check the address that the browser ended at, and exchange its code."""
    form, client = Form(), chosen_client()
    waiting = code_runs.waiting(client.client_id) if client is not None else None
    if client is None or waiting is None:
        form.faults["client_id"] = NOTHING_WAITS
        return show_form("authorization_code", form)
    address = request.form.get("address", "").strip()[: code_runs.LONGEST]
    answer = code_runs.take(waiting, address)
    if not answer.code:
        return show_answer(client, waiting, answer)

    exchange = run(of_client(client, "/token", secret("proof"), redemption(waiting, answer)))
    return show_tokens(
        "authorization_code",
        client,
        exchange,
        resource=waiting.resource,
        nonce=waiting.nonce,
        arrival=answer,
    )


def redemption(waiting: Run, answer: Answer) -> dict[str, str]:
    """Return the parameters that exchange a code (RFC 6749 section 4.1.3)."""
    return {
        "grant_type": "authorization_code",
        "code": answer.code,
        "redirect_uri": waiting.redirect_uri,
        "code_verifier": waiting.verifier,
        "resource": waiting.resource,
    }


@bp.post("/refresh")
@requires("approver")
def refresh() -> Response:
    """Exchange a refresh token (RFC 6749 section 6)."""
    form, client = Form(), chosen_client()
    scope, resource = scope_of(form), resource_of(form)
    token = required(form, "refresh_token", "The refresh token")
    if form.faults or client is None:
        return show_form("refresh_token", form)

    wanted = {"scope": scope, "resource": resource}
    sent = {"grant_type": "refresh_token", "refresh_token": token} | wanted
    exchange = run(of_client(client, "/token", secret("proof"), sent))
    return show_tokens("refresh_token", client, exchange, scope=scope, resource=resource)


@bp.post("/introspect")
@requires("approver")
def introspect() -> Response:
    """Ask about a token as a client (RFC 7662)."""
    return send_token("introspect")


@bp.post("/revoke")
@requires("approver")
def revoke() -> Response:
    """End a token as a client (RFC 7009)."""
    return send_token("revoke")


def send_token(kind: str) -> Response:
    """Send a token to the endpoint that is called like the kind of test."""
    form, client = Form(), chosen_client()
    token = required(form, "token", "The token")
    if form.faults or client is None:
        return show_form(kind, form)

    exchange = run(of_client(client, f"/{kind}", secret("proof"), {"token": token}))
    return show_token(kind, client, exchange, token)


@bp.post("/register")
@requires("approver")
def register() -> Response:
    """Register a client as a stranger, or with an initial access token (RFC 7591)."""
    form = Form()
    metadata = request.form.get("metadata", "").strip()
    if not metadata:
        form.faults["metadata"] = "The client metadata are missing."
        return show_form("register", form)

    exchange = run(Call("/register", body=metadata, bearer=secret("initial_access_token")))
    return show_registration(exchange)
