"""Sign-out at an identity provider ends what began there, and nothing else, whenever it comes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain import foreign_logout_tokens, identity_providers, retention, second_factors
from app.domain.audit import SERVER
from app.domain.foreign_logout_tokens import REPLAYED
from app.extensions import db
from app.protocol.provider_logout import UNFETCHED
from tests.protocol.machines import assert_refused
from tests.protocol.phones import add_app, is_signed_in_wholly, prove
from tests.protocol.providers import ISSUER, Provider, logout_token

SUBJECT = "pia-there"


@pytest.fixture
def provider(app):
    """Return a provider that may link accounts by their address."""
    return Provider(app).attach(title="Acme staff", links_by_email=True)


def assert_ended(answer):
    """Demand the answer to a logout token that was taken."""
    assert (answer.status_code, answer.json) == (200, {})
    assert answer.headers["Cache-Control"] == "no-store"


NAMED = [
    ({"sid": "tablet"}, set()),
    ({"sid": "tablet", "sub": SUBJECT}, set()),
    ({"sid": SUBJECT}, set()),
    ({"sub": "laptop"}, set()),
    ({"sub": "nobody"}, set()),
    ({"sid": "laptop"}, {"laptop"}),
    ({"sid": "phone", "sub": SUBJECT}, {"phone"}),
    ({"sub": SUBJECT}, {"laptop", "phone", "silent"}),
]


def test_a_token_ends_exactly_the_sessions_that_it_names(provider, enrol, audited, clock, subtests):
    person = enrol("pia@example.org")
    person.sign_in()
    provider.hold("two", links_by_email=True)
    hers = {"laptop": {"sid": "laptop"}, "phone": {"sid": "phone"}, "silent": {"sid": ["laptop"]}}
    alive = {
        name: provider.come(email_verified=True, **claims) for name, claims in hers.items()
    } | {
        "of another": provider.come(sub="ben-there", sid="of ben", email="ben@example.org"),
        "of another provider": provider.come("two", sid="laptop"),
        "by password": person,
    }

    for claims, ended in NAMED:
        with subtests.test(str(claims)):
            clock.advance(1)
            assert_ended(provider.log_out(logout_token(**claims)))

            assert {name for name, each in alive.items() if not is_signed_in_wholly(each)} == ended
        clock.advance(1)
        alive |= {name: provider.come(**hers[name]) for name in ended}

    told = audited("user.sessions_ended")
    assert {(each.subject, each.actor_kind) for each in told} == {(person.user_id, "server")}
    assert {each.actor_name for each in told} == {"identity provider acme"}
    assert [each.detail["sessions"] for each in told] == [len(ended) for _, ended in NAMED if ended]


def test_codes_end_with_the_session_and_grants_stay(app, provider, public):
    somebody = provider.come(sid="laptop")
    tokens, code = somebody.tokens(public), somebody.code(public)

    assert_ended(provider.log_out(logout_token(sid="laptop")))

    assert_refused(public.redeem(code), "invalid_grant")
    assert public.refresh(tokens["refresh_token"]).status_code == 200
    with app.app_context():
        assert db.session.scalar(db.text("SELECT count(*) FROM sessions")) == 0


def test_a_token_counts_once_and_its_replay_ends_nothing(provider, clock, audited):
    token = logout_token(sub=SUBJECT)
    assert_ended(provider.log_out(token))
    clock.advance(1)
    later = provider.come(sid="laptop")

    again = provider.log_out(token)

    assert_refused(again, "invalid_request")
    assert again.json["error_description"] == REPLAYED
    assert is_signed_in_wholly(later)
    [event] = audited("request.refused")
    assert (event.subject, event.detail["provider"]) == ("provider_logout.end_sessions", "acme")
    assert SUBJECT not in str(event.detail)


def test_of_many_that_bring_a_token_at_once_one_is_answered(provider, audited):
    somebody, token = provider.come(sid="laptop"), logout_token(sid="laptop")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(provider.log_out, [token] * 6))

    assert sorted(each.status_code for each in answers) == [200, 400, 400, 400, 400, 400]
    assert len(audited("user.sessions_ended")) == 1
    assert not is_signed_in_wholly(somebody)


def test_a_jti_is_of_its_provider(provider):
    provider.hold("two")

    for name in ("acme", "two"):
        assert_ended(provider.log_out(logout_token(sid="laptop", jti="1"), name))


@pytest.mark.parametrize("named", [{"sid": "laptop"}, {"sub": SUBJECT}])
def test_a_token_that_comes_during_a_sign_in_ends_it_and_not_the_next(
    provider, clock, monkeypatch, named
):
    tokens = provider.tokens

    def signed_out_meanwhile():
        clock.advance(2)
        assert_ended(provider.log_out(logout_token(**named)))
        return tokens()

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(provider, "tokens", signed_out_meanwhile)
        browser = provider.come(sid="laptop")

    assert not is_signed_in_wholly(browser)
    clock.advance(1)
    assert is_signed_in_wholly(provider.come(sid="laptop"))


def test_a_token_that_comes_during_the_second_factor_ends_that_too(provider, monkeypatch, clock):
    phone = add_app(provider.come(sid="laptop"))
    clock.advance(60)
    half = provider.come(sid="phone")
    prove_factor = second_factors.prove

    def signed_out_meanwhile(*values, **more):
        assert_ended(provider.log_out(logout_token(sid="phone")))
        return prove_factor(*values, **more)

    monkeypatch.setattr(second_factors, "prove", signed_out_meanwhile)

    assert prove(half, phone.code()).status_code == 303
    assert not is_signed_in_wholly(half)


def test_a_provider_that_is_switched_off_or_unknown_ends_nothing(app, provider, settings):
    somebody = provider.come(sid="laptop")
    with app.app_context():
        db.session.execute(db.text("UPDATE identity_providers SET enabled = false"))
        db.session.commit()
    asked = len(provider.asked)

    for name in ("acme", "unknown", "%00", "a" * 300):
        answer = provider.log_out(logout_token(sid="laptop"), name)
        assert_refused(answer, "not_found", 404)
    assert is_signed_in_wholly(somebody)
    assert len(provider.asked) == asked


def test_the_same_name_of_another_issuer_ends_nothing(app, provider):
    somebody = provider.come(sid="laptop")
    with app.app_context():
        identity_providers.remove(identity_providers.get("acme", {}), by=SERVER)
        db.session.commit()
    Provider(app, issuer="https://other.example").attach()

    answer = provider.log_out(logout_token(iss="https://other.example", sid="laptop"))

    assert_ended(answer)
    assert is_signed_in_wholly(somebody)


def test_strangers_cannot_make_the_server_ask_the_provider_again_and_again(provider, clock):
    somebody = provider.come(sid="laptop")

    for seconds, fetched in ((0, 0), (61, 1)):
        clock.advance(seconds)
        provider.asked.clear()
        for number in range(10):
            answer = provider.log_out(logout_token({"kid": f"forged-{number}"}, sid="laptop"))
            assert_refused(answer, "invalid_request")
        assert [url for url, _ in provider.asked] == [f"{ISSUER}/jwks"] * fetched
    assert is_signed_in_wholly(somebody)


def test_a_token_that_could_not_be_checked_is_not_used_up(provider, clock):
    somebody, token = provider.come(sid="laptop"), logout_token(sid="laptop", exp=1000)
    clock.advance(601)
    provider.metadata = {"issuer": "https://other.example"}
    refused = provider.log_out(token)
    provider.metadata = {}
    clock.advance(11)

    assert_refused(refused, "invalid_request")
    assert refused.json["error_description"] == UNFETCHED
    assert is_signed_in_wholly(somebody)
    assert_ended(provider.log_out(token))
    assert not is_signed_in_wholly(somebody)


def test_a_used_token_is_kept_for_as_long_as_a_session_that_it_ended(app, provider, clock):
    assert_ended(provider.log_out(logout_token(sid="laptop")))

    for seconds, purged in ((12 * 3600 + foreign_logout_tokens.OLDEST_SECONDS, 0), (1, 1)):
        clock.advance(seconds)
        with app.app_context():
            assert retention.purge()["logout tokens"] == purged
            db.session.commit()


def test_the_list_of_sessions_says_where_each_began(app, provider, enrol):
    person = enrol("pia@example.org")
    person.sign_in()
    provider.come(sid="laptop", email_verified=True)

    page = person.open("/account/sessions").text

    assert page.count("Signed in at") == page.count("Acme staff") == 1
