"""Owns the health checks: what an operator should know about this server, a sentence for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from flask import Flask
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError

from app import clock, exits, schema, secret_files, setting_rules
from app.config import Settings
from app.domain import jobs, key_rotation, signing_keys, turns, users
from app.extensions import db, limiter
from app.outbound import targets
from app.outbound.errors import OutboundError
from app.outbound.gate import Gate

Level = Literal["ok", "note", "fault"]
LATE_SECONDS = 300
"""Who does background work is heard of once a minute; after so long there is nobody."""
OVERDUE_SECONDS = 2 * 3600
"""What is done once an hour has failed when it is late by so much."""
GATE_SECONDS = 3
"""How long a check waits for the registration gate or for its token."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; a note is worth a look, a fault stops somebody from working."""

    check: str
    level: Level
    sentence: str
    code: int = exits.OK
    """How a program ends because of it."""


def examine(app: Flask) -> Iterator[Finding]:
    """Yield what every check finds; those that need the database end with it.

    An application context must be open. Nothing is changed.
    """
    settings: Settings = app.extensions["gatewright.settings"]
    yield examine_issuer(settings)
    yield examine_secret_key(settings)
    yield examine_redis(settings)
    database = examine_database()
    yield database
    if database.level != "fault":
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        yield examine_signing_keys(sealing_key, settings.key_rotation_days)
        yield examine_administrators()
        yield examine_jobs()


def examine_issuer(settings: Settings) -> Finding:
    """Look for an issuer that clients cannot reach, or addresses that are all the proxy's."""
    if "issuer" not in settings.model_fields_set:
        sentence = "GATEWRIGHT_ISSUER is not set: only programs on this machine can use the server."
        return Finding("issuer", "note", sentence)
    if settings.secure and not settings.trusted_proxies:
        sentence = (
            "The issuer is https but GATEWRIGHT_TRUSTED_PROXIES is 0: behind a reverse proxy all"
            " requests seem to come from the proxy."
        )
        return Finding("issuer", "note", sentence)
    return Finding("issuer", "ok", f"The issuer is {settings.issuer}")


def examine_secret_key(settings: Settings) -> Finding:
    """Look at the mode of the file that holds the secret key."""
    if settings.secret_key.get_secret_value():
        return Finding("secret key", "ok", "The secret key comes from the settings.")
    try:
        secret_files.check_private(settings.data_dir / "secret_key")
    except OSError as error:
        return Finding("secret key", "fault", str(error), exits.CONFIGURATION)
    return Finding("secret key", "ok", "Only this user can read the file of the secret key.")


def examine_redis(settings: Settings) -> Finding:
    """Ask Redis whether it is there."""
    if not settings.redis_url.get_secret_value():
        return Finding("redis", "ok", "Redis is not set: one process counts rate limits.")
    answers = guarded(limiter.storage.check, StorageError)
    if answers is not True:
        sentence = "Redis does not answer: every process counts rate limits for itself."
        return Finding("redis", "fault", sentence, exits.REFUSED)
    return Finding("redis", "ok", "Redis answers.")


def examine_gate(app: Flask) -> Iterator[Finding]:
    """Look whether the registration gate is there and, if it wants tokens, whether one is had.

    Apart from the other checks, because a page should not wait for others' servers.
    """
    gate: Gate | None = app.extensions["gatewright.gate"]
    if gate is None:
        return
    check = "registration gate"
    try:
        gate.reach(GATE_SECONDS)
    except OutboundError as error:
        sentence = f"It cannot be reached ({error.reason}): all registrations are refused."
        yield Finding(check, "fault", sentence, exits.REFUSED)
    else:
        yield in_clear(check, gate.access.url) or Finding(check, "ok", "Something answers there.")
    if gate.tokens is None or gate.access.login is None:
        return
    check = "registration gate token"
    try:
        gate.tokens.token(GATE_SECONDS)
    except OutboundError as error:
        sentence = f"No token is given for it ({error.reason}): all registrations are refused."
        yield Finding(check, "fault", sentence, exits.REFUSED)
    else:
        url = gate.access.login.token_url
        yield in_clear(check, url) or Finding(check, "ok", "Its token endpoint gives a token.")


def in_clear(check: str, url: str) -> Finding | None:
    """Note a URL without encryption that leads beyond this machine."""
    target = targets.parse(url)
    if target.scheme == "https" or setting_rules.is_loopback(target.host):
        return None
    sentence = "It is asked over http: whoever is on the way can read and change what is said."
    return Finding(check, "note", sentence)


def examine_database() -> Finding:
    """Look whether the database answers and is at the version of this program."""
    try:
        schema.check()
    except (schema.WrongVersion, SQLAlchemyError) as fault:
        ending = exits.explain(fault)
        if ending is None:
            raise
        return Finding("database", "fault", ending.sentences[0], ending.code)
    kind = db.engine.dialect.name
    return Finding("database", "ok", f"The database answers and is up to date ({kind}).")


def examine_signing_keys(sealing_key: bytes, days: int) -> Finding:
    """Look for a key to sign with that the secret key opens, and whether it signs too long."""
    states, now = {state for _, state in signing_keys.missing()}, clock.epoch()
    if "active" in states:
        sentence = "There is no signing key of some kind; gatewright serve makes it."
        return Finding("signing keys", "fault", sentence, exits.REFUSED)
    if guarded(lambda: signing_keys.load(sealing_key), ValueError) is None:
        sentence = "The secret key does not open the signing key: it is not the one of this data."
        return Finding("signing keys", "fault", sentence, exits.CONFIGURATION)
    if "next" in states:
        sentence = "There is no next key, so the key cannot be rotated; gatewright serve makes one."
        return Finding("signing keys", "note", sentence)
    if (key_rotation.turns_at(days) or now) < now - OVERDUE_SECONDS:
        sentence = "The signing keys should have rotated by themselves; see the log of the worker."
        return Finding("signing keys", "note", sentence)
    return Finding("signing keys", "ok", "There is a signing key and the secret key opens it.")


def examine_administrators() -> Finding:
    """Look whether somebody can administer the server."""
    if not users.has_admin():
        sentence = "There is no administrator; see gatewright user setup-link."
        return Finding("administrator", "note", sentence)
    return Finding("administrator", "ok", "There is an administrator.")


def examine_jobs() -> Finding:
    """Look whether somebody does the background work, and whether any was given up."""
    if turns.last(turns.LOOK) < clock.epoch() - LATE_SECONDS:
        sentence = "Nobody does the background work; gatewright serve does, or gatewright worker."
        if jobs.has("waiting"):
            return Finding("jobs", "fault", sentence, exits.REFUSED)
        return Finding("jobs", "note", sentence)
    if jobs.has("dead"):
        sentence = (
            "Some jobs were given up; the page Webhooks shows what was not delivered, the audit"
            " trail (client.logout_failed) which apps were not told of a sign-out."
        )
        return Finding("jobs", "note", sentence)
    return Finding("jobs", "ok", "Somebody does the background work, and none was given up.")


def guarded(ask: Callable[[], Any], expected: type[Exception]) -> Any:
    """Return the answer, or None when asking fails in the expected way."""
    try:
        return ask()
    except expected:
        return None
