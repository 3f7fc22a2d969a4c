"""Settings as people see them: grouped, worded, with their source and without their secrets."""

import re

import pytest

from app.config import Settings, load
from app.console import setting_groups
from app.secret_files import FROM_FILE

SOUNDS_SECRET = re.compile(r"_(key|token|secret|password|credential|url)$")


def shown(settings):
    """Return what is shown of each setting by its variable."""
    return {each.variable: each for _, found in setting_groups.grouped(settings) for each in found}


def test_every_setting_of_today_has_a_group_and_a_new_one_still_appears():
    assert {setting_groups.group_of(name) for name in Settings.model_fields} == set(
        setting_groups.GROUPS
    )
    assert setting_groups.group_of("not_thought_of_yet") == setting_groups.OTHER


@pytest.mark.parametrize(
    "value, words",
    [
        ({"code_seconds": 60}, ("60", "seconds (1 minute)")),
        ({"code_seconds": 61}, ("61", "seconds")),
        ({"access_token_seconds": 7200}, ("7200", "seconds (2 hours)")),
        ({"refresh_idle_seconds": 86400}, ("86400", "seconds (1 day)")),
        ({"maximum_body_bytes": 8192}, ("8192", "bytes")),
        ({"password_memory_kib": 20000}, ("20000", "KiB")),
        ({"rate_limit_enabled": False}, ("off", "")),
        ({"private_use_schemes": ("one", "two")}, ("one, two", "")),
        ({"registration_token": "x" * 20}, ("********", "")),
        ({"registration_token": "x" * 90}, ("********", "")),
        ({"registration_token": ""}, ("", "")),
    ],
)
def test_a_value_is_worded_for_people_and_a_secret_only_tells_that_it_is_set(value, words):
    """C-41: the mask has one length."""
    [name] = value

    found = shown(load(**value))[f"GATEWRIGHT_{name.upper()}"]

    assert (found.value, found.unit) == words


def test_the_source_of_each_setting_is_told(monkeypatch, tmp_path):
    secret = tmp_path / "redis"
    secret.write_text("redis://127.0.0.1:6379/0\n")
    monkeypatch.setenv("GATEWRIGHT_LOG_LEVEL", "debug")
    monkeypatch.setenv("GATEWRIGHT_REDIS_URL_FILE", str(secret))

    found = shown(load(contact="the front desk"))

    assert found["GATEWRIGHT_LOG_LEVEL"].source == "environment"
    assert found["GATEWRIGHT_REDIS_URL"].source == "file"
    assert found["GATEWRIGHT_CONTACT"].source == "argument"
    assert found["GATEWRIGHT_CODE_SECONDS"].source == "default"


def test_every_setting_whose_name_sounds_secret_is_masked():
    sounding = {name for name in Settings.model_fields if SOUNDS_SECRET.search(name)}
    sounding -= {name for name in sounding if name.startswith("registration") and "_url" in name}

    assert sounding
    assert sounding == set(FROM_FILE)
