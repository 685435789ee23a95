"""Resident memory of ours: at rest, under load, and after so many requests that a leak would show."""

from .measure import ROTATED, SAME, bearer, first_line, load, prepared, said
from .ours import portcullis
from .stage import CHECKED

SLICE_SECONDS = 2
REQUESTS = 1_000_000
# By this part of the requests, everything is allocated that is allocated once; it takes several
# times 64 connections to get there. A byte a request would still show.
SETTLED = 0.5


def run(results, binary, requests=REQUESTS):
    with prepared() as stage:
        for tokens in (SAME, ROTATED):
            results.add(tokens=tokens, **of(stage, binary, tokens, requests))


def of(stage, binary, tokens, requests):
    """With the access log on, as it is shipped. Every slice has connections of its own."""
    with portcullis(stage, binary, log=True) as proxy:
        proxy.wait_for(CHECKED, 200, bearer(first_line(stage.directory / SAME)))
        at_rest, settled, done = proxy.memory(), None, 0
        while done < requests:
            done += load(stage, proxy, CHECKED, tokens, SLICE_SECONDS)["requests"]
            said(f"memory, {tokens}: {done:,} of {requests:,} requests")
            if settled is None and done >= SETTLED * requests:
                settled = dict(settled_requests=done, settled=proxy.memory())
        return dict(at_rest=at_rest, **settled, requests=done, after=proxy.memory(),
                    most=proxy.memory("VmHWM"))
