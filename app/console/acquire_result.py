"""Owns what a test on the page Acquire shows: its steps, its tokens, and why it was refused."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for

from app.config import current_settings
from app.console import code_runs, explanations, token_facts, twins
from app.console.acquire_form import KINDS, find, tabs
from app.console.code_runs import Answer, Run
from app.console.exchanges import Exchange
from app.console.explanations import Obstacle
from app.console.pages import render_page
from app.console.token_facts import TokenFacts
from app.domain.client_records import ClientRecord

UNSEEN = (
    "The token works, but this client may not see it: it is another client's, for a resource that"
    " this client does not introspect."
)


def show_opened(
    client: ClientRecord,
    wanted: Mapping[str, str],
    scope: str,
    resource: str,
    pushed: Exchange | None = None,
) -> Response:
    """Show the authorization request as a link, and where to paste what came of it."""
    kind = "authorization_code"
    return render_page(
        "acquire_code.html",
        tabs=tabs(kind),
        client=client,
        url=code_runs.address_of(wanted),
        stops=explanations.obstacles(client, kind, scope, resource),
        **step(pushed),
    )


def show_pushed(client: ClientRecord, pushed: Exchange, scope: str, resource: str) -> Response:
    """Show what became of a pushed request (RFC 9126), and the link that refers to it."""
    kind, answer = "authorization_code", pushed.answer
    if pushed.error:
        stops = explanations.obstacles(client, kind, scope, resource)
        return show(kind, client, pushed, error=pushed.error, stops=stops)
    wanted = {"client_id": client.client_id, "request_uri": str(answer.get("request_uri", ""))}
    return show_opened(client, wanted, scope, resource, pushed)


def step(exchange: Exchange | None) -> dict[str, Any]:
    """Return what a page needs to show a call and its answer, if there is one."""
    if exchange is None:
        return {"exchange": None}
    call = exchange.call
    return {
        "exchange": exchange,
        "twins": twins.of_call(call),
        "variables": twins.variables(call),
    }


def show_answer(client: ClientRecord, run: Run, answer: Answer) -> Response:
    """Show an answer of the authorization endpoint that cannot be used."""
    kind, error = "authorization_code", answer.values.get("error", "")
    stops = explanations.obstacles(client, kind, resource=run.resource) if error else []
    return show(kind, client, None, arrival=answer, error=error, stops=stops)


def show_tokens(
    kind: str,
    client: ClientRecord,
    exchange: Exchange,
    *,
    resource: str,
    scope: str = "",
    nonce: str = "",
    arrival: Answer | None = None,
) -> Response:
    """Show a token request, with the tokens it led to taken apart."""
    token, id_token, refresh_token = (
        str(exchange.answer.get(name, "")) for name in ("access_token", "id_token", "refresh_token")
    )
    as_granted = kind == "refresh_token" and not resource
    meant = None if as_granted else resource or current_settings().resource
    return show(
        kind,
        client,
        exchange,
        arrival=arrival,
        error=exchange.error,
        token=token,
        refresh_token=refresh_token,
        facts=token_facts.of_access_token(token, meant),
        id_facts=token_facts.of_id_token(id_token, client.client_id, nonce),
        stops=explanations.obstacles(client, kind, scope, resource) if exchange.error else [],
    )


def show_token(kind: str, client: ClientRecord, exchange: Exchange, token: str) -> Response:
    """Show what an endpoint said to a token that was pasted, and the token taken apart."""
    facts = token_facts.of_access_token(token, None)
    stops = explanations.obstacles(client, kind) if exchange.error else []
    if exchange.answer.get("active") is False and is_active(facts):
        stops.append(Obstacle(UNSEEN, "Look at the client", explanations.client_url(client)))
    return show(kind, client, exchange, error=exchange.error, facts=facts, stops=stops)


def show_registration(exchange: Exchange) -> Response:
    """Show a registration, with the credentials that it gave out."""
    made = find(str(exchange.answer.get("client_id", "")))
    stops = explanations.obstacles(made, "register") if made is not None else []
    return show("register", None, exchange, error=exchange.error, made=made, stops=stops)


def is_active(facts: TokenFacts | None) -> bool:
    """Tell whether a token works by our own state."""
    return facts is not None and facts.state is not None and facts.state.passed


def show(
    kind: str, client: ClientRecord | None, exchange: Exchange | None, *, error: str, **found: Any
) -> Response:
    """Show the steps of a test and what was found."""
    chosen = client.client_id if client is not None else None
    empty = dict.fromkeys(("arrival", "facts", "id_facts", "made"))
    return render_page(
        "acquired.html",
        shown=KINDS[kind],
        tabs=tabs(kind),
        client=client,
        error=error,
        meaning=explanations.meaning(error),
        again_url=url_for("acquire.show_acquire", kind=kind, client_id=chosen),
        **{**empty, "token": "", "refresh_token": "", **found},
        **step(exchange),
    )
