"""Linking an account to an identity provider, unlinking it, and signing out there as well."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain import federated_identities, federation
from app.domain.foreign_id_tokens import FAILED
from app.extensions import db
from app.outbound import upstream_metadata
from app.protocol.proven_claims import UNREADABLE
from tests.protocol.persons import find_form
from tests.protocol.phones import add_app, prove
from tests.protocol.providers import CLIENT_ID, ISSUER, REFRESH, Provider, going_to

PAGE = "/account/identities"


@pytest.fixture
def provider(app):
    """Return a provider that signs people out as well."""
    return Provider(app).attach(signs_out=True)


def press_link(person, provider):
    """Press the button that links; return what the browser goes to the provider with."""
    return provider.goes(person.submit(person.open(PAGE), "/login/acme/link"))


def linked(app, person):
    """Return the subjects that are linked to somebody's account."""
    with app.app_context():
        return [each.subject for each in federated_identities.of_user(person.user_id)]


def test_the_owner_links_an_account_and_signs_in_by_it(app, person, provider, audited):
    person.sign_in()
    answer = provider.come_back(person.http, press_link(person, provider))

    assert going_to(answer) == PAGE
    assert linked(app, person) == ["pia-there"]
    assert [event.actor_id for event in audited("user.identity_linked")] == [person.user_id]
    other = person.elsewhere()
    provider.sign_in(other.http)
    assert person.email in other.open(PAGE).text


def test_unlinking_is_for_the_owner_and_with_a_password_leaves_nothing(
    app, person, provider, audited
):
    person.sign_in()
    provider.come_back(person.http, press_link(person, provider))
    person.submit(person.open(PAGE), f"{PAGE}/unlink")

    assert linked(app, person) == []
    assert [event.subject for event in audited("user.identity_unlinked")] == [person.user_id]


def test_linking_needs_a_sign_in_of_the_last_minutes(person, provider, clock):
    person.sign_in()
    page = person.open(PAGE)
    clock.advance(301)

    response = person.submit(page, "/login/acme/link")

    assert response.location == f"/login?next={PAGE}&again=yes"


def test_unlinking_needs_a_sign_in_of_the_last_minutes(app, person, provider, clock):
    """C-12"""
    person.sign_in()
    provider.come_back(person.http, press_link(person, provider))
    page = person.open(PAGE)
    clock.advance(301)

    response = person.submit(page, f"{PAGE}/unlink")

    assert response.location == f"/login?next={PAGE}&again=yes"
    assert linked(app, person) == ["pia-there"]


def test_an_answer_to_a_link_counts_only_for_who_began_it(app, person, provider, enrol):
    person.sign_in()
    sent = press_link(person, provider)
    person.http.post("/logout", data=find_form(person.open("/"), "/logout").fields)
    other = enrol("ben@people.example")
    other.http = person.http
    other.sign_in()

    provider.come_back(person.http, sent)

    assert linked(app, person) + linked(app, other) == []


def test_what_belongs_to_another_account_is_not_linked_and_said_so(app, person, provider):
    provider.sign_in(person.elsewhere().http)
    person.sign_in()
    response = provider.come_back(person.http, press_link(person, provider))

    assert response.location == PAGE
    assert "linked to another account here" in person.open(PAGE).text
    assert linked(app, person) == []


def test_a_provider_that_is_away_links_nothing_and_the_trail_knows_why(
    app, person, provider, audited
):
    person.sign_in()
    provider.metadata = {"issuer": "https://other.example"}
    response = person.submit(person.open(PAGE), "/login/acme/link")

    assert response.location == PAGE
    assert FAILED in person.open(PAGE).text
    said = [event.detail["reason"] for event in audited("user.sign_in_failed")]
    assert said == [upstream_metadata.OTHER_ISSUER]


def test_somebody_without_a_password_cannot_lock_themselves_out(person, provider):
    http = person.elsewhere()
    provider.sign_in(http.http)
    http.submit(http.open(PAGE), f"{PAGE}/unlink")

    page = http.open(PAGE).text
    assert federation.LAST_WAY in page
    assert "Unlink" in page
    assert "You have no password here" in http.open("/account/password").text


def test_who_is_signed_in_already_proves_it_anew_at_the_provider(person, provider):
    person.sign_in()
    again = person.open("/login?again=yes&next=/account/password")

    assert provider.begin(person.http, again)["prompt"] == "login"
    assert "prompt" not in provider.begin(person.elsewhere().http)


def test_signing_out_goes_on_to_the_provider_that_signed_in(person, provider):
    http = person.elsewhere()
    provider.sign_in(http.http)

    said = signed_out_by(http)

    assert said["client_id"] == [CLIENT_ID]
    assert said["id_token_hint"][0].count(".") == 2
    assert http.open(PAGE).status_code == 303


def test_an_app_signs_out_at_the_provider_as_well_and_does_not_get_the_browser_back(
    person, provider, register
):
    """Who left the session there open would be signed in again by one click of anybody."""
    back = "https://client.example/bye"
    app = register(scope="openid", post_logout_redirect_uris=[back])
    http = person.elsewhere()
    provider.sign_in(http.http)
    hint = http.tokens(app, scope="openid", resource=None)["id_token"]

    page = http.open(f"/logout?id_token_hint={hint}&post_logout_redirect_uri={back}")

    assert going_to(page).startswith(f"{ISSUER}/logout?")
    assert http.open(PAGE).status_code == 303


def switch_off_signing_out(app):
    """Let the provider sign nobody out by itself."""
    with app.app_context():
        db.session.execute(db.text("UPDATE identity_providers SET signs_out = false"))
        db.session.commit()


def test_otherwise_signing_out_offers_to_go_on_and_never_goes_by_itself(app, person, provider):
    switch_off_signing_out(app)
    provider.sign_in(person.http)

    page = person.submit(person.open("/"), "/logout")

    assert (page.status_code, REFRESH.search(page.text)) == (200, None)
    assert f'href="{ISSUER}/logout?client_id={CLIENT_ID}"' in page.text
    assert "Sign out at acme, too" in page.text


def signed_out_by(person):
    """Return what the provider is told when somebody signs out here."""
    url = urlsplit(going_to(person.submit(person.open("/"), "/logout")))
    assert url.geturl().startswith(f"{ISSUER}/logout?")
    return parse_qs(url.query)


def test_the_provider_is_told_whom_it_signs_out_after_a_second_factor_too(person, provider):
    provider.sign_in(person.http)
    phone = add_app(person)
    other = person.elsewhere()
    provider.sign_in(other.http)
    prove(other, phone.recovery[0])

    for each in (person, other):
        assert signed_out_by(each)["id_token_hint"][0].count(".") == 2


def test_an_id_token_is_given_to_the_issuer_that_made_it_and_to_no_other(app, person, provider):
    provider.sign_in(person.http)
    with app.app_context():
        db.session.execute(
            db.text("UPDATE identity_providers SET issuer = 'https://other.example'")
        )
        db.session.commit()
    provider.issuer = "https://other.example"

    url = going_to(person.submit(person.open("/"), "/logout"))

    assert url == f"https://other.example/logout?client_id={CLIENT_ID}"


@pytest.mark.parametrize(
    "metadata",
    [
        {"end_session_endpoint": None},
        {"end_session_endpoint": "http://id.example/logout"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"issuer": "https://other.example"},
    ],
)
def test_a_provider_without_a_safe_place_for_it_is_not_offered(
    app, person, provider, clock, metadata
):
    switch_off_signing_out(app)
    provider.sign_in(person.http)
    provider.metadata = metadata
    clock.advance(601)

    page = person.submit(person.open("/"), "/logout").text

    assert "You are signed out" in page
    assert "too</a>" not in page


def test_a_secret_of_another_key_is_a_failure_like_any_other(app, person, provider, audited):
    sent = provider.begin(person.http)
    with app.app_context():
        foreign = "SELECT verifier_sealed FROM sign_in_attempts"
        db.session.execute(db.text(f"UPDATE identity_providers SET secret_sealed = ({foreign})"))
        db.session.commit()

    assert provider.come_back(person.http, sent).status_code == 303
    assert [event.detail["reason"] for event in audited("user.sign_in_failed")] == [UNREADABLE]


def test_signing_out_after_a_password_stays_here(person, provider):
    person.sign_in()

    page = person.submit(person.open("/"), "/logout").text
    assert "You are signed out" in page
    assert "acme" not in page


@pytest.mark.parametrize("overrides", [{"second_factor_roles": ("member",)}])
@pytest.mark.parametrize(
    "amr, way", [(["mfa", "pwd"], "/"), (["pwd"], "/second-factor"), ("mfa", "/second-factor")]
)
def test_a_role_that_demands_a_second_factor_takes_that_of_the_provider(
    person, provider, audited, amr, way
):
    answer = provider.sign_in(person.http, amr=amr)

    assert going_to(answer) == way
    said = [event.detail["methods"] for event in audited("user.signed_in")]
    assert said == ([["mfa"]] if way == "/" else [])


@pytest.mark.parametrize("amr, way", [(["mfa"], "/"), (["pwd"], "/second-factor")])
def test_an_account_with_a_second_factor_is_asked_for_it_after_a_provider_too(
    person, provider, amr, way
):
    person.sign_in()
    provider.come_back(person.http, press_link(person, provider))
    add_app(person)
    other = person.elsewhere()

    assert going_to(provider.sign_in(other.http, amr=amr)) == way
    assert (other.open(PAGE).status_code == 200) is (way == "/")
