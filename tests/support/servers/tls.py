"""A Redis that speaks TLS only, and wants its clients' certificates; and the certificates.

The embedded Valkey is built without TLS. Debian's redis-server has it (`tls_server`); for short tests
a relay speaks it in front of the one that there is (`tls_relay`).
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis import Redis
from redis.exceptions import RedisError

from support.servers.replication import DURABLE

REDIS_SERVER: Final = Path("/usr/bin/redis-server")
"""Of Debian's package of that name."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of one's own, in a folder."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for this machine, and its key; gives the two files."""
        key = ec.generate_private_key(ec.SECP256R1())
        there = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        made = (
            _builder(name, self.certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName(there), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _write(self.folder / f"{name}.pem", made), _write_key(
            self.folder / f"{name}.key", key
        )

    def options(self, name: str) -> str:
        """What a URL says of this authority, and of a client with a certificate of its."""
        certificate, key = self.issue(name)
        return f"ssl_ca_certs={self.file}&ssl_certfile={certificate}&ssl_keyfile={key}"


def new_authority(folder: Path) -> Authority:
    """Make one."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"An authority in {folder.name}")])
    certificate = (
        _builder(f"An authority in {folder.name}", name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.pem", certificate)
    return Authority(folder, certificate, key)


def _builder(name: str, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )


def _write(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextmanager
def tls_server(folder: Path, authority: Authority, port: int) -> Iterator[Redis]:
    """Run Debian's Redis on a port, with TLS and nothing else; gives an administrator's client."""
    certificate, key = authority.issue("server")
    folder.mkdir(parents=True)
    tls = ["--tls-port", str(port), "--port", "0", "--tls-auth-clients", "yes"]
    tls += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    tls += ["--tls-ca-cert-file", str(authority.file)]
    command = [str(REDIS_SERVER), *tls, "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    process = subprocess.Popen([*command, "--logfile", str(folder / "log"), *DURABLE])
    own, own_key = authority.issue("administrator")

    try:
        with Redis(port=port, ssl=True, ssl_ca_certs=str(authority.file), ssl_certfile=str(own), ssl_keyfile=str(own_key)) as client:  # fmt: skip
            deadline = time.monotonic() + 30
            while not _answers(client):
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield client
    finally:
        process.kill()
        process.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@contextmanager
def tls_relay(authority: Authority, socket: str) -> Iterator[int]:
    """Speak TLS in front of a server's Unix socket, and want certificates; gives the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, authority.issue("server")))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.new_event_loop()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, down = await asyncio.open_unix_connection(socket)

        async def pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    to.write(data)
                    await to.drain()
            to.close()

        try:
            await asyncio.gather(pass_on(reader, down), pass_on(upstream, writer))
        finally:
            down.close()
            writer.transport.abort()

    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
