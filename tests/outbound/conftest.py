"""Servers on loopback that say exactly what a test wants, with certificates of a CA of its own."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.outbound.client import Outbound

USER_AGENT = "Gatewright (+https://gatewright.example)"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

Script = bytes | Callable[[socket.socket], None]


class Server:
    """Accepts connections; sends each its script once the head of a request is there."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None, host: str, greets: bool) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listening = socket.create_server((host, 0), family=family)
        self.port = self.listening.getsockname()[1]
        self.script, self.tls, self.greets = script, tls, greets
        self.requests: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections.append(connection)
                thread = threading.Thread(target=self.talk, args=[connection], daemon=True)
                self.threads.append(thread)
                thread.start()

    def talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.connections.append(connection)
            with closing(connection):
                if not self.greets:
                    self.requests.append(read_request(connection))
                if callable(self.script):
                    self.script(connection)
                else:
                    connection.sendall(self.script)

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for connection in self.connections:
            connection.close()


def read_request(connection: socket.socket) -> bytes:
    """Return head and body as they came in."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536) or b" "
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; ``greets`` lets it speak before it is asked."""
    with ExitStack() as servers:

        def start(
            script: Script = OK,
            tls: ssl.SSLContext | None = None,
            host: str = "127.0.0.1",
            greets: bool = False,
        ) -> Server:
            return servers.enter_context(closing(Server(script, tls, host, greets)))

        yield start


class Authority(NamedTuple):
    """A certificate authority that exists for a test run."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> str:
        return str(self.folder / "ca.pem")

    def context(
        self, name: str = "client.example", *, days: int = 1, self_signed: bool = False, **more: Any
    ) -> ssl.SSLContext:
        """Return what a server needs to speak TLS under a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = (key, None) if self_signed else (self.key, self.certificate)
        certificate = certify(name, key, *signer, days=days, **more)
        path = self.folder / "server.pem"
        path.write_bytes(pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certify(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    *,
    days: int = 1,
    is_ca: bool = False,
    with_san: bool = True,
) -> x509.Certificate:
    """Make a certificate; ``days`` below zero make one that has expired."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    end = now + dt.timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - dt.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if with_san:
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(name)]), False)
    return builder.sign(signing_key, hashes.SHA256())


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a certificate authority whose certificate is in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certify("Test CA", key, key, None, is_ca=True)
    folder = tmp_path_factory.mktemp("authority")
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, key, certificate)


class Resolver:
    """A resolver with a list of answers; the last one is given again and again."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def resolver() -> type[Resolver]:
    """Return the class of fake resolvers."""
    return Resolver


@pytest.fixture
def way_to(authority: Authority) -> Callable[..., Outbound]:
    """Return a function that makes a way out on which client.example is a server of a test."""

    def make(server: Server, *found: str) -> Outbound:
        return Outbound(
            USER_AGENT,
            allow=[f"client.example:{server.port}"],
            ca_file=authority.file,
            resolve=Resolver(list(found) or ["127.0.0.1"]),
        )

    return make


@pytest.fixture
def dialled(monkeypatch):
    """Return the addresses that were connected to; none of them can be reached."""
    found = []

    def refuse(address, _timeout):
        found.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return found
