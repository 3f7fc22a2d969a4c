"""Owns the settings of the way out: what may be reached besides public hosts, and for whom."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app import setting_rules

TAKEN = ("accept-encoding", "authorization", "cookie", "proxy-authorization", "user-agent")
"""Headers that prove who we are, or that every request has of its own."""

HostPorts = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(setting_rules.words),
    AfterValidator(setting_rules.host_ports),
]


def telling_header(value: str) -> str:
    """Demand the name of a header that proves nothing."""
    if value.lower() in TAKEN:
        raise ValueError("must be the name of a header that nothing else uses")
    return setting_rules.header_name(value)


class OutboundSettings(BaseModel):
    """The settings of the way out."""

    outbound_allow: HostPorts = Field(
        (), description="Each host:port that strangers' URLs may name although it is not public."
    )
    outbound_ca_file: Annotated[str, AfterValidator(setting_rules.certificate_file)] = Field(
        "", description="Path of a PEM file: the authorities to trust in place of the system's."
    )
    audit_header_name: Annotated[str, AfterValidator(telling_header)] = Field(
        "X-Gatewright-User",
        description="The header that tells an API which person it is called for; proves nothing.",
    )
