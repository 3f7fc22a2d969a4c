"""Where connections ask for tokens: endpoints that issuers name, and how far each may lead."""

from dataclasses import replace

import pytest

from app.outbound import connection_tokens
from app.outbound.errors import OutboundError
from tests.domain.held_connections import GOOD
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.pools import hold as hold
from tests.outbound.pools import manager as manager
from tests.outbound.pools import of_environment
from tests.outbound.sites import OAUTH
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer


def test_the_endpoint_of_an_issuer_is_looked_for_once_an_hour(app, site, hold, manager, clock):
    server = site()
    app.extensions["gatewright.outbound"].allow |= {server.name}
    server.pages[OAUTH] = said(
        200, {"issuer": server.origin, "token_endpoint": f"{server.origin}/t"}
    )
    server.pages["POST /t"] = token_answer(expires_in=600)
    hold(token_endpoint="", issuer=server.origin)

    for seconds in (0, 600, 2999):
        clock.advance(seconds)
        manager().token()
    assert server.asked == [f"GET {OAUTH}", *["POST /t"] * 3]
    clock.advance(601)
    manager().token()
    assert server.asked[4:] == [f"GET {OAUTH}", "POST /t"]


def test_an_issuer_without_metadata_gives_no_token(app, site, hold, manager):
    server = site()
    app.extensions["gatewright.outbound"].allow |= {server.name}
    hold(token_endpoint="", issuer=server.origin)

    with pytest.raises(OutboundError) as raised:
        manager().token()
    assert raised.value.reason == "metadata"


def test_people_reach_what_strangers_may_and_the_environment_what_an_operator_may(
    app, endpoint, hold, manager
):
    server = endpoint()
    app.extensions["gatewright.outbound"].allow = frozenset()
    hold(token_endpoint=server.url)
    with pytest.raises(OutboundError) as raised:
        manager().token()
    assert (raised.value.reason, server.requests) == ("scheme", [])

    draft = replace(GOOD, token_endpoint=server.url)
    of_environment(app, draft)
    assert manager().token() == "at-0123456789"


def test_metadata_that_the_environment_named_lead_elsewhere_only_as_a_strangers_would(
    app, site, endpoint, hold, manager
):
    """S-01: the issuer is trusted, what it names at another origin is not."""
    server, elsewhere = site(), endpoint()
    app.extensions["gatewright.outbound"].allow = frozenset()
    held = connection_tokens.Held("c", replace_login(app, hold, manager), server.origin)
    metadata = connection_tokens.ServerMetadata(server.origin, elsewhere.url)

    assert not held.login.strange
    assert held.at(metadata).strange
    assert not held.at(replace(metadata, token_endpoint=f"{server.origin}/t")).strange


def replace_login(app, hold, manager):
    """Return the login of a connection of the environment."""
    hold()
    of_environment(app, GOOD)
    return manager().login
