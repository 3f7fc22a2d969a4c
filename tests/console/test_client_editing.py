"""The form that changes a client: scopes, redirect URIs with a verdict each, token lifetime."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.console import client_editing
from app.domain import clients, decisions, grants, scopes, software
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.client_records import load
from app.domain.openid_metadata import SUBJECTS_CHANGED
from app.extensions import db
from tests.console.markup import controls, texts
from tests.console.matrix import rows
from tests.protocol.vendors import key_set

LIST = "/admin/clients/"
URI = "https://client.example/cb"


@pytest.fixture
def registered(register):
    """Register a client; return what its registrant was told."""
    return register(client_name="Editor")


@pytest.fixture
def made(app, registered):
    """Approve the software of the client for two scopes; return its identifier."""
    client_id = registered["client_id"]
    with app.app_context():
        for name in ("tools", "write", "other"):
            scopes.create(name, f"About {name}", by=SERVER)
        row = software.get(clients.get(client_id).software_id)
        decisions.approve(row.id, row.revision, by=SERVER, allowed=["tools", "write"])
        db.session.commit()
    return client_id


def granted(app, client_id):
    """Return the grants of a client."""
    with app.app_context():
        return grants.find_latest(client_id=client_id)


def seen_on(page):
    """Return what the form of a page sends back of what it showed."""
    (field,) = controls(page, name="seen")
    return field["value"]


@pytest.fixture
def save(admin, csrf, made):
    """Return a function that sends the form of the client as a browser does."""
    token = csrf(admin)

    def send(**fields):
        seen = seen_on(admin.get(f"{LIST}edit/{made}").text)
        form = {"csrf_token": token, "follows": "on", "redirect_uris": URI, "kind": ""}
        form |= {"seen": seen} | fields
        filled = {name: value for name, value in form.items() if value is not None}
        return admin.post(f"{LIST}edit/{made}", data=filled)

    return send


@pytest.fixture
def pairwise(app, made):
    """Let the client know people by identifiers of its own."""
    with app.app_context():
        row = clients.get(made)
        row.client_metadata = {**row.client_metadata, "subject_type": "pairwise"}
        db.session.commit()


def test_another_host_gives_everybody_a_new_subject_only_when_that_is_wanted(
    save, admin, app, made, pairwise, grant
):
    """N-164: as at registration, and grants end."""
    assert "an identifier that is made for client.example" in " ".join(
        texts(admin.get(f"{LIST}edit/{made}").text).split()
    )
    moved = {"redirect_uris": "https://moved.example/cb"}
    for fields in (moved, {"redirect_uris": f"{URI} https://moved.example/cb"}):
        refused = save(**fields, new_subjects="on" if fields is not moved else None)
        assert refused.status_code == 422
        assert controls(refused.text, "textarea", **{"aria-invalid": "true"})
    grant(made, 1)
    assert save(redirect_uris=f"{URI}/more").status_code == 303
    assert [each.revoked_at for each in granted(app, made)] == [None]

    assert save(**moved, new_subjects="on").status_code == 303
    assert [each.revoked_reason for each in granted(app, made)] == [SUBJECTS_CHANGED]
    with app.app_context():
        assert load(made).openid.sector == "moved.example"


def test_the_form_shows_what_is_in_force_and_offers_the_scopes_of_the_software(admin, made):
    page = admin.get(f"{LIST}edit/{made}").text

    assert controls(page, name="follows", checked=None)
    assert {box["value"] for box in controls(page, name="scopes")} == {"tools", "write"}
    assert URI in texts(page)


def test_a_ceiling_below_the_software_is_in_force_at_once(save, app, made, stored, happened):
    answer = save(follows=None, scopes=["tools", "other"])

    assert (answer.status_code, answer.location) == (303, f"{LIST}{made}")
    assert stored(made).scopes == ["tools"]
    with app.app_context():
        assert load(made).scopes == {"tools"}
    event = happened(Tag.CLIENT_UPDATED)[0]
    assert event.actor_name == "admin@example.org"
    assert event.detail == {"before": {"scopes": None}, "after": {"scopes": ["tools"]}}

    save(scopes=["tools"])
    assert stored(made).scopes is None


def test_redirect_uris_are_taken_one_per_line_or_pasted_with_spaces(save, made, stored):
    save(redirect_uris=f"  {URI}\r\nhttp://127.0.0.1/cb com.example.app:/cb\n\n{URI}\n")

    assert stored(made).client_metadata["redirect_uris"] == [
        URI,
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
    ]


@pytest.fixture
def give_up(client, registered, stored):
    """Return a function that lets the registrant keep one redirect URI of several.

    It runs in a thread of its own, because a request inside another would share its session.
    """

    def put():
        client_id, token = registered["client_id"], registered["registration_access_token"]
        kept = stored(client_id).client_metadata | {"redirect_uris": [URI], "client_id": client_id}
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.put(f"/clients/{client_id}", json=kept, headers=headers)
        assert answer.status_code == 200

    def meanwhile():
        with ThreadPoolExecutor(1) as aside:
            aside.submit(put).result()

    return meanwhile


@pytest.mark.parametrize("moment", ["while the form is open", "while it is saved"])
def test_what_the_registrant_changes_meanwhile_is_shown_and_not_overwritten(
    admin, save, made, give_up, stored, monkeypatch, moment
):
    """X-45: a redirect URI that was given up does not come back with the form that shows it."""
    both = f"{URI} {URI}/old"
    save(redirect_uris=both)
    seen = seen_on(admin.get(f"{LIST}edit/{made}").text)
    if moment == "while the form is open":
        give_up()
    else:
        judge = client_editing.judge
        monkeypatch.setattr(client_editing, "judge", lambda row: give_up() or judge(row))

    answer = save(seen=seen, redirect_uris=both, access_token_seconds="60")

    assert answer.status_code == 409
    assert "Nothing was saved" in texts(answer.text)
    assert f"{URI}/old" not in answer.text
    assert stored(made).client_metadata["redirect_uris"] == [URI]
    assert stored(made).access_token_seconds is None
    monkeypatch.undo()
    assert save(seen=seen_on(answer.text), access_token_seconds="60").status_code == 303


@pytest.mark.parametrize("seen", [None, "", "a\0b", "\u00e9", "a" * 5000])
def test_a_form_that_does_not_say_what_it_showed_saves_nothing(save, app, seen):
    before = rows(app)

    assert save(seen=seen, access_token_seconds="60").status_code == 409
    assert rows(app) == before


def test_each_refused_redirect_uri_has_its_own_sentence_and_nothing_is_saved(save, app):
    before = rows(app)

    answer = save(redirect_uris=f"http://evil.example/cb\n{URI}\njavascript:alert(1)")

    assert answer.status_code == 422
    said = texts(answer.text)
    assert "Refused http://evil.example/cb A redirect URI may use http only for" in said
    assert f"Accepted {URI}" in said
    assert "Refused javascript:alert(1) A redirect URI must not use this scheme" in said
    assert controls(answer.text, "textarea", name="redirect_uris", **{"aria-invalid": "true"})
    assert rows(app) == before


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"redirect_uris": None}, "redirect_uris"),
        ({"redirect_uris": f"{URI}\0"}, "redirect_uris"),
        ({"redirect_uris": "https://*.example/cb"}, "redirect_uris"),
        ({"redirect_uris": "\n".join(f"{URI}{n}" for n in range(33))}, "redirect_uris"),
        ({"access_token_seconds": "29"}, "access_token_seconds"),
        ({"access_token_seconds": "86401"}, "access_token_seconds"),
        ({"access_token_seconds": "1e3"}, "access_token_seconds"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(save, app, fields, field):
    before = rows(app)

    answer = save(**fields)

    assert answer.status_code == 422
    assert controls(answer.text, "span", id=f"e-{field}")
    assert rows(app) == before


def test_the_lifetime_of_tokens_is_set_and_taken_back(save, made, stored):
    save(access_token_seconds="120")
    assert stored(made).access_token_seconds == 120

    save(access_token_seconds="")
    assert stored(made).access_token_seconds is None


def test_a_client_that_signs_nobody_in_has_no_redirect_uris_to_edit(admin, csrf, register, stored):
    made = register(grant_types=["client_credentials"], redirect_uris=None)["client_id"]

    page = admin.get(f"{LIST}edit/{made}").text
    form = {"csrf_token": csrf(admin), "seen": seen_on(page), "access_token_seconds": "60"}
    answer = admin.post(f"{LIST}edit/{made}", data=form)

    assert not controls(page, "textarea")
    assert answer.status_code == 303
    assert stored(made).access_token_seconds == 60


def test_the_verdicts_alone_are_given_while_typing_and_nothing_changes(admin, csrf, app):
    form = {"csrf_token": csrf(admin), "redirect_uris": "com.example.app:/cb", "kind": "web"}
    before = rows(app)

    as_web = admin.post(f"{LIST}check-redirect-uris", data=form)
    as_native = admin.post(f"{LIST}check-redirect-uris", data=form | {"kind": "native"})

    assert texts(as_web.text).startswith("Refused com.example.app:/cb A redirect URI may use")
    assert texts(as_native.text) == "Accepted com.example.app:/cb"
    assert rows(app) == before


def test_a_hostile_redirect_uri_is_text_in_its_verdict(admin, csrf):
    """C-32."""
    hostile = "https://a.example/<script>alert(1)</script>\"onload='x'"
    form = {"csrf_token": csrf(admin), "redirect_uris": hostile, "kind": "web"}

    page = admin.post(f"{LIST}check-redirect-uris", data=form).text

    assert hostile in texts(page)
    assert "<script" not in page
    assert not controls(page, "bdi", onload="x")


def test_a_confidential_client_may_be_let_go_without_pkce_and_a_public_one_not(
    admin, csrf, app, made, register
):
    """The switch is for clients that prove themselves; it is not saved by accident."""
    public = register(
        client_name="Public", token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/"]
    )["client_id"]
    pages = {each: admin.get(f"{LIST}edit/{each}").text for each in (made, public)}
    shown = {each: len(controls(page, name="pkce_optional")) for each, page in pages.items()}
    assert shown == {made: 1, public: 0}

    for wanted in ({"pkce_optional": "on"}, {}):
        form = {"csrf_token": csrf(admin), "follows": "on", "redirect_uris": URI, "kind": ""}
        form |= {"seen": seen_on(admin.get(f"{LIST}edit/{made}").text)} | wanted
        assert admin.post(f"{LIST}edit/{made}", data=form).status_code == 303
        with app.app_context():
            assert load(made).pkce_optional is bool(wanted)


def test_a_client_that_signs_may_be_held_to_fapi_2_and_no_other(admin, csrf, app, made, register):
    """N-202; the page of the client says so."""
    signs = register(
        client_name="Signs", token_endpoint_auth_method="private_key_jwt", jwks=key_set("ES256")
    )["client_id"]
    pages = {each: admin.get(f"{LIST}edit/{each}").text for each in (made, signs)}
    shown = {each: len(controls(page, name="fapi2")) for each, page in pages.items()}
    assert shown == {made: 0, signs: 1}

    form = {"csrf_token": csrf(admin), "follows": "on", "redirect_uris": URI, "kind": ""}
    for client_id, status in ((signs, 303), (made, 400)):
        form |= {"seen": seen_on(pages[client_id]), "fapi2": "on"}
        assert admin.post(f"{LIST}edit/{client_id}", data=form).status_code == status
        with app.app_context():
            assert load(client_id).fapi2 is (status == 303)
    assert "FAPI 2.0" in admin.get(f"{LIST}{signs}").text
    assert "FAPI 2.0" not in admin.get(f"{LIST}{made}").text
