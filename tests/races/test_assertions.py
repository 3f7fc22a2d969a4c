"""Assertions of identity providers: of many uses at once one gives a token (F-06, promise 1)."""

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import pytest

from app.domain import (
    admissions,
    client_metadata,
    credentials,
    federated_identities,
    generations,
    grant_types,
    identity_providers,
    scopes,
    signing_keys,
)
from app.domain.audit import SERVER
from app.domain.client_metadata import MetadataRules
from app.domain.identity_assertions import TYPE
from app.domain.identity_provider_drafts import Draft
from app.extensions import db
from tests.races.cast import Cast, Machine, spread
from tests.races.history import History, check_valid, not_exactly_once
from tests.races.wire import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
THREADS = 8
ROUNDS = 10


@pytest.fixture
def agent(cast: Cast) -> Machine:
    """Return a client that may bring assertions, of which this server itself is the provider."""
    wanted = {
        "client_name": "Agent",
        "grant_types": [grant_types.ASSERTION],
        "token_endpoint_auth_method": "client_secret_post",
    }
    metadata = client_metadata.parse(wanted, MetadataRules(grant_types=grant_types.BY_HAND))
    issuer, keys = cast.settings.issuer, cast.app.extensions["gatewright.keys"]
    draft = Draft(issuer=issuer, client_id="x", client_secret="x", vouches=True)
    with cast.app.app_context():
        signing_keys.ensure(keys["signing keys"], by=SERVER)
        scopes.create("notes:read", "Read notes", by=SERVER)
        identity_providers.create("itself", draft, keys["identity providers"], by=SERVER)
        federated_identities.link(
            cast.user_id,
            issuer=issuer,
            subject="ada-there",
            provider="itself",
            made_account=False,
            by=SERVER,
        )
        client, issued = admissions.create(metadata, by=SERVER, allowed=["notes:read"])
        db.session.commit()
        return Machine(client.client_id, issued.client_secret)


def assertion(cast: Cast, agent: Machine) -> str:
    """Return an assertion about the person."""
    now, issuer = int(time.time()), cast.settings.issuer
    claims = {
        "iss": issuer,
        "sub": "ada-there",
        "aud": issuer,
        "client_id": agent.client_id,
        "jti": credentials.new_id(),
        "iat": now,
        "exp": now + 300,
    }
    with cast.app.app_context():
        sealing_key = cast.app.extensions["gatewright.keys"]["signing keys"]
        keys = signing_keys.current(sealing_key, generations.read()["keys"])
        return signing_keys.sign(keys, TYPE, claims)


def test_of_eight_uses_of_an_assertion_one_gets_a_token(
    cast: Cast,
    two_servers: Callable[..., tuple[str, str]],
    history: History,
    agent: Machine,
) -> None:
    allowed = urlsplit(cast.settings.issuer).netloc
    servers = two_servers(id_jag_enabled=True, outbound_allow=allowed)

    def bring(server: str, text: str) -> Reply:
        return agent.post(server, "/token", grant_type=grant_types.ASSERTION, assertion=text)

    for server in servers:  # each keeps the keys from now on
        assert bring(server, assertion(cast, agent)).status == 200
    for _ in range(ROUNDS):
        text = assertion(cast, agent)
        calls = [partial(bring, server, text) for server in spread(THREADS, servers)]
        history.race("bring", text, calls)

    check_valid(history, "bring")
    assert not_exactly_once(history, "bring") == [], history.summary()
    lost = [each.result.body["error"] for each in history.operations if each.outcome == "fail"]
    assert set(lost) == {"invalid_grant"}
    issued = "SELECT count(*) FROM audit_events WHERE tag = 'token.issued'"
    assert cast.column(issued) == [ROUNDS + len(servers)]
