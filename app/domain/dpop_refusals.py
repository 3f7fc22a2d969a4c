"""Owns the refusals of DPoP proofs (RFC 9449 sections 5 and 8)."""

from app.domain.errors import Refusal


class InvalidDpopProof(Refusal):
    """Raised when a DPoP proof is missing where it is needed, or does not hold."""

    error = "invalid_dpop_proof"


class UseDpopNonce(InvalidDpopProof):
    """Raised when a proof lacks a nonce of ours; no fault of a client that has none yet."""

    error = "use_dpop_nonce"
