"""NIST's problems: the files are NIST's own, they are read as printed, and their certified answers follow from them."""

import hashlib
import math
from fractions import Fraction

import pytest
import torch

from helpers.beyond.certified import FOLDER, NAMES, lre, problem
from helpers.beyond.refinement import refine

CHECKSUMS = {
    "Filip": "1e8cb9a4644b1c6a8b1038eb46c59543814fa2a8d1ca31cb833040a75bf6a151",
    "Longley": "c58ef65a2699826d55f134ddef27d09b9fb6ab4499fdd49a408b4cd5a63dc890",
    "NoInt1": "4fc3255e9f2553e8961aafb23d0fa2b50899e898c43a29d486d80c4a28049913",
    "NoInt2": "d3501d6dd0c86462e6a5279fbffa91741252868cd43ed9b18f6369479cb9823f",
    "Norris": "cc3fd14d1c5fa891d5653000c9d7732c30db842cca49fc051abde1c19d67ab7d",
    "Pontius": "4a48abd813af0d8dc78f8a0762d353d34b73b2fffaa07e266b69fae7b2b0669d",
    "Wampler1": "6e86af8620ba02368f0c61ee4065bf00e63e828a1b4914979747195c41e7a976",
    "Wampler2": "ac45014c4c0d3744d9b92fa918d8f09afade7c2793a89afd5ce796334d9e215b",
    "Wampler3": "f30660a33ca97f89f05aec66ad9d8a9b7b1b352d5c09e2dae7bd85515ed699cb",
    "Wampler4": "db0f095b52778a8252b4ad9dafca7a8cf737be2c3d8e913832e84370dfb9947c",
    "Wampler5": "dd00873dea76a3adb0f7e01be4a9d96f368983cb4be1a89517963a24d3d12afa",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_nists_own(name):
    assert hashlib.sha256((FOLDER / f"{name}.dat").read_bytes()).hexdigest() == CHECKSUMS[name]


def test_there_are_eleven_problems_and_no_other_files():
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(f"{name}.dat" for name in CHECKSUMS)}


@pytest.mark.parametrize(
    "name, shape, formula",
    [
        ("Norris", (36, 2), "y ~ x"),
        ("Pontius", (40, 3), "y ~ x + I(x^2)"),
        ("NoInt1", (11, 1), "y ~ 0 + x"),
        ("NoInt2", (3, 1), "y ~ 0 + x"),
        ("Filip", (82, 11), "y ~ x + " + " + ".join(f"I(x^{k})" for k in range(2, 11))),
        ("Longley", (16, 7), "y ~ x1 + x2 + x3 + x4 + x5 + x6"),
        ("Wampler1", (21, 6), "y ~ x + I(x^2) + I(x^3) + I(x^4) + I(x^5)"),
    ],
)
def test_the_model_is_the_files(name, shape, formula):
    found = problem(name)
    X, y = found.tensors()
    assert (X.shape, y.shape) == (shape, shape[:1]) and found.formula == formula
    assert X.dtype == y.dtype == torch.float64 and found.tensors(torch.float32)[0].dtype == torch.float32
    assert len(found.frame()) == shape[0] and list(found.frame()) == ["y", *found.predictors]
    assert len(found.coefficients) == len(found.standard_errors) == len(found.terms) == shape[1]


def test_decimals_are_read_as_printed():
    filip = problem("Filip")
    assert filip.response[0] == Fraction(8116, 10_000) and filip.rows[0][1] == Fraction(-6860120914, 10**9)
    assert filip.rows[0][10] == Fraction(-6860120914, 10**9) ** 10
    assert filip.coefficients[10] == Fraction(-402962525080404, 10**19)
    assert filip.standard_errors[10] == Fraction(896632837373868, 10**20)
    assert filip.residual_sd == Fraction("0.00334801051324544") and filip.r_squared == Fraction("0.996727416185620")
    assert problem("Pontius").response[0] == Fraction("0.11019")
    assert problem("Wampler3").response[-1] == 3369180
    assert problem("Longley").rows[0] == (1, 83, 234289, 2356, 1590, 107608, 1947)


def test_tensors_hold_the_nearest_float64():
    X, y = problem("Filip").tensors()
    assert y[0].item() == 0.8116 and X[0, 1].item() == -6.860120914
    assert Fraction(X[0, 10].item()) != problem("Filip").rows[0][10]
    assert X[0, 10].item() == float(problem("Filip").rows[0][10])


@pytest.mark.parametrize(
    "values, certified, expected",
    [
        ([1.001], [1], 3),
        ([1.0, 2.002], [Fraction(1), Fraction(2)], 3),
        ([1e-9], [0], 9),
        ([1.0], [1], 15),
        ([1 + 1e-15], [1], 15 - math.log10(1.1102230246251565)),
        ([math.nan], [1], -math.inf),
        (torch.tensor([1.001]).double(), [Fraction(1)], 3),
    ],
)
def test_digits_against_certified_values(values, certified, expected):
    assert lre(values, certified) == pytest.approx(expected, abs=1e-4)


def test_digits_want_one_certified_value_each():
    with pytest.raises(ValueError, match="2 values, 1 references"):
        lre([1.0, 2.0], [1])


# --- the certified answers follow from the data --------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_refined_solver_has_the_certified_digits(name):
    """Fifteen printed digits can be off by half a unit of the last one, 5e-15 of a number that begins with 1: 14.3."""
    found = problem(name)
    solved = refine(found.rows, found.response)
    centre = sum(found.response) / len(found.response) if "B0" in found.terms else 0
    total = sum((value - centre) ** 2 for value in found.response)
    assert lre(solved.coefficients, found.coefficients) > 14
    assert lre(solved.standard_errors, found.standard_errors) > 14
    assert lre([solved.residual_sd], [found.residual_sd]) > 14
    assert lre([1 - solved.rss / total], [found.r_squared]) > 14


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match="no problem is named 'Phillip': choose one of Norris, Pontius"):
        problem("Phillip")
