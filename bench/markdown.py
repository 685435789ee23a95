"""docs/performance.md: what stands between `<!-- name -->` and `<!-- end -->` in it is written by
programs, the text around it by people."""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGE = DOCS / "performance.md"


def fill(blocks):
    """Writes these blocks anew. All others stay as they are, as other benches wrote them."""
    text = PAGE.read_text()
    for name, content in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        text, places = block.subn(lambda found: found[1] + content + found[2], text)
        if places != 1:
            sys.exit(f"page: {PAGE.name} has {places} places for {name}")
    PAGE.write_text(text)


def read(name):
    with open(HERE / "results" / f"{name}.jsonl") as file:
        return [json.loads(line) for line in file]


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def listed(facts):
    return "\n".join(f"- {line['what']}: {line['value']}" for line in facts)


def duration(nanoseconds):
    if nanoseconds >= 1000:
        return f"{nanoseconds / 1000:,.1f} µs"
    return f"{nanoseconds:,.0f} ns"


def whole(number):
    return f"{number:,.0f}"


def plain(number):
    return f"{number:g}"
