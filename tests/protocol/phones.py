"""Authenticator apps of people, and how they add one on the pages of their account."""

import re
import time
from dataclasses import dataclass

from pyotp import TOTP
from werkzeug.test import TestResponse

from tests.protocol.persons import Person

PAGE = "/account/security/authenticator"
FACTOR = "/second-factor"
SECRET = re.compile(r"<code>([A-Z2-7]{32})</code>")
RECOVERY = re.compile(r"<code>((?:[a-z2-9]{4}-){3}[a-z2-9]{4})</code>")


@dataclass
class Phone:
    """An app with one secret, and the recovery codes that came with it."""

    secret: str
    recovery: list[str]

    def code(self) -> str:
        """Return the code of now."""
        return TOTP(self.secret).at(int(time.time()))


def proposed(person: Person) -> str:
    """Let the page propose a secret."""
    begun = person.submit(person.open(PAGE), PAGE)
    assert begun.location == PAGE
    return SECRET.search(person.open(PAGE).text)[1]


def add_app(person: Person) -> Phone:
    """Add an app to the account of somebody who may."""
    phone = Phone(proposed(person), [])
    shown = confirm(person, phone.code())
    assert shown.status_code == 200, shown.text
    phone.recovery = RECOVERY.findall(shown.text)
    return phone


def confirm(person: Person, code: str) -> TestResponse:
    """Type the first code of a secret that was proposed."""
    return person.submit(person.open(PAGE), f"{PAGE}/confirm", otp=code)


def prove(person: Person, otp: str, page: TestResponse | None = None) -> TestResponse:
    """Type a code on the page behind the password."""
    return person.submit(page or person.open(FACTOR), FACTOR, otp=otp)


def is_signed_in_wholly(person: Person) -> bool:
    """Tell whether somebody has proved all that was asked for."""
    return person.open("/account/").status_code == 200
