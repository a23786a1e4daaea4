"""The figure of chapter 09."""

import numpy as np
from matplotlib.ticker import NullFormatter

from helpers.plots import style


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
