"""Owns what the grants of the token endpoint share: the request, the answer, who may not go on."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request, TokenEndpointMixin
from authlib.oauth2.rfc6749.grants import BaseGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy import Row

from app import clock
from app.config import current_settings
from app.domain import audit, errors, last_use, refresh_tokens, sessions, tokens, users
from app.domain.audit_tags import Tag
from app.domain.client_records import ClientRecord
from app.domain.dpop_proofs import Proof
from app.domain.grants import TokenRules
from app.domain.resources import Target
from app.protocol import caller, dpop
from app.protocol.ceilings import check_grant, check_proven, current_keys, may_refresh, rules
from app.protocol.identity import id_token, subject
from app.protocol.parameters import Parameters

Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib ships no type information
    """A token request that passed the gate and whose client proved itself."""

    def __init__(self, parameters: Parameters, client: ClientRecord, proof: Proof | None) -> None:
        """Hold the checked parameters; nothing is read from the framework any more."""
        # Authlib looks at the scheme of this URI; the settings have refused an insecure issuer
        super().__init__("POST", "https://issuer.invalid/token", headers={})
        self.payload = BasicOAuth2Payload(dict(parameters.values))
        self.parameters = parameters
        self.client = client
        self.proof = proof

    @property
    def jkt(self) -> str | None:
        """Return the key that the access token is bound to, if one was proven."""
        return None if self.proof is None else self.proof.jkt

    @property
    def refresh_jkt(self) -> str | None:
        """Return the key that refresh tokens are bound to: only those of public clients need one.

        Others prove themselves at each refresh anyway (RFC 9449 section 5).
        """
        return self.jkt if self.client.is_public else None


class Grant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib is untyped
    """What the grants share."""

    request: TokenRequest

    @cached_property
    def rules(self) -> TokenRules:
        """Return the settings that decide about tokens."""
        return rules(current_settings())

    def validate_token_request(self) -> None:
        """Check that the client is registered for this grant, and proves a key if it has to."""
        check_grant(self.request.client, self.GRANT_TYPE)
        check_proven(self.request.client, self.request.jkt)

    def answer(
        self,
        granted: Iterable[str],
        target: Target,
        grant: dict[str, Any],
        tag: Tag,
        *,
        until: int | None = None,
        known_as: str | None = None,
        more: Mapping[str, Any] = {},
        **beside: bool | str,
    ) -> dict[str, Any]:
        """Mint an access token of a grant and record it in the transaction that redeemed.

        ``known_as`` is the subject where it is not as this client knows the person. ``more`` are
        claims of its own; ``beside`` tells of other tokens with it, or who vouched. A replayed
        proof undoes all of it.
        """
        client = self.request.client
        dpop.spend(self.request.proof)
        answer = tokens.mint(
            self.rules,
            current_keys(),
            client_id=client.client_id,
            subject=known_as or subject(client, grant["user_id"]),
            scopes=tuple(granted),
            audience=target.audience,
            seconds=client.access_token_seconds or target.access_token_seconds,
            until=until,
            grant=grant,
            more=tokens.bound(self.request.jkt) | dict(more),
        )
        last_use.touch(client.client_id, clock.epoch())
        self.note(tag, grant["id"], answer, resources=list(target.audience), **beside)
        return answer

    def note(self, tag: Tag, grant_id: str, answer: Mapping[str, Any], **detail: Any) -> None:
        """Record what was granted."""
        client = self.request.client
        audit.record(
            tag,
            grant_id,
            by=caller.client_actor(client),
            client_id=client.client_id,
            grant_type=self.GRANT_TYPE,
            scope=answer.get("scope", ""),
            **detail,
        )

    def answer_with_family(
        self, granted: Iterable[str], target: Target, grant: dict[str, Any], nonce: str | None
    ) -> dict[str, Any]:
        """Mint the first tokens of a grant: refresh and ID token as client and scopes allow."""
        client, scopes = self.request.client, tuple(granted)
        refreshes, opens = may_refresh(client, scopes), "openid" in scopes
        answer = self.answer(
            scopes, target, grant, Tag.TOKEN_ISSUED, refresh_token=refreshes, id_token=opens
        )
        if refreshes:
            answer["refresh_token"] = refresh_tokens.issue(self.rules, grant)
        return answer | id_token(self.rules, client, grant, answer, nonce)

    def required(self, name: str) -> str:
        """Return a parameter; raises InvalidRequest when it is missing."""
        value = self.request.parameters.get(name)
        if value is None:
            raise errors.InvalidRequest("A parameter that this grant type needs is missing.")
        return value


def check_person(user_id: str, sentence: str) -> None:
    """Raise InvalidGrant when the person behind a grant may no longer sign in.

    Disabling ends codes and grants; this catches a code that was being issued at that moment.
    """
    if not users.is_enabled(user_id):
        raise errors.InvalidGrant(sentence, reason="person disabled")


def methods_proven(row: Row[Any], sentence: str) -> str:
    """Return what was proven in the browser session that a code was issued in (RFC 8176).

    Raises InvalidGrant when it has ended. Ending one withdraws its codes; this catches a code that
    was being issued at that moment. A spent one is a replay, whose family ``redeem`` ends.
    """
    if row.session_id is None or row.spent_at is not None:
        return ""
    methods = sessions.methods_of(row.session_id)
    if methods is None:
        raise errors.InvalidGrant(sentence, reason="session ended")
    return methods
