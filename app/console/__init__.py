"""Door 3: operators."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of the console."""
