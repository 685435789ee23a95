"""Where everything takes place, and what all who take part have in common."""

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from .process import Process

BENCH = Path(__file__).resolve().parent.parent

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"
CHECKED, PUBLIC = "/orders/4711", "/public/4711"
CONNECTIONS = 64


@dataclass
class Stage:
    """Temporary files, and a core for each part."""

    directory: Path
    proxy_core: int
    load_core: int
    upstream_core: int
    upstream_port: int = 0

    @property
    def jwks(self):
        return self.directory / "jwks.json"

    @property
    def public_key(self):
        return self.directory / "public.pem"

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def proxy(self, name, command, port, environment=None):
        return Process(name, command, core=self.proxy_core, port=port, environment=environment,
                       output=self.directory / "proxy.output")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def found(program):
    """Its path, or `None`. Envoy is looked for in a virtual environment of its own, too."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(BENCH / "results/envoy/bin")])
    return shutil.which(program, path=path)
