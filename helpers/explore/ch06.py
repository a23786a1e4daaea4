"""Chapter 06: the two numbers of a neuron."""

import ipywidgets
import torch
from matplotlib.figure import FigureBase

from helpers.explore.stage import Explorer, Scene, label, side_by_side
from helpers.plots.style import DASHES, PALETTE

INPUTS = torch.linspace(-4, 4, 321, dtype=torch.float64)


class Step(Scene):
    """The line z = w x + b, and beside it the output tanh(z), with the place where z is zero marked in both."""

    def __init__(self, figure: FigureBase):
        super().__init__(figure)
        left, right = self.row(1, 1)
        self.sum = self.curve(left, DASHES["guess"], color=PALETTE["guess"])
        right.plot(INPUTS, torch.tanh(INPUTS), color=PALETTE["guess"], linewidth=1, label="w = 1, b = 0")
        self.output = self.curve(right, "-", color=PALETTE["network"], linewidth=3, label="your neuron")
        left.set(title="z = w x + b", xlabel="input x", ylim=(-6, 6))
        right.set(title="o = tanh(z)", xlabel="input x", ylim=(-2.2, 1.1), yticks=(-1, -0.5, 0, 0.5, 1))
        right.legend(loc="lower center")
        dot = {"color": PALETTE["data"], "markersize": 8}
        self.middles = []
        for axes in (left, right):
            axes.axhline(0, color=PALETTE["data"], linewidth=0.8)
            axes.set_xlim(-4, 4)
            self.middles.append(self.curve(axes, "o", **dot))

    def update(self, w: float, b: float) -> str:
        w, b = round(w, 6), round(b, 6)
        z = w * INPUTS + b
        self.sum.set_data(INPUTS, z)
        self.output.set_data(INPUTS, torch.tanh(z))
        self.middle = -b / w if w else None
        for dot in self.middles:
            dot.set_data(([], []) if self.middle is None else ([self.middle], [0.0]))
        if self.middle is None:
            return f"w 0, b {b:g}: no step, the output is {torch.tanh(z[0]):.2f} everywhere."
        way = "up" if w > 0 else "down"
        place = f"its middle at x = {self.middle + 0.0:.2f}, where the slope is {w:g}"
        return f"w {w:g}, b {b:g}: a step {way} with {place}."


def neuron() -> Explorer:
    """Weight and bias of a tanh neuron with one input: two sliders, and the step that they make."""
    reach = {"min": -4.0, "max": 4.0, "step": 0.1}
    controls = {
        "w": ipywidgets.FloatSlider(1.0, **reach, **label("weight w", "the input is multiplied by it")),
        "b": ipywidgets.FloatSlider(0.0, **reach, **label("bias b", "added before tanh")),
    }
    states = [{"w": 1.0, "b": 2.0}, {"w": 3.0, "b": 2.0}]
    twin, (left, right) = side_by_side(Step, states, 14, 3.6)
    alt = (
        "Two neurons, each as the line z = w x + b and as the step tanh(z) beside it. "
        f"Left w 1, b 2: a gentle step up with its middle at x = {left.middle:.2f}. "
        f"Right w 3, b 2: three times as steep, with its middle at x = {right.middle:.2f}."
    )
    return Explorer(Step, controls, alt=alt, size=(9.5, 4.2), twin=twin)
