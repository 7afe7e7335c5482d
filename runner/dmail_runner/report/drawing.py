"""A drawing of the models that a file is built from, from the sources on the left to the file on the right, as inline SVG."""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from dmail_runner.report.lineage import Model

LETTER, PADDING = 6.6, 8  # pixels: the width of a letter, and the space on each side of a name
HIGH, GAP, APART = 24, 8, 22  # pixels: of a box, between two boxes, and between two layers
Spot = tuple[float, float, float]  # the left edge, the top edge and the width of a box


def lineage_drawing(models: Sequence[Model], file: str, root: str | None, name: str) -> Markup:
    """Draw models and what they read.

    Args:
        models: the models, each after those that it reads. The last one is the extract.
        file: the name of the file.
        root: the path to the folder of dbt's documentation, to which the boxes link; None for no links.
        name: the id of the heading.
    """
    spots, wide, high = layout(models, file)
    by_name = {model.name: model for model in models}
    edges = [(parent, model.name) for model in models for parent in model.reads if parent in by_name]
    lines = Markup("").join(edge(spots[start], spots[end]) for start, end in (*edges, (models[-1].name, "")))
    boxes = Markup("").join(box(spots[one.name], one.name, one.kind, None if root is None else root + one.page) for one in models)
    return Markup(
        '<svg class="lineage" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-labelledby="{}">{}{}{}</svg>'
    ).format(round(wide), round(high), round(wide), round(high), name, lines, boxes, box(spots[""], file, "file", None))


def layout(models: Sequence[Model], file: str) -> tuple[dict[str, Spot], float, float]:
    """The position of each box by the model's name, "" for the file; and the width and height of the drawing."""
    layers = ordered(models)
    layers.append([""])
    tallest = max(map(len, layers))
    high = tallest * (HIGH + GAP) - GAP
    spots: dict[str, Spot] = {}
    left = 1.0
    for names in layers:
        wide = max(len(name or file) for name in names) * LETTER + 2 * PADDING
        top = (high - len(names) * (HIGH + GAP) + GAP) / 2
        for number, name in enumerate(names):
            spots[name] = (left, top + number * (HIGH + GAP) + 1, wide)
        left += wide + APART
    return spots, left - APART + 1, high + 2


def ordered(models: Sequence[Model]) -> list[list[str]]:
    """The layers of a drawing. Every model is to the right of those that it reads, and near them."""
    depths = depths_of(models)
    readers: dict[str, list[str]] = {model.name: [] for model in models}
    for model in models:
        for parent in model.reads:
            if parent in readers:
                readers[parent].append(model.name)
    # A source that is read late is drawn just before its first reader.
    for model in reversed(models):
        if readers[model.name]:
            depths[model.name] = min(depths[name] for name in readers[model.name]) - 1
    layers: list[list[str]] = [[] for _ in range(max(depths.values()) + 1)]
    for model in models:
        layers[depths[model.name]].append(model.name)
    reads = {model.name: model.reads for model in models}
    for before, layer in pairwise(layers):
        place = {name: number for number, name in enumerate(before)}
        layer.sort(key=lambda name: middle([place[parent] for parent in reads[name] if parent in place]))
    for layer, after in reversed(list(pairwise(layers))):
        place = {name: number for number, name in enumerate(after)}
        layer.sort(key=lambda name: middle([place[reader] for reader in readers[name] if reader in place]))
    return [layer for layer in layers if layer]


def depths_of(models: Sequence[Model]) -> dict[str, int]:
    """The length of the longest way from a source to each model."""
    found: dict[str, int] = {}
    for model in models:
        found[model.name] = max((found[name] + 1 for name in model.reads if name in found), default=0)
    return found


def middle(numbers: Sequence[int]) -> float:
    """The mean of numbers; a half if there are none."""
    return sum(numbers) / len(numbers) if numbers else 0.5


def box(spot: Spot, name: str, kind: str, link: str | None) -> Markup:
    """The box of a model, or of the file."""
    left, top, wide = spot
    drawn = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="5"/><text x="{:.1f}" y="{:.1f}">{}</text>').format(
        left, top, wide, HIGH, left + PADDING, top + 16, name
    )
    inner = Markup('<a href="{}">{}</a>').format(link, drawn) if link else drawn
    return Markup('<g class="node {}"><title>{}: {}</title>{}</g>').format(kind, kind, name, inner)


def edge(start: Spot, end: Spot) -> Markup:
    """The line from a model to one that reads it."""
    x1, y1, x2, y2 = start[0] + start[2], start[1] + HIGH / 2, end[0], end[1] + HIGH / 2
    bend = (x1 + x2) / 2
    return Markup('<path d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"/>').format(
        x1, y1, bend, y1, bend, y2, x2, y2
    )


def graph_link(page: str, exposure: str, name: str) -> str:
    """The address of dbt's graph of one exposure and all that it is built from, without tests."""
    return f"{page}#!/exposure/{exposure}?g_v=1&g_i=%2Bexposure:{name}&g_e=resource_type:test%20resource_type:unit_test"
