"""The System page: health, keys, registration mode, and settings without their secrets."""

import pytest

from app.config import Settings
from app.domain import registration_modes, signing_keys
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.extensions import db, limiter
from tests.conftest import ISSUER, SECRET_KEY
from tests.console.markup import controls, texts
from tests.console.matrix import harmful, posts, unlisted, ways_to_act, wrongly_reached

PAGE = "/admin/system/"
STATIC = "a-static-token-of-the-settings"
ROUTES = (
    ("GET", PAGE, "viewer"),
    ("POST", f"{PAGE}rotate-key", "admin"),
    ("POST", f"{PAGE}replace-keys", "admin"),
    ("POST", f"{PAGE}registration-mode", "admin"),
    ("POST", f"{PAGE}client-documents", "admin"),
)


@pytest.fixture
def keys(app, signing_key):
    """Return a function that reads all keys, newest first."""

    def find():
        with app.app_context():
            return signing_keys.find_all()

    return find


def test_every_setting_is_shown_once_with_its_sentence(viewer):
    page = viewer.get(PAGE).text

    for name, field in Settings.model_fields.items():
        assert page.count(f"<code>GATEWRIGHT_{name.upper()}</code>") == 1
        assert " ".join(field.description.split()) in texts(page)


@pytest.mark.parametrize("overrides", [{"registration_token": STATIC}])
@pytest.mark.parametrize("role", ["viewer", "approver", "admin"])
def test_nobody_sees_a_secret_on_the_page(sign_in, role, settings, keys):
    """C-41, C-64, X-47."""
    page = sign_in(role).get(PAGE).text

    sealed = [key.private_sealed.hex() for key in keys()]
    hidden = [STATIC, SECRET_KEY, settings.database_url.get_secret_value(), *sealed]
    assert [secret for secret in hidden if secret in page] == []
    assert "set, hidden ********" in texts(page)


@pytest.mark.parametrize("overrides", [{"trusted_proxies": 1}])
def test_a_sound_server_says_so(viewer, keys):
    page = viewer.get(PAGE).text

    for words in (
        f"The issuer is {ISSUER}",
        "The database answers and is up to date",
        "Redis is not set",
        "There is a signing key and the secret key opens it.",
    ):
        assert words in texts(page)
    assert "Fault" not in texts(page)


def test_a_database_of_another_version_and_a_missing_key_are_faults(viewer, app):
    with app.app_context():
        db.session.execute(db.text("UPDATE alembic_version SET version_num = '0000'"))
        db.session.commit()

    said = texts(viewer.get(PAGE).text)

    assert "Database Fault The database was made by a newer version" in said
    assert "up to date" not in said


@pytest.mark.parametrize("overrides", [{"redis_url": "redis://127.0.0.1:1/0"}])
@pytest.mark.parametrize(
    "answers, words",
    [(True, "Redis OK Redis answers."), (False, "Redis Fault Redis does not answer")],
)
def test_it_is_told_whether_redis_answers(viewer, monkeypatch, answers, words):
    """The limiter keeps the storage of the first app of this process, so its answer is given."""
    monkeypatch.setattr(limiter.storage, "check", lambda: answers)

    assert words in texts(viewer.get(PAGE).text)


@pytest.mark.parametrize("mode", ["closed", "token"])
def test_an_admin_switches_the_mode_and_registration_follows_at_once(
    admin, csrf, client, happened, mode
):
    form = {"csrf_token": csrf(admin), "mode": mode}

    answer = admin.post(f"{PAGE}registration-mode", data=form)

    assert (answer.status_code, answer.location) == (303, PAGE)
    body = {"redirect_uris": ["https://client.example/cb"]}
    assert client.post("/register", json=body).status_code == {"closed": 403, "token": 401}[mode]
    [event] = happened(Tag.MODE_CHANGED)
    assert (event.actor_name, event.detail) == (
        "admin@example.org",
        {"before": "open", "after": mode},
    )
    said = texts(admin.get(PAGE).text)
    assert f"{mode.capitalize()} In force" in said
    assert "the settings say open" in said


def test_switching_asks_first_with_and_without_script(admin):
    page = admin.get(PAGE).text

    forms = controls(page, "form", action=f"{PAGE}registration-mode")
    assert len(forms) == 2
    assert all("takes effect with the next request" in form["data-confirm"] for form in forms)
    assert page.count('<noscript><label class="check"><input type="checkbox" required>') == 3


def test_an_admin_switches_documents_off_and_on_again(admin, csrf, client, happened):
    advertised = "client_id_metadata_document_supported"
    for wanted in ("off", "on"):
        form = {"csrf_token": csrf(admin), "documents": wanted}
        assert admin.post(f"{PAGE}client-documents", data=form).status_code == 303
        assert admin.post(f"{PAGE}client-documents", data=form).status_code == 303
        metadata = client.get("/.well-known/oauth-authorization-server").get_json()
        assert (advertised in metadata) is (wanted == "on")
        assert f"metadata documents {wanted.capitalize()}" in texts(admin.get(PAGE).text)

    assert [event.detail for event in happened(Tag.CIMD_SWITCHED)] == [
        {"before": False, "after": True},
        {"before": True, "after": False},
    ]
    form = {"csrf_token": csrf(admin), "documents": "perhaps"}
    assert admin.post(f"{PAGE}client-documents", data=form).status_code == 400


@pytest.mark.parametrize("mode", ["", "ajar", "OPEN", "open\0"])
def test_a_mode_that_does_not_exist_is_refused(admin, csrf, happened, mode):
    form = {"csrf_token": csrf(admin), "mode": mode}

    assert admin.post(f"{PAGE}registration-mode", data=form).status_code == 400
    assert happened(Tag.MODE_CHANGED) == []


def test_switching_to_the_mode_in_force_is_no_event(admin, csrf, happened):
    form = {"csrf_token": csrf(admin), "mode": "open"}

    assert admin.post(f"{PAGE}registration-mode", data=form).status_code == 303
    assert happened(Tag.MODE_CHANGED) == []


def test_two_who_switch_for_the_first_time_at_once_both_get_an_answer(app, monkeypatch):
    with app.app_context():
        registration_modes.switch("token", "open", by=SERVER)
        db.session.commit()
        monkeypatch.setattr(registration_modes, "current", lambda _configured: "open")

        registration_modes.switch("closed", "open", by=SERVER)
        db.session.commit()
        monkeypatch.undo()

        assert registration_modes.current("open") == "closed"


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_is_no_admin_finds_nothing_to_press(sign_in, keys, role):
    assert ways_to_act(sign_in(role).get(PAGE).text) == set()


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role(app):
    """C-40."""
    assert unlisted(app, "system", ROUTES) == set()


def test_nothing_is_changed_without_the_token_of_the_page(admin, app, keys):
    """C-20."""
    sent = {"mode": "closed"}

    assert harmful(app, admin, "POST", posts(ROUTES), 400, data=sent) == []


def test_looking_changes_nothing(admin, app, keys):
    """C-21, X-46."""
    assert harmful(app, admin, "GET", [PAGE]) == []
    assert harmful(app, admin, "GET", posts(ROUTES), 405) == []
