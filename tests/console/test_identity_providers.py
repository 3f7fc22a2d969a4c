"""Identity providers in the console: made, tried, changed and removed by administrators."""

import re

import pytest

from app.domain import federation, foreign_id_tokens, identity_providers, users
from app.outbound import upstream_metadata
from tests.console.markup import texts
from tests.protocol.providers import CLIENT_ID, ISSUER, SECRET, Provider, going_to, id_token

LIST = "/admin/identity-providers/"
TYPED = {
    "name": "acme",
    "title": "Acme staff",
    "issuer": ISSUER,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
    "scope": "openid email",
    "name_claim": "name",
    "email_claim": "email",
    "groups_claim": "groups",
    "group_roles": "admin: Platform team",
    "makes_accounts": "on",
    "enabled": "on",
}


@pytest.fixture
def provider(app):
    """Return a provider that the operators have made."""
    return Provider(app).attach()


def kept(app, name="acme"):
    """Return a provider as it is now."""
    with app.app_context():
        return identity_providers.get(name, {})


def test_a_provider_is_made_once_its_metadata_are_in_order(app, admin, send, provider, happened):
    answer = send(admin, f"{LIST}new", **TYPED | {"name": "staff"})

    assert answer.location == f"{LIST}staff"
    page = admin.get(answer.location).text
    assert "https://gatewright.example/login/callback/staff" in page
    assert "https://gatewright.example/backchannel_logout/staff" in page
    assert SECRET not in page + str(happened("identity_provider.created")[0].detail)
    assert kept(app, "staff").draft.title == "Acme staff"
    assert ">staff<" in admin.get(LIST).text


def test_the_menu_leads_there_and_a_name_without_a_title_stands_once(admin, viewer, provider):
    page = admin.get(LIST).text

    [row] = re.findall(r"<tbody>.*?</tbody>", page, re.DOTALL)
    assert texts(row).split().count("acme") == 1
    for role, is_there in ((admin, True), (viewer, False)):
        menu = role.get("/admin/").text.partition('<nav aria-label="Console">')[2]
        assert (f'href="{LIST}"' in menu.partition("</nav>")[0]) is is_there


def test_the_form_says_with_which_redirect_uri_this_server_is_registered_there(admin, provider):
    page = admin.get(f"{LIST}new").text

    assert "https://gatewright.example/login/callback/" in page


def test_what_is_wrong_is_said_beside_each_field_and_the_secret_is_never_shown(
    admin, send, provider
):
    answer = send(admin, f"{LIST}new", **TYPED | {"scope": "email", "group_roles": "root: x"})

    assert answer.status_code == 422
    assert "The scope must be names" in answer.text
    assert "The roles of groups must have lines" in answer.text
    assert SECRET not in answer.text + str(provider.asked)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"issuer": f"{ISSUER}/"}, upstream_metadata.SLASH),
        ({"issuer": "https://other.example"}, upstream_metadata.OTHER_ISSUER),
        ({"jwks_uri": None}, upstream_metadata.MISSING),
        ({"authorization_endpoint": ""}, upstream_metadata.MISSING),
        ({"token_endpoint": "http://id.example/token"}, upstream_metadata.UNPROTECTED),
        ({"code_challenge_methods_supported": ["plain"]}, upstream_metadata.NO_S256),
    ],
)
def test_a_provider_whose_metadata_are_not_in_order_is_not_made(
    admin, send, provider, changes, sentence
):
    provider.metadata = changes

    answer = send(admin, f"{LIST}new", **TYPED | {"name": "new"})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_change_keeps_issuer_client_and_secret(app, admin, send, provider, happened):
    changes = {"issuer": "https://evil.example", "client_id": "x", "client_secret": ""}
    page = f"{LIST}acme/edit"
    assert SECRET not in admin.get(page).text

    assert send(admin, page, **TYPED | changes).location == f"{LIST}acme"

    found = kept(app)
    assert (found.draft.issuer, found.draft.client_id) == (ISSUER, CLIENT_ID)
    assert found.draft.role_of_group == {"Platform team": "admin"}
    key = app.extensions["gatewright.keys"]["identity providers"]
    assert identity_providers.secret_of(found, key) == SECRET
    assert happened("identity_provider.changed")[0].detail["secret_rotated"] is False


def test_a_provider_vouches_for_people_at_apps_only_when_that_is_switched_on(
    app, admin, send, provider, happened
):
    page = f"{LIST}acme/edit"
    assert kept(app).draft.vouches is False
    assert "May vouch for people at apps" in admin.get(page).text

    send(admin, page, **TYPED | {"vouches": "on"})

    assert kept(app).draft.vouches is True
    assert happened("identity_provider.changed")[0].detail["after"]["vouches"] is True
    send(admin, page, **TYPED)
    assert kept(app).draft.vouches is False


def test_the_test_shows_claims_and_what_they_would_give_and_signs_nobody_in(
    app, admin, send, provider, happened
):
    sent = provider.goes(send(admin, f"{LIST}acme/test"))
    provider.claims = {"groups": ["<b>staff</b>"], "email_verified": True, "x": "\0\ud7ff"}

    page = admin.get(going_to(provider.come_back(admin, sent))).text

    assert federation.MAKES in page
    assert "pia@example.org" in page
    assert "&lt;b&gt;staff&lt;/b&gt;" in page
    assert "admin@example.org" in page
    with app.app_context():
        assert users.find_by_email("pia@example.org") is None
    assert happened("identity_provider.tested")[0].detail["failure"] == ""
    assert happened("user.signed_in")[0].actor_name == "admin@example.org"


def test_the_test_says_to_the_operator_what_went_wrong(admin, send, provider, happened):
    sent = provider.goes(send(admin, f"{LIST}acme/test"))
    provider.claims = {"aud": "another"}

    page = admin.get(going_to(provider.come_back(admin, sent))).text

    assert foreign_id_tokens.OTHER_AUDIENCE in page
    assert happened("identity_provider.tested")[0].detail["failure"]
    assert happened("user.sign_in_failed") == []


def test_a_provider_that_is_switched_off_can_be_tested_and_is_not_offered(
    admin, send, provider, client
):
    send(admin, f"{LIST}acme/edit", **{k: v for k, v in TYPED.items() if k != "enabled"})

    assert "Acme staff" not in client.get("/login").text
    assert provider.goes(send(admin, f"{LIST}acme/test"))["state"]


def test_pasted_claims_are_previewed(admin, send, provider):
    token = send(admin, f"{LIST}acme/preview", pasted=id_token("n", name="Tess"))
    claims = send(admin, f"{LIST}acme/preview", pasted='{"sub": "a", "email": "A@b.example"}')
    empty = send(admin, f"{LIST}acme/preview", pasted="{}")
    nothing = send(admin, f"{LIST}acme/preview", pasted="<script>")

    assert "Tess" in token.text
    assert "a@b.example" in claims.text
    assert federation.NO_SUBJECT in empty.text
    assert nothing.status_code == 422
    assert "neither an ID token nor a JSON object" in nothing.text


def test_a_provider_is_removed_once_its_name_was_typed(app, admin, send, provider, happened):
    send(admin, f"{LIST}acme/remove", confirm_name="other")
    assert kept(app)

    assert send(admin, f"{LIST}acme/remove", confirm_name="acme").location == LIST
    assert admin.get(f"{LIST}acme").status_code == 404
    assert len(happened("identity_provider.removed")) == 1


def test_a_provider_of_the_environment_is_shown_and_not_changed(
    app, admin, send, provider, settings
):
    settings.identity_providers["acme"] = identity_providers.Draft(ISSUER, "env", SECRET)

    page = admin.get(f"{LIST}acme")
    assert "Set in the environment" in page.text
    assert SECRET not in page.text
    assert send(admin, f"{LIST}acme/edit", **TYPED).status_code == 409
    assert send(admin, f"{LIST}acme/remove", confirm_name="acme").status_code == 409
    taken = send(admin, f"{LIST}new", **TYPED)
    assert taken.status_code == 422
    assert "of the environment has this name" in taken.text
