"""What matters most needs a sign-in of the last five minutes, by all factors (C-12, X-50)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from app.domain import authenticators, scopes, software
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.conftest import PASSWORD
from tests.console.markup import controls, texts
from tests.console.matrix import ways_to_act

HOOKS, UNSENT = "/admin/webhooks/new", "/admin/unsent/"
FRESH = {
    "audit.export_csv": "/admin/audit/",
    "audit.export_json": "/admin/audit/",
    "clients_console.ask_rotation": "",
    "clients_console.create_client": UNSENT,
    "clients_console.edit_client": "",
    "clients_console.new_client": "",
    "clients_console.rotate_secret": "",
    "clients_console.save_client": UNSENT,
    "connections.ask_secret": "",
    "connections.create_connection": "",
    "connections.new_connection": "",
    "connections.rotate_secret": "",
    "identity_providers.change_provider": "",
    "identity_providers.create_provider": "",
    "identity_providers.edit_provider": "",
    "identity_providers.new_provider": "",
    "identity_providers.remove_provider": "/admin/identity-providers/none",
    "identity_providers.test_sign_in": "/admin/identity-providers/none",
    "initial_access_tokens.create_token": UNSENT,
    "initial_access_tokens.new_token": "",
    "policies.add_preset": "/admin/policies/",
    "policies.create_rule": UNSENT,
    "policies.delete_rule": "/admin/policies/",
    "policies.edit_rule": "",
    "policies.move_rule": "/admin/policies/",
    "policies.new_rule": "",
    "policies.restore_version": "/admin/policies/versions/1",
    "policies.save_rule": UNSENT,
    "policies.switch_rule": "/admin/policies/",
    "scopes.delete_scope": "/admin/scopes/",
    "scopes.edit_scope": "",
    "scopes.save_scope": UNSENT,
    "statement_issuers.create_issuer": UNSENT,
    "statement_issuers.new_issuer": "",
    "system.replace_keys": "/admin/system/",
    "system.rotate_key": "/admin/system/",
    "system.switch_documents": "/admin/system/",
    "system.switch_mode": "/admin/system/",
    "upstream_changes.ask_secret": "",
    "upstream_changes.replace_secret": "",
    "upstreams.ask_client": "",
    "upstreams.create_upstream": "",
    "upstreams.new_upstream": "",
    "upstreams.register_client": "",
    "users.change_contact": "/admin/users/none",
    "users.change_role": "/admin/users/none",
    "users.create_user": "",
    "users.disable_user": "/admin/users/none",
    "users.enable_user": "/admin/users/none",
    "users.end_session": "/admin/users/none",
    "users.end_sessions": "/admin/users/none",
    "users.make_link": "/admin/users/none",
    "users.new_user": "",
    "users.reset_factor": "/admin/users/none",
    "webhooks.create_endpoint": UNSENT,
    "webhooks.new_endpoint": "",
    "webhooks.remove_endpoint": "/admin/webhooks/none",
    "webhooks.rotate_secret": "/admin/webhooks/none",
    "webhooks.switch_endpoint": "/admin/webhooks/none",
}
"""Views that nobody reaches who signed in long ago, and where they come back; empty is there."""
GIVING = {f"registrations.{name}" for name in ("approve", "approve_selected", "renew")}
GIVING |= {"registrations.reopen", "registrations.unblock"}
"""Views that ask only when a privileged scope is given."""
ORDINARY = {
    "acquire": "acquire_alone begin_code introspect redeem_code refresh register revoke",
    "acquire_own": "acquire_for_gate",
    "clean_up": "sweep_now",
    "clients_console": "check_redirect_uris delete_client delete_selected pin_document"
    " resume_client revoke_tokens suspend_client unpin_document",
    "connections": "change_connection remove_connection test_connection",
    "gate": "check_gate",
    "identity_providers": "preview_claims",
    "initial_access_tokens": "revoke_token",
    "registrations": "block fetch_logo forget hide_logo reject reject_selected show_logo"
    " undo_selected",
    "resources": "create_resource delete_resource save_resource",
    "scopes": "create_scope",
    "simulator": "judge replay",
    "statement_issuers": "remove_issuer",
    "upstream_changes": "change_upstream update_client",
    "upstreams": "authorize decline delete_upstream discover_server revoke_grant test_upstream",
    "webhooks": "redeliver test_endpoint",
}
"""Forms of which C-12 names none: most of them narrow, try out or look."""


def console_rules(app):
    """Return the routes of the console by endpoint."""
    rules = app.url_map.iter_rules()
    return {rule.endpoint: rule for rule in rules if rule.rule.startswith("/admin/")}


def asked(answer):
    """Return where a sign-in that is demanded leads back to, None when none is."""
    where = urlsplit(answer.location or "")
    query = parse_qs(where.query)
    again = answer.status_code == 303 and where.path == "/login" and query.get("again") == ["yes"]
    return query["next"][0] if again else None


def test_every_form_of_the_console_is_fresh_or_ordinary(app):
    """A view that is new has to be put into one of the tables, or this fails."""
    posting = {name for name, rule in console_rules(app).items() if "POST" in rule.methods}
    ordinary = {f"{door}.{name}" for door, names in ORDINARY.items() for name in names.split()}

    assert posting - set(FRESH) == ordinary | GIVING
    assert set(FRESH) <= set(console_rules(app))


def test_who_signed_in_long_ago_signs_in_again_and_comes_back(app, admin, csrf, clock, subtests):
    """And nobody else is asked to: every view of the console is called."""
    form, rules = {"csrf_token": csrf(admin), "url": "https://hook.example/"}, console_rules(app)
    address = app.url_map.bind("gatewright.example")
    clock.advance(301)
    for name, rule in rules.items():
        values = {each: 1 if each in ("number", "event_id") else "none" for each in rule.arguments}
        path, method = address.build(name, values), "POST" if "POST" in rule.methods else "GET"
        with subtests.test(name):
            answer = admin.open(path, method=method, data=form)

            assert asked(answer) == ((FRESH[name] or path) if name in FRESH else None)


def test_the_query_of_a_page_and_of_an_export_is_kept(admin, csrf, clock):
    clock.advance(301)
    token = {"csrf_token": csrf(admin)}

    assert asked(admin.get("/admin/policies/edit?id=r-1")) == "/admin/policies/edit?id=r-1"
    exported = admin.post("/admin/audit/export.csv?tag=key&actor=%2B1", data=token)
    assert asked(exported) == "/admin/audit/?tag=key&actor=%2B1"
    assert admin.get(asked(exported)).status_code == 200


def test_a_fresh_sign_in_opens_the_page(admin, csrf, clock):
    clock.advance(301)
    again = admin.get(HOOKS).location
    page = admin.get(again).text
    assert "needs a sign-in of the last five minutes" in texts(page)
    assert f'name="next" value="{HOOKS}"' in page
    form = {"csrf_token": csrf(admin), "next": HOOKS, "username": "admin@example.org"}

    answer = admin.post("/login", data=form | {"password": PASSWORD})

    assert answer.location == HOOKS
    assert admin.get(HOOKS).status_code == 200


def test_a_session_without_the_second_factor_of_its_person_is_not_fresh(app, admin, people):
    """C-12: whoever has one proves it, although the factor is younger than the sign-in."""
    assert admin.get(HOOKS).status_code == 200
    with app.app_context():
        key = app.extensions["gatewright.keys"]["second factors"]
        sealed = authenticators.propose(people["admin"], key)
        assert authenticators.add(people["admin"], sealed, 1)
        db.session.commit()

    assert asked(admin.get(HOOKS)) == HOOKS


def test_a_lower_role_is_turned_away_first(viewer, clock):
    clock.advance(301)

    assert viewer.get(HOOKS).status_code == 403


@pytest.fixture
def pending(app, register):
    """Return software that asks for a scope of high risk, of one for two people, or of none."""

    def make(scope):
        with app.app_context():
            if scopes.find(scope) is None:
                risk = {"risk": "high" if scope == "wipe" else "low", "four_eyes": scope == "pay"}
                scopes.create(scope, "Do something.", by=SERVER, **risk)
                db.session.commit()
        register(client_name=f"Wants {scope}", scope=scope)
        with app.app_context():
            return software.find_page("pending", search=f"Wants {scope}", size=1)[0]

    return make


def status_of(app, row):
    """Return what was decided about software."""
    with app.app_context():
        return software.get(row.id).status


def sent_after_all(browser, csrf, person="approver"):
    """Sign in again and press the button of the page that kept a form; return the answer."""
    form = {"csrf_token": csrf(browser), "next": UNSENT, "username": f"{person}@example.org"}
    back = browser.post("/login", data=form | {"password": PASSWORD}).location
    page = browser.get(back).text
    action = next(each for each in ways_to_act(page))
    fields = MultiDict((each["name"], each["value"]) for each in hidden(page))
    return browser.post(action, data=fields)


def hidden(page):
    """Return the fields of the form of a page that kept it, none of the frame."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return controls(main, "input", type="hidden")


@pytest.mark.parametrize("scope, is_asked", [("wipe", True), ("pay", True), ("read", False)])
def test_an_approval_that_gives_a_privileged_scope_needs_a_fresh_sign_in(
    app, approver, csrf, clock, pending, scope, is_asked
):
    row, page = pending(scope), "/admin/registrations/"
    clock.advance(301)
    form = {"csrf_token": csrf(approver), "revision": row.revision, "limit": "all"}

    answer = approver.post(f"{page}{row.id}/approve", data=form | {"scopes": scope})

    assert asked(answer) == (UNSENT if is_asked else None)
    assert status_of(app, row) == ("pending" if is_asked else "approved")


def test_what_was_typed_is_kept_and_sent_after_signing_in_again(
    app, approver, csrf, clock, pending
):
    row = pending("wipe")
    clock.advance(301)
    said = "“needed” & soon"
    typed = {"scopes": ["wipe", "read"], "limit": "all", "reason": said, "no\0": "\0"}
    form = {"csrf_token": csrf(approver), "revision": row.revision}
    approver.post(f"/admin/registrations/{row.id}/approve", data=form | typed)
    page = approver.get(UNSENT).text
    assert said in texts(page)
    assert "\0" not in page, "PostgreSQL could not keep it"
    assert status_of(app, row) == "pending"

    sent_after_all(approver, csrf)

    with app.app_context():
        decided = software.get(row.id)
        assert (decided.status, decided.reason) == ("approved", said)
        assert decided.scopes == ["wipe"]
    assert approver.get(UNSENT).location == "/admin/", "it was sent, and is offered no more"


def test_what_one_person_typed_is_not_kept_for_another(admin, csrf, clock):
    clock.advance(301)
    admin.post("/admin/policies/new", data={"csrf_token": csrf(admin), "name": "Mine alone"})
    assert "Mine alone" in admin.get(UNSENT).text
    form = {"csrf_token": csrf(admin), "next": UNSENT, "username": "approver@example.org"}

    admin.post("/login", data=form | {"password": PASSWORD})

    assert admin.get(UNSENT).location == "/admin/"


@pytest.mark.parametrize("path", ["/admin/connections/new", "/admin/identity-providers/new"])
def test_a_form_with_a_secret_is_not_kept(admin, csrf, clock, path):
    clock.advance(301)
    form = {"csrf_token": csrf(admin), "client_secret": "c4n4ry-secret"}

    assert asked(admin.post(path, data=form)) == path
    assert admin.get(UNSENT).status_code == 303


def test_many_at_once_are_approved_except_those_that_need_a_fresh_sign_in(
    app, approver, csrf, clock, pending
):
    rows = [pending("wipe"), pending("read")]
    clock.advance(301)
    chosen = [f"{row.id}:{row.revision}" for row in rows]

    approver.post(
        "/admin/registrations/approve", data={"csrf_token": csrf(approver), "selected": chosen}
    )

    assert [status_of(app, row) for row in rows] == ["pending", "approved"]
    said = texts(approver.get("/admin/registrations/").text)
    assert "Wants wipe" in said
    assert "needs a sign-in of the last five minutes" in said


def test_what_gave_a_privileged_scope_is_unblocked_by_who_signed_in_lately(
    app, approver, csrf, clock, pending
):
    row = pending("wipe")
    page, form = f"/admin/registrations/{row.id}", {"csrf_token": csrf(approver)}
    given = {"revision": row.revision, "limit": "all", "scopes": "wipe"}
    approver.post(f"{page}/approve", data=form | given)
    approver.post(f"{page}/block", data=form | {"whom": "everyone", "reason": "Odd."})
    assert status_of(app, row) == "blocked"
    clock.advance(301)

    assert asked(approver.post(f"{page}/unblock", data=form | {"reason": "Fine."}))
    assert status_of(app, row) == "blocked"
