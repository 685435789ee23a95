"""One measurement: a proxy started, asked whether it does its work, warmed up, put under load."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import nginx
from .stage import AUDIENCE, CHECKED, CONNECTIONS, ISSUER, Stage

HERE = Path(__file__).resolve().parent

ROTATION = 5_000
# Signed for every second of a case where no token comes twice: more than any proxy gets through.
NEW_PER_SECOND = 40_000
WARM_UP_SECONDS = 1

# Files of tokens, and what is sent before the measurement.
SAME, ROTATED, NEW = "same", "rotation", "new"
WARM_UP = {SAME: SAME, ROTATED: ROTATED, NEW: SAME}


@contextmanager
def prepared(seconds_of_new_tokens=0):
    """Tokens and the upstream, in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as directory:
        place = Stage(Path(directory), *cores())
        fresh = max(1, int(NEW_PER_SECOND * seconds_of_new_tokens))
        said(f"signing {fresh + ROTATION:,} tokens")
        subprocess.run(["node", HERE / "tokens.mjs", directory, ISSUER, AUDIENCE,
                        str(ROTATION), str(fresh)], check=True)
        with nginx.upstream(place) as upstream:
            upstream.wait_for("/", 200, {})
            yield place


def cores():
    """Of the proxy, the load and the upstream; where there are two, the last two share one.
    BENCH_CORES=0,2,4 chooses them: what the system calls cores may be halves of one."""
    chosen = os.environ.get("BENCH_CORES")
    usable = [int(core) for core in chosen.split(",")] if chosen else sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        sys.exit("sidecar: two cores are needed, one for the proxy and one for the load")
    proxy, load, upstream = (usable + usable[-1:])[:3]
    return proxy, load, upstream


def measured(stage, proxy, path, tokens, seconds):
    """Figures of one run, by name."""
    with proxy:
        proxy.wait_for(path, 200, bearer(first_line(stage.directory / SAME)))
        if path == CHECKED:
            refuses_bad_tokens(stage, proxy)
        at_rest = proxy.memory()
        load(stage, proxy, path, WARM_UP[tokens], WARM_UP_SECONDS)
        before = proxy.microseconds()
        run = load(stage, proxy, path, tokens, seconds)
        used = proxy.microseconds() - before
        return dict(
            requests_per_second=round(run["requests"] / run["microseconds"] * 1e6),
            cpu_microseconds=round(used / run["requests"], 3),
            core_busy=round(used / run["microseconds"], 3),
            p50=run["p50"],
            p99=run["p99"],
            memory_at_rest=at_rest,
            memory_after=proxy.memory(),
        )


def load(stage, proxy, path, tokens, seconds):
    """What wrk counted. Ends the bench where anything went wrong."""
    command = ["taskset", "-c", str(stage.load_core), "wrk", "-t", "1", "-c", str(CONNECTIONS),
               "-d", f"{seconds}s", "-s", HERE / "wrk.lua",
               f"http://127.0.0.1:{proxy.port}{path}", "--", stage.directory / tokens]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    run = json.loads(output.splitlines()[-1])
    faults = {name: run[name] for name in ["refused", "connect", "read", "write", "timeout"] if run[name]}
    if faults or not run["requests"]:
        sys.exit(f"sidecar: {proxy.name}, {tokens}: {faults or 'no request was answered'}")
    if tokens == NEW and run["passes"] > 1:
        sys.exit(f"sidecar: {proxy.name} had used up all tokens; NEW_PER_SECOND is too small")
    return run


def refuses_bad_tokens(stage, proxy):
    """A check that lets everything through would be fast."""
    bad = json.loads((stage.directory / "bad.json").read_text())
    requests = {f"a token {what}": bearer(token) for what, token in bad.items()} | {"no token": {}}
    for what, headers in requests.items():
        status = proxy.status(CHECKED, headers)
        if status not in (401, 403):
            sys.exit(f"sidecar: {proxy.name} answers {what} with {status}")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def first_line(path):
    with open(path) as file:
        return file.readline().strip()


def said(line):
    print(line, file=sys.stderr, flush=True)
