"""Updates of approved clients: narrowing applies at once, widening waits for a person."""

import pytest

from app.domain import errors
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db
from tests.corpora.hostile_keys import EC_KEY, OKP_KEY
from tests.protocol import registrants
from tests.protocol.registrants import Operator
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url

REDIRECTS = ["https://registrant.example/cb", "https://registrant.example/other"]
BROAD = {
    "redirect_uris": REDIRECTS,
    "scope": "mcp:read mcp:write",
    "contacts": ["ada@registrant.example"],
    "jwks": {"keys": [EC_KEY]},
    "logo_uri": "https://registrant.example/logo.png",
    "client_name#de": "Anmelder",
}


@pytest.fixture
def operator(app):
    return Operator(app)


@pytest.fixture
def registrant(client, operator):
    """Return the registrant of a public client that is approved."""
    found = registrants.register(client, **BROAD)
    operator.approve(found)
    return found


@pytest.fixture
def secretive(client, operator):
    """Return the registrant of a confidential client that is approved."""
    found = registrants.register(client, **BROAD, token_endpoint_auth_method="client_secret_post")
    operator.approve(found)
    return found


@pytest.fixture
def resident(standing):
    """Return the registrant of an approved client of the app that stands for all these tests."""
    found = registrants.register(
        standing.http, **BROAD, token_endpoint_auth_method="client_secret_post"
    )
    operator = standing.operator
    if operator.look(operator.software_id(found)).status == "pending":
        operator.approve(found)
    return found


def waits(response):
    """Tell whether an update waits for approval."""
    assert response.status_code == 200, response.text
    return response.get_json().get("registration_status") == "revision_pending"


NARROWING = {
    "fewer redirects": {"redirect_uris": REDIRECTS[:1]},
    "redirects in another order": {"redirect_uris": REDIRECTS[::-1]},
    "fewer scopes": {"scope": "mcp:read"},
    "no scope": {"scope": None},
    "no refresh tokens": {"grant_types": ["authorization_code"]},
    "a new version": {"software_version": "2.0"},
    "a hint": {"application_type": "web"},
    "nothing": {},
}


@pytest.mark.parametrize("changes", NARROWING.values(), ids=NARROWING.keys())
def test_a_narrowing_applies_at_once(resident, changes):
    """N-177."""
    response = resident.update(**changes)
    answer = response.get_json()

    assert not waits(response)
    for name, value in changes.items():
        if value is not None:
            assert answer[name] == value
    assert resident.read().get_json() == answer


WIDENING = {
    "another redirect": {"redirect_uris": [*REDIRECTS, "https://attacker.example/cb"]},
    "a redirect replaced": {"redirect_uris": ["https://attacker.example/cb"]},
    "a loopback redirect": {"redirect_uris": [*REDIRECTS, "http://127.0.0.1/cb"]},
    "another scope": {"scope": "mcp:read mcp:write admin"},
    "another grant": {
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    },
    "another name": {"client_name": "Trusted"},
    "no name": {"client_name": None},
    "another localised name": {"client_name#de": "Vertraut"},
    "a further localised name": {"client_name#fr": "Confiance"},
    "another logo": {"logo_uri": "https://attacker.example/logo.png"},
    "a page": {"client_uri": "https://attacker.example/"},
    "other contacts": {"contacts": ["eve@attacker.example"]},
    "no contacts": {"contacts": None},
    "other keys": {"jwks": {"keys": [OKP_KEY]}},
    "keys elsewhere": {"jwks": None, "jwks_uri": "https://attacker.example/jwks"},
    "other software": {"software_id": "another"},
    "another method": {"token_endpoint_auth_method": "client_secret_basic"},
    "no method": {"token_endpoint_auth_method": "none"},
}


@pytest.mark.parametrize("changes", WIDENING.values(), ids=WIDENING.keys())
def test_a_widening_waits_while_the_approved_one_serves(standing, resident, changes):
    """N-177, M-10, X-41, X-42: answered with what is in force, until a person decides."""
    before = resident.read().get_json()
    response = resident.update(**changes)

    assert waits(response)
    assert response.get_json() == before | {"registration_status": "revision_pending"}
    served = resident.machine.refresh("rt_none")
    assert (served.status_code, served.get_json()["error"]) == (400, "invalid_grant")
    assert standing.http.get(resident.machine.asking(resource=None)).status_code == 200

    standing.operator.approve(resident, waiting=True)
    after = resident.read().get_json()
    for name, value in changes.items():
        if name != "scope":
            assert after.get(name) == value
    assert after["registration_status"] == "approved"


def test_people_go_on_signing_in_while_a_widening_waits(secretive, person):
    """N-177, X-41: with the metadata and the ceiling that were approved."""
    secretive.update(scope="mcp:read mcp:write admin", client_name="Trusted")

    assert person.tokens(secretive.machine)["scope"] == "mcp:read mcp:write"


def test_two_widenings_leave_only_the_last_one_waiting(app, registrant, operator):
    """N-183: the last complete document, never a mix."""
    registrant.update(client_name="First", contacts=None)
    registrant.update(client_name="Second")
    operator.approve(registrant, waiting=True)
    after = registrant.read().get_json()

    assert (after["client_name"], after["contacts"]) == ("Second", BROAD["contacts"])
    with app.app_context():
        assert (
            db.session.scalars(db.select(Software.name).where(Software.status == "pending")).all()
            == []
        )


def test_going_back_to_what_is_in_force_withdraws_the_revision(app, registrant):
    registrant.update(client_name="Trusted")
    assert not waits(registrant.update())

    with app.app_context():
        assert db.session.get(Client, registrant.client_id).pending_metadata is None
        assert db.session.scalar(db.select(Software).where(Software.status == "pending")) is None


def test_a_rejected_revision_is_gone_and_the_approved_one_goes_on(registrant, operator, person):
    registrant.update(redirect_uris=["https://attacker.example/cb"])
    operator.reject(registrant, waiting=True)

    assert registrant.read().get_json()["redirect_uris"] == REDIRECTS
    assert registrant.read().get_json()["registration_status"] == "approved"
    assert person.tokens(registrant.machine)["access_token"]


def test_a_rejected_revision_cannot_be_sent_again(registrant, operator):
    registrant.update(redirect_uris=["https://attacker.example/cb"])
    operator.reject(registrant, waiting=True)
    again = registrant.update(redirect_uris=["https://attacker.example/cb"])

    assert (again.status_code, again.get_json()["error"]) == (403, "access_denied")


def test_a_redirect_that_waits_is_not_accepted_yet(client, registrant, operator):
    new = "https://registrant.example/new"
    registrant.update(redirect_uris=[*REDIRECTS, new])
    wanted = registrant.machine.at(new).asking()
    before = client.get(wanted)
    operator.approve(registrant, waiting=True)

    assert (before.status_code, before.headers.get("Location")) == (400, None)
    assert client.get(wanted).status_code == 200


def test_a_redirect_that_was_given_up_is_not_accepted_any_more(client, registrant):
    registrant.update(redirect_uris=REDIRECTS[:1])

    assert client.get(registrant.machine.at(REDIRECTS[0]).asking()).status_code == 200
    assert client.get(registrant.machine.at(REDIRECTS[1]).asking()).status_code == 400


def test_a_grant_that_was_given_up_is_not_granted_any_more(registrant, person):
    refresh_token = person.tokens(registrant.machine)["refresh_token"]
    registrant.update(grant_types=["authorization_code"])
    refused = registrant.machine.refresh(refresh_token)

    assert (refused.status_code, refused.get_json()["error"]) == (400, "unauthorized_client")


def test_the_old_secret_is_demanded_until_a_public_client_is_approved(secretive, operator):
    """X-42."""
    secretive.update(token_endpoint_auth_method="none")
    bare = {"client_secret": None}
    before = secretive.machine.refresh("rt_none", **bare)
    operator.approve(secretive, waiting=True)
    after = secretive.machine.refresh("rt_none", **bare)
    with_secret = secretive.machine.refresh("rt_none")

    assert (before.status_code, before.get_json()["error"]) == (401, "invalid_client")
    assert (after.status_code, after.get_json()["error"]) == (400, "invalid_grant")
    assert (with_secret.status_code, with_secret.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", None])
@pytest.mark.parametrize("approved", [False, True], ids=["pending", "active"])
def test_a_public_client_cannot_become_confidential(client, operator, approved, method):
    """N-177: its new secret could not be delivered; leaving the method out means a secret."""
    one = registrants.register(client)
    if approved:
        operator.approve(one)
    response = one.update(token_endpoint_auth_method=method)

    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_client_metadata"


def test_a_pending_client_that_becomes_public_has_no_secret_left(app, client):
    one = registrants.register(client, token_endpoint_auth_method="client_secret_post")
    assert one.update(token_endpoint_auth_method="none").status_code == 200

    with app.app_context():
        assert db.session.get(Client, one.client_id).secret_digest is None


def test_approving_what_a_pending_client_has_changed_meanwhile_fails(app, client, operator):
    """N-211, X-45."""
    one = registrants.register(client)
    seen = operator.look(operator.software_id(one))
    one.update(scope="mcp:read mcp:write")

    with pytest.raises(errors.Conflict):
        operator.approve_as_seen(seen)
    assert operator.look(operator.software_id(one)).status == "pending"
    operator.approve(one)
    assert operator.look(operator.software_id(one)).status == "approved"


@pytest.mark.parametrize(
    "first, second",
    [
        (
            {"software_id": "s-1", "redirect_uris": [*REDIRECTS, "https://registrant.example/3"]},
            {"token_endpoint_auth_method": "none"},
        ),
        ({"redirect_uris": ["https://registrant.example/3"]}, {"logo_uri": "https://e.example/l"}),
        ({"client_name": "Good"}, {"client_name": "Evil"}),
        ({"client_name": "Good"}, {"scope": "mcp:read mcp:write admin"}),
    ],
    ids=["method under a software_id", "logo", "name", "scope"],
)
def test_approving_a_revision_that_changed_meanwhile_fails(secretive, operator, first, second):
    """N-211, X-45: what the operator saw is what is put in force, or nothing."""
    assert waits(secretive.update(**first))
    seen = operator.look(operator.software_id(secretive, waiting=True))
    assert waits(secretive.update(**first | second))

    with pytest.raises((errors.Conflict, errors.NotFound)):
        operator.approve_as_seen(seen)
    assert waits(secretive.read())
    operator.approve(secretive, waiting=True)
    after = secretive.read().get_json()
    assert {name: after.get(name) for name in second if name != "scope"} == {
        name: value for name, value in second.items() if name != "scope"
    }


def test_two_clients_that_wait_for_the_same_software_do_not_change_it_for_each_other(
    client, operator
):
    """N-211: an update of one is never approved with the page of the other."""
    wider = {"redirect_uris": [*REDIRECTS, "https://registrant.example/3"]}
    twins = [registrants.register(client, **BROAD) for _ in range(2)]
    operator.approve(twins[0])
    assert all(waits(twin.update(**wider)) for twin in twins)
    seen = operator.look(operator.software_id(twins[0], waiting=True))
    assert waits(twins[1].update(**wider, logo_uri="https://attacker.example/logo.png"))
    operator.approve_as_seen(seen)

    assert not waits(twins[0].read())
    assert waits(twins[1].read())
    assert twins[1].read().get_json()["logo_uri"] == BROAD["logo_uri"]


def test_an_update_into_approved_software_is_in_force_at_once(client, registrant, operator):
    """As a registration of it would be: its codes go only where people approved."""
    other = registrants.register(client, client_name="Other", redirect_uris=REDIRECTS[:1])
    operator.approve(other)
    moved = registrant.put(
        other.document() | {"client_id": registrant.client_id, "scope": "mcp:read"}
    )

    assert not waits(moved)
    assert operator.software_id(registrant) == operator.software_id(other)


def test_an_update_into_refused_software_is_refused(client, registrant, operator):
    """N-177: the same policy as at registration, also when it looks like a narrowing."""
    narrower = registrants.register(client, **BROAD | {"redirect_uris": REDIRECTS[:1]})
    operator.reject(narrower)
    response = registrant.update(redirect_uris=REDIRECTS[:1])

    assert (response.status_code, response.get_json()["error"]) == (403, "access_denied")
    assert registrant.read().get_json()["redirect_uris"] == REDIRECTS


def test_another_loopback_port_is_no_widening(client, operator):
    """Ports are not compared, so nothing new is to be approved."""
    one = registrants.register(client, redirect_uris=["http://127.0.0.1:1111/cb"])
    operator.approve(one)

    assert not waits(one.update(redirect_uris=["http://127.0.0.1:2222/cb"]))
    assert waits(one.update(redirect_uris=["http://127.0.0.1:2222/other"]))


def test_an_update_that_reads_like_approved_software_is_noted_for_the_approver(client, operator):
    """X-30: as it would be at registration."""
    operator.approve(registrants.register(client, client_name="Claude"))
    one = registrants.register(client, client_name="Honest", software_id="s-1")
    one.update(client_name="C1aude")

    notes = operator.look(operator.software_id(one)).notes
    assert any(note.startswith("Look-alike") for note in notes)


def test_one_of_two_pending_clients_can_change_without_the_other(client, operator):
    twins = [registrants.register(client) for _ in range(2)]
    seen = operator.look(operator.software_id(twins[0]))
    twins[1].update(scope="mcp:read mcp:write")
    operator.approve_as_seen(seen)

    assert operator.look(operator.software_id(twins[0])).status == "approved"
    assert operator.look(operator.software_id(twins[1])).status == "pending"


def test_software_that_nobody_belongs_to_any_more_leaves_the_queue(app, client):
    one = registrants.register(client, client_name="First name")
    one.update(client_name="Second name")

    with app.app_context():
        assert db.session.scalars(db.select(Software.name)).all() == ["Second name"]


def test_the_scopes_of_a_client_never_exceed_what_was_approved(registrant, operator, person):
    """The ceiling belongs to the decision; an update within it changes no token."""
    registrant.update(scope="mcp:read")

    assert registrant.read().get_json()["scope"] == "mcp:read"
    assert person.tokens(registrant.machine)["scope"] == "mcp:read mcp:write"
