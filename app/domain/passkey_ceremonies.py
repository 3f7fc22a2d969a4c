"""Owns what is said to and by passkeys (Web Authentication Level 2): options and answers.

The library is imported when it is first needed: it takes a tenth of a second, and commands and
machines do without it.
"""

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.domain import errors
from app.domain.passkey_challenges import LIFETIME_SECONDS

LONGEST = 16_384
FAILED = "The passkey was not accepted; try again, or sign in in another way."
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error)
"""What the library raises besides its own exceptions when an answer is not of the right shape."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whom passkeys of this server are for."""

    issuer: str

    @property
    def rp_id(self) -> str:
        """Return the host that passkeys are bound to."""
        return urlsplit(self.issuer).hostname or ""

    @property
    def origin(self) -> str:
        """Return the one origin that answers may come from."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that a browser made."""

    credential_id: str
    public_key: bytes
    sign_count: int


def creation_options(
    site: Site, challenge: str, user_id: str, email: str, known: Iterable[str]
) -> dict[str, Any]:
    """Return what a browser needs to make a passkey: one that names its account and its person."""
    import webauthn  # takes a tenth of a second
    from webauthn.helpers import base64url_to_bytes, options_to_json_dict, structs

    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name="Gatewright",
        user_id=user_id.encode(),
        user_name=email,
        challenge=challenge.encode(),
        timeout=LIFETIME_SECONDS * 1000,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known
        ],
    )
    return options_to_json_dict(options)


def request_options(site: Site, challenge: str) -> dict[str, Any]:
    """Return what a browser needs to use a passkey, whoever's; it says nothing of any account."""
    import webauthn  # takes a tenth of a second
    from webauthn.helpers import options_to_json_dict, structs

    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge.encode(),
        timeout=LIFETIME_SECONDS * 1000,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def read(text: str) -> dict[str, Any]:
    """Return the answer of a browser, as yet unproven; raises AccessDenied."""
    try:
        answer = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise errors.AccessDenied(FAILED, reason="malformed")
    return answer


def challenge_of(answer: dict[str, Any]) -> str:
    """Return the challenge that an answer says it signed; raises AccessDenied."""
    from webauthn.helpers import base64url_to_bytes  # takes a tenth of a second

    try:
        said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        return base64url_to_bytes(said["challenge"]).decode("ascii")
    except (*MALFORMED, RecursionError):
        raise errors.AccessDenied(FAILED, reason="malformed") from None


def names_owner(answer: dict[str, Any], user_id: str) -> bool:
    """Tell whether an answer names the account it is for (section 7.2, step 6)."""
    from webauthn.helpers import bytes_to_base64url  # takes a tenth of a second

    response = answer["response"]
    return bool(response.get("userHandle") == bytes_to_base64url(user_id.encode()))


def prove_creation(site: Site, challenge: str, answer: dict[str, Any]) -> Registered:
    """Return the passkey that an answer brings; raises AccessDenied."""
    import webauthn  # takes a tenth of a second
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        proven = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge.encode(),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, *MALFORMED) as refusal:
        raise errors.AccessDenied(FAILED, reason=type(refusal).__name__) from None
    return Registered(answer["id"], proven.credential_public_key, proven.sign_count)


def prove_use(site: Site, challenge: str, answer: dict[str, Any], public_key: bytes) -> int:
    """Return the sign count of an answer that a passkey signed; raises AccessDenied.

    The count is compared where it is stored, so that of two answers at once one is first.
    """
    import webauthn  # takes a tenth of a second
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        proven = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge.encode(),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, *MALFORMED) as refusal:
        raise errors.AccessDenied(FAILED, reason=type(refusal).__name__) from None
    return proven.new_sign_count
