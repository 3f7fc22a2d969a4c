"""Owns how the System page groups the settings and words their values; secrets stay masked."""

from dataclasses import dataclass

from app import setting_rows
from app.config import Settings
from app.dpop_settings import DpopSettings
from app.gate_settings import GateSettings
from app.outbound_settings import OutboundSettings
from app.people_settings import PeopleSettings
from app.registration_settings import RegistrationSettings
from app.secret_files import FROM_FILE, PREFIX
from app.setting_rows import Row
from app.webhook_settings import WebhookSettings

SIZES = (("days", 86400), ("hours", 3600), ("minutes", 60))
CONNECTIONS, PROVIDERS, OTHER = "Connections", "Identity providers", "Other"
GROUPS = {
    "Server": ("issuer", "trusted_proxies", "maximum_body_bytes", "contact", "log_level"),
    "Storage": ("data_dir", "database_url", "redis_url", "secret_key"),
    "Outbound": tuple(OutboundSettings.model_fields),
    "Registration": (
        "registration_mode",
        "cimd_enabled",
        "registration_token",
        "private_use_schemes",
        "brand_words",
        *RegistrationSettings.model_fields,
    ),
    "Registration gate": tuple(GateSettings.model_fields),
    "Webhooks": tuple(WebhookSettings.model_fields),
    "Clean-up": ("sweep_pending_days", "sweep_unused_days", "reminder_days"),
    "Tokens": (
        "access_token_seconds",
        "code_seconds",
        "pushed_request_seconds",
        "device_code_seconds",
        "refresh_idle_seconds",
        "refresh_absolute_seconds",
        "refresh_grace_seconds",
        "waiting_seconds",
        "default_resource",
        "pkce_required",
        "key_rotation_days",
        *DpopSettings.model_fields,
    ),
    "Rate limits": ("rate_limit_enabled",),
    "People": (
        "session_idle_seconds",
        "session_absolute_seconds",
        "password_memory_kib",
        "password_concurrency",
        *PeopleSettings.model_fields,
    ),
}
"""Order of the groups; a rate limit joins its group by its name, a stranger goes to Other."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as people see it; the value is empty when it is not set."""

    variable: str
    value: str
    unit: str
    source: str
    description: str
    is_secret: bool


def grouped(settings: Settings) -> list[tuple[str, list[Shown]]]:
    """Return every setting, in named groups."""
    groups: dict[str, list[Shown]] = {name: [] for name in (*GROUPS, CONNECTIONS, PROVIDERS, OTHER)}
    for row in setting_rows.shown(settings):
        name = row["name"].removeprefix(PREFIX).lower()
        groups[group_of(name)].append(worded(name, row))
    return [(name, found) for name, found in groups.items() if found]


def group_of(name: str) -> str:
    """Return the group of a setting."""
    if name.endswith("_rate_limit"):
        return "Rate limits"
    if name.startswith("connection_"):
        return CONNECTIONS
    if name.startswith("idp_"):
        return PROVIDERS
    return next((group for group, names in GROUPS.items() if name in names), OTHER)


def worded(name: str, row: Row) -> Shown:
    """Write a setting for people."""
    value = row["value"]
    text = ", ".join(value) if isinstance(value, list) else str(value)
    if isinstance(value, bool):
        text = "on" if value else "off"
    return Shown(
        row["name"],
        text,
        unit_of(name, value),
        row["source"],
        row["description"],
        name in FROM_FILE or name.endswith("_client_secret"),
    )


def unit_of(name: str, value: object) -> str:
    """Return the unit that a name ends with, with a long time in a larger one as well."""
    unit = setting_rows.UNITS.get(name.rpartition("_")[2], "")
    if unit != "seconds" or not isinstance(value, int):
        return unit
    for larger, seconds in SIZES:
        if value >= seconds and value % seconds == 0:
            count = value // seconds
            return f"seconds ({count} {larger if count > 1 else larger.removesuffix('s')})"
    return unit
