"""Owns secrets kept in files: the secret key, and settings given as ``GATEWRIGHT_<NAME>_FILE``."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from app.domain import credentials

PREFIX = "GATEWRIGHT_"
FROM_FILE = (
    "secret_key",
    "database_url",
    "redis_url",
    "registration_token",
    "registration_gate_auth_credential",
    "registration_gate_oauth2_client_secret",
    "registration_webhook_auth_token",
    "registration_webhook_signing_secret",
)
"""Settings that hold secrets: also read from the file that ``GATEWRIGHT_<NAME>_FILE`` names."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads ``GATEWRIGHT_<NAME>_FILE`` for the settings that hold secrets."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        """Read from an environment that the caller owns."""
        super().__init__(settings_cls)
        self.environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the file named for one field."""
        path = self.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (read(path) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all fields that have a file."""
        values = {}
        for name in FROM_FILE:
            value, _, _ = self.get_field_value(self.settings_cls.model_fields[name], name)
            if value is not None:
                values[name] = value
        return values


def read(path: str) -> str | None:
    """Return the secret in a file without the white space around it; None when there is none."""
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def faults(environ: Mapping[str, str]) -> Iterator[str]:
    """Say which ``_FILE`` variables are of no use, without showing what they say."""
    for name in FROM_FILE:
        yield from faults_of(f"{PREFIX}{name.upper()}", environ)


def faults_of(variable: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Say whether the file for one variable is of no use."""
    path = environ.get(f"{variable}_FILE")
    if path and environ.get(variable):
        yield f"{variable} and {variable}_FILE are both set; set only one"
    elif path and read(path) is None:
        yield f"{variable}_FILE must name a file that can be read and is not empty"


def read_key(data_dir: Path) -> str:
    """Return the secret key of a data directory, made there at the first start.

    Raises OSError when the file cannot be used or others can read it.
    """
    path = data_dir / "secret_key"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        make_key(path)
    check_private(path)
    key = path.read_text().strip()
    if len(key) < 32:
        raise OSError(f"{path.name} in the data directory must hold at least 32 characters")
    return key


def make_key(path: Path) -> None:
    """Write a new secret key; of several processes that start together one wins."""
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        write_private(fresh, credentials.new_secret())
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        fresh.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only this user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def check_private(path: Path) -> None:
    """Refuse a key file that others can read."""
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path.name} in the data directory must have mode 0600")
