"""Processes under measurement: started on a core of their own, watched, and ended for certain."""

import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 20


class Process:
    """A server and its children, from `with` to its end."""

    def __init__(self, name, command, *, core, port, output, environment=None):
        self.name, self.port = name, port
        self.command = ["taskset", "-c", str(core), *map(str, command)]
        self.output, self.environment = Path(output), environment

    def __enter__(self):
        # What it says goes to files, never to a pipe that somebody would have to empty.
        with open(self.output, "w") as out, open(f"{self.output}.err", "w") as err:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=self.environment, start_new_session=True)
        return self

    def __exit__(self, *_):
        """Nothing is lost that somebody wants, so the whole session is killed."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def wait_for(self, path, status, headers):
        """Until it gives this answer."""
        deadline = time.monotonic() + PATIENCE
        found = None
        while time.monotonic() < deadline and self.process.poll() is None:
            found = self.status(path, headers)
            if found == status:
                return
            time.sleep(0.02)
        said = Path(f"{self.output}.err").read_text()[-2000:]
        sys.exit(f"sidecar: {self.name} does not answer {status} but {found}:\n{said}")

    def status(self, path, headers):
        """`None` where there is no answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def microseconds(self):
        """Processor time of all its processes so far, in user and in kernel mode."""
        ticks = sum(int(stat[11]) + int(stat[12]) for _, stat in self.processes())
        return ticks * 1_000_000 / TICKS

    def memory(self, what="VmRSS"):
        """Resident bytes of all its processes; `VmHWM` for the most there ever were."""
        return sum(status_field(pid, what) for pid, _ in self.processes())

    def processes(self):
        """Those of its session, with the fields of stat from the state on."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[3]) == self.process.pid:
                yield int(entry.name), stat


def status_field(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    return 0
