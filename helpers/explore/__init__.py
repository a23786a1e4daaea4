"""The interactive figures: sliders, and a picture that follows them; a file for each chapter that has one.

Scaffolding: the ideas stand in the notebooks. A cell ends in an Explorer (`stage.py`), whose stored output is a picture
with words, for a page without a kernel.
"""

from helpers.explore.ch01 import line
from helpers.explore.ch02 import descent
from helpers.explore.ch04 import race
from helpers.explore.ch05 import splits
from helpers.explore.ch06 import neuron
from helpers.explore.ch08 import neurons
from helpers.explore.ch11 import hidden_units

__all__ = ["descent", "hidden_units", "line", "neuron", "neurons", "race", "splits"]


def __dir__() -> list[str]:
    return __all__
