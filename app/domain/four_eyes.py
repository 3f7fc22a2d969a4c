"""Owns four eyes: approvals that two people have to give, and what the first of them gave."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from app import clock
from app.domain import audit, errors, policies, scopes, software, users
from app.domain.audit import Actor, Filters
from app.domain.audit_tags import Tag
from app.domain.obligations import narrowed
from app.domain.policies import Verdict
from app.domain.software import Software
from app.extensions import db

Terms = Mapping[str, Any]
"""What an approval gives: ``scopes``, ``resources``, ``approved_until`` and ``reason``."""
NO_PERSON = "A scope that this would give needs the approval of two people; use the console."
REQUESTER = (
    "Who asked for this software cannot approve a scope that needs two people;"
    " let somebody else do it, or leave the scope out."
)
AGAIN = "You have approved this already. A second person has to approve it too."
WIDER = (
    "This gives more than the first approval, so two people would not have agreed to it."
    " Give at most what the first gives, or ask who gave it for more."
)


def agree(software_id: str, seen_revision: str, given: Terms, *, by: Actor) -> Terms | None:
    """Return the first approval that this one completes; empty when one person suffices.

    None when this is the first of two, which is kept. Raises SecondPerson when it can be neither,
    and Conflict when the software is not what was seen any more.
    """
    if not scopes.four_eyes(given["scopes"]):
        return {}
    row = claim(software_id, seen_revision)
    check_person(row, by)
    first = standing(row)
    again = first is not None and first["by_id"] == by.id
    if first is None or (again and without_order(first) != without_order(given)):
        keep_first(row, given, by=by)
        return None
    if again:
        raise errors.SecondPerson(AGAIN)
    if is_wider(given, first):
        raise errors.SecondPerson(WIDER)
    return {"first_approval": first}


def claim(software_id: str, seen_revision: str) -> Software:
    """Keep others from deciding about pending software until the commit; raises Conflict.

    A write that changes nothing makes them wait on both databases.
    """
    row = software.get(software_id)
    found = db.session.execute(
        update(Software)
        .where(Software.id == software_id, Software.status == "pending")
        .where(Software.revision == seen_revision)
        .values(status=Software.status)
        .returning(Software.id)
        .execution_options(synchronize_session=False)
    ).first()
    if found is None:
        raise errors.Conflict(software.CHANGED, software_id=software_id)
    db.session.refresh(row)
    return row


def check_person(row: Software, by: Actor) -> None:
    """Raise SecondPerson for who can be neither of the two: no person, or who asked for it."""
    if by.kind != "operator" or not by.id:
        raise errors.SecondPerson(NO_PERSON)
    if asked_for(row, by.id, by.name):
        raise errors.SecondPerson(REQUESTER)


def asked_for(row: Software, user_id: str, name: str) -> bool:
    """Tell whether a person has ever said why the software is needed."""
    justified = Filters(tag=Tag.SOFTWARE_JUSTIFIED, subject=row.id, actor=user_id)
    return row.justified_by == name or bool(audit.find_page(justified, size=1))


def standing(row: Software) -> dict[str, Any] | None:
    """Return the first approval of software that waits, as long as it counts.

    It does not when the software has changed, its end has come, or who gave it may approve no
    more or has asked for the software since.
    """
    first = row.first_approval
    if first is None or row.status != "pending" or first["revision"] != row.revision:
        return None
    until, author = first["approved_until"], users.find(first["by_id"])
    if author is None or author.disabled_at is not None or not users.may(author, "approver"):
        return None
    ended = until is not None and until <= clock.epoch()
    return None if ended or asked_for(row, author.id, author.email) else first


def is_wider(given: Terms, first: Terms) -> bool:
    """Tell whether a second approval gives a scope of two people, a place or a time of its own."""
    if not set(scopes.four_eyes(given["scopes"])) <= set(first["scopes"]):
        return True
    places, until = given["resources"], given["approved_until"]
    elsewhere = narrowed(first["resources"], places) != narrowed(None, places)
    end = first["approved_until"]
    return elsewhere or (end is not None and (until is None or until > end))


def without_order(given: Terms) -> tuple[Any, ...]:
    """Return what an approval gives in a form that can be compared."""
    resources = given["resources"]
    places = None if resources is None else frozenset(resources)
    return frozenset(given["scopes"]), places, given["approved_until"]


def keep_first(row: Software, given: Terms, *, by: Actor) -> None:
    """Keep the first of two approvals; the software goes on waiting."""
    terms = {name: given[name] for name in ("scopes", "resources", "approved_until", "reason")}
    row.first_approval = {
        "by_id": by.id,
        "by": by.name,
        "at": clock.epoch(),
        "revision": row.revision,
        **terms,
    }
    facts: dict[str, Any] = {"name": row.name, "revision": row.revision, **terms}
    audit.record(Tag.SOFTWARE_FIRST_APPROVED, row.id, by=by, **facts)


def approve_own(row: Software, verdict: Verdict, given: Terms, *, by: Actor) -> None:
    """Approve new software for who made it by hand, as the first of two if two are needed.

    ``given`` are ``scopes`` and ``resources``. Raises SecondPerson for who is no person.
    """
    if scopes.four_eyes(given["scopes"]):
        check_person(row, by)
        row.verdict = policies.held_for_two(verdict).as_json()
        keep_first(row, {**given, "approved_until": None, "reason": ""}, by=by)
    else:
        row.scopes, row.resources = given["scopes"], given["resources"]
        row.status, row.decided_at, row.decided_by = "approved", clock.epoch(), by.name or by.kind
    db.session.flush()


def seen_by(row: Software, user_id: str) -> tuple[bool, str]:
    """Tell an approver whether the first approval is theirs, and what is left to do, if anything.

    Without a first approval that counts it says whether two are needed.
    """
    first = standing(row)
    if first is not None and first["by_id"] == user_id:
        return True, AGAIN
    if first is not None:
        return False, f"{first['by']} has approved it. A second person has to approve it too."
    needed = scopes.four_eyes(scopes.offered(row.client_metadata))
    return False, "Two people have to approve it." if needed else ""


def proposal(row: Software) -> dict[str, Any]:
    """Return what an approval gives unless the approver chooses.

    That is what the first of two gave, else every scope that is offered.
    """
    first = standing(row)
    if first is None:
        return {"allowed": scopes.offered(row.client_metadata)}
    return {
        "allowed": first["scopes"],
        "resources": first["resources"],
        "until": first["approved_until"],
    }
