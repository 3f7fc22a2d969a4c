"""Owns the client credentials grant (RFC 6749 section 4.4); the client acts for itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.config import current_settings
from app.domain import audit, errors, grant_types, last_use, scopes, tokens
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.resources import Target
from app.protocol.ceilings import check_grant, check_proven, current_keys, rules, target_of
from app.protocol.parameters import Parameters


def is_asked_for(parameters: Parameters) -> bool:
    """Tell whether a client that proves itself by no signature asks for this grant."""
    signed = parameters.get("client_assertion") or parameters.get("client_assertion_type")
    return parameters.get("grant_type") == grant_types.CLIENT and signed is None


def issue(
    client: ClientRecord,
    parameters: Parameters,
    *,
    by: Actor,
    decided_at: Mapping[str, int] | None = None,
    jkt: str | None = None,
) -> dict[str, Any]:
    """Grant what was asked, all or nothing: no person is there to see a narrowing.

    Raises Changed when it is decided by generations that may be old, and are.
    """
    check_grant(client, grant_types.CLIENT)
    check_proven(client, jkt)
    target = target_of(client, parameters.resources)
    answer = tokens.mint(
        rules(current_settings()),
        current_keys(),
        client_id=client.client_id,
        subject=client.client_id,
        scopes=granted(client, target, scopes.split(parameters.get("scope"))),
        audience=target.audience,
        seconds=client.access_token_seconds or target.access_token_seconds,
        more=tokens.bound(jkt),
    )
    audit.record_alone(
        Tag.TOKEN_ISSUED,
        client.client_id,
        by=by,
        client_id=client.client_id,
        decided_at=decided_at,
        grant_type=grant_types.CLIENT,
        scope=answer.get("scope", ""),
        resources=list(target.audience),
    )
    last_use.touch(client.client_id, clock.epoch())
    return answer


def granted(client: ClientRecord, target: Target, asked: Sequence[str]) -> Sequence[str]:
    """Return the scopes that were asked for, else all that are allowed; raises InvalidScope."""
    allowed = (client.scopes & target.scopes) - frozenset(scopes.BUILT_IN)
    if not set(asked) <= allowed:
        raise errors.InvalidScope(
            "A requested scope is unknown or not allowed for this client at this resource."
        )
    return asked or sorted(allowed)
