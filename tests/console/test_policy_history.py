"""The versions of the policy: their list, how one differs, and restoring it."""

from app.domain.audit_tags import Tag
from app.domain.policy_versions import PolicyVersion
from app.extensions import db
from tests.console.markup import neighbour, texts
from tests.console.matrix import ways_to_act
from tests.console.rules import RULES, rule
from tests.console.test_policies import names, said_in_order

VERSIONS = f"{RULES}versions"


def test_the_list_of_versions_is_walked_by_number(viewer, app):
    assert "No version yet" in texts(viewer.get(VERSIONS).text)
    row = {"rules": [], "created_at": 1, "created_by": "ada@example.org"}
    with app.app_context():
        for number in range(1, 28):
            db.session.add(PolicyVersion(number=number, note=f"Note {number}.", **row))
        db.session.commit()

    first = viewer.get(VERSIONS).text
    second = viewer.get(neighbour(first, "next")).text
    back = viewer.get(neighbour(second, "prev")).text

    assert said_in_order(first) == [f"Version {number}" for number in range(27, 2, -1)]
    assert said_in_order(second) == ["Version 2", "Version 1"]
    assert said_in_order(back) == said_in_order(first)
    assert ("Note 27." in texts(first), texts(first).count("In force")) == (True, 1)
    for wrong in ("older=x", "newer=\u0663", f"older={'9' * 40}", "newer=%00"):
        assert viewer.get(f"{VERSIONS}?{wrong}").status_code == 200


def test_a_version_says_what_restoring_it_would_change_and_is_restored_as_a_new_one(
    viewer, admin, send, policy, save, in_force, happened
):
    one, _, three = policy.rules
    save(
        rule("Three", "refuse", id=three.id, when={"network": "192.0.2.0/24"}, message="Go away."),
        rule("One", "admit", id=one.id, when={"redirect_host": ["loopback"]}),
        rule("Four"),
    )

    page = viewer.get(f"{VERSIONS}/1").text

    said = texts(page)
    for words in (
        "Comes back: Two Hold Shadow Name: x*",
        "Goes away: Four Hold Whatever arrives",
        "Changes: One Member Before After When: Redirect host loopback one.example loopback",
        "Message Go away. Go.",
        "Switched on yes no",
        "The order changes to One Three",
    ):
        assert words in said
    assert ways_to_act(page) == set()
    assert ways_to_act(admin.get(f"{VERSIONS}/1").text) == {f"{VERSIONS}/1/restore"}
    current = admin.get(f"{VERSIONS}/2").text
    assert (ways_to_act(current), "restoring" in texts(current)) == (set(), False)

    answer = send(admin, f"{VERSIONS}/1/restore", seen="2")

    assert (answer.status_code, answer.location) == (303, RULES)
    assert (in_force().number, names(in_force())) == (3, ["One", "Two", "Three"])
    assert happened(Tag.POLICY_CHANGED)[0].detail["note"] == "Restored from version 1"
    assert "Nothing: the rules are the same." in texts(admin.get(f"{VERSIONS}/1").text)

    send(admin, f"{VERSIONS}/3/restore", seen="3")
    assert "in force already" in texts(admin.get(RULES).text)
    for number in ("0", "4", "9" * 10, "9" * 40):
        assert admin.get(f"{VERSIONS}/{number}").status_code == 404
        assert send(admin, f"{VERSIONS}/{number}/restore", seen="3").status_code == 404
    assert in_force().number == 3
