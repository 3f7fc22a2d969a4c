"""The server with the defect that the checker must find: it finds a code, mints, then deletes it.

This is what the documentation of the library shows, and what house law 4 forbids.
"""

from typing import Any

from sqlalchemy import delete

from app.domain import authorization_codes, credentials, errors, grants
from app.domain.audit import Actor
from app.domain.authorization_codes import FAILED, AuthorizationCode, Redeemed
from app.domain.grants import TokenRules
from app.extensions import db


def redeem(
    rules: TokenRules, row: AuthorizationCode, *, by: Actor, methods: str = "", **_beside: Any
) -> Redeemed:
    """Open a grant for a code that was found a moment ago, and delete the code."""
    if row.spent_at is not None:
        raise errors.InvalidGrant(FAILED, reason="used")
    code_digest, nonce = row.code_digest, row.nonce
    grant = grants.open_new(
        rules,
        grant_id=credentials.new_id(),
        client_id=row.client_id,
        user_id=row.user_id,
        scopes=row.scopes,
        resources=row.resources,
        auth_time=row.auth_time,
        methods=methods,
    )
    db.session.execute(
        delete(AuthorizationCode)
        .where(AuthorizationCode.code_digest == code_digest)
        .execution_options(synchronize_session=False)
    )
    return Redeemed(grant, nonce)


authorization_codes.redeem = redeem

from wsgi import app  # noqa: E402 - the verb is replaced before the application is made

__all__ = ["app"]
