"""Client registration endpoint (RFC 7591)."""

from flask import Blueprint, Response, request

from app import sectors
from app.answers import json_answer
from app.config import current_key, current_settings
from app.domain import (
    admissions,
    assertion_secrets,
    client_information,
    client_metadata,
    client_statements,
    crowding,
    errors,
    fingerprints,
    json_objects,
    policy_versions,
    registration_modes,
    registration_tokens,
)
from app.extensions import db
from app.limits import spend
from app.protocol import caller, gatekeeping, software_statements
from app.protocol.parameters import read_body

bp = Blueprint("register", __name__)


@bp.post("/register")
def register_client() -> Response:
    """Register a client (RFC 7591 section 3)."""
    settings = current_settings()
    spend(settings.registration_address_rate_limit, "register", caller.network())
    token = initial_access_token()

    body = json_objects.read_body(read_body(), request.headers.get("Content-Type"))
    statement = software_statements.of_request(body)
    metadata = client_metadata.parse(statement.over(body), settings.metadata_rules)
    mark = fingerprints.of_metadata(metadata) or "alone"
    spend(settings.registration_rate_limit, "register", mark, caller.network())

    arrival = admissions.evidence(
        metadata,
        source=statement.source,
        initial_access_token=token,
        address=caller.address(),
        user_agent=request.headers.get("User-Agent", ""),
        brands=settings.brand_words,
        statement=statement,
    )
    arrival = crowding.noted(arrival, settings.registration_pending_per_address)
    verdict = policy_versions.in_force().judge(arrival)
    if verdict.outcome != "refuse":
        sectors.check(metadata)
    verdict = gatekeeping.tightened(verdict, arrival, "register")

    client, issued = admissions.register(arrival, verdict, by=caller.actor())
    assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
    if statement.text:
        client_statements.keep(client.client_id, statement.text)
    db.session.commit()
    return json_answer(client_information.of(client, settings.issuer, issued), 201)


def initial_access_token() -> str | None:
    """Return the usable token of the caller; raises when the mode demands one or it is wrong."""
    settings = current_settings()
    mode = registration_modes.current(settings.registration_mode)
    if mode == "closed":
        raise errors.AdmissionRefused(
            f"Registration is switched off; ask {settings.contact} to create a client."
        )
    presented = caller.bearer()
    if presented is None and (mode == "token" or "Authorization" in request.headers):
        raise errors.MissingToken(
            f"Registration needs an initial access token; ask {settings.contact} for one."
        )
    if presented is None:
        return None
    static_token = settings.registration_token.get_secret_value()
    return registration_tokens.check(presented, static_token, caller.address())
