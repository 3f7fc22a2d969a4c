"""Door 1: machines, and the end-user's browser on its way through."""

from flask import Flask, request

from app.domain import errors
from app.extensions import csrf
from app.protocol import (
    authorize,
    client_documents,
    clients,
    connection_callback,
    connection_tokens,
    device,
    device_authorization,
    discovery,
    dpop,
    federated_login,
    introspect,
    landing,
    login,
    logos,
    logout,
    own_connections,
    par,
    passkey,
    provider_logout,
    refusals,
    register,
    revoke,
    second_factor,
    token,
    userinfo,
    waiting,
)

MACHINES = (
    clients,
    connection_tokens,
    device_authorization,
    discovery,
    introspect,
    par,
    provider_logout,
    register,
    revoke,
    token,
    userinfo,
)
PEOPLE = (
    authorize,
    connection_callback,
    device,
    federated_login,
    landing,
    login,
    logos,
    logout,
    own_connections,
    passkey,
    second_factor,
    waiting,
)


def init_app(app: Flask) -> None:
    """Register the endpoints; machines carry no cookies and so need no CSRF token."""
    app.before_request(refuse_encoded_body)
    for machine in MACHINES:
        csrf.exempt(machine.bp)
        app.register_blueprint(machine.bp)
    for people in PEOPLE:
        app.register_blueprint(people.bp)
    csrf.exempt("app.protocol.authorize.authorize_by_post")
    csrf.exempt("app.protocol.login.choose_theme")
    csrf.exempt("app.protocol.logout.sign_out")
    client_documents.init_app(app)
    dpop.init_app(app)
    refusals.init_app(app)


def refuse_encoded_body() -> None:
    """Refuse compressed bodies: their size cannot be known before they are unpacked."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UnsupportedEncoding("Send the body without a Content-Encoding.")
