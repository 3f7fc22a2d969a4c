"""Owns the settings of DPoP (RFC 9449)."""

from pydantic import BaseModel, Field


class DpopSettings(BaseModel):
    """The settings of DPoP."""

    dpop_nonce_required: bool = Field(
        False, description="DPoP proofs need a fresh nonce of this server, which answers bring."
    )
