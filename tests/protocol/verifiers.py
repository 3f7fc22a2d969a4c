"""A resource server that verifies tokens by itself, with a JWKS that it caches."""

import time
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact


@dataclass
class Verifier:
    """Keeps the JWKS for as long as it may, or fetches it again for every unknown ``kid``."""

    http: FlaskClient
    refetches: bool
    keys: dict[str, Any] = field(default_factory=dict)
    until: float = 0

    def fetch(self) -> None:
        """Fetch the JWKS and keep it for its max-age."""
        answer = self.http.get("/.well-known/jwks.json")
        self.keys = {key["kid"]: key for key in answer.get_json()["keys"]}
        self.until = time.time() + answer.cache_control.max_age

    def accepts(self, token: str) -> bool:
        """Tell whether a token is signed by a key that is known now."""
        kid = extract_compact(token.encode()).headers()["kid"]
        if time.time() >= self.until or (self.refetches and kid not in self.keys):
            self.fetch()
        if kid not in self.keys:
            return False
        keys = KeySet.import_key_set({"keys": [self.keys[kid]]})
        return jwt.decode(token, keys, algorithms=["ES256"]).header["kid"] == kid
