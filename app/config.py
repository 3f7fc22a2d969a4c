"""Owns the settings: every knob with type, default, unit and one sentence."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from flask import current_app
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app import connection_settings, provider_settings, secret_files, setting_rules
from app.clean_up_settings import CleanUpSettings
from app.domain import connection_drafts, identity_provider_drafts
from app.domain.client_metadata import MetadataRules
from app.domain.grants import LONGEST_SECONDS, SHORTEST_SECONDS
from app.domain.redirect_uris import KNOWN_EDITORS
from app.dpop_settings import DpopSettings
from app.gate_settings import GateSettings
from app.outbound_settings import OutboundSettings
from app.people_settings import PeopleSettings
from app.registration_settings import RateLimit, RegistrationSettings
from app.secret_files import FROM_FILE, PREFIX, SecretFiles
from app.webhook_settings import WebhookSettings

GROUPS = (connection_settings.GROUP, provider_settings.GROUP)
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(setting_rules.words)]


class ConfigurationError(Exception):
    """Raised when the settings have faults; ``faults`` lists a sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        """Collect the faults."""
        super().__init__("; ".join(faults))
        self.faults = faults


class ServerSettings(BaseSettings):
    """The settings of the server itself; every one is an environment variable with the prefix."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, validate_default=True
    )

    issuer: Annotated[str, AfterValidator(setting_rules.issuer)] = Field(
        "http://127.0.0.1:8000",
        description="URL of this server, byte for byte as clients compare it; may have a path.",
    )
    data_dir: Path = Field(
        Path("instance"), description="Folder of the SQLite database and the secret key file."
    )
    database_url: Annotated[SecretStr, AfterValidator(setting_rules.database_url)] = Field(
        SecretStr(""),
        description="SQLAlchemy URL; empty means SQLite in the data directory.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(setting_rules.redis_url)] = Field(
        SecretStr(""), description="Redis for rate limits shared by several processes."
    )
    secret_key: Annotated[
        SecretStr,
        AfterValidator(setting_rules.secret_of(32)),
        AfterValidator(setting_rules.shared_key),
    ] = Field(
        SecretStr(""),
        description="At least 32 characters; seals keys and signs cookies. With SQLite it is made"
        " on first start and kept in the data directory.",
    )
    registration_mode: Literal["closed", "token", "open"] = Field(
        "open", description="Who may register until an operator switches it at run time."
    )
    cimd_enabled: bool = Field(
        True, description="Take the URL of a metadata document for a client_id (CIMD)."
    )
    registration_token: Annotated[SecretStr, AfterValidator(setting_rules.secret_of(20))] = Field(
        SecretStr(""), description="One static initial access token, at least 20 characters."
    )
    token_rate_limit: RateLimit = Field(
        "300 per minute",
        description="Refusals to an address (/token, /clients …), and pushes of public clients.",
    )
    introspection_rate_limit: RateLimit = Field(
        "600 per minute", description="Introspections by one client that find nothing."
    )
    sign_in_rate_limit: RateLimit = Field(
        "30 per minute", description="Sign-in attempts from one address."
    )
    rate_limit_enabled: bool = Field(True, description="Switch of all rate limits.")
    trusted_proxies: int = Field(
        0, ge=0, le=8, description="How many reverse proxies stand before the server."
    )
    access_token_seconds: int = Field(
        900, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS, description="Lifetime of access tokens."
    )
    code_seconds: int = Field(60, ge=5, le=600, description="Lifetime of authorization codes.")
    device_code_seconds: int = Field(900, ge=60, le=900, description="Lifetime of device codes.")
    pushed_request_seconds: int = Field(
        90, ge=5, le=600, description="A browser opens a pushed request within so long."
    )
    refresh_idle_seconds: int = Field(
        30 * 86400, ge=60, description="A refresh token unused for so long is dead."
    )
    refresh_absolute_seconds: int = Field(
        90 * 86400, ge=60, description="A grant is dead so long after the consent."
    )
    refresh_grace_seconds: int = Field(
        10, ge=0, le=30, description="A replayed refresh token gets the same successor so long."
    )
    waiting_seconds: int = Field(
        120, ge=5, le=900, description="How long the waiting page waits for an approval."
    )
    default_resource: Annotated[str, AfterValidator(setting_rules.resource)] = Field(
        "", description="Resource of requests that name none; empty means the issuer."
    )
    pkce_required: Literal["all", "public"] = Field(
        "all", description="public lets confidential OpenID clients with a nonce go without PKCE."
    )
    private_use_schemes: Words = Field(
        KNOWN_EDITORS, description="Private-use redirect schemes without a dot that are accepted."
    )
    brand_words: Words = Field(
        (), description="Your own names: software that bears one elsewhere is a look-alike."
    )
    contact: Annotated[str, AfterValidator(setting_rules.contact)] = Field(
        "the operators of this server",
        max_length=200,
        description="Whom refused and waiting people should ask; printable ASCII.",
    )
    session_idle_seconds: int = Field(
        1800, ge=60, description="A signed-in session unused for so long ends."
    )
    session_absolute_seconds: int = Field(
        12 * 3600, ge=60, description="A signed-in session ends so long after sign-in."
    )
    password_memory_kib: int = Field(
        47104, ge=19456, description="Memory of one argon2id hash, in KiB."
    )
    password_concurrency: int = Field(
        2, ge=1, le=64, description="Password hashes computed at the same time by one process."
    )
    maximum_body_bytes: int = Field(
        65536, ge=4096, description="Larger request bodies are refused with 413."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the files of secrets."""
        return init_settings, env_settings, SecretFiles(settings_cls, os.environ)

    @property
    def sqlalchemy_url(self) -> str:
        """Return the database URL, SQLite in the data directory when none is set."""
        url = self.database_url.get_secret_value()
        return url or f"sqlite:///{self.data_dir.absolute() / 'gatewright.db'}"

    @property
    def resource(self) -> str:
        """Return the resource of requests that name none."""
        return self.default_resource or self.issuer

    @property
    def metadata_rules(self) -> MetadataRules:
        """Return the rules of client metadata that the settings decide."""
        return MetadataRules(private_use_schemes=frozenset(self.private_use_schemes))

    @cached_property
    def connections(self) -> dict[str, connection_drafts.Draft]:
        """Return the connections of the environment by name."""
        return connection_settings.GROUP.read(os.environ)

    @cached_property
    def identity_providers(self) -> dict[str, identity_provider_drafts.Draft]:
        """Return the identity providers of the environment by name."""
        return provider_settings.GROUP.read(os.environ)

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach this server over https."""
        return self.issuer.startswith("https://")


class Settings(
    CleanUpSettings,
    WebhookSettings,
    GateSettings,
    OutboundSettings,
    RegistrationSettings,
    PeopleSettings,
    DpopSettings,
    ServerSettings,
):
    """All settings; those of the server itself come first."""


def load(**overrides: Any) -> Settings:
    """Read the settings; raises ConfigurationError with every fault at once."""
    found = [fault for part in (secret_files, *GROUPS) for fault in part.faults(os.environ)]
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError([*found, *setting_rules.faults(error)]) from None
    if found:
        raise ConfigurationError(found)
    return settings


def source(settings: Settings, name: str) -> str:
    """Return where a setting comes from: ``default``, ``environment``, ``file`` or ``argument``."""
    if name not in settings.model_fields_set:
        return "default"
    return given_by(f"{PREFIX}{name.upper()}") or "argument"


def given_by(variable: str) -> str:
    """Return ``environment`` or ``file`` for how a variable is given, nothing when it is not."""
    given = {name.upper() for name, value in os.environ.items() if value}
    if variable in given:
        return "environment"
    return "file" if f"{variable}_FILE" in given else ""


def unknown_variables() -> list[str]:
    """Return the variables with our prefix that are no setting, most likely misspelled."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in FROM_FILE}
    ours = (name for name in os.environ if name.upper().startswith(PREFIX))
    strange = (name for name in ours if name.upper() not in known)
    return sorted(each for each in strange if not any(g.split(each.upper()) for g in GROUPS))


def current_key(purpose: str) -> bytes:
    """Return the key that was derived for one purpose, of the application in use."""
    key: bytes = current_app.extensions["gatewright.keys"][purpose]
    return key


def current_settings() -> Settings:
    """Return the settings of the application that serves this request."""
    settings: Settings = current_app.extensions["gatewright.settings"]
    return settings
