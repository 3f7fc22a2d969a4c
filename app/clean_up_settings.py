"""Owns the settings of what is done by itself: how long is too long, how early is early."""

from pydantic import BaseModel, Field

from app.domain.sweeps import SweepRules


class CleanUpSettings(BaseModel):
    """The settings of the clean-up and of what else is done by itself; 0 days are never."""

    sweep_pending_days: int = Field(
        30, ge=0, le=3650, description="Undecided software expires after so many days; 0 is never."
    )
    sweep_unused_days: int = Field(
        90, ge=0, le=3650, description="Unused clients end after so many days; 0 is never."
    )
    reminder_days: int = Field(
        7, ge=0, le=365, description="Webhooks are told so early of approvals that end; 0 is never."
    )
    key_rotation_days: int = Field(
        90, ge=0, le=3650, description="Signing keys rotate after so many days; 0 is only by hand."
    )

    @property
    def sweep_rules(self) -> SweepRules:
        """Return how long is too long."""
        return SweepRules(self.sweep_pending_days, self.sweep_unused_days)
