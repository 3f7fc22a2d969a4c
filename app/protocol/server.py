"""Owns the token endpoint's dispatch: Authlib's AuthorizationServer with grants of ours.

Each grant proves first and spends last: what can be refused without loss is refused before the
one statement that uses the code or refresh token up.
"""

from typing import Any

from authlib.oauth2 import AuthorizationServer

from app.config import current_settings
from app.domain import (
    authorization_codes,
    device_polls,
    errors,
    grant_types,
    refresh_tokens,
    scopes,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import commit
from app.protocol import caller, client_credentials, dpop
from app.protocol.assertion_grant import AssertionGrant
from app.protocol.ceilings import narrowed_target, within
from app.protocol.identity import id_token
from app.protocol.token_exchange import ExchangeGrant
from app.protocol.token_grants import (
    Answer,
    Grant,
    TokenRequest,
    check_person,
    methods_proven,
)


class CodeGrant(Grant):
    """Authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""

    GRANT_TYPE = grant_types.CODE

    def create_token_response(self) -> Answer:
        """Prove the code, choose the resource, then redeem."""
        client, parameters = self.request.client, self.request.parameters
        row = authorization_codes.check(
            authorization_codes.find(self.required("code")),
            client_id=client.client_id,
            redirect_uri=parameters.get("redirect_uri"),
            verifier=parameters.get("code_verifier"),
            jkt=self.request.jkt,
        )
        check_person(row.user_id, authorization_codes.FAILED)
        methods = methods_proven(row, authorization_codes.FAILED)
        target = narrowed_target(client, parameters.resources, row.resources)
        granted = within(client, target, row.scopes)

        by = caller.client_actor(client)
        redeemed = authorization_codes.redeem(
            self.rules,
            row,
            by=by,
            methods=methods,
            hears_logout=client.openid.hears_logout,
            dpop_jkt=self.request.refresh_jkt,
        )
        return 200, self.answer_with_family(granted, target, redeemed.grant, redeemed.nonce), []


class DeviceGrant(Grant):
    """Device authorization grant (RFC 8628 section 3.4); the device asks until it is answered."""

    GRANT_TYPE = grant_types.DEVICE

    def create_token_response(self) -> Answer:
        """Find out what the person answered, choose the resource, then redeem."""
        client, parameters = self.request.client, self.request.parameters
        row = device_polls.poll(self.required("device_code"), client.client_id)
        check_person(row.user_id, device_polls.FAILED)
        methods = methods_proven(row, device_polls.FAILED)
        target = narrowed_target(client, parameters.resources, row.resources)
        granted = within(client, target, row.scopes)

        by = caller.client_actor(client)
        grant = device_polls.redeem(
            self.rules, row, by=by, methods=methods, dpop_jkt=self.request.refresh_jkt
        )
        return 200, self.answer_with_family(granted, target, grant, None), []


class RefreshGrant(Grant):
    """Refresh token grant (RFC 6749 section 6); policy is checked again at every refresh."""

    GRANT_TYPE = grant_types.REFRESH

    def create_token_response(self) -> Answer:
        """Find the grant, narrow as asked, then rotate, or prolong where nothing is rotated."""
        client, parameters = self.request.client, self.request.parameters
        value, by = self.required("refresh_token"), caller.client_actor(client)
        grant = refresh_tokens.find_refreshable(value, client.client_id, self.request.jkt, by=by)
        check_person(grant["user_id"], refresh_tokens.DEAD)
        target = narrowed_target(client, parameters.resources, grant["resources"])
        wanted = scopes.split(parameters.get("scope")) or grant["scopes"]
        if not set(wanted) <= set(grant["scopes"]):
            raise errors.InvalidScope("A refresh cannot ask for more than was granted.")
        granted = within(client, target, wanted)

        successor = self.successor(value, grant, by)
        opens = "openid" in granted
        answer = self.answer(
            granted, target, grant, Tag.TOKEN_REFRESHED, refresh_token=True, id_token=opens
        )
        told = id_token(self.rules, client, grant, answer)
        return 200, answer | {"refresh_token": successor} | told, []

    def successor(self, value: str, grant: dict[str, Any], by: Actor) -> str:
        """Return the next refresh token, which for clients of FAPI 2.0 is the same."""
        client, jkt = self.request.client, self.request.refresh_jkt
        if client.fapi2:
            return refresh_tokens.prolong(self.rules, value, grant)
        return refresh_tokens.rotate(self.rules, value, grant, by=by, dpop_jkt=jkt)


class ClientCredentialsGrant(Grant):
    """Client credentials grant, for requests that do not take the short way."""

    GRANT_TYPE = grant_types.CLIENT

    def create_token_response(self) -> Answer:
        """Grant, or raise what is said against it."""
        client, parameters = self.request.client, self.request.parameters
        dpop.spend(self.request.proof)
        commit()  # the event of the token is a transaction of its own
        by = caller.client_actor(client)
        return 200, client_credentials.issue(client, parameters, by=by, jkt=self.request.jkt), []


GRANTS = (
    CodeGrant,
    RefreshGrant,
    ClientCredentialsGrant,
    DeviceGrant,
    ExchangeGrant,
    AssertionGrant,
)


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib ships no type information
    """Authlib's dispatch over our requests; refusals go to the door's one error handler."""

    def __init__(self) -> None:
        """Register the grants; implicit and password do not exist here."""
        super().__init__()
        for grant in GRANTS:
            self.register_grant(grant)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """Return the request, which is already what Authlib needs."""
        return request

    def get_token_grant(self, request: TokenRequest) -> Any:
        """Return the grant of a request; raises with a constant sentence."""
        asked = request.payload.grant_type
        if asked is None:
            raise errors.InvalidRequest("The parameter grant_type is missing.")
        if asked not in current_settings().grant_types:
            raise errors.UnsupportedGrantType(
                "This server does not have this grant type; its metadata lists those it has."
            )
        return super().get_token_grant(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Any:
        """Leave the answer to the view."""
        return body

    def handle_error_response(self, _request: TokenRequest, error: Exception) -> Any:
        """Let the refusal rise to the door's error handler, which records it."""
        raise error


server = Server()
