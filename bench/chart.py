"""A bar chart of wall times as SVG: the contenders of each size, as multiples of the floor."""

from collections.abc import Sequence

COLOURS = {"floor": "#8a939d", "runner": "#2f6da8", "dlt": "#b9a089", "pandas": "#c9962b"}
ROW, LEFT, WIDE = 22, 170, 520  # pixels


def chart(results: Sequence[tuple[int, str, float]]) -> str:
    """`results`: profiles, contender, seconds."""
    shown = [one for one in results if one[1] in COLOURS]
    floors = {profiles: seconds for profiles, contender, seconds in shown if contender == "floor"}
    top = max(seconds / floors[profiles] for profiles, _, seconds in shown)
    parts, y = [], 10
    for index, (profiles, contender, seconds) in enumerate(shown):
        if index and shown[index - 1][0] != profiles:
            y += ROW // 2
        times = seconds / floors[profiles]
        wide = WIDE * times / top
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{profiles:,} {contender}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y + 2}" width="{wide:.1f}" height="{ROW - 6}" fill="{COLOURS[contender]}"/>')
        parts.append(f'<text x="{LEFT + wide + 6:.1f}" y="{y + 14}">{times:.2f} times, {seconds:,.1f} s</text>')
        y += ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 150} {y + 10}" font-family="sans-serif" '
        f'font-size="12">'
        f'<title>Wall time as times the floor</title><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
