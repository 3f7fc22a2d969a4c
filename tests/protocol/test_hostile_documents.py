"""Documents and client_ids that make no client, and what policy keeps from being fetched.

One app stands for all rows; each row has a path of its own.
"""

import pytest

from app.domain.client_documents import ClientDocument
from app.domain.client_records import Client
from app.extensions import db
from tests.protocol.documents import (
    CODEX,
    HOST,
    UNUSABLE,
    is_refused_here,
    is_waiting,
)
from tests.protocol.documents import authority as authority
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine
from tests.protocol.scenes import Scene, on_stage
from tests.routes.stage import ANONYMOUS

LOOPBACK = "http://127.0.0.1:49152/callback"


class DocumentScene(Scene):
    """An app, a host of documents, and a browser."""

    def path(self):
        """Return a path that was never asked for."""
        return f"/{next(self.numbers)}/client.json"

    def ask(self, client_id):
        """Send an authorization request."""
        http = self.stage.browser(ANONYMOUS)
        return http.get(Machine(http, client_id, redirect_uri=LOOPBACK).asking())

    def keeps(self, url):
        """Tell whether there is a client of a document, or anything known of the document."""
        with self.stage.app.app_context():
            return any(db.session.get(table, url) for table in (Client, ClientDocument))


@pytest.fixture(scope="module")
def scene(tls, authority, sqlite_template, tmp_path_factory):
    """Return one scene for all rows."""
    folder = tmp_path_factory.mktemp("documents")
    with on_stage(sqlite_template, folder, tls, authority) as found:
        yield DocumentScene(*found)


@pytest.fixture
def ruled(scene):
    """Return the scene; afterwards no rule is in force."""
    yield scene
    scene.put_in_force()


UNUSABLE_ANSWERS = {
    "a redirect": {"status": 302, "Location": "https://client.example/"},
    "no content": {"document": b"", "status": 204},
    "a part": {"status": 206},
    "not found": {"status": 404},
    "an error": {"status": 500},
    "a page": {"media_type": "text/html"},
    "no media type": {"media_type": ""},
    "a media type like JSON": {"media_type": "application/jsonp"},
    "text": {"document": b"hello"},
    "a list": {"document": b"[]"},
    "a repeated name": {"document": b'{"client_id": "x", "client_id": "y"}'},
    "nested too deep": {"document": b"[" * 2500},
    "another character set": {"document": '{"client_name": "\u00e9"}'.encode("utf-16")},
    "too long": {"document": CODEX | {"tos_uri": f"https://client.example/{'x' * 5100}"}},
    "compressed": {"Content_Encoding": "gzip"},
}


@pytest.mark.parametrize("answer", UNUSABLE_ANSWERS.values(), ids=UNUSABLE_ANSWERS.keys())
def test_an_unusable_answer_makes_no_client(scene, answer):
    """N-191, S-06, S-08."""
    path = scene.path()
    url = scene.host.put(path=path, **answer)

    assert is_refused_here(scene.ask(url), 400, UNUSABLE)
    assert scene.host.asked[-1] == path
    assert not scene.keeps(url)


BAD_DOCUMENTS = {
    "no client_id": {"client_id": None},
    "another client_id": {"client_id": "https://client.example/oauth/client.json"},
    "a secret": {"client_secret": "s"},
    "an empty secret": {"client_secret": None},
    "the end of a secret": {"client_secret_expires_at": 0},
    "a shared secret": {"token_endpoint_auth_method": "client_secret_post"},
    "a signed secret": {"token_endpoint_auth_method": "client_secret_jwt"},
    "only private_key_jwt": {"token_endpoint_auth_method": "private_key_jwt"},
    "no redirect": {"redirect_uris": []},
    "a hostile redirect": {"redirect_uris": ["javascript:alert(1)"]},
    "plain http": {"redirect_uris": ["http://client.example/cb"]},
    "no name": {"client_name": ""},
    "a grant of its own": {"grant_types": ["client_credentials"]},
    "a statement": {"software_statement": "a.b.c"},
}


@pytest.mark.parametrize("change", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
def test_a_bad_document_makes_no_client_and_is_not_fetched_again_at_once(scene, change):
    """N-191, N-192."""
    path = scene.path()
    url = scene.host.put(CODEX | change, path)
    page = scene.ask(url)

    assert is_refused_here(page, 400)
    assert UNUSABLE not in page.text
    assert not scene.keeps(url)
    scene.ask(url)
    assert scene.host.asked.count(path) == 1


HOSTILE_IDS = [
    "http://client.example/client.json",
    "https://client.example",
    "https://client.example/",
    "https://client.example//client.json",
    "https://client.example/a/../client.json",
    "https://client.example/%2e%2e/client.json",
    "https://client.example/client.json#x",
    "https://client.example/client.json?x=1",
    "https://client.example/client.json?",
    "https://user@client.example/client.json",
    "https://user:password@client.example/client.json",
    "https:///client.json",
    "https://client.example:0/client.json",
    "https://client.example:/client.json",
    "https://client_example\u00e9/client.json",
    "https://client.example/\r\nHost: x",
    "https://client.example/" + "x" * 2048,
    "HTTPS://client.example/client.json",
    "https://169.254.169.254/latest/meta-data",
]
UNREACHABLE_IDS = [
    "https://127.0.0.1/client.json",
    "https://[::1]/client.json",
    "https://localhost/client.json",
    "https://printer.local/client.json",
    "https://intranet/client.json",
    "https://client.example/client.json",
    "https://client.example:8443/client.json",
]
"""The last two are names that lead to loopback, and a port that is not 443."""


@pytest.mark.parametrize("client_id", HOSTILE_IDS)
def test_what_is_no_url_of_a_document_is_an_unknown_client(scene, client_id):
    """N-190."""
    before = len(scene.host.asked)

    assert is_refused_here(scene.ask(client_id), 400, "not known here")
    assert len(scene.host.asked) == before


@pytest.mark.parametrize("client_id", UNREACHABLE_IDS)
def test_a_special_host_is_told_like_any_other_failure(scene, client_id):
    """N-199, S-01, S-12."""
    before = len(scene.host.asked)

    assert is_refused_here(scene.ask(client_id), 400, UNUSABLE)
    assert len(scene.host.asked) == before


REFUSING = {
    "by host": {"document_host": HOST},
    "by URL": {"document_url": "https://client.example:*/*/client.json"},
    "by source": {"source": "cimd"},
    "by network": {"network": "127.0.0.0/8"},
    "without condition": {},
}


@pytest.mark.parametrize("when", REFUSING.values(), ids=REFUSING.keys())
def test_what_policy_refuses_beforehand_is_not_fetched(ruled, when):
    """N-196."""
    rule = {"name": "no", "outcome": "refuse", "when": when, "message": "Not this one."}
    ruled.put_in_force(rule)
    path = ruled.path()

    page = ruled.ask(ruled.host.put(CODEX, path))

    assert is_refused_here(page, 403, "Not this one. If")
    assert path not in ruled.host.asked
    assert ruled.latest("registration.refused").detail["rule"] == "no"


FETCHED = {
    "it depends on the document": (
        [{"name": "no", "outcome": "refuse", "when": {"name": "codex", "source": "cimd"}}],
        False,
    ),
    "an earlier rule may admit": (
        [
            {"name": "yes", "outcome": "admit", "when": {"name": "another"}},
            {"name": "no", "outcome": "refuse", "when": {"document_host": HOST}},
        ],
        False,
    ),
    "an earlier rule holds": (
        [
            {"name": "wait", "outcome": "hold", "when": {"source": "cimd"}},
            {"name": "no", "outcome": "refuse"},
        ],
        True,
    ),
    "a shadow": ([{"name": "no", "outcome": "refuse", "shadow": True}], True),
}
"""Rules, and whether software with this document waits."""


@pytest.mark.parametrize("written, is_held", FETCHED.values(), ids=FETCHED.keys())
def test_what_only_the_document_can_tell_is_decided_after_it(ruled, written, is_held):
    ruled.put_in_force(*written)
    path = ruled.path()

    page = ruled.ask(ruled.host.put(CODEX, path))

    assert path in ruled.host.asked
    assert is_waiting(page) if is_held else is_refused_here(page, 403)
