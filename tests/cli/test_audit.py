"""`gatewright audit list`: what happened, and that a command says who ran it."""

import os
import pwd

import pytest

OS_USER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def robot(said):
    """Return the id of a machine client made by hand, which was suspended."""
    made = said("client", "create", "--name", "Robot", "--grant", "client_credentials")
    said("client", "suspend", made["client_id"], "--reason", "Odd traffic")
    return made["client_id"]


def test_every_event_of_a_command_names_the_user_of_the_operating_system(said, robot):
    events = said("audit", "list")

    assert {event["tag"] for event in events} == {"client.created", "client.suspended"}
    assert {(event["actor_kind"], event["actor_name"]) for event in events} == {("cli", OS_USER)}


def test_events_are_found_by_type_and_client_newest_first(said, robot):
    other = said("client", "create", "--name", "Other", "--grant", "client_credentials")

    def tags(*options):
        return [event["tag"] for event in said("audit", "list", *options)]

    assert tags("--client", robot) == ["client.suspended", "client.created"]
    assert tags("--type", "client.created") == ["client.created"] * 2
    assert tags("--type", "client", "--client", other["client_id"]) == ["client.created"]
    assert tags("--type", "scope") == []
    assert tags("--limit", "1") == ["client.created"]


def test_the_list_goes_on_behind_an_event(said, robot):
    newest, oldest = said("audit", "list")

    assert said("audit", "list", "--older-than", str(newest["id"])) == [oldest]


def test_the_reason_is_kept(said, robot):
    assert said("audit", "list")[0]["detail"]["reason"] == "Odd traffic"
