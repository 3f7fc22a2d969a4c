"""Owns the settings of the registration gate: where it is, and how this server proves itself."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from app import setting_rules
from app.setting_rules import needed_by_gate

OAUTH2 = "oauth2_client_credentials"


class GateSettings(BaseModel):
    """The settings of the registration gate; with any half of them the server does not start."""

    registration_gate_enabled: bool = Field(
        False, description="Ask an outside service before a registration is stored."
    )
    registration_gate_url: Annotated[
        str, AfterValidator(setting_rules.plain_url), AfterValidator(needed_by_gate())
    ] = Field("", description="URL of that service, the registration gate; has no query.")
    registration_gate_auth_type: Literal[
        "none", "api_key", "bearer", "oauth2_client_credentials"
    ] = Field("none", description="How this server proves itself to the gate.")
    registration_gate_auth_credential: Annotated[
        SecretStr,
        AfterValidator(setting_rules.header_value),
        AfterValidator(needed_by_gate("api_key")),
        AfterValidator(needed_by_gate("bearer")),
    ] = Field(SecretStr(""), description="The key or token for api_key and bearer.")
    registration_gate_auth_header_name: Annotated[
        str, AfterValidator(setting_rules.header_name)
    ] = Field("X-Api-Key", description="The header of an api_key.")
    registration_gate_timeout_seconds: int = Field(
        5, ge=1, le=9, description="How long one attempt to ask the gate may take."
    )
    registration_gate_max_retries: int = Field(
        2, ge=0, le=5, description="Attempts after a failed one; all together end after 9 s."
    )
    registration_gate_oauth2_token_url: Annotated[
        str, AfterValidator(setting_rules.service_url), AfterValidator(needed_by_gate(OAUTH2))
    ] = Field("", description="Token endpoint that gives this server its tokens for the gate.")
    registration_gate_oauth2_client_id: Annotated[str, AfterValidator(needed_by_gate(OAUTH2))] = (
        Field("", description="This server's client_id at that token endpoint.")
    )
    registration_gate_oauth2_auth_method: Literal[
        "client_secret_basic", "client_secret_post", "private_key_jwt"
    ] = Field(
        "client_secret_basic",
        description="How it proves itself there; private_key_jwt signs with this server's own key.",
    )
    registration_gate_oauth2_client_secret: Annotated[
        SecretStr, AfterValidator(needed_by_gate(OAUTH2, unless_by="private_key_jwt"))
    ] = Field(SecretStr(""), description="Its client_secret there; private_key_jwt needs none.")
    registration_gate_oauth2_scope: str = Field(
        "", description="Scopes to ask for there; empty asks for none."
    )
