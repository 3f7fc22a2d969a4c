"""`gatewright user …`: accounts, and the link for the first administrator."""

import stat

import pytest

from app.domain import authenticators
from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE

PASSWORD = "correct horse battery"
CREATE = ("user", "create", "ann@example.org", "--role", "admin", "--password-stdin")


def test_an_account_can_sign_in_with_the_password_from_standard_input(said, app):
    created = said(*CREATE, stdin=f"{PASSWORD}\n")

    assert created["email"] == "ann@example.org"
    assert created["role"] == "admin"
    with app.app_context():
        from app.domain import password_sign_in
        from app.domain.audit import SERVER

        hasher = app.extensions["gatewright.passwords"]
        user = password_sign_in.authenticate("ann@example.org", PASSWORD, hasher, by=SERVER)
        assert user.id == created["id"]


def test_the_password_is_shown_nowhere(run):
    created = run(*CREATE, stdin=PASSWORD)
    listed = run("audit", "list", "--json")

    assert created.exit_code == 0
    assert PASSWORD not in created.output + listed.output


@pytest.mark.parametrize(
    "words, stdin, error",
    [
        pytest.param(CREATE, "short", "invalid_request", id="short password"),
        pytest.param(CREATE, "", "invalid_request", id="no password"),
        pytest.param(CREATE, "ann@example.org", "invalid_request", id="password is the address"),
        pytest.param(
            ("user", "create", "ann", "--role", "member", "--password-stdin"),
            PASSWORD,
            "invalid_request",
            id="no e-mail address",
        ),
    ],
)
def test_a_bad_account_is_refused(refusal, words, stdin, error):
    assert refusal(*words, stdin=stdin) == error


def test_an_address_has_one_account_whatever_its_case(said, refusal):
    said(*CREATE, stdin=PASSWORD)

    again = ("user", "create", "Ann@Example.org", *CREATE[3:])
    assert refusal(*again, stdin=PASSWORD) == "conflict"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(CREATE[:-1], id="no terminal and no --password-stdin"),
        pytest.param(("user", "create", "ann@example.org", "--password-stdin"), id="no role"),
        pytest.param((*CREATE[:4], "root", "--password-stdin"), id="unknown role"),
    ],
)
def test_wrong_usage_ends_with_two(run, words):
    assert run(*words, stdin=PASSWORD).exit_code == 2


def test_the_setup_link_makes_the_first_administrator_once(said, refusal, client, tmp_path):
    link = said("user", "setup-link")["setup_link"]
    kept = tmp_path / "setup-link"

    assert link.startswith("https://gatewright.example/setup#token=")
    assert kept.read_text() == f"{link}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    client.application.config["WTF_CSRF_ENABLED"] = False
    form = {"token": link.partition("=")[2], "email": "ann@example.org", "password": PASSWORD}
    assert client.post("/setup", data=form).status_code == 303
    assert refusal("user", "setup-link") == "conflict"


def test_a_new_setup_link_ends_the_one_before(said, client):
    old = said("user", "setup-link")["setup_link"]
    said("user", "setup-link")

    client.application.config["WTF_CSRF_ENABLED"] = False
    form = {"token": old.partition("=")[2], "email": "ann@example.org", "password": PASSWORD}
    assert client.post("/setup", data=form).status_code == 403


def test_a_person_can_be_called_by_a_name(said, refusal):
    said(*CREATE, stdin=PASSWORD)

    assert said("user", "rename", "Ann@example.org", "Ann Example")["name"] == "Ann Example"
    assert refusal("user", "rename", "nobody@example.org", "Ann") == "not_found"
    events = said("audit", "list", "--type", "user.renamed")
    assert [event["detail"] for event in events] == [{"before": None, "after": "Ann Example"}]


def test_contact_details_are_said_one_by_one(said, refusal, run):
    said(*CREATE, stdin=PASSWORD)
    contact = ("user", "contact", "ann@example.org")

    told = said(*contact, "--phone-number", "+49 30 123456", "--verified")
    assert (told["phone_number"], told["phone_number_verified"]) == ("+4930123456", True)
    told = said(*contact, "--address-line", "Ann Example", "--address-line", "1 Main Street")
    assert (told["phone_number_verified"], told["address"]) == (True, "Ann Example\n1 Main Street")
    told = said(*contact, "--phone-number", "+4930123457", "--address-line", "")
    assert (told["phone_number_verified"], told["address"]) == (False, None)
    assert refusal(*contact, "--phone-number", "12") == "invalid_request"
    # people change it themselves: only a number that was looked at is vouched for
    assert run(*contact, "--verified").exit_code == 2


@pytest.fixture
def cy(said):
    """Make an administrator and a member; return the member as it was made."""
    said(*CREATE, stdin=PASSWORD)
    words = ("user", "create", "cy@example.org", "--role", "member", "--password-stdin")
    return said(*words, stdin=PASSWORD)


def test_accounts_are_listed_and_narrowed(said, cy):
    everybody = said("user", "list")

    assert [user["email"] for user in everybody] == ["ann@example.org", "cy@example.org"]
    assert everybody[1] | cy == everybody[1]
    assert everybody[1]["state"] == "enabled"
    assert [user["id"] for user in said("user", "list", "--role", "member")] == [cy["id"]]
    assert [user["id"] for user in said("user", "list", "--search", "CY@")] == [cy["id"]]
    assert said("user", "list", "--state", "disabled") == []


def test_an_account_is_disabled_and_enabled_and_gets_another_role(said, refusal, cy):
    disabled = said("user", "disable", "cy@example.org")

    assert (disabled["state"], disabled["lasting"]) == ("disabled", [])
    assert refusal("user", "disable", "cy@example.org") == "conflict"
    assert said("user", "enable", "cy@example.org")["state"] == "enabled"
    assert refusal("user", "enable", "cy@example.org") == "conflict"
    assert said("user", "role", "cy@example.org", "--role", "viewer")["role"] == "viewer"


def test_the_last_administrator_stays(refusal, cy):
    assert refusal("user", "disable", "ann@example.org") == "conflict"
    assert refusal("user", "role", "ann@example.org", "--role", "member") == "conflict"


def test_a_second_factor_that_was_lost_is_removed(app, said, refusal, cy):
    assert refusal("user", "reset-factor", "cy@example.org") == "conflict"
    with app.app_context():
        authenticators.add(cy["id"], b"sealed", 0)
        db.session.commit()

    assert said("user", "reset-factor", "cy@example.org")["email"] == "cy@example.org"

    assert refusal("user", "reset-factor", "cy@example.org") == "conflict"
    events = said("audit", "list", "--type", "user.factors_reset")
    assert [event["subject"] for event in events] == [cy["id"]]


def test_a_reset_link_sets_a_new_password(said, cy, client):
    link = said("user", "reset-link", "cy@example.org")["reset_link"]

    client.application.config["WTF_CSRF_ENABLED"] = False
    page, _, token = link.partition("#token=")
    form = {"token": token, "password": "a sentence of my own"}
    assert page == "https://gatewright.example/account/new-password"
    assert client.post("/account/new-password", data=form).status_code == 200
    assert client.post("/account/new-password", data=form).status_code == 403


@pytest.mark.parametrize(
    "words", [("disable",), ("enable",), ("reset-link",), ("reset-factor",)], ids=str
)
def test_an_account_that_is_not_there_is_not_found(refusal, words, cy):
    assert refusal("user", *words, "nobody@example.org") == "not_found"
