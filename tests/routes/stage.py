"""A furnished server and everybody who may call it, so that each route can really be called."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined
from sqlalchemy import Column, Table
from werkzeug.test import TestResponse

from app import create_app
from app.config import load
from app.domain import (
    admissions,
    client_metadata,
    connections,
    identity_provider_drafts,
    identity_providers,
    policy_versions,
    registration_tokens,
    resources,
    scopes,
    signing_keys,
    software_logos,
    statement_issuers,
    upstreams,
    users,
    webhooks,
)
from app.domain.audit import SERVER
from app.domain.connection_drafts import Draft
from app.domain.passwords import Passwords
from app.domain.rules import Rule
from app.domain.webhooks import Outcome
from app.extensions import db
from tests.conftest import ISSUER, SECRET_KEY, Client
from tests.domain.pictures import png
from tests.once import compiled_templates
from tests.routes.table import Route

PASSWORD = "a sentence that nobody guesses"
REDIRECT = "https://client.example/cb"
RESOURCE = "https://api.example/mcp"
SCOPE = "tools:read"
FORM = "application/x-www-form-urlencoded"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
ANONYMOUS = "anonymous"
EVERYBODY = (ANONYMOUS, *users.ROLES)
RULE = "rule-1"
QUERIES = {
    "/device/qr.svg": {"user_code": "BCDF-GHJK"},
    "/admin/policies/edit": {"id": RULE},
    "/admin/scopes/edit": {"name": SCOPE},
    "/admin/resources/edit": {"uri": RESOURCE},
}


@contextmanager
def staged(template: Path, folder: Path, **values: Any) -> Iterator["Stage"]:
    """Furnish an app over a copy of the migrated database while the block lasts."""
    shutil.copyfile(template, folder / "test.db")
    settings = {
        "issuer": ISSUER,
        "database_url": f"sqlite:///{folder / 'test.db'}",
        "secret_key": SECRET_KEY,
        "data_dir": folder,
        "rate_limit_enabled": False,
        "password_memory_kib": 19456,
    }
    app = create_app(load(**settings | values))
    app.testing = True
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.bytecode_cache = compiled_templates
    yield Stage(app)
    with app.app_context():
        db.engine.dispose()


def lasting(table: Table) -> list[Column[Any]]:
    """Return the columns of a table, without the one that says when a session was last used."""
    return [column for column in table.c if str(column) != "sessions.last_seen_at"]


class Hash:
    """Hashes the one password of everybody once."""

    @staticmethod
    @cache
    def hash(password: str) -> str:
        return Passwords(19456, 1).hash(password)


class Stage:
    """One app with something of everything in it; ``call`` plays a row of the table."""

    def __init__(self, app: Flask) -> None:
        app.test_client_class = Client
        self.app = app
        self.values: dict[str, str] = {"filename": "base.css", "_rest": "x", "issuer_path": "x"}
        self.issued: dict[str, str] = {}
        with app.app_context():
            self.furnish()
            db.session.commit()
        self.register()
        self.browsers: dict[str, FlaskClient] = {}
        self.tokens: dict[str, str] = {}
        self.typed = PASSWORD

    def furnish(self) -> None:
        """Make people, a scope, a resource, a rule, a client and an initial access token."""
        signing_keys.ensure(self.app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        for role in users.ROLES:
            users.create(f"{role}@people.example", role, PASSWORD, Hash(), by=SERVER)
        self.values["user_id"] = users.invite("somebody@people.example", "member", by=SERVER).id
        scopes.create(SCOPE, "Read your tools", by=SERVER)
        resources.create(RESOURCE, "Tools", [SCOPE], by=SERVER)
        metadata = client_metadata.parse(
            {
                "client_name": "By hand",
                "redirect_uris": [REDIRECT],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "client_secret_post",
            }
        )
        client, issued = admissions.create(metadata, by=SERVER, allowed=[SCOPE])
        self.values |= {"client_id": client.client_id, "client_secret": issued.client_secret}
        self.values["digest"] = self.keep_logo(client.software_id)
        software_logos.show(client.software_id, self.values["digest"], by=SERVER)
        row, self.issued["initial access token"] = registration_tokens.create("Team", by=SERVER)
        key = self.app.extensions["gatewright.keys"]["webhook secrets"]
        endpoint, self.issued["webhook secret"] = webhooks.create(
            "https://hook.example/", key, by=SERVER
        )
        held = Draft(token_endpoint="http://127.0.0.1:9/", client_id="us", client_secret="s")
        key = self.app.extensions["gatewright.keys"]["connections"]
        self.values["connection_id"] = connections.create("held", held, key, by=SERVER).id
        self.furnish_upstream(key)
        webhooks.test(endpoint, by=SERVER)
        told = webhooks.find_deliveries(endpoint.id, size=1)[0]
        webhooks.note({"delivery": told.id}, Outcome("network"), "dead")
        self.values |= {"endpoint_id": endpoint.id, "delivery_id": told.id}
        keys_uri = "https://vendor.example/jwks.json"
        trusted = statement_issuers.create(
            "https://vendor.example",
            by=SERVER,
            ours=ISSUER,
            algorithms=["ES256"],
            jwks_uri=keys_uri,
        )
        self.values |= {"issuer_id": trusted.id}
        policy_versions.save([Rule("Off", "hold", enabled=False, id=RULE)], 0, by=SERVER)
        self.values |= {"token_id": row.id, "event_id": "1", "number": "1"}

    def furnish_upstream(self, key: bytes) -> None:
        """Make a connection that people can authorize, at a server that nobody reaches."""
        there = "http://127.0.0.1:9"
        draft = Draft(kind="authorization_code", url=there, auth_method="none")
        row = connections.create("upstream", draft, key, by=SERVER)
        metadata = {"authorization_endpoint": f"{there}/a", "token_endpoint": f"{there}/t"}
        upstreams.note_discovery(row, {"issuer": there} | metadata, there, by=SERVER)
        upstreams.note_registration(row, upstreams.Client("us"), row.revision, key, by=SERVER)
        self.values |= {"upstream_id": row.id, "name": row.name, "provider": row.name}
        elsewhere = identity_provider_drafts.Draft(there, "us", "s")
        key = self.app.extensions["gatewright.keys"]["identity providers"]
        identity_providers.create(row.name, elsewhere, key, by=SERVER)

    def register(self) -> None:
        """Let a stranger register, whose software then waits."""
        answer = self.new_browser().post("/register", json=self.metadata())
        assert answer.status_code == 201, answer.text
        self.waiting = dict(answer.json)
        with self.app.app_context():
            row = db.session.execute(
                db.text("SELECT id, revision FROM software WHERE status = 'pending'")
            ).one()
            self.values |= {"software_id": row[0], "revision": row[1]}
            self.keep_logo(row[0])
            db.session.commit()

    def keep_logo(self, software_id: str) -> str:
        """Keep the one logo of all software; return its digest."""
        return software_logos.keep(software_id, f"{REDIRECT}.png", png(), by=SERVER).digest

    def metadata(self) -> dict[str, Any]:
        """Return what the stranger registers."""
        return {"client_name": "Stranger", "redirect_uris": [REDIRECT], "scope": SCOPE}

    def new_browser(self) -> FlaskClient:
        """Return a browser without cookies."""
        browser = self.app.test_client()
        browser.environ_base["HTTP_REFERER"] = f"{ISSUER}/"
        return browser

    def browser(self, role: str) -> FlaskClient:
        """Return the browser of somebody with a role; it knows a CSRF token of its session."""
        if role not in self.browsers:
            browser = self.browsers[role] = self.new_browser()
            page = browser.get("/login")
            self.tokens[role] = CSRF.search(page.text)[1]
            if role != ANONYMOUS:
                form = {"username": f"{role}@people.example", "password": PASSWORD}
                answer = self.post(browser, "/login", form | {"csrf_token": self.tokens[role]})
                assert answer.status_code == 303, answer.text
                self.tokens[role] = CSRF.search(browser.get("/").text)[1]
        return self.browsers[role]

    def asking(self, client_id: str) -> str:
        """Return the query of an authorization request."""
        return urlencode(
            {
                "response_type": "code",
                "client_id": client_id,
                "redirect_uri": REDIRECT,
                "scope": SCOPE,
                "resource": RESOURCE,
                "code_challenge": "c" * 43,
                "code_challenge_method": "S256",
            }
        )

    def post(self, browser: FlaskClient, path: str, form: Mapping[str, Any]) -> TestResponse:
        """Post a form."""
        return browser.post(path, data=urlencode(form), content_type=FORM)

    def call(self, route: Route, role: str = ANONYMOUS, *, csrf: bool = True) -> TestResponse:
        """Call a route as somebody would who may, but with this role."""
        browser, path = self.browser(role), self.path_of(route)
        if route.method in ("GET", "DELETE") or route.path.startswith(("/register", "/clients/")):
            options = self.machine_options(route)
            return browser.open(path, method=route.method, buffered=True, **options)
        form = self.form_of(route)
        if csrf and route.csrf == "required":
            form["csrf_token"] = self.tokens[role]
        return self.post(browser, path, form)

    def path_of(self, route: Route) -> str:
        """Return an address of a route."""
        values = dict(self.values)
        if route.role == "registration token":
            values["client_id"] = self.waiting["client_id"]
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route.path)
        if path in ("/consent", "/waiting/leave") or (route.method, path) == ("GET", "/authorize"):
            asks = values["client_id"] if path != "/waiting/leave" else self.waiting["client_id"]
            return f"{path}?{self.asking(asks)}"
        query = QUERIES.get(path)
        return f"{path}?{urlencode(query)}" if query and route.method == "GET" else path

    def machine_options(self, route: Route) -> dict[str, Any]:
        """Return token and body of a registration and its management."""
        if not route.path.startswith(("/register", "/clients/")):
            return {}
        options: dict[str, Any] = {}
        if route.role == "registration token":
            token = self.waiting["registration_access_token"]
            options["headers"] = {"Authorization": f"Bearer {token}"}
        if route.method == "PUT":
            options["json"] = self.metadata() | {"client_id": self.waiting["client_id"]}
        elif route.method == "POST":
            options["json"] = self.metadata()
        return options

    def form_of(self, route: Route) -> dict[str, str]:
        """Return a form with every field that some route reads."""
        if route.role == "client":
            own = {name: self.values[name] for name in ("client_id", "client_secret")}
            if route.path == "/par":
                return own | dict(parse_qsl(self.asking(self.values["client_id"])))
            return own | {
                "token": "unknown",
                "grant_type": "refresh_token",
                "refresh_token": "rt_x",
            }
        if route.path in ("/account/new-password", "/login", "/setup"):
            who = {"username": "member@people.example", "email": "new@people.example"}
            return who | {"password": self.typed, "token": "unknown"}
        if route.path == "/authorize":
            return {"client_id": self.values["client_id"]}
        return {
            "software_id": self.values["software_id"],
            "selected": self.values["software_id"],
            "revision": self.values["revision"],
            "decision": "allow",
            "justification": "I need it",
            "name": SCOPE,
            "uri": RESOURCE,
            "reason": "because",
            "id": RULE,
            "seen": "1",
            "direction": "up",
            "key": "loopback",
            "url": "https://another.example/hook",
            "state": "off",
            "issuer": "https://another.example",
            "jwks_uri": "https://another.example/jwks.json",
            "algorithms": "ES256",
        }

    def snapshot(self, *without: str) -> dict[str, list[str]]:
        """Return every row of the database, of all tables but some."""
        with self.app.app_context():
            return {
                table.name: sorted(map(repr, db.session.execute(db.select(*lasting(table)))))
                for table in db.metadatas[None].sorted_tables
                if table.name not in without
            }
