"""Owns the settings of webhooks: whom to tell, as whom, and how the message is signed."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from app import setting_rules
from app.domain import credentials


def signing_secrets(value: SecretStr) -> SecretStr:
    """Demand one signing secret, two during a rotation, or none."""
    found = value.get_secret_value().split()
    try:
        keys = [credentials.webhook_key(secret) for secret in found]
    except ValueError:
        keys = []
    if len(keys) != len(found) or len(keys) > 2:
        raise ValueError(
            "must be whsec_ and the base64 of 24 to 64 random bytes; two of them with a space"
            " between, the new one first, while it is rotated"
        )
    return value


class WebhookSettings(BaseModel):
    """The settings of webhooks; further endpoints are made in the console."""

    registration_webhook_url: Annotated[str, AfterValidator(setting_rules.plain_url)] = Field(
        "", description="URL that is told of registrations and decisions; has no query."
    )
    registration_webhook_auth_header: Annotated[str, AfterValidator(setting_rules.header_name)] = (
        Field("Authorization", description="The header of the token for that URL.")
    )
    registration_webhook_auth_token: Annotated[
        SecretStr, AfterValidator(setting_rules.header_value)
    ] = Field(SecretStr(""), description="That token; in Authorization it is a bearer token.")
    registration_webhook_timeout_seconds: int = Field(
        10, ge=1, le=30, description="How long one attempt to deliver an event may take."
    )
    registration_webhook_signing_secret: Annotated[SecretStr, AfterValidator(signing_secrets)] = (
        Field(
            SecretStr(""),
            description="Signs events for that URL (Standard Webhooks): whsec_ and base64; two"
            " with a space between during a rotation.",
        )
    )

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """Return the keys that sign, the newest first."""
        found = self.registration_webhook_signing_secret.get_secret_value().split()
        return tuple(map(credentials.webhook_key, found))

    @property
    def webhook_headers(self) -> dict[str, str]:
        """Return the header that proves this server to the endpoint, if there is a token."""
        name, token = self.registration_webhook_auth_header, self.registration_webhook_auth_token
        value = token.get_secret_value()
        if not value:
            return {}
        return {name: f"Bearer {value}" if name.lower() == "authorization" else value}
