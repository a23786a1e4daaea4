"""Every figure of the notebooks, in a file for each chapter; `style` holds the palette and what figures share.

Scaffolding: the idea of a figure stays in the notebook, its drawing stands here.
"""

from helpers.plots.ch00 import depth_maps
from helpers.plots.ch01 import bowl, readings, refits, residuals
from helpers.plots.ch02 import bounces, descent_panels, difference_errors, loss_curves, loss_surface
from helpers.plots.ch03 import expression_graph
from helpers.plots.ch04 import optimizer_paths, race, zero_grad_curves
from helpers.plots.ch05 import degree_errors, left_out, split_errors, validation_curves
from helpers.plots.ch06 import neuron_curves, neuron_fits, sums_of_neurons
from helpers.plots.ch07 import activation_gallery, awakenings, gradient_factors, slope_zones, straight_pieces
from helpers.plots.ch08 import approximations, bowl_and_slice, four_neurons, hidden_units, many_curves, many_losses
from helpers.plots.ch09 import all_differences, time_per_sample
from helpers.plots.ch10 import network_losses, paired_errors
from helpers.plots.ch11 import area_maps, validation_by_epoch
from helpers.plots.ch12 import repeated_calls
from helpers.plots.ch13 import arrivals, pairs, verdicts
from helpers.plots.ch14 import gradient_noise, modes, rates
from helpers.plots.ch15 import calibration, digits_by_step, log_losses, probability_lines, probability_maps
from helpers.plots.ch16 import certified_curve, certified_digits, refinements, tilted_columns, two_metrics
from helpers.plots.ch17 import tree_of_triangles
from helpers.plots.shared import lines, network_fits

# fmt: off
__all__ = [
    "activation_gallery", "all_differences", "approximations", "area_maps", "arrivals", "awakenings", "bounces",
    "bowl", "bowl_and_slice", "calibration", "certified_curve", "certified_digits", "degree_errors", "depth_maps",
    "descent_panels", "difference_errors", "digits_by_step", "expression_graph", "four_neurons", "gradient_factors",
    "gradient_noise", "hidden_units", "left_out", "lines", "log_losses", "loss_curves", "loss_surface",
    "many_curves", "many_losses", "modes", "network_fits", "network_losses", "neuron_curves", "neuron_fits",
    "optimizer_paths", "paired_errors", "pairs", "probability_lines", "probability_maps", "race", "rates",
    "readings", "refinements", "refits", "repeated_calls", "residuals", "slope_zones", "split_errors",
    "straight_pieces", "sums_of_neurons", "tilted_columns", "time_per_sample", "tree_of_triangles", "two_metrics",
    "validation_by_epoch", "validation_curves", "verdicts", "zero_grad_curves",
]
# fmt: on


def __dir__() -> list[str]:
    return __all__
