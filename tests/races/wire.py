"""Requests over real sockets, each on a connection of its own, and what a browser remembers."""

import http.client
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Reply:
    """One answer; ``wanted`` is what the request asked for, where that is in question."""

    status: int
    headers: http.client.HTTPMessage
    text: str
    wanted: str = ""

    @cached_property
    def body(self) -> dict[str, Any]:
        """Return the JSON of a machine answer."""
        return json.loads(self.text)


def send(
    base_url: str, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
) -> Reply:
    """Send one request; raises OSError or HTTPException when no whole answer comes."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=20)
    try:
        connection.request(method, path, body or None, headers or {})
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


def post_form(
    base_url: str, path: str, values: dict[str, Any], headers: dict[str, str] | None = None
) -> Reply:
    """Post a form."""
    return send(
        base_url, "POST", path, urlencode(values), {"Content-Type": FORM, **(headers or {})}
    )


def post_json(base_url: str, path: str, value: Any, headers: dict[str, str]) -> Reply:
    """Post a JSON document."""
    sent = {"Content-Type": "application/json", **headers}
    return send(base_url, "POST", path, json.dumps(value), sent)


@dataclass
class Browser:
    """A browser that is signed in; its session works at every server of the issuer."""

    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def get(self, base_url: str, path: str) -> Reply:
        """Open a page and remember its cookies and CSRF token."""
        reply = send(base_url, "GET", path, headers=self.headers())
        self.remember(reply)
        found = CSRF.search(reply.text)
        self.csrf = found[1] if found else self.csrf
        return reply

    def post(self, base_url: str, path: str, **values: str) -> Reply:
        """Send a form of the page."""
        reply = post_form(base_url, path, {"csrf_token": self.csrf, **values}, self.headers())
        self.remember(reply)
        return reply

    def headers(self) -> dict[str, str]:
        """Return the cookies as a header."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def remember(self, reply: Reply) -> None:
        """Keep the cookies of an answer."""
        for header in reply.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: each.value for name, each in SimpleCookie(header).items()}


def sign_in(base_url: str, email: str, password: str) -> Browser:
    """Return the browser of somebody who has just signed in."""
    browser = Browser()
    browser.get(base_url, "/login")
    reply = browser.post(base_url, "/login", username=email, password=password)
    assert reply.status == 303, reply.text
    return browser
