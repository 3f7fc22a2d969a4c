"""House law 10: what a token costs; no ORM object, no key import, no second look at a client."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from app.domain import client_records, resources, signing_keys
from app.extensions import Base
from tests.protocol.machines import RESOURCE, Machine
from tests.protocol.persons import Person
from tests.protocol.proofs import proving


@contextmanager
def loaded_objects() -> Iterator[list[str]]:
    """Collect the names of ORM classes of which an object is loaded inside the block."""
    found: list[str] = []

    def note(loaded: object, _context: Any) -> None:
        found.append(type(loaded).__name__)

    event.listen(Base, "load", note, propagate=True)
    try:
        yield found
    finally:
        event.remove(Base, "load", note)


@pytest.fixture
def requests(
    confidential: Machine, resource_server: Machine, person: Person
) -> dict[str, Callable[[], Any]]:
    """Return one function for each hot request; what each needs is ready, and so are the caches."""
    codes = [person.code(confidential) for _ in range(2)]
    first = confidential.redeem(codes.pop()).get_json()
    confidential.refresh(first["refresh_token"])
    second = confidential.redeem(codes.pop()).get_json()
    code = person.code(confidential)
    own = {"grant_type": "client_credentials", "resource": RESOURCE}
    confidential.post("/token", **own)
    resource_server.introspect(second["access_token"])
    return {
        "code": lambda: confidential.redeem(code),
        "refresh": lambda: confidential.refresh(second["refresh_token"]),
        "client credentials": lambda: confidential.post("/token", **own),
        "a proof": lambda: confidential.post("/token", proving(), **own),
        "introspection": lambda: resource_server.introspect(second["access_token"]),
    }


HOT = ("code", "refresh", "client credentials", "a proof", "introspection")


@pytest.mark.parametrize("name", HOT)
def test_a_hot_request_loads_no_object_imports_no_key_and_reads_no_client(
    requests: dict[str, Callable[[], Any]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module, loader in (
        (signing_keys, "load"),
        (client_records, "load"),
        (resources, "load_catalogue"),
    ):
        monkeypatch.setattr(module, loader, lambda *_: pytest.fail("a cache was not used"))
    with loaded_objects() as found:
        answer = requests[name]()
    assert answer.status_code == 200
    assert found == []


def test_the_check_sees_an_object_that_is_loaded(person: Person, client: FlaskClient) -> None:
    with loaded_objects() as found:
        person.sign_in()
    assert "User" in found
