"""Owns how settings are shown: with their source, secrets masked, and as the table in docs/."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app import config, connection_settings, provider_settings
from app.config import Settings
from app.secret_files import FROM_FILE, PREFIX
from app.variable_groups import SECRET, VariableGroup

MASK = "********"
UNITS = {"seconds": "seconds", "bytes": "bytes", "kib": "KiB"}
INTRODUCTION = """\
# Settings

Every setting is an environment variable; an empty one counts as not set. Those marked *secret* can
also be read from a file: set the variable with `_FILE` behind its name to the path. All faults are
reported at once, and the server does not start with any. `gatewright config check` looks for
faults, `gatewright config show` says what is in force and where it comes from. `<NAME>` stands for
the name of a connection or provider in capitals, with `_` where the name has `-`.

This page is written by `gatewright config table`.

| variable | type | default | meaning |
| --- | --- | --- | --- |
"""


class Row(TypedDict):
    """One setting as it is shown."""

    name: str
    value: Any
    source: str
    description: str


def shown(settings: Settings) -> list[Row]:
    """Return every setting with its source; secrets that are set are masked."""
    rows = [
        Row(
            name=variable(name),
            value=plain(getattr(settings, name)),
            source=config.source(settings, name),
            description=str(field.description),
        )
        for name, field in Settings.model_fields.items()
    ]
    return [
        *rows,
        *of_group(connection_settings.GROUP, settings.connections),
        *of_group(provider_settings.GROUP, settings.identity_providers),
    ]


def of_group(group: VariableGroup[Any], drafts: Mapping[str, Any]) -> Iterator[Row]:
    """Yield every setting of the connections or providers that the environment names."""
    for name, draft in drafts.items():
        for member, (_, description, _) in group.members.items():
            value = getattr(draft, member)
            is_secret = member == SECRET
            yield Row(
                name=group.variable(name, member),
                value=plain(SecretStr(value)) if is_secret else value,
                source=config.given_by(group.variable(name, member)) or "default",
                description=description,
            )


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, a secret masked."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def page() -> str:
    """Return the text of docs/settings.md."""
    return INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in cells())


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Yield the cells of the table in docs/."""
    for name, field in Settings.model_fields.items():
        kind = kind_of(name, field.annotation) + limits_of(field)
        marked = f"{kind}, *secret*" if name in FROM_FILE else kind
        yield f"`{variable(name)}`", marked, default_of(field), str(field.description)
    for group in config.GROUPS:
        for member, (kind, description, _) in group.members.items():
            default = getattr(group.draft(), member)
            text = str(default).lower() if isinstance(default, bool) else default
            named = f"`{group.variable('<name>', member)}`"
            yield named, kind, f"`{text}`" if text else "none", description


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def kind_of(name: str, annotation: Any) -> str:
    """Return the type of a setting in words, with the unit that its name ends with."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "words separated by spaces"
    if annotation is int:
        unit = UNITS.get(name.rpartition("_")[2])
        return f"number of {unit}" if unit else "whole number"
    if name.endswith("_rate_limit"):
        return "rate"
    return {bool: "`true` or `false`", Path: "path"}.get(annotation, "text")


def limits_of(field: FieldInfo) -> str:
    """Return the limits of a number or a text in words."""
    found = {
        limit: getattr(rule, limit)
        for rule in field.metadata
        for limit in ("ge", "le", "max_length")
        if hasattr(rule, limit)
    }
    if "max_length" in found:
        return f", at most {found['max_length']} characters"
    if "le" in found:
        return f", {found['ge']} to {found['le']}"
    return f", at least {found['ge']}" if "ge" in found else ""


def default_of(field: FieldInfo) -> str:
    """Return the default as one would write it in the environment."""
    value = plain(field.default)
    text = " ".join(value) if isinstance(value, list) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return f"`{text}`" if text else "none"
