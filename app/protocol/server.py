"""Owns the token endpoint's dispatch: Authlib's AuthorizationServer with three grants of ours.

Each grant proves first and spends last: what can be refused without loss is refused before the
one statement that uses the code or refresh token up.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Request, TokenEndpointMixin
from authlib.oauth2.rfc6749.grants import BaseGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from app import clock
from app.config import current_settings
from app.domain import (
    audit,
    authorization_codes,
    errors,
    last_use,
    refresh_tokens,
    scopes,
    sessions,
    tokens,
    users,
)
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.grants import TokenRules
from app.domain.resources import Target
from app.protocol import caller, client_credentials
from app.protocol.ceilings import check_grant, current_keys, narrowed_target, rules, within
from app.protocol.parameters import Parameters

Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib ships no type information
    """A token request that passed the gate and whose client proved itself."""

    def __init__(self, parameters: Parameters, client: ClientRecord) -> None:
        """Hold the checked parameters; nothing is read from the framework any more."""
        # Authlib looks at the scheme of this URI; the settings have refused an insecure issuer
        super().__init__("POST", "https://issuer.invalid/token", headers={})
        self.payload = BasicOAuth2Payload(dict(parameters.values))
        self.parameters = parameters
        self.client = client


class Grant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib is untyped
    """What the three grants share."""

    request: TokenRequest

    @cached_property
    def rules(self) -> TokenRules:
        """Return the settings that decide about tokens."""
        return rules(current_settings())

    def validate_token_request(self) -> None:
        """Check that the client is registered for this grant (RFC 6749 section 5.2)."""
        check_grant(self.request.client, self.GRANT_TYPE)

    def answer(
        self,
        granted: Iterable[str],
        target: Target,
        grant: dict[str, Any],
        tag: Tag,
        **beside: bool,
    ) -> dict[str, Any]:
        """Mint an access token of a grant and record it in the transaction that redeemed.

        ``beside`` tells which other tokens are issued with it.
        """
        client = self.request.client
        answer = tokens.mint(
            self.rules,
            current_keys(),
            client_id=client.client_id,
            subject=grant["user_id"],
            scopes=tuple(granted),
            audience=target.audience,
            seconds=client.access_token_seconds or target.access_token_seconds,
            grant=grant,
        )
        last_use.touch(client.client_id, clock.epoch())
        audit.record(
            tag,
            grant["id"],
            by=caller.client_actor(client),
            client_id=client.client_id,
            grant_type=self.GRANT_TYPE,
            scope=answer.get("scope", ""),
            resources=list(target.audience),
            **beside,
        )
        return answer

    def required(self, name: str) -> str:
        """Return a parameter; raises InvalidRequest when it is missing."""
        value = self.request.parameters.get(name)
        if value is None:
            raise errors.InvalidRequest("A parameter that this grant type needs is missing.")
        return value


class CodeGrant(Grant):
    """Authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""

    GRANT_TYPE = "authorization_code"

    def create_token_response(self) -> Answer:
        """Prove the code, choose the resource, then redeem."""
        client, parameters = self.request.client, self.request.parameters
        row = authorization_codes.check(
            authorization_codes.find(self.required("code")),
            client_id=client.client_id,
            redirect_uri=parameters.get("redirect_uri"),
            verifier=parameters.get("code_verifier"),
        )
        check_person(row.user_id, authorization_codes.FAILED)
        check_session(row.session_id)
        target = narrowed_target(client, parameters.resources, row.resources)
        granted = within(client, target, row.scopes)

        redeemed = authorization_codes.redeem(self.rules, row, by=caller.client_actor(client))
        refreshes, opens = "refresh_token" in client.grant_types, "openid" in granted
        answer = self.answer(
            granted,
            target,
            redeemed.grant,
            Tag.TOKEN_ISSUED,
            refresh_token=refreshes,
            id_token=opens,
        )
        if refreshes:
            answer["refresh_token"] = refresh_tokens.issue(self.rules, redeemed.grant)
        if opens:
            answer["id_token"] = tokens.mint_id_token(
                self.rules,
                current_keys(),
                client_id=client.client_id,
                grant=redeemed.grant,
                nonce=redeemed.nonce,
            )
        return 200, answer, []


class RefreshGrant(Grant):
    """Refresh token grant (RFC 6749 section 6); policy is checked again at every refresh."""

    GRANT_TYPE = "refresh_token"

    def create_token_response(self) -> Answer:
        """Find the grant, narrow as asked, then rotate."""
        client, parameters = self.request.client, self.request.parameters
        value = self.required("refresh_token")
        grant = refresh_tokens.find_refreshable(value, client.client_id)
        check_person(grant["user_id"], refresh_tokens.DEAD)
        target = narrowed_target(client, parameters.resources, grant["resources"])
        wanted = scopes.split(parameters.get("scope")) or grant["scopes"]
        if not set(wanted) <= set(grant["scopes"]):
            raise errors.InvalidScope("A refresh cannot ask for more than was granted.")
        granted = within(client, target, wanted)

        successor = refresh_tokens.rotate(self.rules, value, grant, by=caller.client_actor(client))
        answer = self.answer(
            granted, target, grant, Tag.TOKEN_REFRESHED, refresh_token=True, id_token=False
        )
        return 200, answer | {"refresh_token": successor}, []


class ClientCredentialsGrant(Grant):
    """Client credentials grant, for requests that do not take the short way."""

    GRANT_TYPE = client_credentials.GRANT_TYPE

    def create_token_response(self) -> Answer:
        """Grant, or raise what is said against it."""
        client = self.request.client
        by = caller.client_actor(client)
        return 200, client_credentials.issue(client, self.request.parameters, by=by), []


def check_person(user_id: str, sentence: str) -> None:
    """Raise InvalidGrant when the person behind a grant may no longer sign in.

    Disabling ends codes and grants; this catches a code that was being issued at that moment.
    """
    if not users.is_enabled(user_id):
        raise errors.InvalidGrant(sentence, reason="person disabled")


def check_session(session_id: str | None) -> None:
    """Raise InvalidGrant when the browser session that a code was issued in has ended.

    Ending one withdraws its codes; this catches a code that was being issued at that moment.
    """
    if session_id is not None and not sessions.exists(session_id):
        raise errors.InvalidGrant(authorization_codes.FAILED, reason="session ended")


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib ships no type information
    """Authlib's dispatch over our requests; refusals go to the door's one error handler."""

    def __init__(self) -> None:
        """Register the grants; implicit and password do not exist here."""
        super().__init__()
        for grant in (CodeGrant, RefreshGrant, ClientCredentialsGrant):
            self.register_grant(grant)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """Return the request, which is already what Authlib needs."""
        return request

    def get_token_grant(self, request: TokenRequest) -> Any:
        """Return the grant of a request; raises with a constant sentence."""
        asked = request.payload.grant_type
        if asked is None:
            raise errors.InvalidRequest("The parameter grant_type is missing.")
        if asked not in {grant.GRANT_TYPE for grant, _ in self._token_grants}:
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
