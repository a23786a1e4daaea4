"""Chapter 04: the race of optimizers."""

import math

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import FigureBase
from torch import Tensor

from helpers.explore.stage import Explorer, Scene, label
from helpers.model import line as straight
from helpers.plots import style
from helpers.training import train

LOOKS = {
    "SGD": ("--", "o", "descent"),
    "momentum": ("-", "s", "descent"),
    "RMSprop": (":", "v", "guess"),
    "Adam": ("-", "^", "guess"),
    "LBFGS": ("-", "D", "data"),
}
# Momentum's swings cover the whole valley, LBFGS jumps along its floor: pale, and below the others.
PALE_WAYS = {"momentum": {"linewidth": 0.6, "alpha": 0.3}, "LBFGS": {"linewidth": 5, "alpha": 0.4}}


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


def digits_along(path: np.ndarray, answer: tuple[float, float], most: float = 12) -> np.ndarray:
    """Digits of agreement with the answer at each point of a path, the worse of both parameters, from 0 to `most`."""
    worst = np.abs(path / answer - 1).max(axis=1)
    return np.clip(-np.log10(np.maximum(worst, 10.0**-most)), 0, most)


class Race(Scene):
    """The paths of the optimizers on the contours of the loss, and their digits against the gradients computed."""

    def __init__(self, figure: FigureBase, u: Tensor, c: Tensor, paths: dict[str, np.ndarray]):
        super().__init__(figure)
        answer = style.least_squares(u, c)
        self.paths = paths
        self.digits = {name: digits_along(path, answer) for name, path in paths.items()}
        last = max(len(path) for path in paths.values()) - 1
        self.marks = np.unique(np.round(10 ** np.linspace(0, math.log10(last), 45)).astype(int))
        self.axes, beside = self.row(1, 1)
        style.draw_loss(self.axes, u, c, (-0.9, 1.3), (-20, 3))
        self.axes.legend(loc="lower left")
        self.ways, self.heads, self.curves, self.ends = {}, {}, {}, {}
        for place, name in enumerate(paths):
            dash, marker, kind = LOOKS[name]
            colour = {"color": style.PALETTE[kind]}
            head = {"markeredgecolor": "white", "markersize": 11, "zorder": 5 + place / 10, **colour}
            way = PALE_WAYS.get(name, {"linewidth": 1.3, "zorder": 4})
            self.ways[name] = self.curve(self.axes, dash, **way, **colour)
            self.heads[name] = self.curve(self.axes, marker, **head)
            self.curves[name] = self.curve(beside, dash, linewidth=1.5, **colour)
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
    """Chapter 04's five optimizers on raw u: a slider for the step, a tick for each.

    u, c: shape (n,). Raises ValueError if a value is missing.
    """
    u, c = u.double(), c.double()
    paths = race_paths(u, c)
    options = sorted({*(round(10 ** (k / 16)) for k in range(53)), *range(1, 11), 300, 2000})
    note = "how many gradients each optimizer has computed; LBFGS needs 9 in all"
    controls = {"step": ipywidgets.SelectionSlider(options=options, value=300, **label("gradients", note))}
    for name in paths:
        controls[name] = ipywidgets.Checkbox(True, description=name, tooltip=f"show {name}", indent=False)
    alt = (
        "Five optimizers after 300 gradients. On the loss contours SGD lies high on the valley floor, momentum still "
        "swings from wall to wall, RMSprop and Adam are on their way along the floor, LBFGS stands on the cross of "
        "lm(). Beside it their digits of agreement: under 1 for four of them, more than 11 for LBFGS."
    )
    return Explorer(lambda part: Race(part, u, c, paths), controls, alt=alt, size=(11, 4.8), columns=3)
