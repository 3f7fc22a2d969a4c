"""`gatewright keys …`: the keys that sign."""


def test_a_rotated_key_signs_and_the_old_one_still_verifies(said, client):
    said("db", "upgrade")
    [old] = said("keys", "list")

    new = said("keys", "rotate")["kid"]

    states = {row["kid"]: row["state"] for row in said("keys", "list")}
    published = {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}
    assert states == {old["kid"]: "retired", new: "active"}
    assert published == {old["kid"], new}


def test_no_private_key_is_shown(said, run):
    kid = said("keys", "rotate")["kid"]

    shown = run("keys", "list", "--json").stdout + run("keys", "list").stdout

    assert shown.count(kid) == 2
    assert "sealed" not in shown
    assert "PRIVATE" not in shown
