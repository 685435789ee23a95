"""Counting with valgrind, for bench/instructions and bench/scope.

A process is run twice, to do something N and 2N times. Both runs are the same before and after, so
the difference is what N times cost, and set-up is subtracted exactly.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent


def count_all(commands):
    """Instructions of one time, for each pair of a command, to which the number of times is added,
    and that number."""
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is needed: apt-get install valgrind")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda pair: count(*pair), commands))


def count(command, times):
    once, twice = (instructions(*command, times * factor) for factor in (1, 2))
    return round((twice - once) / times, 1)


def instructions(*command):
    """Of a whole process."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)]
    output = subprocess.run(command, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", output.stderr)
    if output.returncode != 0 or collected is None:
        sys.exit(f"{' '.join(command)} failed:\n{output.stderr}")
    return int(collected[1])


def build(name, *features):
    """The path of the binary."""
    command = ["cargo", "build", "--release", "--locked", "--bin", name, *features,
               "--message-format=json-render-diagnostics", "--manifest-path", HERE / "Cargo.toml"]
    messages = [json.loads(line) for line in run(*command).splitlines()]
    return next(message["executable"] for message in messages if message.get("executable"))


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class Results:
    """Lines of JSON in bench/results, as the Rust benches write them."""

    def __init__(self, name):
        self.name = name
        (HERE / "results").mkdir(exist_ok=True)
        self.file = open(HERE / "results" / f"{name}.jsonl", "w")

    def add(self, **measurement):
        line = json.dumps(dict(bench=self.name, **measurement))
        print(line)
        print(line, file=self.file, flush=True)
