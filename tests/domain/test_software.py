"""Software: what ties registrations together, what an approver is told, how it is counted."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import audit, client_metadata, decisions, errors, software
from app.extensions import db
from tests.corpora.client_registrations import REGISTRATIONS
from tests.corpora.hostile_keys import EC_KEY, OKP_KEY

URIS = ["https://client.example/cb", "http://127.0.0.1:1111/cb", "com.example.app:/cb"]
BODY = {
    "client_name": "Example Client",
    "redirect_uris": URIS,
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}
OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")


def mark(**changes):
    """Return the fingerprint of a registration; None leaves a member out."""
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    return software.fingerprint(client_metadata.parse(body))


SAME = {
    "another loopback port": {"redirect_uris": [URIS[0], "http://127.0.0.1:2222/cb", URIS[2]]},
    "no loopback port": {"redirect_uris": [URIS[0], "http://127.0.0.1/cb", URIS[2]]},
    "two ports of one loopback redirect": {"redirect_uris": [*URIS, "http://127.0.0.1:3/cb"]},
    "redirects in another order": {"redirect_uris": URIS[::-1]},
    "a redirect twice": {"redirect_uris": [*URIS, URIS[0]]},
    "grants in another order": {"grant_types": ["refresh_token", "authorization_code"]},
    "no grants": {"grant_types": None},
    "capitals": {"client_name": "EXAMPLE CLIENT"},
    "space": {"client_name": "  Example   Client "},
    "Cyrillic": {"client_name": "Ex\u0430mple Client"},
    "digits for letters": {"client_name": "Examp1e C1ient"},
    "fullwidth": {"client_name": "\uff25xample Client"},
    "invisible letters": {"client_name": "Exam\u200bple Client"},
    "another scope": {"scope": "mcp:read"},
    "another page": {"client_uri": "https://client.example/"},
    "another version": {"software_version": "2"},
}
OTHER = {
    "a redirect less": {"redirect_uris": URIS[:2]},
    "a redirect more": {"redirect_uris": [*URIS, "https://attacker.example/cb"]},
    "another loopback host": {"redirect_uris": [URIS[0], "http://localhost:1111/cb", URIS[2]]},
    "another loopback path": {"redirect_uris": [URIS[0], "http://127.0.0.1:1111/x", URIS[2]]},
    "another port over https": {
        "redirect_uris": ["https://client.example:8443/cb", *URIS[1:]],
    },
    "another grant": {"grant_types": ["authorization_code"]},
    "another method": {"token_endpoint_auth_method": "client_secret_basic"},
    "another name": {"client_name": "Example Clients"},
    "no name": {"client_name": None},
    "keys": {"jwks": {"keys": [EC_KEY]}},
    "other keys": {"jwks": {"keys": [OKP_KEY]}},
    "keys elsewhere": {"jwks_uri": "https://client.example/jwks"},
    "a software_id": {"software_id": "s-1"},
    "another software_id": {"software_id": "s-2"},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME.keys())
def test_what_a_reader_would_call_the_same_is_the_same_software(changes):
    assert mark(**changes) == mark()


def test_what_decides_where_codes_go_and_who_may_fetch_them_makes_other_software():
    marks = [mark(), *(mark(**changes) for changes in OTHER.values())]

    assert None not in marks
    assert len(set(marks)) == len(marks)


def test_a_software_id_ties_versions_together_but_never_other_redirects():
    tied = {"software_id": "s-1"}

    assert mark(**tied, client_name="Renamed") == mark(**tied)
    assert mark(**tied, redirect_uris=URIS[:1]) != mark(**tied)


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ["client_credentials"], "redirect_uris": None},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"grant_types": ["client_credentials"], "software_id": "s-1"},
    ],
)
def test_a_grant_without_redirect_ties_nothing_together(changes):
    assert mark(**changes, token_endpoint_auth_method="client_secret_basic") is None


@pytest.mark.parametrize("row", REGISTRATIONS, ids=lambda row: row.client)
def test_the_fingerprint_of_a_real_client_survives_parsing_again(row):
    metadata = client_metadata.parse(row.body)

    assert software.fingerprint(metadata) == software.fingerprint(client_metadata.parse(metadata))


@given(st.permutations(list(BODY)))
def test_the_order_of_members_changes_neither_fingerprint_nor_revision(names):
    metadata = client_metadata.parse(BODY)
    shuffled = {name: metadata[name] for name in names} | metadata

    assert software.fingerprint(shuffled) == software.fingerprint(metadata)
    assert software.revision(shuffled) == software.revision(metadata)


def test_every_member_changes_the_revision():
    metadata = client_metadata.parse(BODY)
    revisions = {software.revision(metadata | {name: "changed"}) for name in metadata}

    assert len(revisions | {software.revision(metadata)}) == len(metadata) + 1


@given(st.text(max_size=30))
def test_what_two_readings_see_is_one_reading(name):
    once = software.skeleton(name)

    assert software.skeleton(name.upper().lower()) == software.skeleton(name.lower())
    assert once == " ".join(once.split())


def see(address="192.0.2.1", **changes):
    """Count an arrival; return the row."""
    metadata = client_metadata.parse(BODY | changes)
    return software.see(
        software.fingerprint(metadata),
        metadata,
        source="dcr",
        verdict={},
        notes=software.notes(metadata),
        address=address,
    )


def test_every_arrival_is_counted_on_one_row(app, clock):
    with app.app_context():
        first = see()
        seen_at = clock.now
        clock.advance(60)
        row = see(address="192.0.2.2", scope="mcp:write")

        assert row.id == first.id
        assert (row.status, row.seen_count) == ("pending", 2)
        assert (row.first_seen_at, row.last_seen_at) == (seen_at, clock.now)
        assert row.addresses == ["192.0.2.1", "192.0.2.2"]
        assert "scope" not in row.client_metadata


def test_only_the_first_addresses_are_kept(app):
    with app.app_context():
        for number in range(15):
            row = see(address=f"192.0.2.{number}")

        assert row.addresses == [f"192.0.2.{number}" for number in range(10)]
        assert row.seen_count == 15


def test_an_arrival_changes_nothing_that_was_decided(app):
    with app.app_context():
        row = see()
        decisions.approve(row.id, row.revision, by=OPERATOR, allowed=["openid"])
        before = copy.copy(vars(row))
        again = see(client_uri="https://attacker.example/")

        assert again.status == "approved"
        for name in ("client_metadata", "revision", "scopes", "notes", "decided_by", "name"):
            assert getattr(again, name) == before[name]


@pytest.mark.parametrize(
    "changes, beginning",
    [
        ({"redirect_uris": ["http://127.0.0.1/cb", "http://localhost/cb"]}, "Loopback only"),
        ({}, "Private-use scheme"),
        (
            {
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic",
            },
            "Acts for itself",
        ),
        ({"client_name": ""}, "It gives no name"),
        ({"client_name": "Ap\u0440roved C1ient"}, "Look-alike"),
    ],
)
def test_an_approver_is_told_what_to_look_at_twice(app, changes, beginning):
    """X-30."""
    with app.app_context():
        known = see(client_name="Approved Client")
        decisions.approve(known.id, known.revision, by=OPERATOR, allowed=[])
        notes = software.notes(client_metadata.parse(BODY | changes))
        plain = software.notes(
            client_metadata.parse(BODY | {"redirect_uris": URIS[:1], "client_name": "Other"})
        )

    assert any(note.startswith(beginning) for note in notes)
    assert plain == ()


def test_the_name_of_approved_software_itself_is_no_look_alike(app):
    with app.app_context():
        known = see()
        decisions.approve(known.id, known.revision, by=OPERATOR, allowed=[])

        assert not any(
            note.startswith("Look-alike") for note in software.notes(known.client_metadata)
        )


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_binds_to_the_revision_that_was_seen(app, decision):
    """N-211."""
    with app.app_context():
        row = see()
        seen = row.revision
        software.describe(row, client_metadata.parse(BODY | {"scope": "mcp:write"}))
        db.session.flush()
        decide = {
            "approve": lambda: decisions.approve(row.id, seen, by=OPERATOR, allowed=[]),
            "reject": lambda: decisions.reject(row.id, seen, "no", by=OPERATOR),
        }[decision]

        with pytest.raises(errors.Conflict):
            decide()
        db.session.refresh(row)
        assert row.status == "pending"


TRANSITIONS = {
    "pending": {"approve": "approved", "reject": "rejected"},
    "approved": {"block": "blocked"},
    "blocked": {"unblock": "approved"},
    "rejected": {},
    "expired": {},
}


@pytest.mark.parametrize("verb", ["approve", "reject", "block", "unblock"])
@pytest.mark.parametrize("status", TRANSITIONS)
def test_no_decision_leads_anywhere_but_along_the_design(app, status, verb):
    """N-210: every other transition answers with a conflict and changes nothing."""
    with app.app_context():
        row = see()
        row.status = status
        db.session.flush()
        decide = {
            "approve": lambda: decisions.approve(row.id, row.revision, by=OPERATOR, allowed=[]),
            "reject": lambda: decisions.reject(row.id, row.revision, "no", by=OPERATOR),
            "block": lambda: decisions.block(row.id, "no", by=OPERATOR),
            "unblock": lambda: decisions.unblock(row.id, "yes", by=OPERATOR),
        }[verb]
        expected = TRANSITIONS[status].get(verb)
        if expected is None:
            with pytest.raises(errors.Conflict):
                decide()
        else:
            decide()

        db.session.refresh(row)
        assert row.status == (expected or status)
