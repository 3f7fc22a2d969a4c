"""Owns reading what operators type into forms, and telling them what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask import Response, request

from app.domain import client_texts
from app.domain.errors import Refusal
from app.extensions import db

Value = TypeVar("Value")
WORD = 2048
REASON_LENGTH = 500


class Form:
    """One form as it was sent; ``faults`` maps the names of its fields to sentences."""

    def __init__(self) -> None:
        """Start without faults."""
        self.faults: dict[str, str] = {}

    @contextmanager
    def blaming(self, name: str) -> Iterator[None]:
        """Turn a refusal inside the block into the fault of a field; nothing stays written."""
        try:
            yield
        except Refusal as refusal:
            self.blame(name, refusal)

    def tried(self, name: str, read: Callable[[], Value]) -> Value | None:
        """Return what ``read`` returns; its refusal is the fault of a field and gives None."""
        try:
            return read()
        except Refusal as refusal:
            self.blame(name, refusal)
            return None

    def blame(self, name: str, refusal: Refusal) -> None:
        """Keep a refusal as the fault of a field; nothing stays written."""
        db.session.rollback()
        self.faults[name] = str(refusal.description)

    def text(self, name: str, label: str, longest: int, *, required: bool = True) -> str:
        """Return one line of visible text."""
        found: str | None = None
        with self.blaming(name):
            found = client_texts.text(label, request.form.get(name, ""), longest)
        if found is None and required:
            self.faults.setdefault(name, f"{label} is missing.")
        return found or ""

    def reason(self, *, required: bool = True) -> str:
        """Return the reason, which the audit trail and the page keep."""
        return self.text("reason", "A reason", REASON_LENGTH, required=required)

    def number(self, name: str, label: str, lowest: int, highest: int) -> int | None:
        """Return a whole number, or None when the field is empty."""
        typed = request.form.get(name, "").strip()
        if not typed:
            return None
        number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 12 else None
        if number is None or not lowest <= number <= highest:
            self.faults[name] = f"{label} must be a whole number from {lowest} to {highest}."
            return None
        return number

    def choice(self, name: str, label: str, options: Iterable[str]) -> str:
        """Return one of the options."""
        chosen = request.form.get(name, "")
        known = tuple(options)
        if chosen in known:
            return chosen
        self.faults[name] = f"{label} must be one of the choices offered."
        return known[0]

    def several(self, name: str, options: Iterable[str]) -> tuple[str, ...]:
        """Return the ticked options; what was never offered is dropped."""
        chosen = set(request.form.getlist(name))
        return tuple(option for option in options if option in chosen)


def word(name: str) -> str:
    """Return an identifier of a form or, without one, of the address; it may name nothing."""
    found = request.form.get(name) or request.args.get(name, "")
    return found[:WORD].replace("\0", "")


def moment(text: str) -> int:
    """Read epoch seconds that a page wrote into its form; 0, which matches none, for others."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else 0


def refused(page: Response, form: Form) -> Response:
    """Answer with the form again when something is wrong with it."""
    page.status_code = 422 if form.faults else 200
    return page
