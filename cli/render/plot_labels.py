"""Names beside the dots of a figure, where there is room for them.

adjustText moves every name, with a line to its dot where it is far, and needs scipy; here a name
without room is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rolecall.cli.render.chart import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Where a name may stand: its offset from the dot in points, and how it is aligned to it.
_PLACES = (
    (7, -2, "left", "center"),
    (-7, -2, "right", "center"),
    (0, 7, "center", "bottom"),
    (0, -7, "center", "top"),
    (6, 6, "left", "bottom"),
    (6, -6, "left", "top"),
    (-6, 6, "right", "bottom"),
    (-6, -6, "right", "top"),
)
_FONT_SIZE = 9
_AIR = 1.03


def place_labels(
    axes: Axes, named: Mapping[str, Point], obstacles: Sequence[Point], *, bold: str
) -> None:
    """Write each name beside its point, clear of other names, of `obstacles` and of the edges.

    The earlier names choose first; one without room is left out, save the one in `bold`.
    """
    points = [(float(x), float(y)) for x, y in axes.transData.transform(list(obstacles))]
    taken: list[Bbox] = []
    for name, at in named.items():
        for place in _PLACES:
            label = _write(axes, name, at, place, is_bold=name == bold)
            box = label.get_window_extent().expanded(_AIR, 1.0)
            if _has_room(axes, box, points, taken):
                break
            label.remove()
        else:
            if name != bold:
                continue
            box = _write(axes, name, at, _PLACES[1], is_bold=True).get_window_extent()
        taken.append(box)


def _write(
    axes: Axes, name: str, at: Point, place: tuple[int, int, str, str], *, is_bold: bool
) -> Annotation:
    across, up, horizontal, vertical = place
    label = axes.annotate(
        name,
        at,
        xytext=(across, up),
        textcoords="offset points",
        ha=horizontal,
        va=vertical,
        fontsize=_FONT_SIZE,
        fontweight="bold" if is_bold else "normal",
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5},
        zorder=6,
    )
    label.set_in_layout(False)
    return label


def _has_room(axes: Axes, box: Bbox, points: Sequence[Point], taken: Sequence[Bbox]) -> bool:
    inside = axes.bbox
    is_inside = (
        box.x0 >= inside.x0 and box.x1 <= inside.x1 and box.y0 >= inside.y0 and box.y1 <= inside.y1
    )
    return (
        is_inside
        and not any(box.overlaps(other) for other in taken)
        and not any(box.contains(x, y) for x, y in points)
    )
