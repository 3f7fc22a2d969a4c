"""Owns signing with the key of this server where it proves itself to others (RFC 7523)."""

from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.domain import client_assertions, generations, signing_keys
from app.outbound.errors import OutboundError
from app.outbound.logins import Sign


def signer(app: Flask) -> Sign:
    """Return what signs claims with the active key, whose public half is at our jwks_uri."""

    def sign(claims: dict[str, Any]) -> str:
        """Return an assertion; raises OutboundError when there is no key to sign with.

        The context of its own has a session of its own, so no transaction is left open.
        """
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        try:
            with app.app_context():
                keys = signing_keys.current(sealing_key, generations.read()["keys"])
        except (SQLAlchemyError, ValueError) as error:
            raise OutboundError("token") from error
        return signing_keys.sign(keys, client_assertions.TYPE, claims)

    return sign
