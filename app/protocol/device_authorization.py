"""Device authorization endpoint (RFC 8628 section 3.1)."""

from flask import Blueprint, Response

from app.answers import json_answer
from app.config import current_key, current_settings
from app.domain import device_codes, grant_types, scopes
from app.extensions import db
from app.limits import spend
from app.protocol import caller, client_documents, device
from app.protocol.authorization_request import LocalRefusal
from app.protocol.ceilings import check_grant, narrow, target_of
from app.protocol.parameters import read_form

bp = Blueprint("device_authorization", __name__)


@bp.post("/device_authorization")
def issue_codes() -> Response:
    """Give a device the code that it polls with and the one that a person types."""
    parameters = read_form()

    try:
        client_documents.bring_up_to_date(parameters.get("client_id"))
    except LocalRefusal as found:
        raise found.refusal from None
    client = caller.authenticate(parameters)
    check_grant(client, grant_types.DEVICE)
    target = target_of(client, parameters.resources)
    granted = narrow(scopes.split(parameters.get("scope")), client, target)

    settings = current_settings()
    if client.is_public:
        spend(settings.token_rate_limit, "device", caller.network())
    device_code, user_code = device_codes.issue(
        current_key("user codes"),
        client_id=client.client_id,
        scopes=granted,
        resources=target.audience,
        lifetime_seconds=settings.device_code_seconds,
        by=caller.client_actor(client),
    )
    db.session.commit()
    return json_answer(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{settings.issuer}/device",
            "verification_uri_complete": device.complete_uri(user_code),
            "expires_in": settings.device_code_seconds,
            "interval": device_codes.INTERVAL_SECONDS,
        }
    )
