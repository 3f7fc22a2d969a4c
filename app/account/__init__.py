"""Door 2: people looking after their own apps, sessions and password."""

from flask import Flask

from app.account import (
    enrolment,
    new_password,
    own_activity,
    own_apps,
    own_factors,
    own_identities,
    own_passkeys,
    own_password,
    own_profile,
    own_sessions,
)

PAGES = (
    own_apps,
    own_sessions,
    own_profile,
    own_password,
    own_identities,
    own_factors,
    own_passkeys,
    enrolment,
    own_activity,
    new_password,
)


def init_app(app: Flask) -> None:
    """Register the pages."""
    for page in PAGES:
        app.register_blueprint(page.bp)
