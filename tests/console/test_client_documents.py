"""The document of a client on its page: how fresh it is, and pinned by whom."""

import json

import pytest

from app.domain import client_documents, decisions, document_admissions
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.client_metadata import MetadataRules
from app.extensions import db
from tests.console.markup import texts
from tests.console.matrix import ways_to_act

LIST = "/admin/clients/"
URL = "https://app.example/oauth/client.json"
DOCUMENT = {"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example/cb"]}


@pytest.fixture
def seen(app, clock):
    """Store the client of a document that was fetched, and once could not be."""
    with app.app_context():
        document_admissions.pin(URL, DOCUMENT, MetadataRules(), by=SERVER)
        client_documents.unpin(URL, by=SERVER)
        client_documents.fail(URL, "timeout")
        db.session.commit()
    clock.advance(1)


def test_the_page_says_how_fresh_the_document_is(seen, viewer):
    said = texts(viewer.get(f"{LIST}{URL}").text)

    for words in ("By its document", "Document Fetched", "Could not be had", "timeout"):
        assert words in said
    assert ways_to_act(viewer.get(f"{LIST}{URL}").text) == set()


def test_a_client_without_a_document_shows_none(register, admin):
    page = admin.get(f"{LIST}{register()['client_id']}").text

    assert "Pin this document" not in page


def test_an_admin_pins_and_unpins_a_document(seen, admin, send, happened):
    answer = send(admin, f"{LIST}pin/{URL}", document=json.dumps(DOCUMENT))

    assert (answer.status_code, answer.location) == (303, f"{LIST}{URL}")
    said = texts(admin.get(f"{LIST}{URL}").text)
    assert "The document is pinned" in said
    assert "; it is not fetched" in said
    assert happened(Tag.DOCUMENT_PINNED)[0].actor_name == "admin@example.org"

    assert send(admin, f"{LIST}unpin/{URL}").status_code == 303
    assert "; it is not fetched" not in texts(admin.get(f"{LIST}{URL}").text)
    assert send(admin, f"{LIST}unpin/{URL}").status_code == 409


def test_what_a_pinned_document_widens_waits(seen, admin, send, approve, stored):
    approve(URL)
    wider = [*DOCUMENT["redirect_uris"], "https://other.example/cb"]

    send(admin, f"{LIST}pin/{URL}", document=json.dumps(DOCUMENT | {"redirect_uris": wider}))

    row = stored(URL)
    assert row.client_metadata["redirect_uris"] == DOCUMENT["redirect_uris"]
    assert row.pending_metadata["redirect_uris"] == wider


def test_software_without_newcomers_takes_what_its_own_document_said_before(
    seen, app, admin, send, approve, stored
):
    approve(URL)
    wider = DOCUMENT | {"redirect_uris": [*DOCUMENT["redirect_uris"], "https://other.example/cb"]}
    send(admin, f"{LIST}pin/{URL}", document=json.dumps(wider))
    with app.app_context():
        decisions.close(stored(URL).software_id, "too many", by=SERVER)
        db.session.commit()

    send(admin, f"{LIST}pin/{URL}", document=json.dumps(DOCUMENT))

    assert "The document is pinned" in texts(admin.get(f"{LIST}{URL}").text)
    assert stored(URL).pending_metadata is None


@pytest.mark.parametrize(
    "typed",
    ["", "{", "[]", "{}", "x" * 6000, json.dumps(DOCUMENT | {"client_secret": "s"}), "\0"],
)
def test_what_is_no_document_is_not_pinned(seen, admin, send, happened, typed):
    before = len(happened(Tag.DOCUMENT_PINNED))

    assert send(admin, f"{LIST}pin/{URL}", document=typed).status_code == 303
    assert "The document must" in texts(admin.get(f"{LIST}{URL}").text) or "secret" in typed
    assert len(happened(Tag.DOCUMENT_PINNED)) == before


def test_only_a_client_with_a_document_can_have_it_pinned(register, admin, send):
    made = register()["client_id"]

    assert send(admin, f"{LIST}pin/{made}", document="{}").status_code == 404
    assert send(admin, f"{LIST}unpin/{made}").status_code == 404
