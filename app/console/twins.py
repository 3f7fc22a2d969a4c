"""Owns the same call as curl, Python and JavaScript; credentials come from the environment."""

from collections.abc import Callable, Mapping
from shlex import quote

import orjson

from app.console.exchanges import JSON, Call
from app.outbound.exhibits import SENT

SECRET, TOKEN = "CLIENT_SECRET", "INITIAL_ACCESS_TOKEN"
Read = Callable[[str], str]
"""Writes how a language reads a variable of the environment."""

PYTHON = """\
{imports}import httpx2

answer = httpx2.post(
    {arguments},
)
print(answer.text)"""

JAVASCRIPT = """\
const {{ env }} = process;
const answer = await fetch({url}, {{
  method: "POST",
  {options},
}});
console.log(await answer.text());"""


def of_call(call: Call) -> dict[str, str]:
    """Return the call in each language, by the name of the language."""
    return {"curl": curl(call), "Python": python(call), "JavaScript": javascript(call)}


def variables(call: Call) -> list[str]:
    """Return the variables of the environment that the twins read."""
    found = [name.upper() for name in call.form if name in SENT]
    return found + [SECRET] * (call.login is not None) + [TOKEN] * bool(call.bearer)


def curl(call: Call) -> str:
    """Write a call as a line for a shell."""
    lines = [f"curl -sS {quote(call.url)}"]
    if call.login is not None:
        lines.append(f'-u {quote(call.login[0])}:"${SECRET}"')
    if call.bearer:
        lines.append(f'-H "Authorization: Bearer ${TOKEN}"')
    if call.body:
        lines += [f"-H 'Content-Type: {JSON}'", f"--data-raw {quote(call.body)}"]
    for name, value in call.form.items():
        written = f'"${name.upper()}"' if name in SENT else quote(value)
        lines.append(f"--data-urlencode {name}={written}")
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    """Write a call for httpx2."""

    def read(variable: str) -> str:
        return f'os.environ["{variable}"]'

    arguments = [text(call.url)]
    if call.login is not None:
        arguments.append(f"auth=({text(call.login[0])}, {read(SECRET)})")
    if call.bearer or call.body:
        arguments.append(f"headers={members(headers(call, read))}")
    if call.body:
        arguments.append(f"content={text(call.body)}")
    if call.form:
        arguments.append(f"data={members(parameters(call, read))}")
    imports = "import os\n\n" if variables(call) else ""
    return PYTHON.format(imports=imports, arguments=",\n    ".join(arguments))


def javascript(call: Call) -> str:
    """Write a call for fetch in Node."""

    def read(variable: str) -> str:
        return f"env.{variable}"

    written = headers(call, read)
    if call.login is not None:
        written["Authorization"] = f'"Basic " + btoa({text(call.login[0] + ":")} + {read(SECRET)})'
    options = [f"headers: {members(written)}"] if written else []
    form = f"new URLSearchParams({members(parameters(call, read))})"
    options.append(f"body: {text(call.body) if call.body else form}")
    return JAVASCRIPT.format(url=text(call.url), options=",\n  ".join(options))


def headers(call: Call, read: Read) -> dict[str, str]:
    """Return the headers that no language sets by itself, as expressions."""
    found = {"Content-Type": text(JSON)} if call.body else {}
    return found | ({"Authorization": f'"Bearer " + {read(TOKEN)}'} if call.bearer else {})


def parameters(call: Call, read: Read) -> dict[str, str]:
    """Return the parameters of a form as expressions."""
    return {
        name: read(name.upper()) if name in SENT else text(value)
        for name, value in call.form.items()
    }


def members(values: Mapping[str, str]) -> str:
    """Write expressions by their names, as both Python and JavaScript read them."""
    return "{" + ", ".join(f"{text(name)}: {value}" for name, value in values.items()) + "}"


def text(value: str) -> str:
    """Write a text as both Python and JavaScript read it."""
    return orjson.dumps(value).decode()
