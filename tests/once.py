"""What each test process does once instead of once for each app: compile, verify, make keys.

Importing this module is enough; tests/conftest.py does.
"""

from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from app.domain.key_algorithms import GENERATE, RS256


class CompiledTemplates(BytecodeCache):
    """Compiles each template once for a test process instead of once for each app."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


compiled_templates = CompiledTemplates()


def compile_routes_once() -> None:
    """Compile the URLs of each route once for a test process instead of once for each app.

    The compiled function takes the rule as its argument and knows nothing else of the app; the
    parts of a rule, which are matched, know nothing of it at all.
    """
    parse_rule, parsed = Rule._parse_rule, {}
    compile_builder, compiled = Rule._compile_builder, {}

    def parsed_once(self: Rule, rule: str) -> Any:
        key = (rule, self.websocket)
        if key not in parsed:
            before = len(self._trace)
            parts = tuple(parse_rule(self, rule))
            parsed[key] = (parts, self._trace[before:], {**self._converters}, {*self.arguments})
            return parts
        parts, trace, converters, arguments = parsed[key]
        self._trace.extend(trace)
        self._converters.update(converters)
        self.arguments.update(arguments)
        return parts

    def compiled_once(self: Rule, append_unknown: bool = True) -> Any:
        key = (self.rule, *self._trace, repr(self.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(self, append_unknown)
        return compiled[key]

    Rule._parse_rule, Rule._compile_builder = parsed_once, compiled_once


compile_routes_once()


def verify_passwords_once() -> None:
    """Verify a password against a hash once for a test process; argon2 is slow on purpose."""
    verify = PasswordHasher.verify

    @cache
    def outcome(encoded: str | bytes, password: str | bytes) -> Exception | None:
        try:
            verify(PasswordHasher(), encoded, password)
        except (VerificationError, InvalidHashError) as error:
            return error
        return None

    def verified_once(_hasher: Any, encoded: str | bytes, password: str | bytes) -> bool:
        found = outcome(encoded, password)
        if found is not None:
            raise type(found)(*found.args)
        return True

    PasswordHasher.verify = verified_once


verify_passwords_once()


def make_rsa_keys_once() -> None:
    """Make two RSA keys for a test process and give them in turn; each takes a tenth of a second.

    A rotation lets the other one sign.
    """
    generate, made = GENERATE[RS256], []

    def take() -> Any:
        made.append(made.pop(0) if len(made) > 1 else generate())
        return made[-1]

    GENERATE[RS256] = take


make_rsa_keys_once()


def compile_statements_once() -> None:
    """Compile each SQL statement once for a kind of database instead of once for each engine.

    The dialects of two engines of one kind are equal here: every app makes its engine with the
    same options.
    """
    compiled = LRUCache(2000)
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)
    DefaultDialect.__hash__ = lambda self: hash(type(self))
    Engine._compiled_cache = property(lambda _engine: compiled, lambda _engine, _own: None)


compile_statements_once()
