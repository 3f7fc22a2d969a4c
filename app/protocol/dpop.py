"""Owns how this door judges DPoP proofs (RFC 9449), and gives out the nonces they may need."""

from flask import Flask, Response, request

from app.config import current_key, current_settings
from app.domain import dpop_proofs
from app.domain.client_records import ClientRecord
from app.domain.dpop_proofs import REPLAYED, Proof
from app.domain.dpop_refusals import InvalidDpopProof
from app.extensions import db


def init_app(app: Flask) -> None:
    """Give out a nonce with each answer to a proof where nonces are demanded."""
    app.after_request(add_nonce)


def read(client: ClientRecord, access_token: str | None = None) -> Proof | None:
    """Return the proof in a request of a client, None when there is none.

    Raises InvalidDpopProof unless it holds; whether it was used before is for ``spend`` to say.
    """
    text = request.headers.get("DPoP")
    if text is None:
        return None
    return dpop_proofs.check(
        text,
        method=request.method,
        uri=current_settings().issuer + request.path,
        demands=client.demands,
        nonces=nonces(),
        access_token=access_token,
    )


def spend(proof: Proof | None) -> None:
    """Use a proof up, if there is one, with what it proves.

    Raises InvalidDpopProof when it was used before; then nothing of this request has happened.
    """
    if proof is not None and not dpop_proofs.spend(proof):
        db.session.rollback()
        raise InvalidDpopProof(REPLAYED)


def nonces() -> tuple[str, ...]:
    """Return the nonces that count, none where none is demanded."""
    if not current_settings().dpop_nonce_required:
        return ()
    return dpop_proofs.nonces(current_key("dpop nonces"))


def add_nonce(response: Response) -> Response:
    """Tell who sends proofs the nonce of the next one (section 8.2)."""
    if "DPoP" in request.headers:
        for nonce in nonces()[:1]:
            response.headers["DPoP-Nonce"] = nonce
    return response
