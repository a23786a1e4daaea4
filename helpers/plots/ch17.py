"""Figures of chapter 17."""

from collections.abc import Sequence

from matplotlib.patches import Polygon, Rectangle
from torch import Tensor

from helpers.plots import style


def batch_spread(sizes: Sequence[int], without: Tensor, with_replacement: Tensor) -> None:
    """How far the gradients of batches scatter, against the size of the batch.

    without, with_replacement: the standard deviations, shape (len(sizes),).
    """
    _, axes = style.new_figure(height=4.2)
    style.draw_curve(axes, "guess", sizes, with_replacement, "rows drawn with replacement")
    style.draw_curve(axes, "descent", sizes, without, "rows drawn without replacement", marker="o", markersize=7)
    axes.set_ylim(bottom=0)
    style.finish(axes, "best", xlabel="rows in the batch", ylabel="spread of dL/dw", xticks=list(sizes))


def batch_descents(distances: dict[str, tuple[Tensor, int]], most: int) -> None:
    """The same runs at the ends of their epochs, left, and step by step, right.

    distances: by label, the loss above its minimum after each step, shape (steps,), and how many steps an epoch has.
    most: where the axis of the steps ends.
    """
    _, (left, right) = style.new_figure(2, width=10.5, height=4.4, sharey=True)
    styles = [("-", "o", "data", 2.5), ("--", "s", "descent", 1.5), (":", "^", "guess", 1.5)]
    for (label, (values, per_epoch)), (dash, marker, kind, width) in zip(distances.items(), styles, strict=False):
        look = {"linestyle": dash, "linewidth": width}
        at_ends = values[per_epoch - 1 :: per_epoch]
        style.draw_curve(left, kind, range(1, len(at_ends) + 1), at_ends, label, marker=marker, markersize=5, **look)
        style.draw_curve(right, kind, range(1, len(values) + 1), values, **look)
    right.set(xlabel="steps", xlim=(0, most))
    right.tick_params(labelleft=True)
    style.finish(left, "upper right", xlabel="epochs", ylabel="loss above the minimum (°C²)", yscale="log")


def tree_of_triangles() -> None:
    """Four blocks of rows, each reduced to a triangle, and triangles merged in pairs to one."""
    _, axes = style.new_figure(width=9, height=4.2)
    rows = [5.4, 3.6, 1.8, 0.0]
    columns = [
        (0.4, rows, [f"rows of\nblock {block}" for block in range(1, 5)]),
        (3.0, rows, [f"R of {block}" for block in range(1, 5)]),
        (6.0, [4.5, 0.9], ["R of 1 and 2", "R of 3 and 4"]),
        (9.0, [2.7], ["R of all rows"]),
    ]
    small = {"ha": "center", "fontsize": style.FONT_SIZE - 2}
    for column, (x, heights, names) in enumerate(columns):
        for number, (y, name) in enumerate(zip(heights, names, strict=True)):
            if column == 0:
                look = {"facecolor": "#E0E0E0", "edgecolor": style.PALETTE["data"]}
                axes.add_patch(Rectangle((x - 0.5, y - 0.75), 1, 1.5, **look))
                axes.text(x, y, name, va="center", **small)
                continue
            colour = style.PALETTE["lm" if len(names) == 1 else "descent"]
            look = {"facecolor": "white", "edgecolor": colour, "linewidth": 2}
            axes.add_patch(Polygon([(x - 0.4, y + 0.4), (x + 0.4, y + 0.4), (x + 0.4, y - 0.4)], **look))
            axes.text(x, y - 0.45, name, va="top", **small)
            before, above, _ = columns[column - 1]
            merged = len(above) // len(heights)
            for start in above[merged * number : merged * (number + 1)]:
                arrow = {"arrowstyle": "->", "color": style.PALETTE["guess"], "linewidth": 1.5}
                axes.annotate("", xy=(x - 0.5, y + 0.1), xytext=(before + 0.55, start + 0.1), arrowprops=arrow)
    axes.axis("off")
    style.finish(axes, xlim=(-0.3, 10), ylim=(-1.1, 6.3))
