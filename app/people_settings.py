"""Owns the settings of how people prove who they are."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app import setting_rules
from app.domain import grant_types
from app.domain.users import ROLES


def roles(value: tuple[str, ...]) -> tuple[str, ...]:
    """Demand names of roles."""
    if not set(value) <= set(ROLES):
        raise ValueError("must be some of member, viewer, approver and admin")
    return value


class PeopleSettings(BaseModel):
    """The settings of how people prove who they are."""

    second_factor_roles: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(setting_rules.words),
        AfterValidator(roles),
    ] = Field((), description="Roles that need a second factor; recommended: `approver admin`.")
    id_jag_enabled: bool = Field(
        False,
        description="Take the word of identity providers that may vouch for people (ID-JAG).",
    )

    @property
    def grant_types(self) -> tuple[str, ...]:
        """Return the grants that this server has."""
        off = () if self.id_jag_enabled else (grant_types.ASSERTION,)
        return tuple(each for each in grant_types.ALL if each not in off)
