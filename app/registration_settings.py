"""Owns the settings of how much may register: how fast, and how much may wait."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from app import setting_rules

RateLimit = Annotated[str, AfterValidator(setting_rules.rate_limit)]


class RegistrationSettings(BaseModel):
    """The settings of how much may register."""

    registration_rate_limit: RateLimit = Field(
        "5 per minute", description="Registrations of one software from one address."
    )
    registration_address_rate_limit: RateLimit = Field(
        "120 per minute", description="Registrations from one address, whatever the software."
    )
    registration_pending_per_address: int = Field(
        200,
        ge=1,
        le=100_000,
        description="Undecided software from one address or IPv6 /64; more is refused.",
    )
