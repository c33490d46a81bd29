"""Self-signed certificates for servers at 127.0.0.1, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from attrs import frozen

from tests.helpers.servers import need


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@frozen
class Certificate:
    """A certificate and its key: the server's side, and what a client needs to trust it."""

    context: ssl.SSLContext
    path: str

    def make_client_context(self) -> ssl.SSLContext:
        """Make a context that trusts only this certificate."""
        return ssl.create_default_context(cafile=self.path)

    @property
    def hash(self) -> str:
        """The name by which OpenSSL looks for it in a folder."""
        return run("openssl", "x509", "-in", self.path, "-noout", "-hash").strip()


def make_certificate(folder: Path, name: str = "IP:127.0.0.1", *, has_expired: bool = False) -> Certificate:
    """Make a certificate for *name*."""
    need("openssl")
    key, path = folder / "key.pem", folder / "certificate.pem"
    kind = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"
    names = "-subj", "/CN=localhost", "-addext", f"subjectAltName={name}"
    run("openssl", "req", "-x509", *kind, *names, "-keyout", key, "-out", path)
    if has_expired:
        run("openssl", "x509", "-in", path, "-signkey", key, "-days", "-1", "-out", path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(context, str(path))
