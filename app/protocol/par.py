"""Pushed authorization request endpoint (RFC 9126)."""

from dataclasses import replace

from flask import Blueprint, Response

from app.answers import json_answer
from app.config import current_settings
from app.domain import errors, pushed_requests
from app.domain.client_records import ClientRecord
from app.domain.dpop_proofs import Proof
from app.domain.dpop_refusals import InvalidDpopProof
from app.extensions import db
from app.limits import spend
from app.protocol import authorization_request, caller, client_documents, dpop, request_objects
from app.protocol.authorization_request import LocalRefusal, RedirectedRefusal
from app.protocol.parameters import Parameters, read_form

bp = Blueprint("par", __name__)
KEPT = (
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "claims",
    "dpop_jkt",
)
"""What is kept, beside client and resources; never what the client proved itself with."""


@bp.post("/par")
def push_request() -> Response:
    """Check an authorization request and return the reference that a browser brings."""
    sent = read_form()

    try:
        client_documents.bring_up_to_date(sent.get("client_id"))
        client = caller.authenticate(sent)
        proof = dpop.read(client)
        asked = bound(checked(client, sent), proof)
    except (LocalRefusal, RedirectedRefusal) as found:
        raise found.refusal from None

    if client.is_public:
        spend(current_settings().token_rate_limit, "push", caller.network())
    dpop.spend(proof)
    seconds = current_settings().pushed_request_seconds
    reference = pushed_requests.push(
        client.client_id,
        asked.values,
        asked.resources,
        lifetime_seconds=seconds,
        by=caller.client_actor(client),
    )
    db.session.commit()
    return json_answer({"request_uri": reference, "expires_in": seconds}, 201)


def bound(asked: Parameters, proof: Proof | None) -> Parameters:
    """Return a request whose code is bound to the key that was proven (RFC 9449 section 10.1)."""
    if proof is None:
        return asked
    if asked.get("dpop_jkt") not in (None, proof.jkt):
        raise InvalidDpopProof("The dpop_jkt is not the thumbprint of the key of the DPoP proof.")
    return replace(asked, values={**asked.values, "dpop_jkt": proof.jkt})


def checked(client: ClientRecord, sent: Parameters) -> Parameters:
    """Return what is kept of a request that the authorization endpoint would take."""
    if sent.get("request_uri") is not None:
        raise errors.InvalidRequest("Push the request itself, not a request_uri.")
    if sent.get("request") is not None:
        asked = request_objects.opened(sent, client, KEPT)
    else:
        authorization_request.check_unsupported(sent)
        known = {name: sent.values[name] for name in KEPT if name in sent.values}
        asked = Parameters({"client_id": client.client_id} | known, sent.resources)
    origin = authorization_request.prove_origin(asked)
    if origin.client.fapi2 and asked.get("redirect_uri") is None:
        raise errors.InvalidRequest("This client must name its redirect_uri in each request.")
    authorization_request.check(origin, asked)
    return asked
