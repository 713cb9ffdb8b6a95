"""Draws best and median CPU time a packet as bars. Used by run.py."""
from html import escape

ROW, LEFT, WIDTH, TOP = 22, 150, 720, 40
COLOURS = {"tun": "#3b6ea5", "tap": "#5a9367", "veth": "#b5653a"}


def _row(variant, y, scale):
    best, median = variant.best() * scale, variant.median() * scale
    return (f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(variant.name)}</text>'
            f'<rect x="{LEFT}" y="{y + 3}" width="{best:.1f}" height="14" fill="{COLOURS[variant.kind]}"/>'
            f'<line x1="{LEFT + median:.1f}" x2="{LEFT + median:.1f}" y1="{y + 1}" y2="{y + 19}" stroke="#222"/>'
            f'<text x="{LEFT + max(best, median) + 6:.1f}" y="{y + 14}">{variant.best():.0f}</text>')


def write(path, variants):
    """variants that took no turn, or longer than ten times the quickest, are left out."""
    drawn = [v for v in variants if v.turns]
    quickest = min(v.best() for v in drawn)
    drawn = [v for v in drawn if v.best() < 10 * quickest]
    scale = (WIDTH - LEFT - 60) / max(v.median() for v in drawn)
    rows = "\n".join(_row(v, TOP + i * ROW, scale) for i, v in enumerate(drawn))
    height = TOP + len(drawn) * ROW + 10
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                   f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n'
                   f'<text x="8" y="20" font-size="14">CPU ns a packet: best of all turns; the line is the median'
                   f'</text>\n{rows}\n</svg>\n')
