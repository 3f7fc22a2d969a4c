"""A person at a small browser: keeps cookies, follows redirects, fills in forms by their fields."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import httpx2

REDIRECTS = (301, 302, 303, 307, 308)
SILENT = ("script", "style", "title", "template")


@dataclass
class Form:
    """A form as it would be sent: the fields with their values, and the buttons by their words."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)
    """Names of the fields a person can type into or choose from."""
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)


class Reader(HTMLParser):
    """Reads a page the way a browser without scripts does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self.open_form: Form | None = None
        self.catching: list[tuple[str, dict[str, str], list[str]]] = []
        self.silent = 0
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        """Return the words of the page, separated by single spaces."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in given}
        if tag in SILENT:
            self.silent += 1
        elif tag == "form":
            method = attributes.get("method", "get").lower()
            self.open_form = Form(attributes.get("action", ""), method)
            self.forms.append(self.open_form)
        elif tag == "input":
            self.add_input(attributes)
        elif tag in ("textarea", "select", "button", "a"):
            self.catching.append((tag, attributes, []))
        elif tag == "option" and "selected" in attributes and self.catching:
            self.catching[-1][2].append(attributes.get("value", ""))

    def add_input(self, attributes: dict[str, str]) -> None:
        """Take a field; a box that is not ticked is known but not sent."""
        name, kind = attributes.get("name"), attributes.get("type", "text")
        if self.open_form is None or not name or "disabled" in attributes:
            return
        if kind != "hidden":
            self.open_form.typed.add(name)
        if kind not in ("checkbox", "radio") or "checked" in attributes:
            self.open_form.fields.append((name, attributes.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        self.words.append(data)
        if self.catching and self.catching[-1][0] != "select":
            self.catching[-1][2].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent -= 1
        elif tag == "form":
            self.open_form = None
        elif self.catching and self.catching[-1][0] == tag:
            _, attributes, words = self.catching.pop()
            self.finish(tag, attributes, " ".join("".join(words).split()))

    def finish(self, tag: str, attributes: dict[str, str], words: str) -> None:
        """Take an element whose content is known now."""
        words = attributes.get("aria-label") or words
        if tag == "a" and "href" in attributes:
            self.links.setdefault(words, attributes["href"])
        elif tag == "button" and self.open_form is not None:
            if attributes.get("type", "submit") == "submit":
                self.open_form.buttons[words] = attributes
        elif tag in ("textarea", "select") and self.open_form is not None and "name" in attributes:
            self.open_form.typed.add(attributes["name"])
            self.open_form.fields.append((attributes["name"], words))


@dataclass(repr=False)
class Page:
    """What the browser shows."""

    url: str
    status: int
    html: str

    def __post_init__(self) -> None:
        read = Reader(self.html)
        self.text, self.forms, self.links = read.text, read.forms, read.links

    def form_with(self, button: str) -> Form:
        """Return the only form with a button of these words."""
        found = [form for form in self.forms if button in form.buttons]
        assert len(found) == 1, f"{len(found)} forms with {button!r} on: {self}"
        return found[0]

    def __repr__(self) -> str:
        """Say what a failed test needs to know."""
        return f"{self.status} {self.url.partition('?')[0]}: {self.text[:600]}"


class Browser:
    """One browser profile; ``page`` is what it shows."""

    def __init__(self) -> None:
        self.http = httpx2.Client(follow_redirects=False, timeout=20)
        self.http.headers["Accept"] = "text/html,application/xhtml+xml"
        self.page = Page("about:blank", 0, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def open(self, url: str) -> Page:
        """Go to an address, and on wherever its redirects lead."""
        return self.go("GET", url)

    def follow(self, words: str) -> Page:
        """Follow the link with these words."""
        assert words in self.page.links, f"no link {words!r} among {sorted(self.page.links)}"
        return self.open(urljoin(self.page.url, self.page.links[words]))

    def press(self, button: str, **typed: str) -> Page:
        """Fill in the form that has this button, and press it."""
        form = self.page.form_with(button)
        assert set(typed) <= form.typed, f"fields {sorted(form.typed)}, not {sorted(typed)}"
        pressed = form.buttons[button]
        sent = [(name, value) for name, value in form.fields if name not in typed]
        sent += typed.items()
        if "name" in pressed:
            sent.append((pressed["name"], pressed.get("value", "")))
        target = urljoin(self.page.url, pressed.get("formaction", form.action))
        if form.method == "get":
            return self.go("GET", target, params=sent)
        names = dict.fromkeys(name for name, _ in sent)
        return self.go("POST", target, data={n: [v for m, v in sent if m == n] for n in names})

    def go(self, method: str, url: str, **body: Any) -> Page:
        """Send a request and follow at most ten redirects."""
        headers = {"Referer": self.page.url} if self.page.status else {}
        for _ in range(10):
            answer = self.http.request(method, url, headers=headers, **body)
            if answer.status_code not in REDIRECTS:
                self.page = Page(str(answer.url), answer.status_code, answer.text)
                return self.page
            url, method, body = urljoin(url, answer.headers["Location"]), "GET", {}
        raise AssertionError(f"more than ten redirects, the last to {url}")

    def reload_until(self, wanted: Callable[[Page], bool], seconds: float = 20) -> Page:
        """Load the page again and again until it is the wanted one."""
        deadline = time.monotonic() + seconds
        while not wanted(self.page):
            assert time.monotonic() < deadline, f"still {self.page}"
            time.sleep(0.2)
            self.open(self.page.url)
        return self.page


@dataclass(frozen=True)
class Person:
    """An account of somebody."""

    user_id: str
    email: str
    password: str

    def sign_in(self, browser: Browser) -> Page:
        """Sign in on the page that the browser shows."""
        return browser.press("Sign in", username=self.email, password=self.password)
