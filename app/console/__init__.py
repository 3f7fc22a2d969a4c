"""Door 3: operators."""

from importlib import import_module

from flask import Flask

from app.console import glossary

PAGES = (
    "overview",
    "registrations",
    "clients",
    "initial_access_tokens",
    "policies",
    "simulator",
    "statement_issuers",
    "scopes",
    "resources",
    "acquire",
    "acquire_own",
    "connections",
    "upstreams",
    "unsent",
    "upstream_changes",
    "webhooks",
    "audit",
    "users",
    "identity_providers",
    "clean_up",
    "gate",
    "system",
)


def init_app(app: Flask) -> None:
    """Register the pages of the console."""
    app.jinja_env.globals["explain"] = glossary.explain
    for name in PAGES:
        app.register_blueprint(import_module(f"app.console.{name}").bp)
