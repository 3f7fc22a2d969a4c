"""S-17: behind a network that lets nothing out, others are away and nothing else is."""

import subprocess
import sys

import pytest

from tests.services.gunicorn import ROOT

WALLED = ("unshare", "--net", "--map-root-user")
ASK = """
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
for ask, url in (("stranger", "https://client.example/oauth.json"), ("trusted", "http://10.0.0.9/")):
    try:
        getattr(Outbound("test"), ask)(url, seconds=2)
    except OutboundError as error:
        print(error.reason)
"""


def test_behind_a_second_wall_whoever_is_asked_is_away():
    if subprocess.run([*WALLED, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us make a network namespace")

    done = subprocess.run(
        [*WALLED, sys.executable, "-c", ASK],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (done.stdout.split(), done.stderr) == (["dns", "network"], "")
