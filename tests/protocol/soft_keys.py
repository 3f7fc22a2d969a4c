"""An authenticator of passkeys in software, and how people use one on the pages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from werkzeug.test import TestResponse

from tests.protocol.persons import FORM, Person, find_form, form

LIST = "/account/security"
ADD = f"{LIST}/passkeys"
USE = "/passkey"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftKey:
    """One passkey; what it says can be falsified."""

    origin: str = "https://gatewright.example"
    rp_id: str = "gatewright.example"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    credential_id: bytes = b"soft key"
    user_handle: str = ""
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer options for a new passkey."""
        self.user_handle = options["user"]["id"]
        numbers = self.private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(self.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential_id + public
        data = self.data(self.flags | ATTESTED) + attested
        proof = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self.client_data("webauthn.create", options["challenge"])
        return self.answer(clientDataJSON=b64(said), attestationObject=b64(proof))

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer options for using the passkey."""
        data = self.data(self.flags)
        said = self.client_data("webauthn.get", options["challenge"])
        signature = self.private.sign(data + sha256(said).digest(), ec.ECDSA(SHA256()))
        return self.answer(
            clientDataJSON=b64(said),
            authenticatorData=b64(data),
            signature=b64(signature),
            userHandle=self.user_handle,
        )

    def data(self, flags: int) -> bytes:
        """Return what the authenticator says of itself."""
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def client_data(self, kind: str, challenge: str) -> bytes:
        """Return what the browser says of the ceremony."""
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def answer(self, **response: str) -> dict[str, Any]:
        """Return an answer as the browser writes it."""
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}


def options(person: Person, page: TestResponse, action: str) -> dict[str, Any]:
    """Ask for options as the script of a page does."""
    headers = {"X-CSRFToken": find_form(page, action).fields["csrf_token"]}
    answer = person.http.post(f"{action}/options", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def add_key(person: Person, key: SoftKey, page: str = LIST, **changes: Any) -> TestResponse:
    """Add a passkey on a page that offers it."""
    shown = person.open(page)
    credential = json.dumps(key.create(options(person, shown, ADD)))
    return person.submit(shown, ADD, credential=credential, **changes)


def use_key(
    person: Person, key: SoftKey, page: TestResponse | None = None, **changes: Any
) -> TestResponse:
    """Sign in with a passkey, by default on ``/login``."""
    shown = page or person.open("/login?again=yes")
    return send(person, shown, key.get(options(person, shown, USE)), **changes)


def send(person: Person, page: TestResponse, answer: Any, **changes: Any) -> TestResponse:
    """Send an answer with the form of a page."""
    found = find_form(page, USE)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    data = form(found.fields | {"credential": text} | changes)
    return person.http.post(found.action, data=data, content_type=FORM)
