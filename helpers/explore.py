"""The interactive figures: sliders, and a picture that follows them. Scaffolding: the ideas stand in the notebooks.

Each function returns an Explorer, which a cell ends in. Its output is one bundle: the widgets for a running kernel,
a picture of chosen states for a page without one, and that picture in words.

A picture is drawn on one figure that stays: what never changes is drawn once, the rest over a copy of it, so that an
answer takes tens of milliseconds. Nothing queues up meanwhile: ipywidgets sends the next value of a slider only when
the kernel has dealt with the one before, and drops those in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import io
import math
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure, FigureBase
from PIL import Image
from torch import Tensor

from helpers import data, plots
from helpers.loss import mse, mse_gradient
from helpers.model import line as straight
from helpers.model import network
from helpers.plots import DASHES, PALETTE
from helpers.training import train

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

DPI = 100
RACE_STYLES = {
    "SGD": ("--", "o", "descent"),
    "momentum": ("-", "s", "descent"),
    "RMSprop": (":", "v", "guess"),
    "Adam": ("-", "^", "guess"),
    "LBFGS": ("-", "D", "data"),
}


# The machinery


class Scene:
    """What one state looks like on a figure, or on a part of one. Subclasses draw; they know of no widgets."""

    def __init__(self, figure: FigureBase):
        self.figure = figure
        self.moving: list[Artist] = []

    def row(self, *widths: float) -> Any:
        """Axes side by side with these relative widths, or one; margins in inches, since a layout engine takes long."""
        left, right, gap, bottom, top = 0.95, 0.2, 0.95, 0.6, 0.35
        width, height = self.figure.bbox.width / DPI, self.figure.bbox.height / DPI
        mean = (width - left - right - gap * (len(widths) - 1)) / len(widths)
        across = {"left": left / width, "right": 1 - right / width, "wspace": gap / mean}
        along = {"bottom": bottom / height, "top": 1 - top / height}
        return self.figure.subplots(1, len(widths), width_ratios=widths, gridspec_kw=across | along)

    def follow(self, artist: Artist) -> Any:
        """Note an artist that changes with the state, and return it."""
        self.moving.append(artist)
        return artist

    def curve(self, axes: Axes, style: str = "-", **options: Any) -> Any:
        """A line or markers without points yet, which change with the state."""
        return self.follow(axes.plot([], [], style, **options)[0])

    def update(self, **state: Any) -> str:
        """Move the artists to a state, and return in one line what can be read off the picture."""
        raise NotImplementedError


def new_picture(width: float, height: float) -> Figure:
    """An Agg figure in the course's style, which neither pyplot nor a window knows of."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure's canvas, as it has been drawn last. One state of a figure always gives the same bytes."""
    packed = io.BytesIO()
    Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").save(packed, "PNG", compress_level=1)
    return packed.getvalue()


class Stage:
    """A figure that stays, with one scene. Only what moves is drawn anew."""

    def __init__(self, scene: Callable[[FigureBase], Scene], width: float, height: float, state: dict[str, Any]):
        with rc_context(plots.STYLE):
            self.figure = new_picture(width, height)
            self.scene = scene(self.figure)
            for artist in self.scene.moving:
                artist.set_animated(True)
            self.figure.canvas.draw()
        self.backdrop = self.figure.canvas.copy_from_bbox(self.figure.bbox)

    def draw(self, state: dict[str, Any]) -> tuple[bytes, str]:
        """The picture of a state as PNG, and the line of words that belongs to it."""
        words = self.scene.update(**state)
        self.figure.canvas.restore_region(self.backdrop)
        for artist in sorted(self.scene.moving, key=lambda artist: artist.get_zorder()):
            self.figure.draw_artist(artist)
        return png(self.figure), words


def side_by_side(
    scene: Callable[[FigureBase], Scene], states: Sequence[dict[str, Any]], width: float, height: float
) -> bytes:
    """Several states in one PNG, each in a part of its own."""
    with rc_context(plots.STYLE):
        figure = new_picture(width, height)
        for part, state in zip(figure.subfigures(1, len(states)), states, strict=True):
            scene(part).update(**state)
        figure.canvas.draw()
    return png(figure)


class Explorer:
    """Controls, the picture that follows them, and a line of words that says what it shows.

    controls: the widgets by name; the values are the scene's state. twin: the PNG for a page without a kernel, by
    default the picture of the first state; alt: that picture in words.

    `picture` holds the PNG, `text` the line of words, `error` the last exception of a change, or None. An exception
    is shown in the picture's place, in one line, and raised on, so that neither a learner nor a test can miss it.
    """

    def __init__(
        self,
        scene: Callable[[FigureBase], Scene],
        controls: dict[str, ipywidgets.Widget],
        *,
        alt: str,
        size: tuple[float, float],
        twin: bytes | None = None,
        columns: int = 2,
    ):
        import ipywidgets as widgets

        self.controls, self.alt = controls, alt
        self.error: Exception | None = None
        self.text = ""
        self.waiting = False
        self.image = widgets.HTML()  # an Image widget can't have an alternative text
        self.drawn = b""
        self.words = widgets.HTML()
        grid = widgets.Layout(grid_template_columns=f"repeat({columns}, minmax(0, 1fr))", grid_gap="0 1em")
        self.panel = widgets.GridBox(list(controls.values()), layout=grid)
        self.box = widgets.VBox([self.panel, self.image, self.words])
        self.box.add_class("explore")
        self.image.add_class("explore-picture")
        self.stage = Stage(scene, *size, self.state())
        self.redraw()
        self.twin = self.picture if twin is None else twin
        for control in controls.values():
            control.observe(self.react, names="value")

    @property
    def scene(self) -> Scene:
        return self.stage.scene

    @property
    def picture(self) -> bytes:
        """The PNG that is shown now; empty while an error stands in its place."""
        return self.drawn if self.error is None else b""

    def state(self) -> dict[str, Any]:
        return {name: control.value for name, control in self.controls.items()}

    def redraw(self) -> None:
        """Draw the state that the controls are in."""
        self.drawn, self.text = self.stage.draw(self.state())
        width, height = self.stage.figure.canvas.get_width_height()
        self.image.value = (
            f'<img alt="{html.escape(self.text)}" width="{width}" height="{height}" decoding="sync" '
            f'style="max-width: 100%; height: auto" src="data:image/png;base64,{as_base64(self.drawn)}">'
        )
        self.words.value = f'<div role="status" aria-live="polite">{html.escape(self.text)}</div>'

    def change(self, changed: dict[str, Any]) -> None:
        """What follows from a changed control; subclasses may do more than draw."""
        self.redraw()

    def react(self, changed: dict[str, Any]) -> None:
        """Called by ipywidgets when a control has changed."""
        if not self.waiting:
            with self.errors_shown():
                self.change(changed)

    @contextlib.contextmanager
    def errors_shown(self):
        """Show an exception in the picture's place before it goes on; without one, show the picture."""
        try:
            yield
        except Exception as problem:
            self.error = problem
            first_line = (str(problem).splitlines() or ["no message"])[0]
            self.text = f"No picture. {type(problem).__name__}: {first_line}"
            self.words.value = f'<div role="alert">{html.escape(self.text)}</div>'
            self.image.layout.display = "none"
            raise
        self.error = None
        self.image.layout.display = None

    @contextlib.contextmanager
    def together(self):
        """Change several controls here and draw once, afterwards."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        shown = self.box._repr_mimebundle_(**options)
        bundle, notes = shown if isinstance(shown, tuple) else (shown, {})
        return (
            {**(bundle or {}), "image/png": as_base64(self.twin), "text/plain": self.alt},
            {**notes, "image/png": {"alt": self.alt}},
        )


def as_base64(picture: bytes) -> str:
    return b64encode(picture).decode("ascii")


def label(text: str, note: str) -> dict[str, Any]:
    """Options that every control shares: the words beside it, and those of its tooltip."""
    return {
        "description": text,
        "tooltip": note,
        "style": {"description_width": "9em"},
        "layout": {"width": "auto"},
    }


def within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values no further outside of a span than a thousand times its length: what a canvas can still draw."""
    reach = 1e3 * (high - low)
    return np.clip(np.nan_to_num(values, nan=high + reach), low - reach, high + reach)


# ---- chapter 01: a line by hand ------------------------------------------------------------------------------------


class Squares(Scene):
    """The readings, a line, and a square on each residual; beside them the MSE on a scale that ends at lm()'s."""

    def __init__(self, figure: FigureBase, df: pd.DataFrame):
        super().__init__(figure)
        self.u, self.c = (torch.tensor(df[name].to_numpy(), dtype=torch.float64) for name in ("u", "c"))
        slope, intercept = np.polyfit(df["u"], df["c"], 1)
        self.smallest = mse(straight(self.u, slope, intercept), self.c).item()
        self.axes, scale = self.row(12, 1)
        style = {"facecolors": PALETTE["descent"] + "40", "edgecolors": PALETTE["descent"], "linewidths": 1.2}
        self.squares = self.follow(PolyCollection([], zorder=2, label="squared residuals", **style))
        self.axes.add_collection(self.squares, autolim=False)
        self.line = self.curve(self.axes, DASHES["guess"], color=PALETTE["guess"], zorder=2.5, label="your line")
        plots.draw_readings(self.axes, df)
        self.follow(self.axes.lines[-1])
        self.axes.set(xlim=(12, 98), ylim=(-16, 42), aspect="equal")
        self.axes.legend(loc="upper left")
        self.title = self.follow(self.axes.title)
        scale.axhline(self.smallest, color=PALETTE["lm"], linewidth=3)
        scale.annotate("lm()", (0.5, self.smallest), (0, -4), textcoords="offset points", ha="center", va="top")
        scale.set(yscale="log", ylim=(1, 1e4), xlim=(0, 1), xticks=[], title="MSE")
        self.mark = self.curve(scale, "D", color=PALETTE["guess"], markersize=9, markeredgecolor="white")

    def update(self, slope: float, intercept: float) -> str:
        residuals = self.c - straight(self.u, slope, intercept)
        self.mse = mse(straight(self.u, slope, intercept), self.c).item()
        self.squares.set_verts(self.corners(residuals.numpy(), slope))
        ends = np.array(self.axes.get_xlim())
        self.line.set_data(ends, slope * ends + intercept)
        self.mark.set_data([0.5], [self.mse])
        self.title.set_text(f"MSE {self.mse:.2f} °C²")
        numbers = f"Slope {slope:.2f}, intercept {intercept:.2f}: MSE {self.mse:.4f} °C²"
        return f"{numbers}; lm() has the smallest possible one, {self.smallest:.4f}."

    def corners(self, residuals: np.ndarray, slope: float) -> np.ndarray:
        """Corners of the squares, (11, 4, 2), each on the side of its reading that the line does not cut.

        A square that would leave the picture there goes to the other side.
        """
        u, c, size = self.u.numpy(), self.c.numpy(), np.abs(residuals)
        left, right = self.axes.get_xlim()
        side = np.where(residuals * slope >= 0, -1, 1)
        outside = np.where(side < 0, u - size < left, u + size > right)
        side = np.where(outside, -side, side)
        across, along = np.stack([u, u + side * size]), np.stack([c - residuals, c])
        return np.stack([across[[0, 1, 1, 0]], along[[0, 0, 1, 1]]], axis=-1).swapaxes(0, 1)


def line(df: pd.DataFrame, slope: float = 0.5, intercept: float = -14.0) -> Explorer:
    """Fit the line by hand: two sliders, the squares of the residuals, and the MSE beside lm()'s. Used in chapter 01.

    df: columns u and c; slope, intercept: where the sliders begin.
    """
    import ipywidgets as widgets

    slopes = {"min": min(-0.5, slope), "max": max(1.5, slope), "step": 0.01}
    intercepts = {"min": min(-40.0, intercept), "max": max(20.0, intercept), "step": 0.5}
    controls = {
        "slope": widgets.FloatSlider(slope, **slopes, **label("slope w", "degrees Celsius per unit of u")),
        "intercept": widgets.FloatSlider(intercept, **intercepts, **label("intercept b", "degrees Celsius at u = 0")),
    }

    def scene(figure):
        return Squares(figure, df)

    states = [{"slope": 0.3, "intercept": -6.0}, {"slope": slope, "intercept": intercept}]
    u, c = (torch.tensor(df[name].to_numpy(), dtype=torch.float64) for name in ("u", "c"))
    by_eye = [mse(straight(u, state["slope"], state["intercept"]), c).item() for state in states]
    smallest = mse(straight(u, *np.polyfit(u, c, 1)), c).item()
    alt = (
        "Two lines by hand through the eleven readings, with a square on each residual. "
        f"Left slope 0.3, intercept -6: MSE {by_eye[0]:.4f}. "
        f"Right slope {slope:g}, intercept {intercept:g}: MSE {by_eye[1]:.4f}. "
        f"On a scale beside each, lm() has {smallest:.4f}."
    )
    return Explorer(scene, controls, alt=alt, size=(8.5, 5.2), twin=side_by_side(scene, states, 12, 3.9))


# ---- chapter 02: learning rate and step ----------------------------------------------------------------------------


def descend(u: Tensor, c: Tensor, rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent from (1, 0), as in chapter 02: the path, shape (steps + 1, 2), and its losses, (steps + 1,)."""
    w, b = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    path, losses = [], []
    for step in range(steps + 1):
        path.append((w.item(), b.item()))
        losses.append(mse(straight(u, w, b), c).item())
        if step < steps:
            slope_w, slope_b = mse_gradient(u, c, w, b)
            w, b = w - rate * slope_w, b - rate * slope_b
    return np.array(path), np.array(losses)


def stable_limit(u: Tensor) -> float:
    """The largest stable learning rate of the line's loss: 2 divided by the sharpest curvature. Taught in chapter 02.

    u: shape (n,).
    """
    X = torch.stack([torch.ones_like(u), u], dim=1)
    return 2 / torch.linalg.eigvalsh(2 * X.T @ X / len(u))[-1].item()


class Descent(Scene):
    """The path of gradient descent on the contours of the loss and, if there is room, the loss of every step."""

    def __init__(self, figure: FigureBase, u: Tensor, c: Tensor, steps: int, with_losses: bool = True):
        super().__init__(figure)
        self.u, self.c = u.double(), c.double()
        self.limit = stable_limit(self.u)
        lm = np.polyfit(self.u.numpy(), self.c.numpy(), 1)
        smallest = mse(straight(self.u, *lm), self.c).item()
        lively, losses = descend(self.u, self.c, 0.97 * self.limit, steps)
        places = np.vstack([lively, lm])
        low, high = places.min(axis=0), places.max(axis=0)
        (w_low, b_low), (w_high, b_high) = low - 0.12 * (high - low), high + 0.12 * (high - low)
        self.axes = self.row(3, 2)[0] if with_losses else self.row(1)
        plots.draw_loss(self.axes, self.u, self.c, (w_low, w_high), (b_low, b_high))
        style = {"color": PALETTE["descent"], "markersize": 5, "linewidth": 1.2, "zorder": 3}
        self.way = self.curve(self.axes, ".-", label="gradient descent", **style)
        ring = {"color": "white", "markeredgecolor": PALETTE["descent"], "markersize": 9, "zorder": 4}
        self.follow(self.axes.plot([1], [0], "o", label="start", **ring)[0])
        dot = {"color": PALETTE["descent"], "markeredgecolor": "white", "markersize": 9, "zorder": 5}
        self.here = self.curve(self.axes, "o", **dot)
        self.title = self.follow(self.axes.title)
        self.losses = None
        if with_losses:
            self.axes.legend(loc="lower left")
            beside = figure.axes[1]
            beside.axhline(smallest, color=PALETTE["lm"], linewidth=1.2, label="lm()")
            self.losses = self.curve(beside, ".--", color=PALETTE["descent"], markersize=5, label="gradient descent")
            beside.set(yscale="log", xlim=(-1, steps + 1), ylim=(smallest / 2, 1e5 * losses[0]))
            beside.set(xlabel="step", ylabel="loss (°C²)")
            beside.legend(loc="upper left")

    def update(self, rate: float, steps: int) -> str:
        self.path, losses = descend(self.u, self.c, rate, steps)
        self.diverges = rate > self.limit
        w = within(self.path[:, 0], *self.axes.get_xlim())
        b = within(self.path[:, 1], *self.axes.get_ylim())
        self.way.set_data(w, b)
        self.here.set_data(w[-1:], b[-1:])
        if self.losses is not None:
            self.losses.set_data(range(steps + 1), np.minimum(np.nan_to_num(losses, nan=1e30), 1e30))
        self.title.set_text(f"rate {rate:.2e}: " + ("diverges" if self.diverges else "stable"))
        side = "above the limit {:.2e}: it diverges" if self.diverges else "below the limit {:.2e}: it is stable"
        numbers = f"w {self.path[-1, 0]:.4g}, b {self.path[-1, 1]:.4g}, loss {losses[-1]:.4g}"
        return f"Learning rate {rate:.2e}, {side.format(self.limit)}. After {steps} steps {numbers}."


def descent(u: Tensor, c: Tensor, steps: int = 60) -> Explorer:
    """Gradient descent on the loss contours, with a slider each for learning rate and step. Used in chapter 02.

    u, c: shape (n,), u in any scale; steps: how far the second slider goes. The rates go from a hundredth of the
    stable limit to about twice as much as it.
    """
    import ipywidgets as widgets

    limit = stable_limit(u.double())
    exponent = round(math.log10(limit), 2)
    exponents = {"min": exponent - 2, "max": exponent + 0.3, "step": 0.02, "readout_format": ".2e"}
    start = 10 ** (exponent - 0.04)
    note = "the number by which the gradient is multiplied before it is subtracted"
    controls = {
        "rate": widgets.FloatLogSlider(start, **exponents, **label("learning rate", note)),
        "steps": widgets.IntSlider(20, 0, steps, **label("steps", "how many steps have been taken")),
    }
    rates = {"a third of the limit": limit / 3, "just below it": 0.95 * limit, "just above it": 1.05 * limit}
    states = [{"rate": rate, "steps": 20} for rate in rates.values()]
    twin = side_by_side(lambda part: Descent(part, u, c, steps, with_losses=False), states, 12, 4)
    alt = (
        f"Twenty steps of gradient descent on the loss contours, at three learning rates around the limit {limit:.2e}. "
        "A third of the limit: straight to the valley floor, then hardly any further. Just below it: from wall to "
        "wall, slowly narrowing. Just above it: each jump is wider than the one before, and leaves the picture."
    )
    return Explorer(lambda part: Descent(part, u, c, steps), controls, alt=alt, size=(10.5, 4.6), twin=twin)


# ---- chapter 04: the race of optimizers ----------------------------------------------------------------------------


def race_paths(u: Tensor, c: Tensor, steps: int = 2000) -> dict[str, np.ndarray]:
    """The ways of chapter 04's five optimizers from (1, 0), each of shape (gradients + 1, 2).

    Four follow the chapter's formulas in plain numbers, since the gradient of the line's loss is linear in w and b:
    PyTorch's own take a hundred times as long to go the same ways, which a test checks. (RMSprop's hops over the bottom
    depend on rounding after some hundred steps.) LBFGS is PyTorch's.
    u, c: shape (n,), float64.
    """
    uu, u1 = 2 * (u * u).mean().item(), 2 * u.mean().item()
    uc, c1 = 2 * (u * c).mean().item(), 2 * c.mean().item()

    def gradient(w, b):
        return uu * w + u1 * b - uc, u1 * w + 2 * b - c1

    def descend_with(momentum, rate=3.2e-4):
        w, b, v_w, v_b, path = 1.0, 0.0, 0.0, 0.0, [(1.0, 0.0)]
        for _ in range(steps):
            g_w, g_b = gradient(w, b)
            v_w, v_b = momentum * v_w + g_w, momentum * v_b + g_b
            w, b = w - rate * v_w, b - rate * v_b
            path.append((w, b))
        return np.array(path)

    def adapt(beta1, beta2, corrected, rate=1e-1, epsilon=1e-8):
        w, b, m_w, m_b, s_w, s_b, path = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, [(1.0, 0.0)]
        for t in range(1, steps + 1):
            g_w, g_b = gradient(w, b)
            m_w, m_b = beta1 * m_w + (1 - beta1) * g_w, beta1 * m_b + (1 - beta1) * g_b
            s_w, s_b = beta2 * s_w + (1 - beta2) * g_w**2, beta2 * s_b + (1 - beta2) * g_b**2
            of_m, of_s = (1 - beta1**t, 1 - beta2**t) if corrected else (1.0, 1.0)
            w -= rate * (m_w / of_m) / (math.sqrt(s_w / of_s) + epsilon)
            b -= rate * (m_b / of_m) / (math.sqrt(s_b / of_s) + epsilon)
            path.append((w, b))
        return np.array(path)

    def learn_the_curvature(gradients=9):
        p = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([p], max_iter=1, tolerance_change=0)
        path = [(1.0, 0.0)]
        for _ in range(gradients):
            train(lambda u: straight(u, p[0], p[1]), optimizer, u, c, 1)
            path.append(tuple(p.tolist()))
        return np.array(path)

    return {
        "SGD": descend_with(momentum=0.0),
        "momentum": descend_with(momentum=0.98),
        "RMSprop": adapt(beta1=0.0, beta2=0.99, corrected=False),
        "Adam": adapt(beta1=0.9, beta2=0.999, corrected=True),
        "LBFGS": learn_the_curvature(),
    }


def digits_along(path: np.ndarray, answer: np.ndarray, most: float = 12) -> np.ndarray:
    """Digits of agreement with the answer at each point of a path, the worse of both parameters, from 0 to `most`."""
    worst = np.abs(path / answer - 1).max(axis=1)
    return np.clip(-np.log10(np.maximum(worst, 10.0**-most)), 0, most)


class Race(Scene):
    """The paths of the optimizers on the contours of the loss, and their digits against the gradients computed."""

    def __init__(self, figure: FigureBase, u: Tensor, c: Tensor, paths: dict[str, np.ndarray]):
        super().__init__(figure)
        answer = np.polyfit(u.numpy(), c.numpy(), 1)
        self.paths = paths
        self.digits = {name: digits_along(path, answer) for name, path in paths.items()}
        last = max(len(path) for path in paths.values()) - 1
        self.marks = np.unique(np.round(10 ** np.linspace(0, math.log10(last), 45)).astype(int))
        self.axes, beside = self.row(1, 1)
        plots.draw_loss(self.axes, u, c, (-0.9, 1.3), (-20, 3))
        self.axes.legend(loc="lower left")
        self.ways, self.heads, self.curves, self.ends = {}, {}, {}, {}
        for place, name in enumerate(paths):
            dash, marker, kind = RACE_STYLES[name]
            thin = {"color": PALETTE[kind], "linewidth": 0.7, "zorder": 3}
            head = {"color": PALETTE[kind], "markeredgecolor": "white", "markersize": 11, "zorder": 5 + place / 10}
            self.ways[name] = self.curve(self.axes, dash, **thin)
            self.heads[name] = self.curve(self.axes, marker, **head)
            self.curves[name] = self.curve(beside, dash, color=PALETTE[kind], linewidth=1.5)
            self.ends[name] = self.curve(beside, marker, **head, label=name)
        beside.set(xscale="log", xlim=(0.9, 1.15 * last), ylim=(-0.4, 12.4), yticks=range(0, 13, 2))
        beside.set(xlabel="gradient evaluations", ylabel="digits of agreement with lm()")
        beside.legend(loc="upper right")

    def update(self, step: int, **chosen: bool) -> str:
        words = []
        for name, path in self.paths.items():
            here = min(step, len(path) - 1)
            on = chosen.get(name, True)
            for artist in (self.ways[name], self.heads[name], self.curves[name], self.ends[name]):
                artist.set_visible(on)
            self.ways[name].set_data(*path[: here + 1].T)
            self.heads[name].set_data(*path[here : here + 1].T)
            along = np.append(self.marks[self.marks < here], here)
            self.curves[name].set_data(along, self.digits[name][along])
            self.ends[name].set_data([here], [self.digits[name][here]])
            if on:
                words.append(f"{name} {self.digits[name][here]:.1f}")
        found = ", ".join(words) if words else "no optimizer chosen"
        return f"After {step} gradient{'s' if step > 1 else ''}, digits of agreement: {found}."


def race(u: Tensor, c: Tensor) -> Explorer:
    """Chapter 04's five optimizers on raw u: a slider for the step, a tick for each. Used in chapter 04.

    u, c: shape (n,).
    """
    import ipywidgets as widgets

    u, c = u.double(), c.double()
    paths = race_paths(u, c)
    options = sorted({*(round(10 ** (k / 16)) for k in range(53)), *range(1, 11), 300, 2000})
    note = "how many gradients each optimizer has computed; LBFGS needs 9 in all"
    controls = {"step": widgets.SelectionSlider(options=options, value=300, **label("gradients", note))}
    for name in paths:
        controls[name] = widgets.Checkbox(True, description=name, tooltip=f"show {name}", indent=False)
    alt = (
        "Five optimizers after 300 gradients. On the loss contours SGD lies high on the valley floor, momentum still "
        "swings from wall to wall, RMSprop and Adam are on their way along the floor, LBFGS stands on the cross of "
        "lm(). Beside it their digits of agreement: under 1 for four of them, more than 11 for LBFGS."
    )
    return Explorer(lambda part: Race(part, u, c, paths), controls, alt=alt, size=(11, 4.8), columns=3)


# ---- chapter 05: the split -----------------------------------------------------------------------------------------


class Kept(Scene):
    """The readings, those kept back ringed, the line through the others; beside them all splits by their error."""

    def __init__(self, figure: FigureBase, df: pd.DataFrame):
        super().__init__(figure)
        self.u, self.c = (torch.tensor(df[name].to_numpy(), dtype=torch.float64) for name in ("u", "c"))
        everything = self.fit(range(len(df)))
        pairs = torch.combinations(torch.arange(len(df)), 2).tolist()
        errors = torch.tensor([self.measure(pair)[1] for pair in pairs])
        order = errors.argsort().tolist()
        self.places = {frozenset(pairs[index]): place for place, index in enumerate(order, start=1)}
        self.axes, beside = self.row(6, 5)
        plots.draw_line(self.axes, *everything, "lm", "lm() on all")
        self.axes.lines[-1].set_linewidth(1.2)
        self.fitted = self.curve(self.axes, DASHES["guess"], color=PALETTE["guess"], linewidth=3, label="without them")
        plots.draw_readings(self.axes, df)
        plots.draw_rings(self.axes, df, [0], "kept back")
        self.ring = self.follow(self.axes.lines[-1])
        self.axes.set(xlim=(16, 88), ylim=(-12, 32))
        self.axes.legend(loc="upper left", markerscale=0.7)
        self.title = self.follow(self.axes.title)
        dots = {"color": PALETTE["validation"], "markersize": 5}
        beside.plot(range(1, len(pairs) + 1), errors[order], "o", label="all pairs", **dots)
        ring = {"color": "none", "markeredgecolor": PALETTE["data"], "markeredgewidth": 2.5, "markersize": 14}
        self.mark = self.curve(beside, "o", label="this one", **ring)
        beside.set(xlabel="split, from the luckiest to the unluckiest", ylabel="validation loss (°C²)")
        beside.set(xticks=[1, *range(10, len(pairs) + 1, 10)], ylim=(0, 1.1 * errors.max().item()))
        beside.legend(loc="upper left", markerscale=0.7)

    def fit(self, rows: Sequence[int]) -> tuple[float, float]:
        """Slope and intercept of the least squares line through these rows."""
        u, c = self.u[list(rows)], self.c[list(rows)]
        X = torch.stack([u, torch.ones_like(u)], dim=1)
        return tuple(torch.linalg.lstsq(X, c.unsqueeze(1)).solution.squeeze(1).tolist())

    def measure(self, rows: Sequence[int]) -> tuple[float, float]:
        """Training and validation loss with these rows kept back; the line stays in `slope` and `intercept`."""
        kept = sorted(set(rows))
        rest = [row for row in range(len(self.u)) if row not in kept]
        self.slope, self.intercept = self.fit(rest)
        return tuple(
            mse(straight(self.u[part], self.slope, self.intercept), self.c[part]).item() for part in (rest, kept)
        )

    def update(self, seed: int, first: int, second: int) -> str:
        rows = sorted({first, second})
        self.training_loss, self.validation_loss = self.measure(rows)
        ends = np.array([16.0, 88.0])
        self.fitted.set_data(ends, self.slope * ends + self.intercept)
        self.ring.set_data(self.u[rows], self.c[rows])
        place = self.places.get(frozenset(rows))
        self.mark.set_data(*([place], [self.validation_loss]) if place else ([], []))
        self.title.set_text(f"validation loss {self.validation_loss:.2f} °C²")
        named = f"Rows {rows[0]} and {rows[1]} are" if place else f"Row {rows[0]} alone is"
        rank = f", number {place} of {len(self.places)}" if place else ""
        from_seed = set(data.split(len(self.u), seed).validation.tolist()) == set(rows)
        losses = f"training loss {self.training_loss:.4f}, validation loss {self.validation_loss:.4f}{rank}"
        return f"{named} kept back{f' (seed {seed})' if from_seed else ''}: {losses}."


class SplitExplorer(Explorer):
    """A new seed moves both rows."""

    def change(self, changed: dict[str, Any]) -> None:
        if changed["owner"] is self.controls["seed"]:
            first, second = sorted(data.split(len(self.scene.u), changed["new"]).validation.tolist())
            with self.together():
                self.controls["first"].value, self.controls["second"].value = first, second
        self.redraw()


def splits(df: pd.DataFrame) -> Explorer:
    """Choose a seed, or the two rows themselves, and see the line that the others give. Used in chapter 05.

    df: the eleven readings, columns u and c. With one row chosen twice, it alone is kept back.
    """
    import ipywidgets as widgets

    first, second = sorted(data.split(len(df), seed=0).validation.tolist())
    last = len(df) - 1
    controls = {
        "first": widgets.IntSlider(first, 0, last, **label("one row kept back", "row number")),
        "second": widgets.IntSlider(second, 0, last, **label("another one", "row number")),
        "seed": widgets.BoundedIntText(0, 0, 2**31 - 1, **label("rows by seed", "shuffle, keep the last two")),
    }
    alt = (
        "Left the eleven readings; rows 6 and 7, the two coldest, are ringed, and the dotted line through the other "
        "nine passes well below both, and below the solid line of lm() on all. Right the validation losses of "
        "all 55 pairs in ascending order; this pair is the last, at 20.70."
    )
    return SplitExplorer(lambda part: Kept(part, df), controls, alt=alt, size=(11, 4.6))


# ---- chapter 08: four neurons --------------------------------------------------------------------------------------


def contributions(x: Tensor, numbers: dict[str, float]) -> Tensor:
    """Each of four tanh units' output times its output weight, shape (n, 4).

    x: shape (n,); numbers: W0_0 ... W0_3 the weights, b0_0 ... the biases, W1_0 ... the output weights.
    """
    W0, b0, W1 = (
        torch.tensor([numbers[f"{part}_{unit}"] for unit in range(4)], dtype=torch.float64)
        for part in ("W0", "b0", "W1")
    )
    return torch.tanh(x.unsqueeze(1) * W0 + b0) * W1


class Four(Scene):
    """What four tanh units contribute, their sum with the output bias, and |x| from -4 to 4, which it is to imitate."""

    def __init__(self, figure: FigureBase):
        super().__init__(figure)
        self.axes = self.row(1)
        self.inside = torch.linspace(-4, 4, 4001, dtype=torch.float64)
        self.x = torch.linspace(-6, 6, 601, dtype=torch.float64)
        self.wanted = self.inside.abs()
        self.axes.axvspan(-4, 4, color="#E8E8E8", zorder=0, label="the interval")
        styles = {"A": ("-", 1), "B": ("--", 1), "C": (":", 2), "D": ("-.", 1)}
        self.units = [
            self.curve(self.axes, dash, color=PALETTE["guess"], linewidth=width, label=name)
            for name, (dash, width) in styles.items()
        ]
        self.sum = self.curve(self.axes, color=PALETTE["network"], linewidth=4, alpha=0.7, zorder=3, label="network")
        style = {"color": PALETTE["data"], "linewidth": 1.5, "zorder": 4, "label": "|x|"}
        self.follow(self.axes.plot(self.inside, self.wanted, **style)[0])
        self.axes.set(xlabel="x", xlim=(-6, 6), ylim=(-4, 7))
        self.axes.legend(loc="upper center", ncols=7, fontsize=10, columnspacing=0.9, handlelength=1.6)
        self.title = self.follow(self.axes.title)

    def update(self, b1: float, **numbers: float) -> str:
        curves = contributions(self.x, numbers)
        for artist, curve in zip(self.units, curves.unbind(1), strict=True):
            artist.set_data(self.x, curve)
        self.sum.set_data(self.x, curves.sum(dim=1) + b1)
        misses = (contributions(self.inside, numbers).sum(dim=1) + b1 - self.wanted).abs()
        self.largest_error = misses.max().item()
        self.title.set_text(f"largest error {self.largest_error:.2f}")
        return f"Largest error in the shaded interval {self.largest_error:.4f}, mean error {misses.mean():.4f}."


# Four units for |x|, found by training and rounded to tenths: weight, bias, output weight of each, and the output bias.
TUNED = ((0.6, 1.6, -1.9), (1.3, 0.3, -1.7), (1.3, -0.3, 1.7), (0.6, -1.6, 1.9)), 4.6


def neurons(W0: Tensor, b0: Tensor, W1: Tensor, b1: Tensor) -> Explorer:
    """Four tanh units with a slider for each of their 13 numbers, against |x| from -4 to 4. Used in chapter 08.

    W0, b0, W1, b1: where the sliders begin, rounded to tenths; shapes (4, 1), (4,), (1, 4), (1,).
    """
    import ipywidgets as widgets

    def slider(value, reach, text, note):
        value = round(float(value), 1)
        bounds = {"min": min(-reach, value), "max": max(reach, value), "step": 0.1, "readout_format": ".1f"}
        return widgets.FloatSlider(value, **bounds, **label(text, note))

    controls = {}
    for unit, name in enumerate("ABCD"):
        controls[f"W0_{unit}"] = slider(W0[unit, 0], 5.0, f"{name}: weight", "how steep the step is")
        controls[f"b0_{unit}"] = slider(b0[unit], 10.0, f"{name}: bias", "where the step is: at x = -bias / weight")
        controls[f"W1_{unit}"] = slider(W1[0, unit], 8.0, f"{name}: output weight", "half the height of the step")
    controls["b1"] = slider(b1[0], 8.0, "output bias", "lifts the whole curve")
    states = [{name: control.value for name, control in controls.items()}, {"b1": TUNED[1]}]
    for unit, numbers in enumerate(TUNED[0]):
        states[1] |= {f"{part}_{unit}": number for part, number in zip(("W0", "b0", "W1"), numbers, strict=True)}
    inside = torch.linspace(-4, 4, 4001, dtype=torch.float64)
    errors = [
        (contributions(inside, state).sum(dim=1) + state["b1"] - inside.abs()).abs().max().item() for state in states
    ]
    alt = (
        "Four tanh units, thin, and the sum that they make, thick, against |x| from -4 to 4. "
        f"Left as the sliders begin: largest error {errors[0]:.4f}. "
        f"Right with other numbers, found by training: largest error {errors[1]:.4f}; the kink is sharper, and outside "
        "of the interval the curve rises on before it levels off."
    )
    return Explorer(Four, controls, alt=alt, size=(9.5, 4.8), twin=side_by_side(Four, states, 13, 4.6), columns=3)


# ---- chapter 10: hidden units --------------------------------------------------------------------------------------


class Fit(Scene):
    """The readings, those kept back ringed, lm()'s line through the others, and the curve of one network."""

    def __init__(self, figure: FigureBase, df: pd.DataFrame, kept_back: list[int]):
        super().__init__(figure)
        self.axes = self.row(1)
        seen = df.drop(index=kept_back)
        self.axes.axvspan(df["u"].min(), df["u"].max(), color="#EDEDED", zorder=0)
        plots.draw_line(self.axes, *np.polyfit(seen["u"], seen["c"], 1), "lm", "lm()", span=(0, 110))
        style = {"color": PALETTE["network"], "linewidth": 2.5, "zorder": 2.5, "label": "network"}
        self.network = self.curve(self.axes, DASHES["network"], **style)
        plots.draw_readings(self.axes, df)
        plots.draw_rings(self.axes, df, kept_back, "kept back")
        self.axes.set(xlim=(0, 110), ylim=(-22, 46))
        self.axes.legend(loc="upper left", markerscale=0.7)
        self.title = self.follow(self.axes.title)

    def update(self, hidden: int, curve: Tensor, u: Tensor, losses: tuple[float, float], epoch: int, **_: Any) -> str:
        self.network.set_data(u, within(curve.numpy(), -22, 46))
        units = "unit" if hidden == 1 else "units"
        self.title.set_text(f"{hidden} {units}: training {losses[0]:.2f}, validation {losses[1]:.2f}")
        size = f"{hidden} hidden {units}, {3 * hidden + 1} parameters"
        return f"{size}, after {epoch} epochs: training MSE {losses[0]:.2f}, validation MSE {losses[1]:.2f}."


class NetworkTraining:
    """One network on its way, epoch by epoch of LBFGS, as in chapter 10's overkill; it leaves the seed alone."""

    def __init__(self, u: Tensor, c: Tensor, training: Tensor, validation: Tensor, hidden: int, seed: int):
        self.parts = training, validation
        self.z, self.y = ((u - 50) / 15).unsqueeze(1), c.unsqueeze(1)
        self.u = torch.linspace(0, 110, 221, dtype=torch.float64)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = network(hidden)
        parameters = self.model.parameters()
        self.optimizer = torch.optim.LBFGS(parameters, line_search_fn="strong_wolfe", history_size=20)
        self.epoch = 0

    def go_on(self) -> None:
        """One more epoch: up to 20 steps."""
        rows = self.parts[0]
        with contextlib.redirect_stdout(io.StringIO()):  # the picture shows a run that stopped
            train(self.model, self.optimizer, self.z[rows], self.y[rows], 1)
        self.epoch += 1

    def look(self) -> dict[str, Any]:
        """The network's curve and losses as they are now: what the scene shows."""
        with torch.no_grad():
            losses = tuple(mse(self.model(self.z[rows]), self.y[rows]).item() for rows in self.parts)
            curve = self.model((self.u.unsqueeze(1) - 50) / 15).squeeze(1)
        return {"curve": curve, "u": self.u, "losses": losses, "epoch": self.epoch}


class HiddenUnits(Explorer):
    """Trains a network for every state of the sliders, one epoch at a time, and remembers the trained ones.

    Between two epochs the kernel takes the next message, so that a new value of a slider ends a training that nobody
    waits for. Where no event loop runs, as in a script, the training is finished at once.
    """

    def __init__(self, start: Callable[[int, int], NetworkTraining], epochs: int, controls: dict, **options: Any):
        import ipywidgets as widgets

        self.start, self.epochs = start, epochs
        self.trained: dict[tuple[int, int], dict[str, Any]] = {}
        self.task: asyncio.Task | None = None
        self.progress = widgets.IntProgress(epochs, 0, epochs, **label("training", "epochs of LBFGS done"))
        self.shown = self.result(**{name: control.value for name, control in controls.items()})
        super().__init__(controls=controls, **options)
        self.panel.children = [*self.panel.children, self.progress]

    def result(self, hidden: int, seed: int) -> dict[str, Any]:
        """What a network shows when it has been trained to the end, from memory where possible."""
        if (hidden, seed) not in self.trained:
            training = self.start(hidden, seed)
            for _ in range(self.epochs):
                training.go_on()
            self.trained[hidden, seed] = training.look()
        return self.trained[hidden, seed]

    def state(self) -> dict[str, Any]:
        return {**super().state(), **self.shown}

    def change(self, changed: dict[str, Any]) -> None:
        if self.task is not None:
            self.task.cancel()
            self.task = None
        wanted = self.controls["hidden"].value, self.controls["seed"].value
        if wanted in self.trained:
            self.show(self.trained[wanted])
            return
        training = self.start(*wanted)
        self.show(training.look())
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            for _ in self.slices(wanted, training):
                pass
        else:
            self.task = loop.create_task(self.train_in_slices(wanted, training))

    def show(self, look: dict[str, Any]) -> None:
        self.shown = look
        self.progress.value = look["epoch"]
        self.redraw()

    def slices(self, wanted: tuple[int, int], training: NetworkTraining):
        """Train epoch by epoch, show each, and remember the last."""
        while training.epoch < self.epochs:
            training.go_on()
            look = training.look()
            if training.epoch == self.epochs:
                self.trained[wanted] = look
            self.show(look)
            yield

    async def train_in_slices(self, wanted: tuple[int, int], training: NetworkTraining) -> None:
        with self.errors_shown():
            for _ in self.slices(wanted, training):
                await asyncio.sleep(0.001)


def hidden_units(df: pd.DataFrame, training: Tensor, validation: Tensor, epochs: int = 8) -> Explorer:
    """Networks with few and with many hidden units, trained as soon as a slider asks for them. Used in chapter 10.

    df: the readings, columns u and c; training, validation: row numbers; epochs: of LBFGS, up to 20 steps each.
    """
    import ipywidgets as widgets

    u, c = (torch.tensor(df[name].to_numpy(), dtype=torch.float64) for name in ("u", "c"))

    def start(hidden, seed):
        return NetworkTraining(u, c, training, validation, hidden, seed)

    sizes = [1, 2, 3, 4, 5, 6, 8, 10, 13, 20, 30, 50, 100, 300, 1000]
    controls = {
        "hidden": widgets.SelectionSlider(options=sizes, value=13, **label("hidden units", "each has 3 parameters")),
        "seed": widgets.IntSlider(0, 0, 19, **label("seed", "of the starting values")),
    }
    alt = (
        "Networks with 1, 3 and 13 hidden units, each trained on the nine readings that are not ringed. One unit: a "
        "smooth step, near the line of lm() between the readings. Three: the curve begins to bend towards single "
        "readings. Thirteen: it goes through all nine, with a deep valley on the way, and misses the ringed ones."
    )
    explorer = HiddenUnits(
        start,
        epochs,
        controls,
        scene=lambda part: Fit(part, df, validation.tolist()),
        alt=alt,
        size=(8.5, 4.8),
    )
    states = [{"hidden": hidden, **explorer.result(hidden, 0)} for hidden in (1, 3, 13)]
    explorer.twin = side_by_side(lambda part: Fit(part, df, validation.tolist()), states, 14, 4.6)
    return explorer
