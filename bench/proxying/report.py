"""The sidecar's blocks of docs/performance.md."""

from statistics import median

from markdown import table, whole

from .cases import CASES, EVERY_NEW, OURS, PLAIN, ROTATION, SAME_TOKEN

MEBIBYTE = 1024 * 1024
# MiB. Pages come and go; a byte that stays of every request of the second half is as much.
GROWTH = 0.5
MEMORY = 15
LOADS = {"same": SAME_TOKEN, "rotation": ROTATION}


class Runs:
    """Figures by who, log and case; each is a list, one of each round."""

    def __init__(self, lines):
        self.lines = lines

    def of(self, who, log, case, figure):
        return [line[figure] for line in self.lines
                if (line["who"], line["log"], line["case"]) == (who, log, case)]

    def ratio(self, log, figure, one, other):
        """Of each pair within a round, as a machine slows down for both."""
        pairs = zip(*(self.of(who, log, case, figure) for who, case in (one, other)))
        return middle([a / b for a, b in pairs])

    def extra(self, log):
        """Microseconds of a processor that a known token costs."""
        pairs = zip(*(self.of(OURS, log, case, "cpu_microseconds") for case in (SAME_TOKEN, PLAIN)))
        return middle([checked - public for checked, public in pairs])


def middle(values):
    return median(values) if values else None


def figures(lines):
    runs, rows = Runs(lines), []
    for case in CASES:
        def of(figure):
            return middle(runs.of(case.who, case.log, case.name, figure))
        if of("p50") is None:
            continue
        who = f"**{case.who}**" if case.who == OURS else case.who
        rows.append([f"{who}, {case.name}{', access log' if case.log else ''}",
                     whole(of("requests_per_second")), f"{of('cpu_microseconds'):.1f} µs",
                     f"{of('core_busy'):.0%}", milliseconds(of("p50")), milliseconds(of("p99")),
                     mebibytes(of("memory_at_rest")), mebibytes(of("memory_after"))])
    return table(["", "requests/s", "CPU a request", "core busy", "p50", "p99", "MiB at rest", "MiB after"],
                 rows)


def wanted(lines):
    """What is to be reached, and what is: without access logs and with them."""
    runs = Runs(lines)
    ours, public, nginx = (OURS, SAME_TOKEN), (OURS, PLAIN), ("nginx", PLAIN)
    rate, cost = "requests_per_second", "cpu_microseconds"
    ratios = [
        ("requests/s, same token / our own plain proxying", 0.9, rate, ours, public),
        ("requests/s, same token / nginx, which checks nothing", 0.8, rate, ours, nginx),
        # What that ratio would be if nothing but the proxy's core were a limit.
        ("CPU a request, nginx / same token", None, cost, nginx, ours),
        ("requests/s, same token / HAProxy", 2.5, rate, ours, ("HAProxy", SAME_TOKEN)),
        ("requests/s, same token / Envoy", 2.5, rate, ours, ("Envoy", SAME_TOKEN)),
        ("requests/s, 5,000 tokens / same token", 0.9, rate, (OURS, ROTATION), ours),
        ("requests/s, every token new / HAProxy", 1, rate, (OURS, EVERY_NEW), ("HAProxy", EVERY_NEW)),
    ]
    logs = (False, True)
    rows = [["CPU a request, same token − our own plain proxying", "≤ 2 µs",
             *(judged(runs.extra(log), "{:.2f} µs", most=2) for log in logs)]]
    for what, least, *which in ratios:
        rows.append([what, f"≥ {least}" if least else "",
                     *(judged(runs.ratio(log, *which), "{:.2f}", least=least) for log in logs)])
    return table(["", "wanted", "is", "is, access logs on"], rows)


def judged(value, written, least=None, most=None):
    if value is None:
        return ""
    is_missed = (least is not None and value < least) or (most is not None and value > most)
    return written.format(value) + (" (missed)" if is_missed else "")


def memory(lines):
    rows = []
    for line in lines:
        most = MEMORY if line["tokens"] == "same" else None
        sizes = {when: judged(line[when] / MEBIBYTE, "{:.2f}", most=most)
                 for when in ("at_rest", "most", "settled", "after")}
        grown = judged((line["after"] - line["settled"]) / MEBIBYTE, "{:.2f}", most=GROWTH)
        rows.append([LOADS[line["tokens"]], sizes["at_rest"], sizes["most"],
                     f"{sizes['settled']} after {whole(line['settled_requests'])}",
                     f"{sizes['after']} after {whole(line['requests'])}", grown])
    return table(["MiB", "at rest", "most, 64 connections", "half-way", "at the end", "growth"], rows)


def milliseconds(microseconds):
    return f"{microseconds / 1000:.2f} ms"


def mebibytes(size):
    return f"{size / MEBIBYTE:.1f}"
