"""Two kinds of plots as SVG, with nothing but strings. For bench/page."""

import math
from html import escape

WIDTH = 760
COLOURS = ["#1f6f8b", "#d98e04", "#8a8a8a"]
FONT = 'font-family="sans-serif" font-size="13"'


def bars(title, names, rows, emphasized):
    """A group of horizontal bars for each row, one for each name."""
    left, right, top, bar, gap = 220, 90, 70, 15, 14
    group = bar * len(names) + gap
    height = top + group * len(rows) + 10
    widest = max(max(figures) for _, figures in rows)
    shapes = [heading(title), legend(names, 44)]
    for row, (label, figures) in enumerate(rows):
        y = top + row * group
        weight = ' font-weight="bold"' if label == emphasized else ""
        shapes.append(text(left - 8, y + bar * len(names) / 2 + 4, label, "end", weight))
        for number, figure in enumerate(figures):
            width = max(1, (WIDTH - left - right) * figure / widest)
            shapes.append(f'<rect x="{left}" y="{y + number * bar}" width="{width:.1f}" '
                          f'height="{bar - 2}" fill="{COLOURS[number]}"/>')
            shapes.append(text(left + width + 5, y + number * bar + 11, f"{figure:,.0f}"))
    return picture(height, shapes)


def lines(title, x_name, y_name, series):
    """Both axes are logarithmic."""
    left, right, top, bottom, height = 70, 30, 70, 50, 400
    points = [point for _, points in series for point in points]
    decades = [(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
               for values in zip(*points)]
    (x_from, x_to), (y_from, y_to) = decades

    def x(value):
        return left + (WIDTH - left - right) * (math.log10(value) - x_from) / max(1, x_to - x_from)

    def y(value):
        return height - bottom - (height - top - bottom) * (math.log10(value) - y_from) / (y_to - y_from)

    shapes = [heading(title), legend([name for name, _ in series], 44)]
    for exponent in range(x_from, x_to + 1):
        at = x(10**exponent)
        shapes += [rule(at, top, at, height - bottom),
                   text(at, height - bottom + 18, f"{10**exponent:,}", "middle")]
    for exponent in range(y_from, y_to + 1):
        at = y(10**exponent)
        shapes += [rule(left, at, WIDTH - right, at), text(left - 8, at + 4, f"{10**exponent:,}", "end")]
    for number, (_, points) in enumerate(series):
        colour = COLOURS[number]
        path = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in points)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        shapes += [f'<circle cx="{x(across):.1f}" cy="{y(up):.1f}" r="3" fill="{colour}"/>'
                   for across, up in points]
    shapes += [text(WIDTH / 2, height - 10, x_name, "middle"), text(8, top - 8, y_name)]
    return picture(height, shapes)


def picture(height, shapes):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" {FONT}>',
                      f'<rect width="{WIDTH}" height="{height}" fill="white"/>', *shapes, "</svg>\n"])


def heading(title):
    return text(20, 24, title, more=' font-weight="bold"')


def legend(names, y):
    shapes, x = [], 20
    for colour, name in zip(COLOURS, names):
        shapes += [f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>', text(x + 17, y, name)]
        x += 40 + 8 * len(name)
    return "\n".join(shapes)


def rule(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def text(x, y, content, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="black"{more}>{escape(content)}</text>'
