"""Owns what operators do about the document of a client: give it by hand, or fetch it again."""

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from app.config import current_settings
from app.console.client_actions import back
from app.console.forms import Form
from app.console.pages import actor, requires
from app.domain import client_documents, clients, document_admissions, document_rules
from app.domain.client_records import Client
from app.extensions import db

FIELD = "document"


@requires("admin")
def pin_document(client_id: str) -> Response:
    """Take the document from the operator; what it widens waits like that of a fetched one."""
    client = document_client(client_id)
    settings = current_settings()
    form = Form()

    with form.blaming(FIELD):
        document_admissions.pin(
            client_id,
            typed(),
            settings.metadata_rules,
            by=actor(),
            brands=settings.brand_words,
        )
    if form.faults:
        return back(client, form.faults[FIELD], "error")
    db.session.commit()
    return back(client, "The document is pinned and no more fetched.")


@requires("admin")
def unpin_document(client_id: str) -> Response:
    """Fetch the document again."""
    client = document_client(client_id)

    client_documents.unpin(client_id, by=actor())
    db.session.commit()
    return back(client, "The document is fetched again with the next authorization request.")


def document_client(client_id: str) -> Client:
    """Return a client that has a document; raises NotFound."""
    client = clients.get(client_id)
    client_documents.get(client_id)
    return client


def typed() -> dict[str, Any]:
    """Return the JSON object that was typed."""
    return document_rules.pasted(request.form.get(FIELD, "").encode(errors="surrogatepass"))
