"""Exercise self-checks: check.<exercise>(answer) prints one line, whatever the answer is.

Not answered yet, right (with a sentence on why it matters), or a hint for the mistake that the answer shows. What an
exercise is made of stands in engine.py, the exercises of a chapter in a file of its own, which loads on first use.
"""

from importlib import import_module
from typing import Any

CHAPTERS = {
    "ch00": ("double",),
    "ch01": ("design_matrix", "slope_through_origin", "residual_standard_error", "confidence_interval"),
    "ch02": ("forward_difference", "gradient_through_origin", "one_step", "largest_stable_rate"),
    "ch03": ("derivative", "autograd_descent", "tanh_rule", "overwritten_derivative"),
    "ch04": ("momentum_step", "training_cycle", "lbfgs_step", "momentum_limit"),
    "ch05": ("hold_out_error", "epoch_with_validation", "leave_one_out_of_the_mean", "standardise_validation"),
    "ch06": ("one_neuron", "hidden_layer_network", "collapsed_bias", "sensitivity"),
    "ch07": ("leaky_relu", "silu_slope", "stable_softplus", "dead_units"),
    "ch08": ("hump", "breaks_convexity", "flip_unit", "stack_loss"),
    "ch09": ("chain", "module_loss", "parameter_count", "channels_first"),
    "ch10": ("network_size", "deeper_network", "error_on_new_rows"),
    "ch11": ("judged_error", "decayed_step", "kept_epoch"),
    "ch12": ("one_hidden", "with_dropout", "load_renamed", "back_to_degrees"),
    "ch13": ("line_in_units", "line_errors", "standard_errors_apart"),
    "ch14": ("mean_over_rows", "measured_in_passing", "moved", "clipped"),
    "ch15": ("stable_log_loss", "newton_step", "unseen_accuracy", "softmax_loss"),
    "ch16": ("digits_left", "exact_residuals", "refined_once", "with_scaled_columns"),
    "ch17": ("steps_per_epoch", "merged_coefficients", "gradient_of_the_whole", "resumed"),
}
__all__ = [name for names in CHAPTERS.values() for name in names]


def __getattr__(name: str) -> Any:
    for chapter, names in CHAPTERS.items():
        if name in names:
            exercise = getattr(import_module(f"{__name__}.{chapter}"), name)
            exercise._name = name  # under which progress keeps it
            return exercise
    raise AttributeError(f"module {__name__!r} has no exercise {name!r}")


def __dir__() -> list[str]:
    return __all__
