"""Owns bringing a client up to date with the document at its client_id URL, before it is served."""

import structlog
from flask import Flask, current_app, request

from app import clock
from app.config import current_settings
from app.domain import (
    admissions,
    client_documents,
    crowding,
    document_admissions,
    document_rules,
    errors,
    fingerprints,
    policy_versions,
    registration_modes,
    software,
)
from app.domain.client_records import ClientRecord, Standing
from app.extensions import db
from app.limits import spend
from app.outbound.cimd import Document, Documents
from app.outbound.errors import OutboundError
from app.protocol import caller, gatekeeping
from app.protocol.authorization_request import LocalRefusal

log = structlog.get_logger()
UNUSABLE = (
    "The document that describes this app could not be retrieved; try again in a minute, and ask"
    " the people who make the app if that does not help."
)


def init_app(app: Flask) -> None:
    """Give the application its way to documents."""
    outbound = app.extensions["gatewright.outbound"]
    app.extensions["gatewright.documents"] = Documents(outbound, document_rules.MAXIMUM_BYTES)


def bring_up_to_date(url: str | None) -> None:
    """Let a client follow its document, and see a new one for the first time.

    Only authorization requests, pushed or not or of devices, come here; all other endpoints use
    what is stored.
    Raises LocalRefusal when there is nothing to serve: approved software goes on for a while with
    what was approved, whatever has become of its document.
    """
    if url is None or not document_rules.is_url(url) or not is_due(url):
        return
    serves = may_serve(url)
    if serves and documents().is_in_hand(url):
        return
    try:
        with documents().turn(url):
            if is_due(url):
                renew(url)
    except OutboundError as error:
        note_failure(url, error.reason)
        if not serves:
            refusal = errors.InvalidRequest(UNUSABLE, client_id=url, reason=error.reason)
            raise LocalRefusal(refusal) from None
    finally:
        caller.forget_generations()


def documents() -> Documents:
    """Return the way to documents of the application in use."""
    found: Documents = current_app.extensions["gatewright.documents"]
    return found


def is_due(url: str) -> bool:
    """Tell whether a document has to be looked at before its client is served."""
    if not registration_modes.takes_documents(current_settings().cimd_enabled):
        return False
    record = look_up(url)
    if record is not None and is_stopped(record):
        return False
    row = client_documents.find(url)
    exists = record is not None and record.state != "deleted"
    return not exists or row is None or not row.is_fresh(clock.epoch())


def is_stopped(record: ClientRecord) -> bool:
    """Tell whether people have stopped a client or its software; its document is of no interest.

    A deleted client comes back like one that registers again, unless its software was stopped.
    """
    standing = software.standing(record.software_status, record.approved_until, clock.epoch())
    return record.state == "suspended" or standing not in ("pending", "approved")


def look_up(url: str) -> ClientRecord | None:
    """Return the record of a client as it is now."""
    caller.forget_generations()
    return caller.look_up(url)


def standing_of(url: str) -> Standing | None:
    """Return what a client may do; None for one that is not there."""
    record = look_up(url)
    return None if record is None else record.standing(clock.epoch())


def may_serve(url: str) -> bool:
    """Tell whether a client goes on when its document cannot be had."""
    row = client_documents.find(url)
    approved = standing_of(url) is Standing.ACTIVE
    return approved and row is not None and row.may_serve(clock.epoch())


def renew(url: str) -> None:
    """Fetch a document and let its client follow; policy is asked before and after."""
    standing = standing_of(url)
    if standing is not Standing.ACTIVE:
        check_beforehand(url, is_new=standing in (None, Standing.DELETED))

    db.session.rollback()
    document = documents().fetch(url)

    try:
        metadata = document_rules.read(url, document.members, current_settings().metadata_rules)
    except errors.Refusal as refusal:
        documents().distrust(url)
        if may_serve(url):
            raise OutboundError("answer") from None
        raise LocalRefusal(refusal) from None
    take(url, metadata, document)


def check_beforehand(url: str, *, is_new: bool) -> None:
    """Refuse before anything is fetched: too many new ones of one address, or by policy."""
    settings = current_settings()
    if is_new:
        spend(settings.registration_address_rate_limit, "register", caller.network())
        spend(settings.registration_rate_limit, "register", url, caller.network())
    try:
        document_admissions.check_beforehand(
            url, address=caller.address(), user_agent=request.headers.get("User-Agent", "")
        )
    except errors.AdmissionRefused as refusal:
        raise LocalRefusal(refusal) from None


def take(url: str, metadata: dict[str, object], document: Document) -> None:
    """Store what a document says, if it says something new."""
    if not is_due(url):
        return  # an operator or another process was faster
    seconds = client_documents.freshness(document.max_age)
    digest = fingerprints.revision(metadata)
    if document_admissions.says_the_same(url, digest):
        client_documents.keep(url, digest, seconds)
        db.session.commit()
        return

    is_new = standing_of(url) in (None, Standing.DELETED)
    arrival = admissions.evidence(
        metadata,
        source="cimd",
        initial_access_token=None,
        address=caller.address(),
        user_agent=request.headers.get("User-Agent", ""),
        brands=current_settings().brand_words,
        document_url=url,
        is_new=is_new,
    )
    if is_new:
        arrival = crowding.noted(arrival, current_settings().registration_pending_per_address)
    verdict = policy_versions.in_force().judge(arrival)
    verdict = gatekeeping.tightened(verdict, arrival, "register" if is_new else "update", url)

    try:
        document_admissions.take(arrival, verdict, seconds, by=caller.actor())
    except errors.Conflict:
        db.session.rollback()
    except errors.AdmissionRefused as refusal:
        if standing_of(url) is not Standing.ACTIVE:
            raise LocalRefusal(refusal) from None
        client_documents.refuse(url, refusal, by=caller.actor())
        if verdict.gate is not None and verdict.gate.failure:
            digest, seconds = "", client_documents.SHORTEST_SECONDS  # to be judged again soon
        client_documents.keep(url, digest, seconds)
    db.session.commit()


def note_failure(url: str, reason: str) -> None:
    """Keep why a document could not be had, for operators only."""
    log.warning("client_document", client_id=url, failure=reason)
    db.session.rollback()
    client_documents.fail(url, reason)
    db.session.commit()
