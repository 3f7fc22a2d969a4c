"""People at their browsers: they follow the forms of the pages they are shown."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain import users
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER, Client
from tests.protocol.machines import FORM, Machine, form

PASSWORD = "correct horse battery"


@dataclass
class Form:
    """One form of a page, with the values it would send."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collects the forms of a page; buttons are left to whoever clicks them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values.get("action", ""), values.get("method", "get")))
        elif tag in ("input", "textarea") and self.found and "name" in values:
            self.found[-1].fields[values["name"]] = values.get("value", "")


def find_form(page: TestResponse, action: str) -> Form:
    """Return the form of a page whose action begins so."""
    actions = [each.action for each in Forms(page.text).found]
    assert any(each.startswith(action) for each in actions), (page.status, actions)
    return next(each for each in Forms(page.text).found if each.action.startswith(action))


def answer_of(response: TestResponse) -> dict[str, str]:
    """Return the parameters that a redirect to a client carries, each of which comes once."""
    assert response.status_code == 303, (response.status, response.text[:2000])
    query = parse_qs(urlsplit(response.location).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values()), query
    return {name: values[0] for name, values in query.items()}


class Person:
    """Somebody with an account, and the browser of theirs."""

    def __init__(self, app: Flask, email: str, user_id: str) -> None:
        self.app, self.email, self.user_id = app, email, user_id
        self.http = new_http(app)

    def elsewhere(self) -> "Person":
        """Return the same person at another browser."""
        return Person(self.app, self.email, self.user_id)

    def open(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.http.get(path, **options)

    def submit(self, page: TestResponse, action: str, **changes: Any) -> TestResponse:
        """Send the form whose action begins so; changes replace, None removes a field."""
        found = find_form(page, action)
        assert found.method == "post"
        return self.http.post(found.action, data=form(found.fields | changes), content_type=FORM)

    def sign_in(self, page: TestResponse | None = None, **changes: Any) -> TestResponse:
        """Fill in the sign-in form of a page, by default of ``/login``."""
        shown = page or self.open("/login")
        return self.submit(
            shown, "/login", **({"username": self.email, "password": PASSWORD} | changes)
        )

    def consent_page(self, machine: Machine, **changes: Any) -> TestResponse:
        """Return the consent page of a request, signing in on the way if need be."""
        page = self.open(machine.asking(**changes))
        if 'name="password"' in page.text:
            page = self.open(self.sign_in(page).location)
        return page

    def decide(self, page: TestResponse, decision: str = "allow", **changes: Any) -> TestResponse:
        """Answer a consent page."""
        return self.submit(page, "/consent", decision=decision, **changes)

    def allow(self, machine: Machine, **changes: Any) -> dict[str, str]:
        """Go through sign-in and consent; return what the redirect carries."""
        page = self.consent_page(machine, **changes)
        return answer_of(page if page.status_code == 303 else self.decide(page))

    def code(self, machine: Machine, **changes: Any) -> str:
        """Return an authorization code for a client."""
        return self.allow(machine, **changes)["code"]

    def tokens(self, machine: Machine, **changes: Any) -> dict[str, Any]:
        """Return the token answer for a client."""
        response = machine.redeem(self.code(machine, **changes))
        assert response.status_code == 200, response.text
        return response.get_json()


def new_http(app: Flask) -> FlaskClient:
    """Return a connection with cookies of its own."""
    app.test_client_class = Client
    http = app.test_client()
    http.environ_base["HTTP_REFERER"] = f"{ISSUER}/"
    return http


class KnownHash:
    """Stands in for the hasher when an account is made: hashing once is enough for all tests."""

    def __init__(self, encoded: str) -> None:
        self.encoded = encoded

    def hash(self, password: str) -> str:
        assert password == PASSWORD
        return self.encoded


def enrol(app: Flask, email: str, role: str, encoded: str) -> Person:
    """Make an account with the password of all tests."""
    with app.app_context():
        user_id = users.create(email, role, PASSWORD, KnownHash(encoded), by=SERVER).id
        db.session.commit()
    return Person(app, email, user_id)
