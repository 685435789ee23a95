"""Where and with what benches run."""

import os
import re
import subprocess
from datetime import date


def common():
    """Pairs of a fact's name and the fact."""
    return [
        ("date", date.today().isoformat()),
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("load when it began", f"{os.getloadavg()[0]:.1f}"),
    ]


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return re.search(r"model name\s*: (.*)", file.read())[1]
    except (OSError, TypeError):
        return "unknown"


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]


def version(*command):
    """The first version in what a program says of itself. Some say it on standard error, and some
    fail after it."""
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    number = re.search(r"\d+\.\d+(\.\d+)?", run.stdout)
    return number[0] if number else "unknown"
