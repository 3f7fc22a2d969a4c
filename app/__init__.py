"""Gatewright: an OAuth 2.0 authorization server whose specialty is admission."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import (
    account,
    config,
    connection_uses,
    console,
    encryption,
    errors,
    extensions,
    limits,
    logs,
    mount,
    own_assertions,
    protocol,
    provider_uses,
    secret_files,
    security,
    views,
)
from app.browser_session import DatabaseSessions
from app.config import Settings
from app.domain import credentials
from app.domain.passwords import Passwords
from app.outbound import gate, shared_tokens
from app.outbound.client import Outbound
from app.outbound.key_sets import KeySets
from app.protocol import short_way

KEYS = (
    "signing keys",
    "refresh successors",
    "consent tickets",
    "user codes",
    "webhook secrets",
    "shared tokens",
    "connections",
    "identity providers",
    "lists",
    "second factors",
    "dpop nonces",
    "client secrets",
    "pairwise subjects",
)
"""Purposes for each of which a key of its own is derived from the secret key."""


def create_app(settings: Settings | None = None, *, outbound: Outbound | None = None) -> Flask:
    """Wire one application; raises ConfigurationError when the settings have faults."""
    chosen = settings or config.load()
    app = Flask(
        "app",
        template_folder=str(mount.folder("templates")),
        static_folder=str(mount.folder("static")),
    )
    configure(app, chosen)
    app.extensions["gatewright.outbound"] = outbound or Outbound(
        f"Gatewright (+{chosen.issuer})",
        allow=chosen.outbound_allow,
        ca_file=chosen.outbound_ca_file,
    )
    app.extensions["gatewright.gate"] = gate.of_settings(
        chosen,
        app.extensions["gatewright.outbound"],
        own_assertions.signer(app),
        shared_tokens.of_settings(chosen, app.extensions["gatewright.keys"]["shared tokens"]),
    )
    app.extensions["gatewright.key_sets"] = KeySets(app.extensions["gatewright.outbound"])
    connection_uses.init_app(app)
    app.session_interface = DatabaseSessions()
    logs.init_app(app)  # first, so that whatever refuses a request knows its id
    errors.init_app(app)  # second: a form that lost its session is not at fault
    encryption.init_app(app)
    extensions.db.init_app(app)
    extensions.csrf.init_app(app)
    extensions.limiter.init_app(app)
    for part in (security, views, limits, provider_uses, protocol, account, console):
        part.init_app(app)
    app.wsgi_app = short_way.ShortWay(app, app.wsgi_app)  # type: ignore[method-assign]
    app.wsgi_app = mount.IssuerPath(app.wsgi_app, chosen.issuer)  # type: ignore[method-assign]
    if chosen.trusted_proxies:
        hops = chosen.trusted_proxies
        app.wsgi_app = encryption.InClear(app.wsgi_app, hops)  # type: ignore[method-assign]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def configure(app: Flask, chosen: Settings) -> None:
    """Translate the settings into what Flask and its extensions read."""
    key = chosen.secret_key.get_secret_value() or secret_files.read_key(chosen.data_dir)
    app.extensions["gatewright.settings"] = chosen
    app.extensions["gatewright.keys"] = {
        purpose: credentials.subkey(key, purpose) for purpose in KEYS
    }
    app.extensions["gatewright.passwords"] = Passwords(
        chosen.password_memory_kib, chosen.password_concurrency
    )
    app.config.update(
        SECRET_KEY=key,
        SQLALCHEMY_DATABASE_URI=chosen.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=extensions.engine_options(chosen.sqlalchemy_url),
        MAX_CONTENT_LENGTH=chosen.maximum_body_bytes,
        MAX_FORM_MEMORY_SIZE=chosen.maximum_body_bytes,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_ENABLED=chosen.rate_limit_enabled,
        RATELIMIT_STORAGE_URI=chosen.redis_url.get_secret_value() or "memory://",
        RATELIMIT_STORAGE_OPTIONS=limits.storage_options(chosen),
    )
