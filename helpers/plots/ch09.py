"""The figures of chapter 09."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter
from torch import Tensor

from helpers.plots import style


def all_differences(differences: Tensor) -> None:
    """Every prediction minus every target as a square of numbers, darker the larger; the diagonal is framed.

    differences: shape (n, n), a row for each prediction, a column for each target.
    """
    _, axes = style.new_figure(height=5)
    values = differences.detach().numpy()
    size = np.abs(values)
    axes.imshow(size, cmap="Blues")
    for row, column in np.ndindex(*size.shape):
        color = "white" if size[row, column] > 0.6 * size.max() else "black"
        axes.text(column, row, f"{values[row, column]:z.0f}", ha="center", va="center", color=color, fontsize=10)
        if row == column:
            frame = plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=2.5)
            axes.add_patch(frame)
    axes.grid(False)
    places = range(len(size))
    style.finish(axes, xlabel="target", ylabel="prediction", xticks=places, yticks=places)


def time_per_sample(sizes: list[int], seconds: list[float]) -> None:
    """Time per sample against batch size, both axes logarithmic, beside a call at a fixed price.

    sizes: samples per batch, the first one 1; seconds: per sample, one for each size.
    """
    _, axes = style.new_figure()
    microseconds = np.array(seconds) * 1e6
    shared = microseconds[0] / np.array(sizes)
    axes.loglog(sizes, shared, "--", color=style.PALETTE["guess"], linewidth=1.5, label="if each call cost the same")
    axes.loglog(sizes, microseconds, "o-", color=style.PALETTE["network"], label="measured")
    axes.set_xticks(sizes, labels=[str(size) for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    style.finish(axes, "best", xlabel="samples in a batch", ylabel="time per sample (µs)")
