"""The TypeScript client, driven through typescript/client.mjs by lines of JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.flows.driver import Driver, running_driver
from tests.flows.driver import TypescriptError as TypescriptError
from tests.services.callback import Callback

Visit = Callable[[str], None]
NAME = "Notes reader in TypeScript"


class TypescriptClient:
    """One installation of the client; ``visit`` is called with each authorization URL."""

    name = NAME

    def __init__(self, driver: Driver, callback: Callback) -> None:
        self.driver, self.callback = driver, callback

    @property
    def information(self) -> dict[str, Any]:
        """Return what the registration answered."""
        return self.driver.ask("show")["information"]

    @property
    def tokens(self) -> dict[str, Any]:
        """Return the stored token answer."""
        return self.driver.ask("show")["tokens"]

    def expire(self) -> None:
        """Spoil the stored access token: this SDK refreshes when the resource refuses one."""
        self.driver.ask("expire")

    def call_tool(self, visit: Visit) -> dict[str, str]:
        """Return what the tool says, after whatever the SDK does to get there."""
        said = self.driver.ask("call")
        if "authorize" in said:
            visit(said["authorize"])
            self.driver.ask("finish", url=self.callback.take_url())
            said = self.driver.ask("call")
        return json.loads(said["text"])


@contextmanager
def running_typescript_client(resource: str, callback: Callback) -> Iterator[TypescriptClient]:
    """Run the driver while the block lasts."""
    with running_driver("client.mjs", NAME, resource, callback.uri) as driver:
        yield TypescriptClient(driver, callback)
