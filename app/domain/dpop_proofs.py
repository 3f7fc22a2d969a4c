"""Owns DPoP proofs: their shape, for which request, how old, each only once (RFC 9449)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import client_keys, credentials, errors, foreign_jwts
from app.domain.dpop_refusals import InvalidDpopProof, UseDpopNonce
from app.domain.foreign_jwts import Demands, ForeignJwt
from app.extensions import Base, insert_once

TYPES = ("dpop+jwt",)
LONGEST = 4096
LONGEST_ID = 256
LIFE_SECONDS = 60
"""A proof counts so long after it was made."""
NONCE_SECONDS = 120
"""A nonce is given out so long, and counts as long again."""
DEFAULT_PORTS = {"https": ":443", "http": ":80"}
SHAPE = (
    "The DPoP header must be one JWT in compact form whose typ is dpop+jwt, with jti, htm, htu and"
    " iat, signed with an asymmetric algorithm that the server metadata lists."
)
ALGORITHM = "This client must sign its DPoP proofs with PS256, ES256 or EdDSA."
KEY = (
    "The header of the DPoP proof must hold one public key as jwk, which fits its alg; replace a"
    " private key that you have sent."
)
SIGNATURE = "The DPoP proof is not signed with the key that it holds."
REQUEST = (
    "The htm and htu of the DPoP proof must be the method and the address of this request, as the"
    " server metadata spells it."
)
DATES = "The DPoP proof must have been made within the last minute; make one for each request."
NONCE = "Make a new DPoP proof with the nonce in the DPoP-Nonce header of this answer."
TOKEN = "The ath of the DPoP proof must be the hash of the access token beside it."
REPLAYED = "The DPoP proof was used before; make a new one, with a jti of its own."


class DpopProofId(Base):
    """A proof that was used; the digest is of its key and its ``jti``."""

    __tablename__ = "dpop_proof_ids"

    id_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds for the request it came with, unless it was used before."""

    jkt: str
    """The thumbprint of its key."""
    id_digest: str
    expires_at: int


def check(
    text: str,
    *,
    method: str,
    uri: str,
    demands: Demands,
    nonces: Sequence[str] = (),
    access_token: str | None = None,
) -> Proof:
    """Return a proof that holds; raises InvalidDpopProof, or UseDpopNonce (section 4.3).

    Without ``nonces`` none is demanded; an access token has to be the one that was proven.
    """
    jwt = read(text)
    if jwt.algorithm not in demands.algorithms:
        raise InvalidDpopProof(ALGORITHM)
    check_request(jwt.claims, method, uri)
    check_dates(jwt.claims, demands.leeway_seconds)
    check_nonce(jwt.claims, nonces)
    if access_token is not None and not says(jwt.claims, "ath", credentials.s256(access_token)):
        raise InvalidDpopProof(TOKEN)
    key = public_key(jwt)
    if not foreign_jwts.is_signed_by(jwt, (key,)):
        raise InvalidDpopProof(SIGNATURE)
    jkt = foreign_jwts.thumbprint(key)
    # kept longer than it is accepted, for clocks of other nodes that are behind
    ends = int(jwt.claims["iat"]) + LIFE_SECONDS + 2 * foreign_jwts.USUAL.leeway_seconds
    return Proof(jkt, credentials.digest(f"{jkt}\0{jwt.claims['jti']}"), ends)


def read(text: str) -> ForeignJwt:
    """Return a proof in the right shape, nothing of which is believed yet."""
    jwt = None
    if len(text) <= LONGEST:
        jwt = foreign_jwts.read(text, TYPES, brings_key=True)
    if jwt is None or not foreign_jwts.is_name(jwt.claims.get("jti"), LONGEST_ID):
        raise InvalidDpopProof(SHAPE)
    return jwt


def public_key(jwt: ForeignJwt) -> dict[str, str]:
    """Return the key that a proof brings along, once it is known to be a public one that fits."""
    try:
        key = client_keys.public_key(jwt.jwk)
    except errors.Refusal:
        raise InvalidDpopProof(KEY) from None
    if not foreign_jwts.fits(key, jwt.algorithm):
        raise InvalidDpopProof(KEY)
    return key


def check_request(claims: Mapping[str, Any], method: str, uri: str) -> None:
    """Refuse a proof that was made for another request."""
    address = address_of(claims.get("htu"))
    if claims.get("htm") != method or address is None or address != address_of(uri):
        raise InvalidDpopProof(REQUEST)


def address_of(uri: object) -> tuple[str, str, str] | None:
    """Return scheme, host and path of a URI in their one spelling, None for no URI.

    Query and fragment do not count (section 4.3).
    """
    if not isinstance(uri, str) or not all("!" <= character <= "~" for character in uri):
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    host = parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ""))
    return parts.scheme, host, parts.path


def check_dates(claims: Mapping[str, Any], leeway: int) -> None:
    """Refuse a proof that is old, or not yet made."""
    now = clock.epoch()
    in_time = "iat" in claims and foreign_jwts.are_in_time(claims, now, leeway)
    if not in_time or claims["iat"] < now - LIFE_SECONDS - leeway:
        raise InvalidDpopProof(DATES)


def check_nonce(claims: Mapping[str, Any], nonces: Sequence[str]) -> None:
    """Refuse a proof without a nonce of ours where one is demanded (section 8)."""
    if nonces and not any(says(claims, "nonce", each) for each in nonces):
        raise UseDpopNonce(NONCE)


def says(claims: Mapping[str, Any], name: str, expected: str) -> bool:
    """Tell whether a claim is what is expected."""
    found = claims.get(name)
    return isinstance(found, str) and credentials.equal(found, expected)


def nonces(key: bytes) -> tuple[str, str]:
    """Return the nonces that count now; the first one is given out.

    They follow from the time, so that every node knows them and none is stored.
    """
    step = clock.epoch() // NONCE_SECONDS
    now, before = (credentials.derive(key, "dpop nonce", str(each)) for each in (step, step - 1))
    return now, before


def spend(proof: Proof) -> bool:
    """Use a proof up in the transaction of what it proves; tell whether this is the first use."""
    return insert_once(DpopProofId, id_digest=proof.id_digest, expires_at=proof.expires_at)
