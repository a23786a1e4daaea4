"""Draws the course's diagrams, `images/*.svg`, the same bytes each time. Scaffolding: no chapter teaches it.

    python -m helpers.authoring.diagrams        redraws all of them

Every diagram is 900 units wide, y pointing up, and its text is 18 units high: 18 pixels where the diagram is 900 pixels
wide. Text becomes outlines of DejaVu Sans, which comes with matplotlib, so that a diagram looks the same everywhere.
The docstring of a drawing function is the alternative text of its picture.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, product
from math import atanh, cos, hypot, pi, prod, sin, sqrt, tanh
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Curve

from helpers.plots.style import FONT_SIZE, PALETTE, least_squares

IMAGES = Path(__file__).resolve().parents[2] / "images"
WIDTH = 900
TEXT_HEIGHT = 18
LINE_HEIGHT = 24
POINTS_PER_UNIT = FONT_SIZE / TEXT_HEIGHT

WHITE = "#ffffff"
INK = PALETTE["data"]
QUIET = PALETTE["guess"]
DOWNHILL = PALETTE["descent"]
NETWORK = PALETTE["network"]
REFEREE = PALETTE["lm"]
VALIDATION = PALETTE["validation"]

SENSITIVE_SLOPE = 0.5
SATURATED_SLOPE = 0.1

STYLE = [
    "default",
    {
        "font.family": "DejaVu Sans",
        "font.size": FONT_SIZE,
        "mathtext.fontset": "dejavusans",
        "path.simplify": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "the course's diagrams",
    },
]

Point = tuple[float, float]


# Colours


def contrast(colour: str, background: str = WHITE) -> float:
    """Contrast ratio of two colours, 1 to 21, as the Web Content Accessibility Guidelines 2.1 define it."""

    def luminance(name: str) -> float:
        red, green, blue = ((x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4) for x in to_rgb(name))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted([luminance(colour), luminance(background)])
    return (light + 0.05) / (dark + 0.05)


def blend(colour: str, other: str, share: float) -> str:
    """The colour with this share of the other one mixed in, as #rrggbb; share from 0 (the colour) to 1 (the other)."""
    return to_hex([(1 - share) * a + share * b for a, b in zip(to_rgb(colour), to_rgb(other), strict=True)])


def tint(colour: str, share: float = 0.12) -> str:
    """A pale version of the colour, to fill an area behind black text."""
    return blend(WHITE, colour, share)


def text_colour(colour: str) -> str:
    """The colour, darkened as far as text on its own tint needs: a contrast of at least 4.5:1."""
    shares = (step / 20 for step in range(21))
    return next(shade for share in shares if contrast(shade := blend(colour, "#000000", share), tint(colour)) >= 4.5)


# Building blocks


@dataclass(frozen=True)
class Shape:
    """Where a drawn box or node is: its centre and half its extent. Its sides are where arrows start and end."""

    x: float
    y: float
    half_width: float
    half_height: float

    left = property(lambda self: (self.x - self.half_width, self.y))
    right = property(lambda self: (self.x + self.half_width, self.y))
    top = property(lambda self: (self.x, self.y + self.half_height))
    bottom = property(lambda self: (self.x, self.y - self.half_height))

    def rim(self, angle: float) -> Point:
        """The point of the rim in this direction, in degrees counter-clockwise from the right."""
        return self.x + self.half_width * cos(angle * pi / 180), self.y + self.half_height * sin(angle * pi / 180)


class Canvas:
    """A white sheet, WIDTH units wide and `height` units high, on which the building blocks are drawn."""

    def __init__(self, height: float) -> None:
        inches_per_unit = POINTS_PER_UNIT / 72
        self.figure = Figure(figsize=(WIDTH * inches_per_unit, height * inches_per_unit), dpi=72, facecolor=WHITE)
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        self.axes.set_axis_off()
        self.order = 0.0

    def add(self, patch) -> None:
        """Put a patch on top of everything drawn so far."""
        self.order += 1
        patch.set(zorder=self.order, clip_on=False)
        self.axes.add_artist(patch)
        patch.set_clip_path(None)

    def outline(self, colour: str, width: float, fill: str | None, dashed: bool = False) -> dict:
        """Keywords of a patch: outline of `width` units, dashed or not, filled or not.

        fill: a colour, "tint" of the outline's, or None.
        """
        return {
            "edgecolor": colour if width else "none",
            "linewidth": width * POINTS_PER_UNIT,
            "facecolor": tint(colour) if fill == "tint" else fill or "none",
            "linestyle": (0, (3.5, 2)) if dashed else "solid",
        }

    def label(self, x: float, y: float, text: str, colour: str = INK, across: str = "center") -> None:
        """Text centred on (x, y), or with its left or right end at x; lines stand on baselines LINE_HEIGHT apart."""
        lines = text.split("\n")
        look = {"fontsize": FONT_SIZE, "verticalalignment": "baseline", "zorder": 1000, "clip_on": False}
        for i, line in enumerate(lines):
            baseline = y + LINE_HEIGHT * ((len(lines) - 1) / 2 - i) - TEXT_HEIGHT / 3
            self.axes.text(x, baseline, line, color=text_colour(colour), horizontalalignment=across, **look)

    def box(
        self, x, y, width, height, text: str = "", colour: str = QUIET, fill: str | None = "tint", dashed: bool = False
    ) -> Shape:
        """A box with rounded corners around its centre (x, y), filled as `outline` says."""
        corner = f"round,pad=0,rounding_size={min(9, width / 2, height / 2)}"
        look = self.outline(colour, 2, fill, dashed)
        self.add(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=corner, **look))
        if text:
            self.label(x, y, text)
        return Shape(x, y, width / 2, height / 2)

    def area(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle without an outline, its lower left corner at (x, y)."""
        self.add(Rectangle((x, y), width, height, **self.outline(fill, 0, fill)))

    def node(self, x, y, radius, text: str = "", colour: str = QUIET, fill: str | None = "tint") -> Shape:
        """A circle around (x, y), filled as `outline` says."""
        self.add(Circle((x, y), radius, **self.outline(colour, 2, fill)))
        if text:
            self.label(x, y, text)
        return Shape(x, y, radius, radius)

    def dot(self, x: float, y: float, radius: float = 5, colour: str = INK) -> None:
        """A small filled circle."""
        self.add(Circle((x, y), radius, **self.outline(colour, 0, colour)))

    def line(self, points: Sequence[Point], colour: str = QUIET, width: float = 2, dashed: bool = False) -> None:
        """Straight lines from point to point."""
        self.add(PathPatch(Curve(points), capstyle="round", **self.outline(colour, width, None, dashed)))

    def connect(self, columns: Sequence[Sequence[Point]], width: float) -> None:
        """A line from every point of a column to every point of the next: the weights of a network."""
        for left, right in pairwise(columns):
            for start, end in product(left, right):
                self.line([start, end], QUIET, width)

    def grid(self, x: float, y: float, cell: float, rows: int, columns: int, colour: str) -> None:
        """The thin lines between the cells of a grid, whose lower left corner is at (x, y)."""
        upright = [((x + cell * j, y), (x + cell * j, y + cell * rows)) for j in range(1, columns)]
        level = [((x, y + cell * i), (x + cell * columns, y + cell * i)) for i in range(1, rows)]
        ends = [point for line in upright + level for point in line]
        codes = [Curve.MOVETO, Curve.LINETO] * (len(ends) // 2)
        self.add(PathPatch(Curve(ends, codes), **self.outline(colour, 1, None)))

    def arrow(self, start: Point, end: Point, colour: str = INK, dashed: bool = False, bend: float = 0) -> None:
        """An arrow, straight or as one smooth bow; its head is never dashed.

        bend: how far the bow swings to the left of its direction, as a share of its length.
        """
        (x0, y0), (x1, y1) = start, end
        across, up = x1 - x0, y1 - y0
        pull = (x0 + x1) / 2 - 2 * bend * up, (y0 + y1) / 2 + 2 * bend * across
        reach = hypot(x1 - pull[0], y1 - pull[1])
        ahead = (x1 - pull[0]) / reach, (y1 - pull[1]) / reach
        length, half = 13, 6
        neck = x1 - length * ahead[0], y1 - length * ahead[1]
        shaft_end = x1 - 0.8 * length * ahead[0], y1 - 0.8 * length * ahead[1]
        curve = Curve([start, pull, shaft_end], [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3])
        self.add(PathPatch(curve, **self.outline(colour, 2.4, None, dashed)))
        wings = [(neck[0] - side * half * ahead[1], neck[1] + side * half * ahead[0]) for side in (1, -1)]
        self.add(Polygon([end, *wings], closed=True, **self.outline(colour, 0, colour)))

    def measure(self, start: Point, end: Point) -> None:
        """A line with a head at each end, to mark an extent."""
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        self.arrow(middle, start, QUIET)
        self.arrow(middle, end, QUIET)

    def elbow(self, points: Sequence[Point], colour: str = INK, dashed: bool = False) -> None:
        """An arrow along straight pieces from point to point."""
        self.line(points[:-1], colour, 2.4, dashed)
        self.arrow(points[-2], points[-1], colour, dashed)


# The diagrams


def learning_loop() -> Figure:
    """The cycle of training: data u enters the model with its parameters w and b, the prediction w u + b and the
    data c give the loss L, the loss gives the gradient, the gradient gives the update, and the update goes back to
    the model."""
    canvas = Canvas(400)
    top, bottom = 250, 70
    data = canvas.box(90, top, 130, 90, "data\n$u$, $c$", INK, WHITE)
    model = canvas.box(300, top, 150, 90, "model\n$w$, $b$")
    prediction = canvas.box(530, top, 150, 90, "prediction\n$w\\,u + b$")
    loss = canvas.box(775, top, 200, 90, "loss $L$\nmean of squared\nerrors")
    gradient = canvas.box(775, bottom, 200, 90, "gradient\n∂$L$/∂$w$, ∂$L$/∂$b$", DOWNHILL)
    moves = "\n".join(f"${name}$ ← ${name}$ − rate · ∂$L$/∂${name}$" for name in "wb")
    update = canvas.box(300, bottom, 320, 90, f"update: a step downhill\n{moves}", DOWNHILL)
    canvas.arrow(data.right, model.left)
    canvas.label(190, top + 22, "$u$")
    canvas.arrow(model.right, prediction.left)
    canvas.arrow(prediction.right, loss.left)
    canvas.elbow([data.top, (data.x, 355), (loss.x, 355), loss.top])
    canvas.label(430, 376, "$c$, the answers to compare with")
    canvas.arrow(loss.bottom, gradient.top, DOWNHILL)
    canvas.arrow(gradient.left, update.right, DOWNHILL)
    canvas.arrow(update.top, model.bottom, DOWNHILL)
    canvas.label(315, 160, "new $w$, $b$", DOWNHILL, across="left")
    canvas.label(570, 160, "↻ one turn = one step", QUIET)
    return canvas.figure


def neuron() -> Figure:
    """One neuron, read from left to right: the input x is multiplied by the weight w, the bias b is added, and the
    activation function f turns the sum into the output o = f(w x + b)."""
    canvas = Canvas(300)
    row = 140
    entry = canvas.node(80, row, 34, "$x$", INK, WHITE)
    times = canvas.node(260, row, 34, "×", NETWORK)
    plus = canvas.node(450, row, 34, "+", NETWORK)
    bend = canvas.box(640, row, 92, 92, "", NETWORK)
    output = canvas.node(830, row, 34, "$o$", INK, WHITE)
    weight = canvas.box(260, 258, 60, 44, "$w$", NETWORK, WHITE)
    bias = canvas.box(450, 258, 60, 44, "$b$", NETWORK, WHITE)
    curve = [(step / 20 * 3, tanh(step / 20 * 3)) for step in range(-20, 21)]
    canvas.line([(600, row), (680, row)], QUIET, 1.2)
    canvas.line([(640, row - 36), (640, row + 36)], QUIET, 1.2)
    canvas.line([(640 + 12.5 * x, row + 28 * y) for x, y in curve], NETWORK, 3.2)
    for start, end in pairwise([entry, times, plus, bend, output]):
        canvas.arrow(start.right, end.left)
    canvas.arrow(weight.bottom, times.top)
    canvas.arrow(bias.bottom, plus.top)
    canvas.label(355, row + 20, "$w\\,x$")
    canvas.label(539, row + 20, "$w\\,x + b$")
    captions = {80: "input\n", 260: "times the\nweight", 450: "plus the\nbias", 640: "activation\nfunction $f$"}
    for x, text in captions.items():
        canvas.label(x, 52, text)
    canvas.label(805, 52, "output\n$o = f(w\\,x + b)$")
    return canvas.figure


def layers() -> Figure:
    """A network of three layers with the shape on every arrow: x of shape (2,) becomes x1 = f(W0 x + b0) of shape
    (3,), then x2 = f(W1 x1 + b1) of shape (2,), then y = W2 x2 + b2 of shape (1,)."""
    canvas = Canvas(480)
    columns = {41: 2, 343: 3, 645: 2, 846: 1}
    units = [[(x, 350 + 74 * ((count - 1) / 2 - i)) for i in range(count)] for x, count in columns.items()]
    canvas.connect(units, 1.4)
    for column, name in zip(units, ["$x$", "$x_1$", "$x_2$", "$y$"], strict=True):
        hidden = name in ("$x_1$", "$x_2$")
        for x, y in column:
            canvas.node(x, y, 20, "", NETWORK if hidden else INK, "tint" if hidden else WHITE)
        canvas.label(column[0][0], column[0][1] + 36, name)

    row, ends = 176, [10]
    steps = [("$W_0\\,x + b_0$", 136), ("$f$", 44), ("$W_1\\,x_1 + b_1$", 136), ("$f$", 44), ("$W_2\\,x_2 + b_2$", 136)]
    for text, width in steps:
        step = canvas.box(ends[-1] + 62 + width / 2, row, width, 54, text, NETWORK)
        canvas.arrow((ends[-1], row), step.left)
        ends.append(step.right[0])
    canvas.arrow((ends[-1], row), (ends[-1] + 64, row))
    for end, name, size in zip(ends, ["$x$", "", "$x_1$", "", "$x_2$", "$y$"], [2, 3, 3, 2, 2, 1], strict=True):
        canvas.label(end + 28, row + 22, name)
        canvas.label(end + 28, row - 22, f"({size},)")
    shapes = {140: ("(3, 2)", "(3,)"), 442: ("(2, 3)", "(2,)"), 744: ("(1, 2)", "(1,)")}
    for layer, (x, (weight, bias)) in enumerate(shapes.items()):
        canvas.label(x, 116, f"$W_{layer}$ {weight}")
        canvas.label(x, 88, f"$b_{layer}$ {bias}")
    canvas.label(192, 30, "$x_1 = f(W_0\\,x + b_0)$")
    canvas.label(494, 30, "$x_2 = f(W_1\\,x_1 + b_1)$")
    canvas.label(776, 30, "$y = W_2\\,x_2 + b_2$")
    return canvas.figure


def computational_graph() -> Figure:
    """The graph of the loss L = mean((w u + b - c)²): values flow forward along solid arrows from w, b, u and c to
    L. Gradients flow back along dashed arrows, each marked with its local derivative, to the leaves w and b
    only."""
    canvas = Canvas(486)
    row, leaf_row = 250, 395
    names = {170: "×", 310: "+", 450: "−", 590: "$(\\;)^2$", 730: "mean"}
    steps = [canvas.node(x, row, 34 if name == "mean" else 30, name) for x, name in names.items()]
    times, plus, minus, _, _ = steps
    loss = canvas.node(856, row, 30, "$L$", QUIET, WHITE)
    u = canvas.box(40, row, 52, 52, "$u$", INK, WHITE)
    c = canvas.box(450, leaf_row, 52, 52, "$c$", INK, WHITE)
    w = canvas.node(170, leaf_row, 30, "$w$", DOWNHILL)
    b = canvas.node(310, leaf_row, 30, "$b$", DOWNHILL)

    chain = [*steps, loss]
    canvas.arrow(u.right, times.left)
    canvas.arrow(c.bottom, minus.top)
    for leaf, step in [(w, times), (b, plus)]:
        canvas.arrow(leaf.rim(-115), step.rim(115))
        canvas.arrow(step.rim(60), leaf.rim(-60), DOWNHILL, dashed=True, bend=-0.12)
    for start, end in pairwise(chain):
        canvas.arrow(start.right, end.left)
        canvas.arrow(end.rim(230), start.rim(-50), DOWNHILL, dashed=True, bend=0.25)
    for x, text in {238: "$w\\,u$", 380: "$w\\,u+b$", 520: "$e$", 658: "$e^2$"}.items():
        canvas.label(x, row + 20, text)
    for x, text in {240: "1", 380: "1", 520: "$2e$", 660: "$1/n$", 795: "1"}.items():
        canvas.label(x, row - 69, text, DOWNHILL)
    canvas.label(212, 322, "$u$", DOWNHILL)
    canvas.label(352, 322, "1", DOWNHILL)
    canvas.label(112, 458, "∂$L$/∂$w$ = mean($2e\\,u$)", DOWNHILL)
    canvas.label(340, 458, "∂$L$/∂$b$ = mean($2e$)", DOWNHILL)
    canvas.label(520, 400, "$u$, $c$: the data, which need no gradient", across="left")
    canvas.label(520, 366, "$w$, $b$: the leaves that require one", DOWNHILL, across="left")
    canvas.label(520, 332, "$e = w\\,u + b - c$: the errors, one per point", across="left")

    canvas.arrow((40, 118), (110, 118))
    canvas.label(125, 118, "forward: values", across="left")
    canvas.arrow((390, 118), (320, 118), DOWNHILL, dashed=True)
    canvas.label(405, 118, "backward: local derivatives", DOWNHILL, across="left")
    rule = "A gradient is the product of the local derivatives on its way back from $L$,"
    canvas.label(40, 60, f"{rule}\nsummed at $w$ and $b$ over the $n$ points.", across="left")
    return canvas.figure


def dog_score() -> Figure:
    """The curve of tanh turns a score from the layers below into an answer to "is it a dog?", from -1 (no) to 1
    (yes). Scores of -2.2 and 2.5 lie in the flat, saturated ranges and give -0.97574 and 0.98661; a score of 0.1
    lies in the steep, sensitive range and gives 0.09967."""
    canvas = Canvas(500)
    left, right, bottom, top = 110, 880, 110, 400

    def at(score: float, answer: float) -> Point:
        return left + (right - left) * (score + 4) / 8, bottom + (top - bottom) * (answer + 1.1) / 2.2

    sensitive = atanh(sqrt(1 - SENSITIVE_SLOPE))
    saturated = atanh(sqrt(1 - SATURATED_SLOPE))
    ranges = [
        (-4, -saturated, QUIET, f"saturated\nslope below {SATURATED_SLOPE}"),
        (-sensitive, sensitive, NETWORK, f"sensitive\nslope over {SENSITIVE_SLOPE}"),
        (saturated, 4, QUIET, f"saturated\nslope below {SATURATED_SLOPE}"),
    ]
    for start, end, colour, text in ranges:
        (x0, _), (x1, _) = at(start, 0), at(end, 0)
        canvas.area(x0, bottom, x1 - x0, 370, tint(colour, 0.16))
        canvas.label((x0 + x1) / 2, 445, text, colour)
    for answer, text in {-1: "no  −1", 0: "0", 1: "yes  1"}.items():
        canvas.line([at(-4, answer), at(4, answer)], QUIET, 1)
        canvas.label(left - 12, at(0, answer)[1], text, across="right")
    canvas.line([(left, bottom), (right, bottom)], QUIET, 1.6)
    for score in range(-4, 5):
        x, _ = at(score, 0)
        canvas.line([(x, bottom), (x, bottom - 7)], QUIET, 1.6)
        canvas.label(x, bottom - 23, f"{score}".replace("-", "−"))
    canvas.label((left + right) / 2, 40, "score from the layers below")
    canvas.label(16, 445, "is it\na dog?", across="left")
    canvas.line([at(step / 20, tanh(step / 20)) for step in range(-80, 81)], NETWORK, 4)
    for score, x_shift, y_shift in [(-2.2, -48, 34), (0.1, 128, -26), (2.5, 36, -36)]:
        x, y = at(score, tanh(score))
        canvas.dot(x, y, 8)
        canvas.label(x + x_shift, y + y_shift, f"tanh({score}) = {tanh(score):.5f}".replace("-", "−"))
    return canvas.figure


def batch_images() -> Figure:
    """A batch of three images as one tensor of shape B x C x H x W: B counts the images, C the three colour planes
    of an image (red, green, blue), H the rows and W the columns of a plane."""
    canvas = Canvas(420)
    sky, sun, roof, wall, leaf, sea, wood = (1, 1, 3), (3, 2, 0), (3, 0, 0), (3, 3, 2), (0, 2, 0), (0, 1, 2), (2, 1, 0)
    amounts = {" ": sky, "o": sun, "r": roof, "w": wall, "g": leaf, "~": sea, "b": wood}
    pictures = [
        ["        ", "   rr   ", "  rrrr  ", "  wwww  ", "  wbww  ", "gggggggg"],
        [" oo     ", "oooo    ", " oo     ", "        ", "~~~~~~~~", "~~~~~~~~"],
        ["        ", "   gg   ", "  gggg  ", "  gggg  ", "   bb   ", "gggbbggg"],
    ]
    cell, step = 18, 34
    rows, columns = len(pictures[0]), len(pictures[0][0])
    planes = [("red", DOWNHILL), ("green", NETWORK), ("blue", REFEREE)]
    for index, picture in enumerate(pictures):
        x0, y0 = 110 + 272 * index, 120
        for depth in reversed(range(3)):
            x, y = x0 + step * depth, y0 + step * depth
            name, colour = planes[depth]
            for i, pixels in enumerate(picture):
                j = 0
                for amount, run in groupby(amounts[pixel][depth] for pixel in pixels):
                    length = len(list(run))
                    fill = tint(colour, 0.1 + 0.2 * amount)
                    canvas.area(x + cell * j, y + cell * (rows - 1 - i), cell * length, cell, fill)
                    j += length
            canvas.grid(x, y, cell, rows, columns, WHITE)
            far, up = x + cell * columns, y + cell * rows
            canvas.line([(x, y), (far, y), (far, up), (x, up), (x, y)], colour)
        canvas.label(x0 + cell * columns / 2, 42, f"batch[{index}]")
    for depth, (name, colour) in enumerate(planes):
        canvas.label(110 + cell * columns + 8 + step * depth, 120 + 11 + step * depth, name, colour, across="left")
    size = len(pictures), len(planes), rows, columns
    canvas.measure((98, 120), (98, 120 + cell * rows))
    canvas.label(84, 174, f"$H$ = {rows}\nrows", across="right")
    canvas.measure((110, 108), (110 + cell * columns, 108))
    canvas.label(110 + cell * columns / 2, 86, f"$W$ = {columns} columns")
    canvas.measure((102, 240), (102 + 2 * step, 240 + 2 * step))
    canvas.label(118, 296, f"$C$ = {len(planes)}\nplanes", across="right")
    canvas.measure((178, 322), (866, 322))
    canvas.label(522, 343, f"$B$ = {len(pictures)} images")
    canvas.label(450, 392, f"one tensor of shape $B$ × $C$ × $H$ × $W$ = {size}")
    return canvas.figure


def call_chain() -> Figure:
    """Calling model(x) runs __call__, which runs the forward pre-hooks, then forward, then the forward hooks, and
    returns the result. Calling model.forward(x) runs forward alone, so that none of the model's own hooks fires."""
    canvas = Canvas(400)
    row = 265
    canvas.box(450, row + 10, 560, 190, "", INK, tint(QUIET, 0.08))
    canvas.label(190, 348, "model.__call__(x)", across="left")
    entry = canvas.box(76, row, 124, 60, "model(x)", INK, WHITE)
    before = canvas.box(260, row, 136, 80, "forward\npre-hooks", QUIET, WHITE)
    forward = canvas.box(450, row, 136, 80, "forward", NETWORK)
    after = canvas.box(640, row, 136, 80, "forward\nhooks", QUIET, WHITE)
    result = canvas.box(826, row, 116, 60, "result", INK, WHITE)
    for start, end in pairwise([entry, before, forward, after, result]):
        canvas.arrow(start.right, end.left)
    direct = canvas.box(114, 80, 200, 60, "model.forward(x)", QUIET, WHITE, dashed=True)
    bare = canvas.box(826, 80, 116, 60, "result", QUIET, WHITE, dashed=True)
    canvas.elbow([direct.right, (425, 80), (425, row - 40)], QUIET, dashed=True)
    canvas.elbow([(475, row - 40), (475, 80), bare.left], QUIET, dashed=True)
    canvas.label(450, 35, "the direct way: none of the model's hooks runs", QUIET)
    return canvas.figure


def train_validation() -> Figure:
    """Eleven points, shuffled, are dealt into nine for training and two for validation. The training points flow
    through the model to the loss, the gradient and a step that changes the model; the validation points flow
    through the same model to a loss only, under no_grad, and change nothing."""
    canvas = Canvas(460)
    order, n_validation = [10, 0, 4, 3, 5, 8, 2, 1, 9, 7, 6], 2
    heights = [430 - 37 * i - (18 if i >= len(order) - n_validation else 0) for i in range(len(order))]
    for i, (number, y) in enumerate(zip(order, heights, strict=True)):
        kept = i >= len(order) - n_validation
        canvas.node(36, y, 17, f"{number}", VALIDATION if kept else INK, "tint" if kept else WHITE)
    upper, lower = (heights[0] + heights[-n_validation - 1]) / 2, (heights[-1] + heights[-n_validation]) / 2
    for first, last, colour in [(0, -n_validation - 1, INK), (-n_validation, -1, VALIDATION)]:
        above, below = heights[first] + 14, heights[last] - 14
        canvas.line([(62, above), (72, above), (72, below), (62, below)], colour)

    canvas.label(90, 405, "eleven points,\nshuffled", across="left")
    canvas.box(582, lower, 620, 90, "", VALIDATION, tint(VALIDATION, 0.1), dashed=True)
    model = canvas.box(355, (upper + lower) / 2, 110, upper - lower + 70, "model\n$w$, $b$")
    training = canvas.box(170, upper, 130, 70, "training\n9 points", INK, WHITE)
    validation = canvas.box(170, lower, 130, 70, "validation\n2 points", VALIDATION)
    loss = canvas.box(510, upper, 110, 70, "training\nloss")
    gradient = canvas.box(670, upper, 110, 70, "gradient", DOWNHILL)
    step = canvas.box(825, upper, 100, 70, "step", DOWNHILL)
    measure = canvas.box(510, lower, 110, 62, "validation\nloss", VALIDATION, WHITE)
    entrance, way_out = model.left[0], model.right[0]
    canvas.arrow((72, upper), training.left)
    canvas.arrow((72, lower), validation.left, VALIDATION)
    canvas.arrow(training.right, (entrance, upper))
    canvas.arrow(validation.right, (entrance, lower), VALIDATION)
    canvas.arrow((way_out, upper), loss.left)
    canvas.arrow((way_out, lower), measure.left, VALIDATION)
    canvas.arrow(loss.right, gradient.left, DOWNHILL)
    canvas.arrow(gradient.right, step.left, DOWNHILL)
    canvas.elbow([step.top, (step.x, 385), (model.x, 385), model.top], DOWNHILL)
    canvas.label(590, 405, "new $w$, $b$", DOWNHILL)
    canvas.label(730, lower, "under no_grad: measured,\nno gradient, no step")
    return canvas.figure


def module_tree() -> Figure:
    """The tree of a Sequential with three children: hidden_linear, a Linear(1, 13), holds a weight of shape (13, 1)
    and a bias of shape (13,); hidden_activation, a Tanh, holds no parameters; output_linear, a Linear(13, 1), holds
    a weight of shape (1, 13) and a bias of shape (1,); 40 numbers in all."""
    canvas = Canvas(400)
    root = canvas.box(450, 360, 190, 50, "Sequential", NETWORK)
    tree = {
        165: ("hidden_linear\nLinear(1, 13)", {90: ("weight", (13, 1)), 240: ("bias", (13,))}),
        450: ("hidden_activation\nTanh()", {}),
        735: ("output_linear\nLinear(13, 1)", {660: ("weight", (1, 13)), 810: ("bias", (1,))}),
    }
    counts = {}
    for x, (text, parameters) in tree.items():
        child = canvas.box(x, 245, 220, 76, text, NETWORK, WHITE)
        canvas.line([root.bottom, child.top])
        for place, (name, shape) in parameters.items():
            leaf = canvas.box(place, 126, 126, 70, f"{name}\n{shape}", DOWNHILL)
            canvas.line([(place, child.bottom[1]), leaf.top])
            counts[place] = prod(shape)
        if not parameters:
            canvas.label(x, 126, "no parameters", QUIET)
            counts[x] = 0
    for place, count in counts.items():
        canvas.label(place, 62, f"{count}")
    for left, right in pairwise(counts):
        canvas.label((left + right) / 2, 62, "+")
    canvas.label(450, 24, f"= {sum(counts.values())} numbers that training can change")
    return canvas.figure


def road() -> Figure:
    """The road of the course in four stretches: by algebra (chapters 00 and 01), a line through dots; downhill (02 to
    05), a path down into a bowl; neurons (06 to 13), a small network; every day and beyond (14 to 17), a curve between
    two kinds of dots."""
    from helpers.data import CELSIUS, UNKNOWN

    canvas = Canvas(470)
    parts = [
        (15, 168, REFEREE, "By algebra", "R's lm(), QR", 2),
        (180, 390, DOWNHILL, "Downhill", "gradients, autograd,\noptimizers,\nvalidation", 4),
        (402, 678, NETWORK, "Neurons", "activations, modules,\nnetworks", 8),
        (690, 885, QUIET, "Every day, beyond", "batches, devices,\nclassification,\nmany machines", 4),
    ]
    canvas.line([(23, 168), (877, 168)], tint(QUIET, 0.65), 14)
    chapter = 0
    for start, end, colour, title, topics, chapters in parts:
        middle = (start + end) / 2
        canvas.box(middle, 332, end - start, 236, "", colour, tint(colour, 0.07))
        canvas.label(middle, 424, title, colour)
        for i in range(chapters):
            x = start + 2 + (end - start - 4) * (i + 0.5) / chapters
            canvas.node(x, 168, 15.5, f"{chapter:02d}", colour, WHITE)
            chapter += 1
        canvas.label(middle, 95, topics)
    canvas.label(WIDTH / 2, 24, "with every fit: how many digits agree with R?", REFEREE)

    def place(u: float, c: float) -> Point:
        return 22 + (u - 15) * 1.95, 232 + (c + 8) * 4.2

    slope, intercept = least_squares(UNKNOWN, CELSIUS)
    canvas.line([place(u, slope * u + intercept) for u in (18, 85)], REFEREE, 4)
    for u, c in zip(UNKNOWN, CELSIUS, strict=True):
        canvas.dot(*place(u, c), 5)

    def wall(x: float) -> Point:
        return 285 + 84 * x, 238 + 135 * x * x

    canvas.line([wall(step / 20) for step in range(-22, 23)], QUIET, 3)
    path = [0.98]
    for _ in range(4):
        path.append(-0.6 * path[-1])
    canvas.line([wall(x) for x in path], DOWNHILL, 2.4)
    for x, following in list(pairwise(path))[:2]:
        canvas.arrow(wall(x), wall(following), DOWNHILL)
    for x in path:
        canvas.dot(*wall(x), 5, DOWNHILL)

    columns = [[(440, 315)], [(540, 387 - 48 * i) for i in range(4)], [(640, 315)]]
    canvas.connect(columns, 1.6)
    for x, y in sum(columns, []):
        canvas.node(x, y, 17, "", NETWORK, tint(NETWORK, 0.3))

    def border(x: float) -> float:
        return 312 + 38 * math.sin((x - 690) / 34)

    canvas.line([(x, border(x)) for x in range(702, 876, 6)], NETWORK, 4)
    for i in range(5):
        x, off = 712 + 36 * i, (26, 50, 34)[i % 3]
        canvas.dot(x, border(x) + off, 5)
        canvas.node(x, border(x) - off, 4.5, "", INK, WHITE)
    return canvas.figure


DRAWINGS = [learning_loop, neuron, layers, computational_graph, dog_score, batch_images, call_chain]
DRAWINGS += [train_validation, module_tree, road]
DIAGRAMS: dict[str, Callable[[], Figure]] = {drawing.__name__: drawing for drawing in DRAWINGS}


# Writing them


def alt_text(name: str) -> str:
    """Alternative text of a diagram: the docstring of the function that draws it, one or two sentences."""
    return " ".join((DIAGRAMS[name].__doc__ or "").split())


def svg(name: str) -> str:
    """The diagram as the text of an SVG file, with its alternative text as title, and without a date.

    Coordinates are rounded to 1/100 point, so that the last bit of a processor's arithmetic does not show.
    """
    about = {"Date": None, "Creator": None, "Title": alt_text(name)}
    with matplotlib.style.context(STYLE):
        buffer = io.StringIO()
        DIAGRAMS[name]().savefig(buffer, format="svg", metadata=about)

    def rounded(match: re.Match) -> str:
        short = re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 2) + 0.0:g}", match[0])
        return re.sub(r"\s*([MLQCz])\s*", r"\1", short)

    text = re.sub(r'(?<= d=")[^"]+|(?<=translate\()[^)]+', rounded, buffer.getvalue())
    return re.sub(r"\n +", "\n", text.replace("DejaVuSans-Oblique-", "i").replace("DejaVuSans-", "u"))


def draw_all(folder: Path = IMAGES) -> None:
    """Draw every diagram into the folder, and list the files."""
    for name in DIAGRAMS:
        file = folder / f"{name}.svg"
        file.write_bytes(svg(name).encode())
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    draw_all()
