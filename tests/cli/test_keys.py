"""`gatewright keys …`: the keys that sign."""


def test_a_rotated_key_signs_and_the_old_one_still_verifies(said, client):
    said("db", "upgrade")
    [old] = said("keys", "list")

    new = said("keys", "rotate")["kid"]

    states = {row["kid"]: row["state"] for row in said("keys", "list")}
    published = {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}
    assert states == {old["kid"]: "retired", new: "active"}
    assert published == {old["kid"], new}


def test_no_private_key_is_shown(run):
    run("keys", "rotate")

    assert not {"private", "sealed", "PRIVATE"} & set(run("keys", "list", "--json").stdout.split())
    assert "kid" in run("keys", "list").stdout
