"""The list of rules: what it says, how rules are rearranged, and whom it lets in."""

from app.domain import policies, policy_versions, registration_tokens, rule_presets, users
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.console.markup import HOSTILE, row_names, shape, texts
from tests.console.matrix import (
    become,
    gets,
    harmful,
    posts,
    rows,
    unlisted,
    ways_to_act,
    wrongly_reached,
    wrongly_shown,
)
from tests.console.rules import ADA, RULES, rule

ROUTES = (
    ("GET", RULES, "viewer"),
    ("GET", f"{RULES}new", "admin"),
    ("POST", f"{RULES}new", "admin"),
    ("GET", f"{RULES}edit?id=rule-1", "admin"),
    ("POST", f"{RULES}edit?id=rule-1", "admin"),
    ("POST", f"{RULES}delete?id=rule-1", "admin"),
    ("POST", f"{RULES}move?id=rule-1", "admin"),
    ("POST", f"{RULES}preset?key=loopback", "admin"),
    ("POST", f"{RULES}switch?id=rule-1", "admin"),
    ("GET", f"{RULES}versions", "viewer"),
    ("GET", f"{RULES}versions/1", "viewer"),
    ("POST", f"{RULES}versions/1/restore", "admin"),
)
OLD = "Somebody has changed the policy meanwhile"


def names(policy):
    """Return the names of the rules in their order."""
    return [rule.name for rule in policy.rules]


def said_in_order(page):
    """Return what the links of the rows say."""
    return [name.rpartition(">")[2].strip() for name in row_names(page)]


def test_the_list_says_what_each_rule_does_between_those_that_are_always_there(
    viewer, app, save, clock
):
    with app.app_context():
        token, _ = registration_tokens.create("Team", by=SERVER)
        db.session.commit()
    bounds = {"scopes": ["a", "b"], "access_token_seconds": 60, "approve_days": 1}
    when = {"redirect_host": ["*.one.example", "loopback"], "initial_access_token": [token.id]}
    made = save(
        rule("First", "admit", when=when, then=bounds, note="Agreed"),
        rule("Second", when={"source": "dcr"}, shadow=True),
        rule("Third", "refuse", message="Closed."),
        rule("Fourth", enabled=False),
        rule("Fifth", "admit", when={"name": "x"}, then={"resources": [], "scopes": []}),
    )
    with app.app_context():
        for shadow, index in ((False, 0), (False, 0), (True, 1)):
            policy_versions.add_hit(made.rules[index].id, in_shadow=shadow)
        db.session.commit()

    page = viewer.get(RULES).text

    said = texts(page)
    wanted = (
        *(each.__name__.replace("_", " ").capitalize() for each in policies.ALWAYS),
        "First Agreed",
        "Redirect host: *.one.example or loopback",
        "Initial access token: Team Then only the scopes a b; tokens live 60 s; approved for 1 day",
        "2 hits last",
        "Second",
        "Hold Shadow",
        "0 hits, 1 in shadow",
        "Third",
        "Whatever arrives Says Closed.",
        "Fourth",
        "Off",
        "Fifth",
        "Name: x Then no scope; for no resource Never reached: Third decides about everything.",
        "Everything else is held for a person.",
    )
    places = [said.find(words, said.find("Refused software")) for words in wanted]
    assert -1 not in places, wanted[places.index(-1)]
    assert places == sorted(places)
    assert (said.count("No hits yet"), said.count(f"by {ADA.name}")) == (3, 5)
    assert said.count("Never reached") == 1
    assert ways_to_act(page) == set()
    assert f"{RULES}edit" not in page
    assert f"{RULES}new" not in page


def test_an_admin_moves_switches_and_deletes_rules(admin, send, in_force, policy, happened):
    one, _, three = (each.id for each in policy.rules)

    def press(verb, rule_id, **fields):
        seen = in_force().number
        answer = send(admin, f"{RULES}{verb}", id=rule_id, seen=seen, **fields)
        assert answer.status_code == 303
        assert answer.location.partition("#")[0] == RULES
        return names(in_force()), in_force().number - seen

    assert press("move", one, direction="down") == (["Two", "One", "Three"], 1)
    assert press("move", three, direction="up") == (["Two", "Three", "One"], 1)
    for rule_id, direction in (
        (one, "down"),
        (policy.rules[1].id, "up"),
        (one, "round"),
        (one, ""),
    ):
        assert press("move", rule_id, direction=direction) == (["Two", "Three", "One"], 0)
    assert "cannot be moved" in texts(admin.get(RULES).text)

    assert press("switch", three) == (["Two", "Three", "One"], 1)
    changed = in_force().get(three)
    assert (changed.enabled, changed.changed_by) == (True, "admin@example.org")
    assert in_force().get(one).changed_by == ADA.name
    assert press("switch", one)[1] == 1
    assert in_force().get(one).enabled is False

    assert press("delete", three) == (["Two", "One"], 1)
    event = happened(Tag.POLICY_CHANGED)[0]
    assert (event.subject, event.detail["note"]) == ("6", "Deleted: Three")
    assert event.detail["removed"] == ["Three"]
    assert said_in_order(admin.get(RULES).text) == ["Two", "One"]


def test_who_presses_on_an_old_page_is_told_and_changes_nothing(
    admin, csrf, app, policy, save, in_force
):
    one = policy.rules[0].id
    save(*policy.rules[1:])
    before = rows(app)

    token, verbs = csrf(admin), ("move", "switch", "delete", "preset", "versions/1/restore")
    for verb, seen in zip(verbs, ("1", "", "x", "-2", "9" * 40), strict=True):
        fields = {"id": one, "direction": "down", "key": "loopback", "seen": seen}
        answer = admin.post(f"{RULES}{verb}", data=fields | {"csrf_token": token})
        assert (answer.status_code, answer.location) == (303, RULES)
    assert OLD in texts(admin.get(RULES).text)
    assert rows(app) == before
    for path in ("edit", "move", "preset", "delete"):
        sent = {"csrf_token": token, "id": one, "seen": "2", "key": "x"}
        assert admin.post(f"{RULES}{path}", data=sent).status_code == 404
    assert in_force().number == 2


def test_a_preset_adds_the_rules_that_are_missing_and_only_once(admin, send, in_force, save):
    preset = rule_presets.find("initial_access_token")
    save(rule(preset.rules[0].name.upper()))

    for _ in range(2):
        fields = {"key": preset.key, "seen": in_force().number}
        assert send(admin, f"{RULES}preset", **fields).status_code == 303

    assert names(in_force()) == [preset.rules[0].name.upper(), preset.rules[1].name]
    assert in_force().number == 2
    assert "are there already" in texts(admin.get(RULES).text)


def test_each_address_is_open_to_its_role_and_those_above(admin, app, people, csrf, save):
    """C-40, C-42, X-48."""
    save(rule("Probe", id="rule-1"))
    token = csrf(admin)

    for role in users.ROLES:
        become(app, people["admin"], role)
        assert wrongly_reached(admin, token, role, ROUTES) == []
    assert unlisted(app, "policies", ROUTES) == set()
    become(app, people["admin"], "member")
    assert wrongly_shown(app.test_client(), admin, (RULES, f"{RULES}versions/1")) == []


def test_nothing_is_changed_without_the_token_of_the_page_nor_by_looking(admin, app, save):
    """C-20, C-21, X-46."""
    save(rule("Probe", id="rule-1"))
    sent = {"id": "rule-1", "seen": "1", "direction": "up", "name": "New", "outcome": "hold"}

    assert harmful(app, admin, "POST", posts(ROUTES), 400, data=sent) == []
    assert harmful(app, admin, "GET", gets(ROUTES)) == []


def test_a_hostile_name_adds_no_element_and_no_attribute(admin, save):
    """C-32, C-33."""

    def pages(text):
        when = {"software_id": text}
        hostile = rule(text, "refuse", id="rule-1", note=text, when=when)
        last = save(hostile, rule("Last", id="rule-2"))
        save(*last.rules[::-1])
        paths = ("", "edit?id=rule-1", f"versions/{last.number}")
        return [admin.get(RULES + path).text for path in paths]

    plain = [shape(page) for page in pages("Plain")]

    for name in HOSTILE:
        answers = pages(name)
        assert [shape(page) for page in answers] == plain
        assert all(name in texts(page) for page in answers)
