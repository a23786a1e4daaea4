"""Figures of chapter 17."""

from matplotlib.patches import Polygon, Rectangle

from helpers.plots import style


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
