"""Chapter 08: four neurons."""

import ipywidgets
import torch
from matplotlib.figure import FigureBase
from torch import Tensor

from helpers.explore.stage import Explorer, Scene, label, side_by_side
from helpers.plots.style import PALETTE

# Four units for |x|, found by training and rounded to tenths: weight, bias, output weight of each, and the output bias.
TUNED = ((0.6, 1.6, -1.9), (1.3, 0.3, -1.7), (1.3, -0.3, 1.7), (0.6, -1.6, 1.9)), 4.6


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
        styles = {"1": ("-", 1), "2": ("--", 1), "3": (":", 2), "4": ("-.", 1)}
        self.units = [
            self.curve(self.axes, dash, color=PALETTE["guess"], linewidth=width, label=f"unit {name}")
            for name, (dash, width) in styles.items()
        ]
        self.sum = self.curve(self.axes, color=PALETTE["network"], linewidth=4, alpha=0.7, zorder=3, label="network")
        thin = {"color": PALETTE["data"], "linewidth": 1.5, "zorder": 4, "label": "|x|"}
        self.follow(self.axes.plot(self.inside, self.wanted, **thin)[0])
        self.axes.set(xlabel="x", xlim=(-6, 6), ylim=(-4, 8))
        self.axes.legend(loc="upper center", ncols=4, fontsize=10, columnspacing=0.9, handlelength=1.6)
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


def neurons(W0: Tensor, b0: Tensor, W1: Tensor, b1: Tensor) -> Explorer:
    """Four tanh units with a slider for each of their 13 numbers, against |x| from -4 to 4.

    W0, b0, W1, b1: where the sliders begin, rounded to tenths; shapes (4, 1), (4,), (1, 4), (1,).
    """

    def slider(value, reach, text, note):
        value = round(float(value), 1)
        bounds = {"min": min(-reach, value), "max": max(reach, value), "step": 0.1, "readout_format": ".1f"}
        return ipywidgets.FloatSlider(value, **bounds, **label(text, note))

    controls, tuned = {}, {"b1": TUNED[1]}
    for unit, name in enumerate(("unit 1", "unit 2", "unit 3", "unit 4")):
        controls[f"W0_{unit}"] = slider(W0[unit, 0], 5.0, f"{name}: weight", "how steep the step is")
        controls[f"b0_{unit}"] = slider(b0[unit], 10.0, f"{name}: bias", "where the step is: at x = -bias / weight")
        controls[f"W1_{unit}"] = slider(W1[0, unit], 8.0, f"{name}: output weight", "half the height of the step")
        tuned |= dict(zip((f"W0_{unit}", f"b0_{unit}", f"W1_{unit}"), TUNED[0][unit], strict=True))
    controls["b1"] = slider(b1[0], 8.0, "output bias", "lifts the whole curve")
    states = [{name: control.value for name, control in controls.items()}, tuned]
    twin, (left, right) = side_by_side(Four, states, 13, 4.6)
    alt = (
        "Four tanh units, thin, and the sum that they make, thick, against |x| from -4 to 4. "
        f"Left as the sliders begin: largest error {left.largest_error:.4f}. "
        f"Right with other numbers, found by training: largest error {right.largest_error:.4f}; the kink is sharper, "
        "and outside of the interval the curve rises on before it levels off."
    )
    return Explorer(Four, controls, alt=alt, size=(9.5, 4.8), twin=twin, columns=3)
