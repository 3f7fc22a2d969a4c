"""Owns what identity providers let clients do for the people of an organisation, unasked here."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from app import clock
from app.domain import consents, errors, grants
from app.domain.audit import Actor
from app.domain.consents import Consent
from app.domain.grants import TokenRules
from app.extensions import db

ENDED = (
    "The person has removed this client here, so nobody else lets it act for them; they can allow"
    " it themselves by an authorization request."
)


def allow(
    rules: TokenRules,
    *,
    provider: str,
    user_id: str,
    client_id: str,
    scopes: Sequence[str],
    resources: Sequence[str],
    auth_time: int,
    by: Actor,
) -> dict[str, Any]:
    """Return the grant under which a client acts for a person on the word of a provider.

    One grant lasts for many assertions, and has the identifier of its consent. Raises InvalidGrant
    when the person has ended what the client could do: their word counts more.
    """
    held = find(user_id, client_id, Consent.given_by.is_not(None), Consent.revoked_at.is_(None))
    is_alive = held is not None and grants.use(held.id, clock.epoch())
    check_word(user_id, client_id)  # now that whoever ends the grant waits for this request
    wanted: dict[str, Any] = {"scopes": [*scopes], "resources": [*resources]}
    opened: dict[str, Any] = {"user_id": user_id, "auth_time": auth_time}
    if held is not None and is_alive and covers(held, wanted):
        return opened | {"id": held.id}
    if held is not None:  # the newest has all that was wanted so far, so that few are needed
        wanted = {name: sorted({*getattr(held, name), *wanted[name]}) for name in wanted}
    wanted["client_id"] = client_id
    consent_id = consents.give(
        user_id=user_id, session_id="", redirect_uri="", given_by=provider, by=by, **wanted
    )
    return grants.open_new(rules, grant_id=consent_id, **opened, **wanted)


def is_behind(grant_id: str) -> bool:
    """Tell whether a grant was given on the word of a provider, and not by its person."""
    given = select(Consent.id).where(Consent.id == grant_id, Consent.given_by.is_not(None))
    return db.session.scalar(given) is not None


def check_word(user_id: str, client_id: str) -> None:
    """Raise InvalidGrant when the last word of a person about a client was to remove it."""
    has_said = Consent.given_by.is_(None) | Consent.ended_by_person
    last = find(user_id, client_id, has_said)
    if last is not None and last.ended_by_person:
        raise errors.InvalidGrant(ENDED, user_id=user_id)


def find(user_id: str, client_id: str, *more: ColumnElement[bool]) -> Row[Any] | None:
    """Return the newest consent for a person and a client that meets more conditions."""
    query = select(*Consent.__table__.c).where(
        Consent.user_id == user_id, Consent.client_id == client_id, *more
    )
    return db.session.execute(query.order_by(Consent.id.desc()).limit(1)).first()


def covers(held: Row[Any], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether a consent has all scopes and resources that are wanted."""
    return all(set(values) <= set(getattr(held, name)) for name, values in wanted.items())
