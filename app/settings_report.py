"""Owns what people are told about each setting: value, unit and source, and no secret."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from app.config import Settings
from app.secret_files import PREFIX

Source = Literal["default", "environment", "file", "argument"]
MASK = "•" * 8
"""Stands for every secret, whatever its length."""
SIZES = (("days", 86400), ("hours", 3600), ("minutes", 60))
UNITS = (
    ("_seconds", "seconds"),
    ("_bytes", "bytes"),
    ("_kib", "KiB"),
    ("_proxies", "proxies"),
    ("_concurrency", "hashes at a time"),
)
OTHER = "Other"
GROUPS = {
    "Server": ("issuer", "trusted_proxies", "maximum_body_bytes", "contact", "log_level"),
    "Storage": ("data_dir", "database_url", "redis_url", "secret_key"),
    "Registration": ("registration_mode", "registration_token", "private_use_schemes"),
    "Tokens": (
        "access_token_seconds",
        "code_seconds",
        "refresh_idle_seconds",
        "refresh_absolute_seconds",
        "refresh_grace_seconds",
        "waiting_seconds",
        "default_resource",
        "pkce_required",
    ),
    "Rate limits": ("rate_limit_enabled",),
    "People": (
        "session_idle_seconds",
        "session_absolute_seconds",
        "password_memory_kib",
        "password_concurrency",
    ),
}
"""Order of the report; a rate limit joins its group by its name, a stranger goes to Other."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One setting as people see it."""

    variable: str
    value: str
    """Empty when it is not set."""
    unit: str
    source: Source
    source_name: str
    """The variable that gave the value, the setting's own or the one that names its file."""
    description: str
    is_secret: bool


def report(settings: Settings) -> list[tuple[str, list[Reported]]]:
    """Return every setting, in named groups."""
    environment = EnvSettingsSource(Settings).env_vars
    groups: dict[str, list[Reported]] = {name: [] for name in (*GROUPS, OTHER)}
    for name, field in Settings.model_fields.items():
        groups[group_of(name)].append(describe(settings, name, field, environment))
    return [(name, found) for name, found in groups.items() if found]


def group_of(name: str) -> str:
    """Return the group of a setting."""
    if name.endswith("_rate_limit"):
        return "Rate limits"
    return next((group for group, names in GROUPS.items() if name in names), OTHER)


def describe(settings: Settings, name: str, field: FieldInfo, environment: Any) -> Reported:
    """Describe one setting."""
    source, source_name = source_of(settings, name, environment)
    return Reported(
        variable=f"{PREFIX}{name.upper()}",
        value=shown(getattr(settings, name)),
        unit=unit_of(name, getattr(settings, name)),
        source=source,
        source_name=source_name,
        description=field.description or "",
        is_secret=field.annotation is SecretStr,
    )


def source_of(settings: Settings, name: str, environment: Any) -> tuple[Source, str]:
    """Tell where a value comes from, in the order in which the sources win.

    ``environment`` holds lower-case names. What no source explains was given by the program that
    started this process.
    """
    variable = f"{PREFIX}{name.upper()}"
    if name not in settings.model_fields_set:
        return "default", ""
    if variable.lower() in environment:
        return "environment", variable
    if f"{variable.lower()}_file" in environment:
        return "file", f"{variable}_FILE"
    return "argument", ""


def shown(value: Any) -> str:
    """Write a value for people; of a secret only whether there is one."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


def unit_of(name: str, value: Any) -> str:
    """Return the unit of a setting, with a long time in larger ones as well."""
    unit = next((unit for suffix, unit in UNITS if name.endswith(suffix)), "")
    if unit != "seconds":
        return unit
    for larger, seconds in SIZES:
        if value >= seconds and value % seconds == 0:
            count = value // seconds
            return f"seconds ({count} {larger if count > 1 else larger.removesuffix('s')})"
    return unit
