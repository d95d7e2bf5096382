"""One self-signed certificate for all servers of a lab."""
import functools
import pathlib
import subprocess
from dataclasses import dataclass

from . import places


@dataclass(frozen=True)
class Certificate:
    key: pathlib.Path
    cert: pathlib.Path


@functools.cache
def _folder():
    return places.Folder()


@functools.cache
def certificate() -> Certificate:
    key, cert = _folder().path / "key.pem", _folder().path / "cert.pem"
    names = "DNS:example.org,DNS:cti.example.org,DNS:localhost,IP:127.0.0.1"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key, "-out", cert,
                    "-subj", "/CN=example.org", "-addext", f"subjectAltName={names}"], check=True, capture_output=True)
    return Certificate(key, cert)
