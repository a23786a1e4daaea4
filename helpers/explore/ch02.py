"""Chapter 02: learning rate and step of gradient descent."""

import math

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import FigureBase
from torch import Tensor

from helpers.explore.stage import Explorer, Scene, label, side_by_side, within
from helpers.loss import mse, mse_gradient
from helpers.model import line as straight
from helpers.plots import style
from helpers.plots.style import PALETTE


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
        lm = style.least_squares(self.u, self.c)
        smallest = mse(straight(self.u, *lm), self.c).item()
        lively, losses = descend(self.u, self.c, 0.97 * self.limit, steps)
        places = np.vstack([lively, lm])
        low, high = places.min(axis=0), places.max(axis=0)
        spans = zip(low - 0.12 * (high - low), high + 0.12 * (high - low), strict=True)
        self.axes = self.row(3, 2)[0] if with_losses else self.row(1)
        style.draw_loss(self.axes, self.u, self.c, *spans)
        style.draw_path(self.axes, np.array([[1.0, 0.0]] * 2))
        self.way, start = self.axes.lines[-2:]
        self.follow(self.way)
        self.follow(start)
        dot = {"color": PALETTE["descent"], "markeredgecolor": "white", "markersize": 9, "zorder": 5}
        self.here = self.curve(self.axes, "o", **dot)
        self.title = self.follow(self.axes.title)
        self.losses = None
        if with_losses:
            self.axes.legend(loc="lower left")
            beside = figure.axes[1]
            style.draw_level(beside, smallest)
            self.losses = self.curve(beside, ".--", color=PALETTE["descent"], markersize=5, label="gradient descent")
            beside.set(yscale="log", xlim=(-1, steps + 1), ylim=(smallest / 2, 1e5 * losses[0]))
            beside.set(xlabel="step", ylabel="loss (°C²)")
            beside.legend(loc="upper left")

    def update(self, rate: float, steps: int) -> str:
        self.path, losses = descend(self.u, self.c, rate, steps)
        w = within(self.path[:, 0], *self.axes.get_xlim())
        b = within(self.path[:, 1], *self.axes.get_ylim())
        self.way.set_data(w, b)
        self.here.set_data(w[-1:], b[-1:])
        if self.losses is not None:
            self.losses.set_data(range(steps + 1), np.minimum(np.nan_to_num(losses, nan=1e30), 1e30))
        word, side = ("diverges", "above the limit {:.2e}: it diverges")
        if rate <= self.limit:
            word, side = ("stable", "below the limit {:.2e}: it is stable")
        self.title.set_text(f"rate {rate:.2e}: {word}")
        numbers = f"w {self.path[-1, 0]:.4g}, b {self.path[-1, 1]:.4g}, loss {losses[-1]:.4g}"
        return f"Learning rate {rate:.2e}, {side.format(self.limit)}. After {steps} steps {numbers}."


def descent(u: Tensor, c: Tensor) -> Explorer:
    """Gradient descent on the loss contours, with a slider each for learning rate and step.

    u, c: shape (n,), u in any scale. The rates go from a hundredth of the stable limit to about twice as much as it.
    Raises ValueError if a value is missing.
    """
    limit, steps = stable_limit(u.double()), 60
    exponent = round(math.log10(limit), 2)
    exponents = {"min": exponent - 2, "max": exponent + 0.3, "step": 0.02, "readout_format": ".2e"}
    note = "the number by which the gradient is multiplied before it is subtracted"
    controls = {
        "rate": ipywidgets.FloatLogSlider(10 ** (exponent - 0.04), **exponents, **label("learning rate", note)),
        "steps": ipywidgets.IntSlider(steps, 0, steps, **label("steps", "how many steps have been taken")),
    }
    states = [{"rate": share * limit, "steps": steps} for share in (1 / 3, 0.95, 1.05)]
    twin, _ = side_by_side(lambda part: Descent(part, u, c, steps, with_losses=False), states, 12, 4)
    alt = (
        f"{steps} steps of gradient descent on the loss contours at three learning rates around the limit {limit:.2e}. "
        "A third of the limit: straight to the valley floor, then hardly any further. Just below it: from wall to "
        "wall, slowly narrowing. Just above it: each jump is wider than the one before, and leaves the picture."
    )
    return Explorer(lambda part: Descent(part, u, c, steps), controls, alt=alt, size=(10.5, 4.6), twin=twin)
