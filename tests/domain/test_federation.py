"""Whose account somebody has who signed in elsewhere: newcomers, links, roles, refusals."""

import pytest

from app.domain import (
    claim_mappings,
    errors,
    federated_identities,
    federation,
    identity_providers,
    users,
)
from app.domain.audit import SERVER, Actor
from app.domain.federation import LAST_WAY, OWNED, UNWELCOME
from app.domain.identity_provider_drafts import Draft
from app.domain.identity_providers import Provider
from app.extensions import db

BY = Actor("anonymous", address="192.0.2.1")
GROUPS = "admin: Platform: team\nviewer: staff"


@pytest.fixture(autouse=True)
def in_app(app):
    """Stay in one app context."""
    with app.app_context():
        yield


def provider(name="acme", issuer="https://id.example", **changes):
    """Return a provider of the settings."""
    return Provider(name, Draft(issuer, "us", "s", **changes))


def claims(**changes):
    """Return what a provider says of Pia."""
    said = {"sub": "pia", "email": "Pia@Example.org", "name": "Pia P."} | changes
    return {name: value for name, value in said.items() if value is not None}


def sign_in(held=None, **changes):
    """Sign Pia in."""
    return federation.sign_in(held or provider(), claims(**changes), by=BY)


def somebody(email="pia@example.org", role="member", password_hash="a hash"):
    """Make an account with a password."""
    return users.add(email, role, password_hash, by=SERVER)


def refusal_of(held=None, **changes):
    """Return the sentence with which Pia is refused."""
    with pytest.raises(errors.AccessDenied) as refused:
        sign_in(held, **changes)
    db.session.rollback()
    assert refused.value.facts["reason"]
    return refused.value.description


def test_issuer_and_subject_decide_whose_account_it_is_and_no_address():
    pia = sign_in()
    same = sign_in(provider("renamed"), email="another@example.org")
    other = sign_in(provider(issuer="https://other.example"), email="pia@other.example")

    assert same.id == pia.id
    assert other.id != pia.id
    assert len(federated_identities.of_user(pia.id)) == 1


@pytest.mark.parametrize(
    "trusted, verified", [(False, True), (True, False), (True, None), (True, "true"), (True, 1)]
)
def test_an_account_with_the_same_address_is_never_taken_over(trusted, verified):
    somebody()
    db.session.commit()

    assert refusal_of(provider(links_by_email=trusted), email_verified=verified) == OWNED


def test_a_verified_address_links_where_the_operators_said_so():
    owner = somebody()

    assert sign_in(provider(links_by_email=True), email_verified=True).id == owner.id
    assert sign_in(provider(), email=None).id == owner.id


def test_a_verified_address_vouches_for_no_other_claim():
    somebody("boss@example.org")
    db.session.commit()
    trusted = provider(links_by_email=True, email_claim="upn")
    said = {"email_verified": True, "upn": "boss@example.org"}

    assert refusal_of(trusted, **said) == OWNED
    assert sign_in(trusted, **said | {"email": "Boss@example.org"}).email == "boss@example.org"


def test_a_disabled_account_is_refused_before_anything_is_linked():
    owner, admin = somebody(), somebody("ada@example.org", "admin")
    users.disable(owner, by=SERVER)
    db.session.commit()

    refusal_of(provider(links_by_email=True), email_verified=True)

    assert federated_identities.of_user(owner.id) == []
    assert admin.disabled_at is None


@pytest.mark.parametrize(
    "draft, changes",
    [
        ({"makes_accounts": False}, {}),
        ({}, {"email": None}),
        ({}, {"email": ["pia@example.org"]}),
        ({"email_claim": "mail"}, {}),
        ({"email_claim": "name"}, {}),
        ({"allowed_domains": "other.example"}, {}),
        ({"allowed_domains": "ample.org"}, {}),
        ({"allowed_domains": "example.org"}, {"email": "pia@example.org@other.example"}),
        ({"allowed_domains": "example.org"}, {"email": "pia@sub.example.org"}),
        ({"allowed_domains": "example.org"}, {"email_verified": False}),
        ({"allowed_domains": "example.org"}, {"email": None}),
    ],
)
def test_who_is_not_welcome_gets_no_account(draft, changes):
    assert refusal_of(provider(**draft), **changes) == UNWELCOME
    assert users.find_by_email("pia@example.org") is None


def test_somebody_of_an_allowed_domain_is_welcome():
    held = provider(allowed_domains="other.example example.org")

    assert sign_in(held).email == "pia@example.org"


@pytest.mark.parametrize(
    "written, groups, role",
    [
        ("", ["Platform: team", "admin"], "member"),
        (GROUPS, ["Platform: team", "staff"], "admin"),
        (GROUPS, "staff", "viewer"),
        (GROUPS, ["Staff", 7, None, ["staff"]], "member"),
        (GROUPS, {"staff": True}, "member"),
        (GROUPS, None, "member"),
    ],
)
def test_groups_give_only_the_roles_that_operators_wrote(written, groups, role):
    assert sign_in(provider(group_roles=written), groups=groups).role == role


def test_groups_go_on_to_decide_the_role_of_an_account_that_they_made():
    somebody("ada@example.org", "admin")
    held = provider(group_roles=GROUPS)
    sign_in(held, groups=["Platform: team"])

    assert sign_in(held, groups=["staff"]).role == "viewer"
    assert sign_in(provider(), groups=["Platform: team"]).role == "viewer"


def test_groups_change_no_account_that_was_here_before():
    owner = somebody(role="approver")
    federation.link(owner, provider(), claims(), by=BY)

    assert sign_in(provider(group_roles=GROUPS), groups=["Platform: team"]).role == "approver"


def test_the_last_administrator_stays_one_whatever_the_groups_say():
    held = provider(group_roles=GROUPS)
    sign_in(held, groups=["Platform: team"])

    assert sign_in(held, groups=[]).role == "admin"


def test_a_person_there_is_linked_to_one_account_here():
    pia, ben = somebody(), somebody("ben@example.org")
    federation.link(pia, provider(), claims(), by=BY)
    federation.link(pia, provider(), claims(), by=BY)

    with pytest.raises(errors.Conflict):
        federation.link(ben, provider(), claims(), by=BY)
    assert len(federated_identities.of_user(pia.id)) == 1


def test_the_last_way_to_sign_in_is_not_unlinked():
    pia = sign_in()
    federation.link(pia, provider(issuer="https://other.example"), claims(), by=BY)
    db.session.commit()
    first, second = federated_identities.of_user(pia.id)
    federation.unlink(pia, first.id, by=BY)
    db.session.commit()

    with pytest.raises(errors.Conflict) as refused:
        federation.unlink(pia, second.id, by=BY)
    db.session.rollback()

    assert refused.value.description == LAST_WAY
    assert len(federated_identities.of_user(pia.id)) == 1


def test_with_a_password_everything_is_unlinked_but_nothing_of_others():
    pia, ben = somebody(), somebody("ben@example.org")
    federation.link(pia, provider(), claims(), by=BY)
    [linked] = federated_identities.of_user(pia.id)

    with pytest.raises(errors.NotFound):
        federation.unlink(ben, linked.id, by=BY)
    federation.unlink(pia, linked.id, by=BY)

    assert federated_identities.of_user(pia.id) == []


@pytest.mark.parametrize(
    "draft, changes, account, sentence",
    [
        ({}, {}, False, federation.MAKES),
        ({"makes_accounts": False}, {}, False, federation.UNKNOWN),
        ({}, {"email": None}, False, claim_mappings.NO_EMAIL),
        ({"email_claim": "name"}, {}, False, claim_mappings.NO_EMAIL),
        ({"allowed_domains": "other.example"}, {}, False, claim_mappings.OTHER_DOMAIN),
        ({}, {"email_verified": True}, True, federation.UNLINKED),
        ({"links_by_email": True}, {"email_verified": True}, True, federation.LINKS),
        ({}, {"sub": None}, False, federation.NO_SUBJECT),
    ],
)
def test_what_a_sign_in_would_do_is_foreseen_and_nothing_is_done(draft, changes, account, sentence):
    owner = somebody() if account else None
    person = claim_mappings.read(provider(**draft).draft, claims(**changes))

    assert federation.foresee(provider(**draft), person) == (sentence, owner)
    assert federated_identities.holders([owner.id] if owner else []) == set()


def test_a_secret_is_sealed_for_its_row(app):
    key = app.extensions["gatewright.keys"]["identity providers"]
    draft = Draft("https://id.example", "us", "c4n4ry-secret")
    made = identity_providers.create("acme", draft, key, by=SERVER)
    other = identity_providers.create("other", draft, key, by=SERVER)

    assert identity_providers.secret_of(made, key) == "c4n4ry-secret"
    other.row.secret_sealed = made.row.secret_sealed
    with pytest.raises(ValueError, match="another row"):
        identity_providers.secret_of(other, key)
