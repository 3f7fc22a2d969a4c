"""The form of a rule: everything it can say, what it refuses, and two who write at once."""

from app.domain import policy_versions
from app.domain.audit_tags import Tag
from app.domain.rule_conditions import CONDITIONS
from app.domain.rules import Obligations
from tests.console.markup import controls, texts
from tests.console.matrix import rows
from tests.console.rules import ADA, RULES, rule
from tests.console.test_policies import OLD, names

NEW, EDIT = f"{RULES}new", f"{RULES}edit"
FULL = {
    "name": "  Our   tools ",
    "outcome": "admit",
    "when_source": ["dcr", "cimd"],
    "when_redirect_host": "One.example\r\n\r\n loopback \r\nONE.example",
    "when_look_alike": "007",
    "when_initial_access_token": ["*"],
    "scopes": " a   b ",
    "resources": "https://one.example/\r\nhttps://two.example/",
    "access_token_seconds": "60",
    "approve_days": "30",
    "note": "Agreed",
    "enabled": "on",
    "saved_note": "As agreed on Monday",
}
FAULTS = (
    ({"name": ""}, "name"),
    ({"name": "a" * 101}, "name"),
    ({"name": "turn\u202ened"}, "name"),
    ({"name": "one"}, "rule"),
    ({"outcome": "admit"}, "rule"),
    ({"outcome": ""}, "outcome"),
    ({"outcome": "maybe"}, "outcome"),
    ({"when_redirect_host": "one.example\nhttps://x"}, "when_redirect_host"),
    ({"when_redirect_uri": "one"}, "when_redirect_uri"),
    ({"when_redirect_scheme": "1"}, "when_redirect_scheme"),
    ({"when_name": "***"}, "when_name"),
    ({"when_name_reads_like": "\0"}, "when_name_reads_like"),
    ({"when_software_id": "a" * 2049}, "when_software_id"),
    ({"when_software_id": "\n".join(map(str, range(201)))}, "when_software_id"),
    ({"when_source": "post"}, "when_source"),
    ({"when_grant_type": "everything"}, "when_grant_type"),
    ({"when_network": "192.0.2.1/24"}, "when_network"),
    ({"when_seen_count": "\u0663"}, "when_seen_count"),
    ({"scopes": 'a"b'}, "scopes"),
    ({"resources": "https://one.example/#x"}, "resources"),
    ({"access_token_seconds": "29"}, "access_token_seconds"),
    ({"approve_days": "3651"}, "approve_days"),
    ({"approve_days": "soon"}, "approve_days"),
    ({"scopes": "a"}, "rule"),
    ({"message": "Go."}, "rule"),
    ({"outcome": "refuse", "message": 'Say "please"'}, "message"),
    ({"note": "a" * 501}, "note"),
    ({"saved_note": "a" * 501}, "saved_note"),
)


def test_an_admin_writes_a_rule_that_says_everything_and_changes_another_in_its_place(
    admin, send, in_force, policy, happened
):
    page = admin.get(NEW).text
    for name in CONDITIONS:
        assert f'name="when_{name}"' in page

    answer = send(admin, NEW, seen="1", **FULL)

    made = in_force().rules[-1]
    assert (answer.status_code, answer.location) == (303, f"{RULES}#rule-{made.id}")
    assert names(in_force()) == ["One", "Two", "Three", "Our tools"]
    assert made.when == {
        "source": ("dcr", "cimd"),
        "redirect_host": ("one.example", "loopback"),
        "initial_access_token": ("*",),
        "look_alike": ("7",),
    }
    assert made.then == Obligations(
        ("a", "b"), ("https://one.example/", "https://two.example/"), 60, 30
    )
    assert (made.enabled, made.shadow, made.note) == (True, False, "Agreed")
    assert made.changed_by == "admin@example.org"
    event = happened(Tag.POLICY_CHANGED)[0]
    assert (event.detail["note"], event.detail["added"]) == ("As agreed on Monday", ["Our tools"])

    page = admin.get(f"{EDIT}?id={made.id}").text
    assert controls(page, name="name", value="Our tools")
    assert controls(page, name="when_source", value="cimd", checked=None)
    assert not controls(page, name="when_source", value="import", checked=None)
    assert controls(page, name="when_look_alike", value="7")
    assert controls(page, name="scopes", value="a b")
    assert "one.example\nloopback</textarea>" in page
    sent = FULL | {"id": made.id, "seen": "2"}
    assert send(admin, EDIT, **sent).location == answer.location
    assert in_force().number == 2
    assert "Nothing has changed." in texts(admin.get(RULES).text)

    fields = {"name": "Second", "outcome": "refuse", "message": "No.", "seen": "2"}
    assert send(admin, EDIT, id=policy.rules[1].id, **fields).status_code == 303
    one, two, three, ours = in_force().rules
    assert (one, three, ours) == (*policy.rules[::2], made), "no other rule is changed"
    assert (two.id, two.name, two.when) == (policy.rules[1].id, "Second", {})
    assert (two.message, two.enabled, two.changed_by) == ("No.", False, "admin@example.org")


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(admin, csrf, app, policy):
    token, before, wrong = csrf(admin), rows(app), []
    for change, field in FAULTS:
        sent = {"csrf_token": token, "seen": "1", "name": "New", "outcome": "hold"} | change
        answer = admin.post(NEW, data=sent)
        beside = controls(answer.text, "a", href=f"#f-{field}")
        at_field = field == "rule" or controls(answer.text, "span", id=f"e-{field}")
        kept = (
            field == "rule"
            or controls(answer.text, id=f"f-{field}")
            or answer.text.count(f'id="f-{field}"')
        )
        if (answer.status_code, bool(beside), bool(at_field), bool(kept)) != (
            422,
            True,
            True,
            True,
        ):
            wrong.append((change, answer.status_code, field))
    assert wrong == []
    assert rows(app) == before

    sent = {"csrf_token": token, "seen": "1", "name": "New", "outcome": "hold"} | FAULTS[7][0]
    page = admin.post(NEW, data=sent).text
    assert "Line 2: A host is written like" in texts(page)
    assert "one.example\nhttps://x</textarea>" in page


def test_a_rule_that_leaves_nothing_keeps_leaving_nothing(admin, send, in_force, save):
    """An empty field does not bound; a rule from a file may bound by an empty list."""
    made = save(rule("Bare", "admit", when={"name": "x"}, then={"scopes": [], "resources": []}))
    fields = {"id": made.rules[0].id, "seen": "1", "name": "Bare", "outcome": "admit"}
    page = admin.get(f"{EDIT}?id={fields['id']}").text
    ticked = [box["name"] for box in controls(page, type="checkbox", checked=None) if "name" in box]
    assert ticked == ["no_scopes", "no_resources", "enabled"]

    boxes = dict.fromkeys(ticked, "on")
    send(admin, EDIT, **fields, **boxes, when_name="x", note="Kept")
    assert in_force().rules[0].then == Obligations((), ())

    send(admin, EDIT, **fields | {"seen": "2"}, when_name="x", scopes="a", no_resources="on")
    assert in_force().rules[0].then == Obligations(("a",), ())


def test_two_who_write_at_once_lose_nothing_and_the_second_sees_what_the_first_did(
    admin, send, app, in_force, policy, save, monkeypatch
):
    one = policy.rules[0]
    save(rule("One", "hold", id=one.id), *policy.rules[1:])
    before = rows(app)
    mine = {"id": one.id, "name": "Mine", "outcome": "hold", "note": "My reason"}

    for path in (EDIT, NEW):
        answer = send(admin, path, seen="1", **mine)
        said = texts(answer.text)
        assert (answer.status_code, OLD in said) == (409, True)
        assert ("one.example" in said) == (path == EDIT), "what became of the rule is shown"
        assert controls(answer.text, name="note", value="My reason")
        assert controls(answer.text, name="seen", value="2")
    assert rows(app) == before

    with monkeypatch.context() as faster:
        faster.setattr(policy_versions, "insert_once", lambda *_, **__: False)
        answer = send(admin, EDIT, seen="2", **mine)
    assert (answer.status_code, OLD in texts(answer.text)) == (422, True)
    assert rows(app) == before

    assert send(admin, EDIT, seen="2", **mine).status_code == 303
    assert (in_force().number, in_force().rules[0].note) == (3, "My reason")
    assert in_force().rules[1].changed_by == ADA.name
