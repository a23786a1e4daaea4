"""The figure of chapter 03."""

from typing import Any

from matplotlib.patches import FancyBboxPatch

from helpers.plots import style


def expression_graph(names: dict[str, Any], derivatives: dict[Any, float]) -> None:
    """The graph of a small expression, each number in a box with its derivative, the local ones on the arrows.

    names: by label, nodes with a value and with parents, pairs of (node, local derivative); parents before children.
    derivatives: by node, the derivative of the last node.
    """
    _, axes = style.new_figure(width=9, height=3.6)
    boxes, places = {}, {}
    middle = {"ha": "center", "va": "center"}
    found = {"color": style.PALETTE["descent"], **middle}
    look = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": style.PALETTE["guess"], "linewidth": 1.5}
    for label, node in names.items():
        above = [places[parent] for parent, _ in node.parents]
        leaves = sum(not other.parents for other in boxes)
        x, y = (max(x for x, _ in above) + 3, max(y for _, y in above) - 0.2) if above else (0.0, -1.9 * leaves)
        places[node] = x, y
        boxes[node] = axes.add_patch(FancyBboxPatch((x - 0.8, y - 0.5), 1.6, 1.0, **look, zorder=2))
        axes.text(x, y + 0.17, f"{label}\nvalue {node.value:g}", **middle, zorder=3)
        axes.text(x, y - 0.4, f"derivative {derivatives[node]:g}", **found, weight="bold", zorder=3)
    arrow = {"arrowstyle": "-|>", "color": style.PALETTE["data"], "shrinkA": 0, "shrinkB": 3, "linewidth": 1.5}
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    for node in boxes:
        for parent, local in node.parents:
            (x, y), (from_x, from_y) = places[node], places[parent]
            ends = {"patchA": boxes[parent], "patchB": boxes[node]}
            axes.annotate("", xy=(x, y), xytext=(from_x, from_y), arrowprops=arrow | ends)
            axes.text((x + from_x) / 2, (y + from_y) / 2, f"× {local:g}", **found, bbox=on_white)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.axis("off")
    style.finish(axes)
