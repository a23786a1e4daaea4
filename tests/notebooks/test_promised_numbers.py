"""The numbers that each chapter promises to show stand in its stored outputs, printed by its own code."""

import re
from pathlib import Path

import pytest
from notebook_tools import ROOT, Notebook, output_text

PROMISED = {
    "01": """
        -17.3047855 1.9272273 -8.97911 8.701879e-06 0.5367719 0.0355386 15.10391 1.062435e-07 MSE=2.93
        2.9276456 1.8916219 0.9620458 -21.664 -12.945 0.4564 0.6172 0.5556 -17.78 3.2685 2.9276
    """,
    "02": """
        1763.8845 -44.1730 46.0250 45.9732 -0.8260 4517.2964 82.6000
        1763.88 5.80e+06 1.94e+10 inf 5883.4 0.1751 3.40e-04 33599 0.03298 357
        80.364342 37.574917 30.871077 29.030487 28.941875 22.214186 22.148710 2.927680 2.927648
        5.3671 -17.3012 3.6e-03 5.6e-04
    """,
    "03": """
        4517.2969 82.6000 9034.5
        7.860116 3.828538 3.092191 2.957697 2.933134 2.928648 2.927830 2.927679 2.927652 2.927647 5.3671 -17.3012
    """,
    "04": """
        1.0008 1.0640e-04 5.3671 -17.3012 0.5367 -17.302
    """,
    "05": """
        93.962578 30.066647 24.354103 11.108869 5.690493 3.397933 2.427933 2.017515 1.843863
        19.172251 43.279331 53.700531 12.031467 0.816392 1.738821 5.815708 9.938664 13.242980
        5.8612 -20.4629 2.4288 6.5619 5.4815 -17.4260 1.05 20.70 4.49
    """,
    "06": "-0.97574 0.09967 0.98661",
    "07": "LeakyReLU(0.1) -0.3 Hardtanh Softplus GELU SiLU",
    "08": "2.9276",
    "09": "2.4288 6.5616 5.4813 -17.4250",
    "10": "0.weight (13,\u00a01) (13,) (1,\u00a013) (1,) 40 hidden_linear.weight output_linear.bias 4.49 104",
    "11": "0.029 216\u00a0km 0.917 62\u00a0km 65\u00a0km 64\u00a0km 60\u00a0km 2.43 6.57 8.4 6.1 0.3 11.5",
    "12": "13 14 40 43",
    "14": "216 178 71 1.1 1.7 476 500 -100 200 0.71 0.02 83.5 83.0 84.1 81.3 5e-05 3e-01 86",
    "15": """
        -45.2723 5.7545 10.4467 20.5635 13.6096 13.611668 -45.27234304 -45.27234377 12\u00a0or\u00a0more 2.674149
        45.2% 54.8% 98.5% 96.8% 36.5%
    """,
    "16": """
        -0.262323074 1.002116818 NaN 5.2e+09 4.3e+04 2.2e+03 2.7e+19 5.2e-08 0.0039 0.0033 2.0e+03
        14.4 14.7 14.3 14.6 15.0 -1.46748961422980e+3
        12\u00a0or\u00a0more 7.7\u00a0digits 14.0\u00a0digits 3.2\u00a0digits
    """,
    "17": """
        -77.6140 -75.4700 2,000,000 160 0.532430 -17.073254 0.543298 -17.747269 0.536772 -17.304786 2.927646
    """,
}


def outputs(path: Path) -> str:
    """Everything that a notebook's cells print or show as text."""
    return "\n".join(output_text(cell) for cell in Notebook.read(path).code)


@pytest.mark.parametrize("number, promised", PROMISED.items(), ids=list(PROMISED))
def test_every_promised_number_is_shown(number, promised):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    shown = outputs(path)
    assert [value for value in re.split(r"[ \n]+", promised.strip()) if value.replace("\u00a0", " ") not in shown] == []


def test_a_number_that_is_not_shown_is_missed():
    shown = outputs(ROOT / "notebooks" / "01_least_squares.ipynb")
    assert "2.9276" in shown and "2.9277" not in shown
