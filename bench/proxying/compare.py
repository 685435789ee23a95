"""Two builds of ours in turn, for those who make it faster."""

import shutil
from statistics import median

from .measure import SAME, measured, prepared, said
from .ours import portcullis
from .stage import CHECKED, PUBLIC

CASES = [("public", PUBLIC), ("same token", CHECKED)]


def compare(old, new, rounds, seconds, log):
    builds = {"old": old, "new": new}
    runs = {(build, case): [] for build in builds for case, _ in CASES}
    with prepared() as place:
        # What is built in the meantime changes nothing.
        for build, binary in builds.items():
            builds[build] = shutil.copy(binary, place.directory / build)
        for number in range(rounds):
            said(f"round {number + 1} of {rounds}")
            # Who comes first changes, so that a machine that slows down slows both.
            order = list(builds) if number % 2 == 0 else list(reversed(builds))
            for case, path in CASES:
                for build in order:
                    proxy = portcullis(place, builds[build], log)
                    runs[build, case].append(measured(place, proxy, path, SAME, seconds))
    print(f"access log {'on' if log else 'off'}; medians of {rounds} rounds of {seconds} s; "
          "ratio: new / old, within a round")
    for figure, title, unit in [("cpu_microseconds", "CPU µs/request", 1),
                                ("requests_per_second", "requests/s", 1),
                                ("memory_after", "MiB", 1024 * 1024)]:
        print(f"\n{title:16}{'old':>12}{'new':>12}{'ratio':>9}{'least':>9}{'most':>9}")
        for case, _ in CASES:
            pairs = [[run[figure] / unit for run in runs[build, case]] for build in builds]
            show(case, *pairs)
    for build in builds:
        public, same = ([run["cpu_microseconds"] for run in runs[build, case]] for case, _ in CASES)
        extra = median(checked - plain for checked, plain in zip(same, public))
        print(f"\nsame token minus public, {build}: {extra:.2f} µs", end="")
    print()


def show(name, old, new):
    ratios = [after / before for before, after in zip(old, new)]
    print(f"{name:16}{median(old):>12,.2f}{median(new):>12,.2f}{median(ratios):>9.3f}"
          f"{min(ratios):>9.3f}{max(ratios):>9.3f}")
