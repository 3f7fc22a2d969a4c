"""Token endpoint (RFC 6749 section 3.2)."""

from flask import Blueprint, Response

from app.answers import json_answer
from app.extensions import commit
from app.protocol import caller, dpop
from app.protocol.parameters import read_form
from app.protocol.server import server
from app.protocol.token_grants import TokenRequest

bp = Blueprint("token", __name__)


@bp.post("/token")
def issue_token() -> Response:
    """Exchange a grant for tokens."""
    parameters = read_form()

    client = caller.authenticate(parameters)
    proof = dpop.read(client)

    answer = server.create_token_response(TokenRequest(parameters, client, proof))
    commit()
    return json_answer(answer)
