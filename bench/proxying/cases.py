"""Who is measured with what, and the rounds."""

from dataclasses import dataclass

from . import nginx
from .envoy import envoy
from .haproxy import haproxy
from .measure import NEW, ROTATED, SAME, measured, prepared, said
from .ours import portcullis
from .stage import CHECKED, PUBLIC, found

OURS = "portcullis"
# Names of cases, as the page shows them.
PLAIN, SAME_TOKEN, ROTATION, EVERY_NEW = "no check", "same token", "5,000 tokens", "every token new"
TOKENS = {PLAIN: SAME, SAME_TOKEN: SAME, ROTATION: ROTATED, EVERY_NEW: NEW}


@dataclass(frozen=True)
class Case:
    who: str
    log: bool
    name: str

    def proxy(self, stage, binary):
        match self.who:
            case "nginx":
                return nginx.plain(stage, self.log)
            case "HAProxy":
                return haproxy(stage)
            case "Envoy":
                return envoy(stage)
        return portcullis(stage, binary, self.log)

    @property
    def path(self):
        return PUBLIC if self.name == PLAIN else CHECKED


CASES = [
    *(Case("nginx", log, PLAIN) for log in (False, True)),
    *(Case(OURS, log, name) for log in (False, True) for name in (PLAIN, SAME_TOKEN, ROTATION, EVERY_NEW)),
    *(Case(who, False, name) for who in ("HAProxy", "Envoy") for name in (SAME_TOKEN, EVERY_NEW)),
]


def run(results, binary, rounds, seconds):
    """Every case once a round; every second round backwards, so that nobody always comes first."""
    cases = [case for case in CASES if is_there(case.who)]
    with prepared(seconds_of_new_tokens=seconds) as stage:
        for number in range(rounds):
            for case in cases if number % 2 == 0 else reversed(cases):
                said(f"round {number + 1} of {rounds}: {case.who}, {case.name}")
                figures = measured(stage, case.proxy(stage, binary), case.path, TOKENS[case.name], seconds)
                results.add(round=number, who=case.who, log=case.log, case=case.name, **figures)


def is_there(who):
    return who == OURS or found(who.lower()) is not None


def missing():
    """Those that are left out."""
    return [who for who in dict.fromkeys(case.who for case in CASES) if not is_there(who)]
