"""A vendor who signs software statements, and the outside where it publishes its keys."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.domain import statement_issuers
from app.domain.audit import SERVER
from app.extensions import db
from app.outbound.client import Answer
from app.outbound.errors import OutboundError
from tests.conftest import ISSUER
from tests.protocol.forgeries import encode

VENDOR = "https://vendor.example"
KEYS_URI = "https://vendor.example/jwks.json"
SOFTWARE: dict[str, Any] = {
    "software_id": "vendor-editor",
    "client_name": "Vendor Editor",
    "redirect_uris": ["https://vendor.example/cb"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
    "scope": "mcp:read",
}
KEYS = {
    "ES256": ECKey.generate_key("P-256", {"kid": "ES256", "alg": "ES256", "use": "sig"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "ES384"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "EdDSA", "alg": "EdDSA"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "Ed25519"}),
    "RS256": RSAKey.generate_key(2048, {"kid": "RS256"}),
    "enc": ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"}),
    "HS256": OctKey.generate_key(256),
}
KEYS["PS256"] = RSAKey.import_key(KEYS["RS256"].as_dict(private=True) | {"kid": "PS256"})
STRANGER = ECKey.generate_key("P-256")
"""A key that nobody has published."""


def key_set(*names: str) -> dict[str, Any]:
    """Return some of the keys as they are published; all that are public without names."""
    chosen = names or [name for name in KEYS if name != "HS256"]
    return {"keys": [KEYS[name].as_dict(private=False) for name in chosen]}


def jws(header: Any, claims: Any, key: Any, algorithm: str) -> str:
    """Sign whatever it is; bytes are taken as they are."""
    parts = [
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in (header, claims)
    ]
    signed = ".".join(map(encode, parts))
    model = JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]
    return f"{signed}.{encode(model.sign(signed.encode(), key))}"


def claims(**changes: Any) -> dict[str, Any]:
    """Return what the vendor says; a claim changed to None is left out, a number is from now."""
    now = int(time.time())
    said = {"iss": VENDOR, "iat": 0, "exp": 3600, **SOFTWARE} | changes
    dated = {
        name: now + said[name] for name in ("iat", "exp", "nbf") if type(said.get(name)) is int
    }
    return {name: value for name, value in (said | dated).items() if value is not None}


def statement(
    algorithm: str = "ES256", header: dict[str, Any] | None = None, key: Any = None, **changes: Any
) -> str:
    """Return a statement of the vendor; keywords change its claims, ``header`` its header."""
    head = {"alg": algorithm, "typ": "JWT", "kid": algorithm} | (header or {})
    kept = {name: value for name, value in head.items() if value is not None}
    return jws(kept, claims(**changes), key or KEYS[algorithm], algorithm)


def trust(app: Any, **changes: Any) -> str:
    """Trust the vendor, whose keys are kept here unless the keywords say otherwise."""
    options = {"algorithms": ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"], "jwks": key_set()}
    with app.app_context():
        row = statement_issuers.create(VENDOR, by=SERVER, ours=ISSUER, **(options | changes))
        db.session.commit()
        return row.id


class Outside:
    """Stands in for the way out: has one answer, counts, and wants no transaction open."""

    def __init__(self, *names: str) -> None:
        self.asked: list[str] = []
        self.publish(*names)
        self.meanwhile: Callable[[], AbstractContextManager[Any]] = nullcontext

    def publish(self, *names: str) -> None:
        """Answer with some keys from now on."""
        body = json.dumps(key_set(*names)).encode()
        self.answer: Answer | None = Answer(200, {"content-type": "application/json"}, body)

    def stranger(self, url: str, **_: Any) -> Answer:
        """Answer, or fail when there is no answer."""
        assert not db.session().in_transaction()
        self.asked.append(url)
        with self.meanwhile():
            if self.answer is None:
                raise OutboundError("timeout")
            return self.answer
