"""The binary that is measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .stage import BENCH


def executable_or_built():
    """What PORTCULLIS names, else the release build of this tree."""
    chosen = os.environ.get("PORTCULLIS")
    return executable(chosen) if chosen else built()


def executable(path):
    if not os.access(path, os.X_OK):
        sys.exit(f"sidecar: {path} is no program")
    return Path(path).resolve()


def built():
    """The release build of this tree. As a user builds it: no features but its own."""
    command = ["cargo", "build", "--release", "--locked", "--features", "sidecar", "--bin", "portcullis",
               "--message-format=json-render-diagnostics", "--manifest-path", BENCH.parent / "Cargo.toml"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(message["executable"] for message in messages if message.get("executable"))
