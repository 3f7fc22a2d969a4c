"""The registration mode is a value of the server that operators switch."""

import pytest

from app.domain import audit, errors, registration_modes
from app.extensions import db

OPERATOR = audit.Actor("operator", "u-1", "grace@people.example")


@pytest.mark.parametrize("configured", registration_modes.MODES)
def test_the_configured_mode_is_in_force_until_an_operator_switches_it(app, configured):
    with app.app_context():
        assert registration_modes.current(configured) == configured
        for mode in registration_modes.MODES:
            registration_modes.switch(mode, configured, by=OPERATOR)
            db.session.commit()

            assert registration_modes.current(configured) == mode


@pytest.mark.parametrize("mode", ["", "OPEN", "open ", "off", "x" * 100])
def test_there_is_no_other_mode(app, mode):
    with app.app_context():
        with pytest.raises(errors.InvalidRequest):
            registration_modes.switch(mode, "open", by=OPERATOR)
        assert registration_modes.current("token") == "token"
