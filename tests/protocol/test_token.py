import pytest

from app.domain import clients, decisions, resources, software, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import PROOF, RESOURCE, SCOPES, assert_refused, pkce

OTHER = "https://other.example/api"
LONGEST = "a" * 128


@pytest.fixture
def other_resource(app):
    with app.app_context():
        resources.create(OTHER, "Other", ["mcp:read"], access_token_seconds=60, by=SERVER)
        db.session.commit()
    return OTHER


def lives(machine, tokens):
    """Tell whether access and refresh token are both active, or both not."""
    asked = [machine.introspect(tokens[kind]) for kind in ("access_token", "refresh_token")]
    states = {answer.get_json()["active"] for answer in asked}
    assert len(states) == 1
    return states.pop()


def test_a_code_gives_tokens(public, person):
    """N-001, N-071"""
    response = public.redeem(person.code(public))

    tokens = response.get_json()
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", SCOPES)
    assert type(tokens["expires_in"]) is int
    assert tokens["expires_in"] == 900
    assert tokens["refresh_token"].startswith("rt_")


# What is wrong, the change to the token request, the error code.
REFUSED_REDEMPTIONS = [
    ("N-070 grant_type is missing", {"grant_type": None}, "invalid_request"),
    ("N-070 grant_type is empty", {"grant_type": ""}, "invalid_request"),
    ("N-070 grant_type is unknown", {"grant_type": "magic"}, "unsupported_grant_type"),
    ("N-070 password", {"grant_type": "password"}, "unsupported_grant_type"),
    ("N-070 implicit", {"grant_type": "implicit"}, "unsupported_grant_type"),
    ("N-070 case differs", {"grant_type": "Authorization_Code"}, "unsupported_grant_type"),
    ("N-100 public", {"grant_type": "client_credentials"}, "unauthorized_client"),
    ("code is missing", {"code": None}, "invalid_request"),
    ("N-080 unknown", {"code": "ac_" + "a" * 43}, "invalid_grant"),
    ("N-080 not even a code", {"code": "\u00e9 %00"}, "invalid_grant"),
    ("N-080 enormous", {"code": "ac_" + "a" * 50_000}, "invalid_grant"),
    ("N-083 redirect_uri differs", {"redirect_uri": "https://client.example/"}, "invalid_grant"),
    (
        "N-083 redirect_uri in capitals",
        {"redirect_uri": "HTTPS://client.example/cb"},
        "invalid_grant",
    ),
    ("N-084 verifier is missing", {"code_verifier": None}, "invalid_grant"),
    ("N-084 verifier is empty", {"code_verifier": ""}, "invalid_grant"),
    ("N-084 another verifier", {"code_verifier": pkce().verifier}, "invalid_grant"),
    ("N-084 42 characters", {"code_verifier": PROOF.verifier[:42]}, "invalid_grant"),
    ("N-084 129 characters", {"code_verifier": LONGEST + "a"}, "invalid_grant"),
    ("N-084 trailing space", {"code_verifier": PROOF.verifier + " "}, "invalid_grant"),
    ("N-084 trailing newline", {"code_verifier": PROOF.verifier + "\n"}, "invalid_grant"),
    ("N-084 not ASCII", {"code_verifier": "\u00e9" * 43}, "invalid_grant"),
    ("N-086 challenge as verifier", {"code_verifier": PROOF.challenge}, "invalid_grant"),
    ("N-088 unknown resource", {"resource": "https://nowhere.example"}, "invalid_target"),
    ("N-088 another resource", {"resource": OTHER}, "invalid_target"),
    ("N-088 one resource too many", {"resource": [RESOURCE, OTHER]}, "invalid_target"),
    ("N-088 not a URI", {"resource": "notes"}, "invalid_target"),
    ("N-088 fragment", {"resource": RESOURCE + "#x"}, "invalid_target"),
]


def test_a_refused_redemption_does_not_spend_the_code(public, person, other_resource, subtests):
    code = person.code(public)
    for name, change, error in REFUSED_REDEMPTIONS:
        with subtests.test(name):
            assert_refused(public.redeem(code, **change), error)

    assert public.redeem(code).status_code == 200


def test_only_the_whole_code_counts(public, person, subtests):
    """N-073"""
    code = person.code(public)
    for changed in (code[:-1], code + "a", code.upper(), " " + code, code + " ", code[3:]):
        with subtests.test(changed):
            assert_refused(public.redeem(changed), "invalid_grant")

    assert public.redeem(code).status_code == 200


def test_all_failures_of_a_code_read_alike(public, posting, person):
    """N-072: nothing tells a thief what was wrong with a stolen code."""
    code = person.code(public)
    answers = [
        public.redeem("ac_unknown"),
        public.redeem(code, code_verifier=pkce().verifier),
        public.redeem(code, redirect_uri="https://other.example/cb"),
        posting.redeem(code),
        public.redeem(code),
        public.redeem(code),
    ]

    assert answers.pop(4).status_code == 200
    assert len({answer.get_data() for answer in answers}) == 1


def test_another_client_cannot_redeem_a_code_and_does_not_spend_it(public, posting, person):
    """N-080, X-52"""
    code = person.code(public)
    assert_refused(posting.redeem(code), "invalid_grant")

    assert public.redeem(code).status_code == 200


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"client_secret": None}])
def test_failed_authentication_does_not_spend_the_code(posting, person, change):
    """N-062"""
    code = person.code(posting)
    assert_refused(posting.redeem(code, **change), "invalid_client")

    assert posting.redeem(code).status_code == 200


def test_redirect_uri_may_be_left_out_because_pkce_binds_the_code(public, person):
    """N-083"""
    assert public.redeem(person.code(public), redirect_uri=None).status_code == 200


@pytest.mark.parametrize("seconds,status", [(59, 200), (60, 400)])
def test_a_code_lives_sixty_seconds(public, person, clock, seconds, status):
    """N-044, N-080"""
    code = person.code(public)
    clock.advance(seconds)

    assert public.redeem(code).status_code == status


def test_a_replayed_code_ends_its_family(public, confidential, person, audited):
    """N-082, section 7, code reuse: access token, refresh token and its successors end with it."""
    code = person.code(confidential)
    first = confidential.redeem(code).get_json()
    second = confidential.refresh(first["refresh_token"]).get_json()
    assert lives(confidential, second)

    assert_refused(confidential.redeem(code), "invalid_grant")

    assert not lives(confidential, first)
    assert not lives(confidential, second)
    assert_refused(confidential.refresh(second["refresh_token"]), "invalid_grant")
    assert len(audited("code.replayed")) == 1


def test_a_replay_that_proves_nothing_ends_nothing(confidential, posting, person):
    """N-082: neither a thief without the verifier nor another client can end the family."""
    code = person.code(confidential)
    tokens = confidential.redeem(code).get_json()
    assert_refused(confidential.redeem(code, code_verifier=pkce().verifier), "invalid_grant")
    assert_refused(confidential.redeem(code, redirect_uri="https://x.example/"), "invalid_grant")
    assert_refused(posting.redeem(code), "invalid_grant")

    assert lives(confidential, tokens)


@pytest.mark.parametrize("overrides", [{"pkce_required": "public"}])
def test_a_verifier_without_a_challenge_is_a_downgrade(confidential, person):
    """N-085: and the code needs its redirect URI when nothing else binds it."""
    openid = {"scope": "openid mcp:read", "nonce": "n", "code_challenge": None}
    code = person.code(confidential, code_challenge_method=None, **openid)
    assert_refused(confidential.redeem(code), "invalid_grant")
    unbound = {"code_verifier": None, "redirect_uri": None}
    assert_refused(confidential.redeem(code, **unbound), "invalid_grant")

    assert confidential.redeem(code, code_verifier=None).status_code == 200


def test_a_code_of_a_disabled_user_is_dead(app, public, person):
    """N-087, X-53"""
    code = person.code(public)
    with app.app_context():
        users.disable(users.find(person.user_id), by=SERVER)
        db.session.commit()

    assert_refused(public.redeem(code), "invalid_grant")


def test_one_of_several_resources_can_be_chosen(public, person, other_resource):
    """N-088, RFC 8707 section 2.2: and another one at the next refresh."""
    code = person.code(public, resource=[RESOURCE, OTHER], scope="mcp:read")

    tokens = public.redeem(code, resource=OTHER).get_json()
    assert tokens["expires_in"] == 60
    again = public.refresh(tokens["refresh_token"], resource=RESOURCE).get_json()
    assert again["expires_in"] == 900


def test_an_approval_that_was_narrowed_meanwhile_narrows_the_tokens(app, public, person):
    """Policy is checked again when a code is redeemed and at each refresh."""
    code = person.code(public)
    narrow(app, public, ["mcp:read"])
    tokens = public.redeem(code).get_json()
    assert tokens["scope"] == "mcp:read"

    narrow(app, public, [])
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_scope")


def narrow(app, machine, allowed):
    """Give a client a smaller ceiling, as operators do."""
    with app.app_context():
        client = clients.get(machine.client_id)
        clients.edit(client, by=SERVER, scopes=allowed, redirect_uris=())
        db.session.commit()


def test_approval_until_a_date_ends_with_it(app, register, person, clock):
    waiting = register(approve=False, client_name="For a while")
    with app.app_context():
        row = software.get(clients.get(waiting.client_id).software_id)
        until = clock.now + 100
        decisions.approve(row.id, row.revision, allowed=SCOPES.split(), until=until, by=SERVER)
        db.session.commit()
    tokens = person.tokens(waiting)

    clock.advance(100)

    assert_refused(waiting.refresh(tokens["refresh_token"]), "invalid_client")
