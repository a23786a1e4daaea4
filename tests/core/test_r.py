"""lm() of helpers.r: R's numbers against numpy's, what it refuses, and what it does without R."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.authoring import records as recipe
from helpers.beyond.certified import NAMES, lre, problem
from helpers.data import thermometers
from helpers.r import RError, RUnavailable, RWarning, cells, lm, probe, records, session

ROOT = Path(__file__).parents[2]
EPSILON = float(np.finfo("float64").eps)


def readings() -> pd.DataFrame:
    """The thermometers, with a column of each type R knows."""
    return thermometers().assign(
        place=list("abcabcabcab"),
        sunny=[True, False, False, True, True, False, True, False, True, True, False],
        storey=[3, 1, 2, 5, 1, 2, 2, 1, 4, 3, 1],
        month=pd.Categorical(["May", "June", "July"] * 3 + ["May", "July"], categories=["May", "June", "July"]),
    )


# --- R against numpy -----------------------------------------------------------------------------------------------


def two_sided_p(t: float, df: int) -> float:
    """The p-value of Student's t, by Gauss-Legendre quadrature of its density where that is smooth.

    Beyond 1 it integrates the tail in v = 1/x, so that small p-values keep their digits; below 1, the middle in x.
    """
    nodes, weights = np.polynomial.legendre.leggauss(100)
    t = abs(t)
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    if t < 1:
        x = (nodes + 1) / 2 * t
        return float(1 - scale * t * (weights * (1 + x**2 / df) ** (-(df + 1) / 2)).sum())
    v = (nodes + 1) / 2 / t
    return float(scale / t * (weights * (1 + 1 / (df * v**2)) ** (-(df + 1) / 2) / v**2).sum())


def orthonormal_powers(u: np.ndarray, degree: int) -> np.ndarray:
    """Orthonormal polynomials in u of degree 1 ... `degree`, leading coefficients positive, as R's poly() has them."""
    columns = [np.ones_like(u) / math.sqrt(len(u))]
    for power in range(1, degree + 1):
        column = (u - u.mean()) ** power
        for _ in range(2):
            for earlier in columns:
                column = column - earlier * (earlier @ column)
        columns.append(column / np.linalg.norm(column))
    return np.stack(columns[1:], axis=1)


def design(name: str) -> tuple[list[str], np.ndarray]:
    """R's names for the columns of the design matrix of a formula, and the matrix, written out by hand."""
    frame = readings()
    one, u = np.ones(len(frame)), frame["u"].to_numpy()
    b, c = ((frame["place"] == letter).to_numpy(float) for letter in "bc")
    june, july = ((frame["month"] == month).to_numpy(float) for month in ("June", "July"))
    sunny, storey = frame["sunny"].to_numpy(float), frame["storey"].to_numpy(float)
    columns = {
        "c ~ u": {"(Intercept)": one, "u": u},
        "c ~ 0 + u": {"u": u},
        "c ~ 1": {"(Intercept)": one},
        "c ~ u + I(u^2)": {"(Intercept)": one, "u": u, "I(u^2)": u**2},
        "c ~ log(u) + storey": {"(Intercept)": one, "log(u)": np.log(u), "storey": storey},
        "c ~ place": {"(Intercept)": one, "placeb": b, "placec": c},
        "c ~ 0 + place": {"placea": one - b - c, "placeb": b, "placec": c},
        "c ~ u * place": {"(Intercept)": one, "u": u, "placeb": b, "placec": c, "u:placeb": u * b, "u:placec": u * c},
        "c ~ month + sunny": {"(Intercept)": one, "monthJune": june, "monthJuly": july, "sunnyTRUE": sunny},
        "c ~ poly(u, 2)": {
            "(Intercept)": one,
            **{f"poly(u, 2){i + 1}": column for i, column in enumerate(orthonormal_powers(u, 2).T)},
        },
    }[name]
    return list(columns), np.stack(list(columns.values()), axis=1)


FORMULAS = [
    "c ~ u",
    "c ~ 0 + u",
    "c ~ 1",
    "c ~ u + I(u^2)",
    "c ~ log(u) + storey",
    "c ~ place",
    "c ~ 0 + place",
    "c ~ u * place",
    "c ~ month + sunny",
    "c ~ poly(u, 2)",
]


@pytest.mark.needs_r
@pytest.mark.parametrize("formula", FORMULAS)
def test_lm_agrees_with_qr_in_numpy(formula):
    terms, x = design(formula)
    y = readings()["c"].to_numpy()
    n, p = x.shape
    q, upper = np.linalg.qr(x)
    estimate = np.linalg.solve(upper, q.T @ y)
    residuals = y - x @ estimate
    rss = residuals @ residuals
    sigma = math.sqrt(rss / (n - p))
    error = sigma * np.linalg.norm(np.linalg.inv(upper), axis=1)
    centre = y.mean() if "(Intercept)" in terms else 0.0
    lost = int("(Intercept)" in terms)
    total = ((y - centre) ** 2).sum()

    # A least-squares solution loses up to cond(X)^2 roundings; scaling a column changes none of the digits.
    tolerance = 50 * EPSILON * np.linalg.cond(x / np.linalg.norm(x, axis=0)) ** 2
    fit = lm(formula, readings())
    assert list(fit.coefficients.index) == terms and list(fit.conf_int.index) == terms
    assert list(fit.coefficients.columns) == ["Estimate", "Std. Error", "t value", "Pr(>|t|)"]
    assert list(fit.conf_int.columns) == ["2.5 %", "97.5 %"]
    scale = np.linalg.norm(estimate * np.linalg.norm(x, axis=0)) / np.linalg.norm(x, axis=0)
    assert (np.abs(fit.coefficients["Estimate"] - estimate) <= tolerance * scale).all()
    np.testing.assert_allclose(fit.coefficients["Std. Error"], error, rtol=tolerance)
    np.testing.assert_allclose(fit.coefficients["t value"], estimate / error, atol=tolerance * (scale / error).max())
    p_values = [two_sided_p(t, n - p) for t in fit.coefficients["t value"]]
    np.testing.assert_allclose(fit.coefficients["Pr(>|t|)"], p_values, rtol=1e-12)  # both from R's own t
    np.testing.assert_allclose(fit.residuals, residuals, atol=tolerance * np.abs(y).max())
    np.testing.assert_allclose(fit.fitted, x @ estimate, atol=tolerance * np.abs(y).max())
    assert fit.df_residual == n - p
    assert fit.sigma == pytest.approx(sigma, rel=tolerance)
    assert fit.mse == pytest.approx(rss / n, rel=tolerance)
    assert fit.r_squared == pytest.approx(1 - rss / total if p > lost else 0.0, rel=tolerance, abs=tolerance)
    adjusted = 1 - rss / (n - p) / (total / (n - lost)) if p > lost else 0.0
    assert fit.adj_r_squared == pytest.approx(adjusted, rel=tolerance, abs=tolerance)

    half_width = (fit.conf_int["97.5 %"] - fit.conf_int["2.5 %"]) / 2 / fit.coefficients["Std. Error"]
    np.testing.assert_allclose([two_sided_p(t, n - p) for t in half_width], 0.05, rtol=1e-10)
    np.testing.assert_allclose(fit.conf_int.mean(axis=1), estimate, atol=(tolerance * scale).max(), rtol=1e-13)


@pytest.mark.needs_r
def test_lm_on_the_thermometers_gives_the_numbers_of_chapter_01():
    fit = lm("c ~ u", thermometers())
    expected = {
        "(Intercept)": ["-17.3047855", "1.9272273", "-8.97911", "8.701879e-06"],
        "u": ["0.5367719", "0.0355386", "15.10391", "1.062435e-07"],
    }
    styles = [".7f", ".7f", ".5f", ".6e"]
    for term, numbers in expected.items():
        assert [format(x, style) for x, style in zip(fit.coefficients.loc[term], styles, strict=True)] == numbers
    assert f"{fit.mse:.7f} {fit.sigma:.7f} {fit.r_squared:.7f}" == "2.9276456 1.8916219 0.9620458"
    assert fit.df_residual == 9
    assert fit.conf_int.round(4).loc["u"].tolist() == [0.4564, 0.6172]
    assert fit.conf_int.round(3).loc["(Intercept)"].tolist() == [-21.664, -12.945]
    assert (fit.intercept, fit.slope) == (fit.coefficients.iat[0, 0], fit.coefficients.iat[1, 0])
    assert re.match(r"R version \d+\.\d+\.\d+", fit.r_version) and fit.r_version == probe()


@pytest.mark.needs_r
def test_the_result_is_made_of_floats_and_pandas_and_cannot_be_reassigned():
    fit = lm("c ~ u", thermometers())
    for name in ("sigma", "r_squared", "adj_r_squared", "mse", "intercept", "slope"):
        assert type(getattr(fit, name)) is float, name
    assert type(fit.df_residual) is int
    for part in (fit.coefficients, fit.conf_int, fit.residuals.to_frame(), fit.fitted.to_frame()):
        assert (part.dtypes == "float64").all()
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.mse = 0.0


@pytest.mark.needs_r
def test_slope_and_intercept_explain_when_there_is_no_one_such_number():
    with pytest.raises(ValueError, match="no intercept; its coefficients are 'u'"):
        _ = lm("c ~ 0 + u", thermometers()).intercept
    with pytest.raises(ValueError, match="exactly one coefficient .* has .*'u', 'storey'"):
        _ = lm("c ~ u + storey", readings()).slope
    with pytest.raises(ValueError, match="exactly one"):
        _ = lm("c ~ 1", readings()).slope


@pytest.mark.needs_r
def test_a_printed_fit_is_a_small_table():
    text = repr(lm("c ~ u", thermometers()))
    assert text.splitlines()[0].split() == ["Estimate", "Std.", "Error", "t", "value", "Pr(>|t|)"]
    assert text.splitlines()[2].split() == ["u", "0.536772", "0.0355386", "15.1039", "1.06243e-07"]
    assert text.splitlines()[-1] == "MSE 2.92765 on 11 points, degrees of freedom left: 9"
    assert "on 1 point," in repr(lm("c ~ u", thermometers().iloc[:1]))
    assert repr(lm("c ~ 0", thermometers())).startswith("no coefficients\nMSE 187.386")


# --- the data's types, index and gaps ------------------------------------------------------------------------------


@pytest.mark.needs_r
def test_rows_keep_the_index_of_the_data():
    frame = thermometers().set_index(pd.Index(list("klmnopqrstu"), name="place"))
    fit = lm("c ~ u", frame)
    assert fit.residuals.index.equals(frame.index) and fit.fitted.index.equals(frame.index)
    assert np.abs(fit.fitted + fit.residuals - frame["c"]).max() < 1e-13
    twins = thermometers().set_index(pd.Index([7] * 11))
    assert lm("c ~ u", twins).residuals.tolist() == fit.residuals.tolist()


@pytest.mark.needs_r
def test_rows_with_a_gap_are_left_out_as_in_r():
    frame = thermometers().set_index(pd.Index(list("klmnopqrstu")))
    gappy = frame.copy()
    gappy.loc["n", "u"] = np.nan
    gappy.loc["k", "c"] = np.nan
    fit, kept = lm("c ~ u", gappy), lm("c ~ u", frame.drop(index=["n", "k"]))
    pd.testing.assert_series_equal(fit.residuals, kept.residuals)
    assert list(fit.residuals.index) == list("lmopqrstu")
    assert fit.mse == kept.mse and fit.df_residual == 7
    unused = lm("c ~ u", frame.assign(other=np.nan))
    assert unused.df_residual == 9, "a gap in a column that the formula does not use costs no row"


SAME = {
    "float32": lambda k: k.astype("float32"),
    "uint64": lambda k: k.astype("uint64"),
    "int8": lambda k: k.astype("int8"),
    "Int64": lambda k: k.astype("Int64"),
    "Float64": lambda k: k.astype("Float64"),
    "object": lambda k: k.astype(object),
    "big": lambda k: k.astype("int64") * 2**40,
}


@pytest.mark.needs_r
@pytest.mark.parametrize("kind", SAME)
def test_numbers_of_any_type_give_the_same_fit(kind):
    frame = readings()
    expected = lm("c ~ storey", frame)
    frame["storey"] = SAME[kind](frame["storey"])
    fit = lm("c ~ storey", frame)
    factor = 2**40 if kind == "big" else 1  # a power of two scales without rounding
    assert fit.slope * factor == pytest.approx(expected.slope, rel=1e-14)
    assert fit.mse == pytest.approx(expected.mse, rel=1e-14)


@pytest.mark.needs_r
def test_missing_values_of_nullable_types_are_missing_in_r():
    frame = readings().assign(
        storey=pd.array([None, 1, 2, 5, 1, 2, 2, 1, 4, 3, 1], dtype="Int64"),
        sunny=pd.array([True, None, *[False, True] * 4, False], dtype="boolean"),
        place=[*"ab", None, *"abcabcab"],
    )
    kept = readings().assign(sunny=[True, False, *[False, True] * 4, False]).drop(index=[0, 1, 2])
    fit, expected = lm("c ~ storey + sunny + place", frame), lm("c ~ storey + sunny + place", kept)
    pd.testing.assert_frame_equal(fit.coefficients, expected.coefficients)
    assert list(fit.residuals.index) == list(range(3, 11))


@pytest.mark.needs_r
def test_categories_keep_their_order_and_may_be_numbers():
    frame = thermometers().assign(size=pd.Categorical([3, 1, 2] * 3 + [1, 2], categories=[3, 2, 1]))
    assert list(lm("c ~ size", frame).coefficients.index) == ["(Intercept)", "size2", "size1"]
    ordered = frame.assign(size=frame["size"].cat.as_ordered())
    assert list(lm("c ~ size", ordered).coefficients.index) == ["(Intercept)", "size.L", "size.Q"]


@pytest.mark.needs_r
def test_names_that_need_backticks_and_a_lone_dot():
    frame = thermometers().rename(columns={"u": "u, in °X"})
    expected = lm("c ~ u", thermometers()).slope
    fit = lm("c ~ `u, in °X`", frame)
    assert list(fit.coefficients.index) == ["(Intercept)", "`u, in °X`"] and fit.slope == expected
    assert lm("c ~ .", thermometers()).slope == expected
    assert lm("c ~ . - u", thermometers()).df_residual == 10
    assert lm("c ~\n  u", thermometers()).slope == expected


@pytest.mark.needs_r
def test_what_the_data_cannot_determine_is_nan(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doubled = lm("c ~ u + I(2 * u) + storey", readings())
        one_row = lm("c ~ u", thermometers().iloc[:1])
        two_rows = lm("c ~ u", thermometers().iloc[:2])
    assert list(doubled.coefficients.index) == ["(Intercept)", "u", "I(2 * u)", "storey"]
    assert doubled.coefficients.loc["I(2 * u)"].isna().all() and doubled.conf_int.loc["I(2 * u)"].isna().all()
    assert doubled.df_residual == 8 and doubled.coefficients.drop("I(2 * u)").notna().all(axis=None)
    assert one_row.intercept == 0.5 and math.isnan(one_row.slope) and one_row.df_residual == 0
    assert two_rows.coefficients["Estimate"].notna().all() and two_rows.coefficients["Std. Error"].isna().all()
    assert math.isnan(two_rows.sigma) and two_rows.df_residual == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.needs_r
def test_tol_decides_when_a_column_counts_as_a_combination_of_others():
    frame = thermometers().assign(v=lambda frame: frame["u"] + 1e-8 * np.arange(11) ** 2)
    assert math.isnan(lm("c ~ u + v", frame).coefficients.at["v", "Estimate"])
    assert math.isfinite(lm("c ~ u + v", frame, tol=1e-12).coefficients.at["v", "Estimate"])


# --- what lm() refuses ---------------------------------------------------------------------------------------------


BAD = {
    "unknown column": ("c ~ v", readings, RError, "object 'v' not found.*columns are 'u', 'c'"),
    "two names": ("c u", readings, RError, "not a formula: 'c u'.*unexpected symbol"),
    "half a formula": ("c ~", readings, RError, "not a formula: 'c ~'.*unexpected end of input"),
    "no formula": ("u + c", readings, RError, "not a formula"),
    "no text": ("", readings, RError, "not a formula: ''"),
    "two formulas": ("c ~ u; c ~ 1", readings, RError, "not a formula"),
    "no response": ("~ u", readings, RError, "'~ u' has no response"),
    "two responses": ("cbind(c, u) ~ storey", readings, RError, "more than one column"),
    "response of text": ("place ~ u", readings, RError, "NA/NaN/Inf in 'y'.*NAs introduced by coercion"),
    "response of categories": ("month ~ u", readings, RError, "response is not numeric"),
    "a function as predictor": ("c ~ mean", readings, RError, "invalid type .closure. for variable 'mean'"),
    "an R dataset as predictor": ("c ~ cars", readings, RError, "invalid type .list. for variable 'cars'"),
    "formula that stops": ("c ~ stop('enough')", readings, RError, "enough"),
    "formula of bytes": (b"c ~ u", readings, TypeError, "formula is text.*got bytes"),
    "formula None": (None, readings, TypeError, "formula is text.*got NoneType None"),
    "null character": ("c ~ u\0 + place", readings, ValueError, "null character"),
    "no rows": ("c ~ u", lambda: readings().iloc[:0], RError, r"0 \(non-NA\) cases. The data have no rows"),
    "no columns": ("c ~ u", pd.DataFrame, RError, "not found. The data have no columns"),
    "column all NaN": ("c ~ u", lambda: readings().assign(u=np.nan), RError, r"0 \(non-NA\) cases. No row has"),
    "column all None": ("c ~ u", lambda: readings().assign(u=[None] * 11), RError, r"0 \(non-NA\) cases. No row has"),
    "infinity": ("c ~ u", lambda: readings().assign(u=np.inf), RError, "NA/NaN/Inf in 'x'"),
    "one level": ("c ~ place", lambda: readings().assign(place="a"), RError, "2 or more levels"),
    "column name 0": ("c ~ u", lambda: readings().assign(**{"z": 1}).rename(columns={"z": 0}), TypeError, "column 0"),
    "tuple names": ("c ~ u", lambda: pd.concat({"a": readings()}, axis=1), TypeError, r"column \('a', 'u'\)"),
    "same name twice": ("c ~ u", lambda: pd.concat([readings()] * 2, axis=1), ValueError, "two columns .* 'u'"),
    "dict": ("c ~ u", lambda: {"u": [1.0], "c": [2.0]}, TypeError, "DataFrame.*got dict"),
    "dates": (
        "c ~ day",
        lambda: readings().assign(day=pd.date_range("2026-01-01", periods=11)),
        TypeError,
        "'day' holds datetime64",
    ),
    "mixed": ("c ~ mixed", lambda: readings().assign(mixed=[1, "a"] * 5 + [2]), TypeError, "'mixed' holds mixed-int"),
    "complex": ("c ~ z", lambda: readings().assign(z=readings()["u"] * 1j), TypeError, "'z' holds complex"),
}


@pytest.mark.needs_r
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_clear_error_without_noise_and_the_next_call_works(case, capfd):
    formula, make_data, error, words = BAD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error) as caught:
            lm(formula, make_data())
        assert caught.type is error
        assert re.search(words, str(caught.value), flags=re.DOTALL), str(caught.value)
        assert f"{lm('c ~ u', thermometers()).slope:.7f}" == "0.5367719"
    assert capfd.readouterr() == ("", "")


@pytest.mark.needs_r
@pytest.mark.parametrize(
    ("tol", "error"), [(0, ValueError), (-1e-7, ValueError), (math.nan, ValueError), ("1", TypeError)]
)
def test_bad_tol(tol, error):
    with pytest.raises(error, match=re.escape(str(tol))):
        lm("c ~ u", thermometers(), tol=tol)


@pytest.mark.needs_r
@pytest.mark.parametrize("code", ["file.create('{}')", "{{file.create('{}'); c ~ u}}", "c ~ u; file.create('{}')"])
def test_text_that_is_no_formula_is_not_run(code, tmp_path):
    file = tmp_path / "made_by_r"
    with pytest.raises(RError, match="not a formula"):
        lm(code.format(file.as_posix()), thermometers())
    assert not file.exists()


@pytest.mark.needs_r
def test_the_answer_does_not_depend_on_what_r_cells_left_behind():
    from rpy2 import rinterface

    probe()
    rinterface.evalr("v <- 1:11")
    try:
        with pytest.raises(RError, match="object 'v' not found"):
            lm("c ~ v", thermometers())
    finally:
        rinterface.evalr("rm(v)")


@pytest.mark.needs_r
def test_a_warning_of_lm_becomes_a_python_warning_where_lm_was_called(capfd):
    with pytest.warns(RWarning, match="NaNs produced") as caught:
        fit = lm("log(c) ~ u", thermometers())
    assert caught[0].filename == __file__
    assert len(fit.residuals) == 10
    assert capfd.readouterr() == ("", "")


@pytest.mark.needs_r
def test_r_is_silent_within_lm_and_speaks_after_it(capfd):
    from rpy2 import rinterface

    lm("c ~ print(u)", thermometers())
    assert capfd.readouterr() == ("", "")
    rinterface.evalr("print('still here')")
    assert "still here" in capfd.readouterr().out


@pytest.mark.needs_r
def test_lm_works_in_many_threads_and_cells_in_the_main_one():
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="a slider") as threads:
        frames = [thermometers().assign(c=lambda df, k=k: k * df["c"]) for k in range(1, 13)]
        slopes = [fit.slope for fit in threads.map(lambda frame: lm("c ~ u", frame), frames)]
        assert slopes == pytest.approx([k * slopes[0] for k in range(1, 13)], rel=1e-13)
        with pytest.raises(RuntimeError, match="main thread only.*'a slider"):
            threads.submit(cells.start_r.__wrapped__).result()


def test_the_search_for_r_is_not_logged_on_the_screen(caplog):
    logger = logging.getLogger("rpy2.situation")
    with cells.undisturbed_start():
        logger.error("Unable to determine R home")
    logger.error("later")
    assert caplog.messages == ["later"]


@pytest.fixture
def ctrl_c_interrupts():
    """Python's own handler for Ctrl-C, which a process started in the background does not have."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


def test_an_interrupt_waits_until_r_has_started(ctrl_c_interrupts):
    reached = []
    with pytest.raises(KeyboardInterrupt), cells.undisturbed_start():
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of the block")
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# --- R that cannot be used -----------------------------------------------------------------------------------------


def test_r_home_that_holds_no_r_is_named(monkeypatch, tmp_path):
    pytest.importorskip("rpy2")
    monkeypatch.delenv("COURSE_WITHOUT_R", raising=False)
    monkeypatch.setenv("R_HOME", str(tmp_path))
    with pytest.raises(RUnavailable, match=f"R_HOME is set to {str(tmp_path)!r}.*Unset R_HOME"):
        cells.start_r.__wrapped__()


def test_r_that_is_not_installed_says_how_to_get_it(monkeypatch, tmp_path):
    pytest.importorskip("rpy2")
    monkeypatch.delenv("COURSE_WITHOUT_R", raising=False)
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RUnavailable, match="R is not installed.*`make lab`.*`conda env create"):
        cells.start_r.__wrapped__()


def test_rpy2_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.delenv("COURSE_WITHOUT_R", raising=False)
    monkeypatch.setattr(session, "find_r", lambda: "Rscript")
    monkeypatch.setattr(cells.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RUnavailable, match="rpy2.*is not installed.*`make lab`"):
        cells.start_r.__wrapped__()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AttributeError("symbol 'R_getVar' not found in library 'libR.so'"), "does not fit.*R_getVar.*3.6.5 also fits"),
        (ImportError("dlopen: Symbol not found: _R_getVar"), "does not fit.*R_getVar.*3.6.5 also fits.*`make lab`"),
        (OSError("cannot load library 'libR.so'"), "could not start R .OSError: cannot load library.*`make lab`"),
    ],
)
def test_rpy2_that_cannot_load_r_says_so(monkeypatch, error, words):
    def fail():
        raise error

    monkeypatch.setattr(session, "find_r", lambda: "Rscript")
    monkeypatch.setattr(cells, "undisturbed_start", fail)
    with pytest.raises(RUnavailable, match=words) as caught:
        cells.start_r.__wrapped__()
    assert caught.value.__cause__ is error


@pytest.mark.needs_r
def test_r_answers_after_every_failed_start(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setenv("R_HOME", str(tmp_path))
        with pytest.raises(RUnavailable):
            cells.start_r.__wrapped__()
        session.stop_referee()
        with pytest.raises(RUnavailable):
            lm("c ~ log(u)", thermometers())
    assert len(cells.start_r.__wrapped__()) == 2
    assert lm("c ~ log(u)", thermometers()).df_residual == 9


def python(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess:
    """Run this Python on the course with some environment variables set, or removed where None."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    settings = {name: value for name, value in settings.items() if value is not None}
    return subprocess.run(
        [sys.executable, *arguments], env=settings, cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_importing_the_helper_loads_neither_r_nor_pandas_nor_torch():
    code = "import sys, helpers, helpers.r; print(sorted({'rpy2', 'pandas', 'numpy', 'torch'} & set(sys.modules)))"
    run = python("-c", code)
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_a_run_that_needs_r_fails_without_it(monkeypatch, request):
    import conftest

    def fail():
        raise RUnavailable("R is not installed.")

    monkeypatch.setattr(conftest, "probe", fail)
    monkeypatch.delenv("COURSE_NEEDS_R", raising=False)
    conftest.pytest_sessionstart(request.session)
    monkeypatch.setenv("COURSE_NEEDS_R", "1")
    with pytest.raises(pytest.exit.Exception, match="R does not answer. R is not installed.") as caught:
        conftest.pytest_sessionstart(request.session)
    assert caught.value.returncode == 1


def test_tests_of_r_are_skipped_only_where_r_is_absent(monkeypatch, tmp_path):
    import conftest

    pytest.importorskip("rpy2")
    for name in ("COURSE_WITHOUT_R", "R_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(session.shutil, "which", lambda name, path: "/somewhere/R")
    assert conftest.reason_to_skip() is None
    monkeypatch.setattr(session.shutil, "which", lambda name, path: None)
    assert "R is not installed" in conftest.reason_to_skip()
    monkeypatch.setenv("R_HOME", str(tmp_path))
    assert conftest.reason_to_skip() is None, "a wrong R_HOME is a failure"
    monkeypatch.setenv("COURSE_WITHOUT_R", "1")
    assert "switched off" in conftest.reason_to_skip()


# --- recorded answers ----------------------------------------------------------------------------------------------


@pytest.fixture
def without_r(monkeypatch):
    """Let the referee be missing, as where R is not installed."""

    def fail():
        raise RUnavailable("R is not installed.")

    monkeypatch.setattr(session, "referee", fail)


def test_without_r_the_recorded_answer_says_what_it_is(without_r, capsys):
    fit = lm("c ~ u", thermometers())
    printed = capsys.readouterr().out
    assert re.fullmatch(
        r"R is not available here: this is its recorded answer to 'c ~ u' \(R [\d.]+, \d{4}-\d\d-\d\d\)\.\n", printed
    )
    assert re.fullmatch(r"recorded, R [\d.]+, \d{4}-\d\d-\d\d", fit.r_version) and fit.r_version in repr(fit)
    assert f"{fit.intercept:.7f} {fit.slope:.7f} {fit.mse:.7f}" == "-17.3047855 0.5367719 2.9276456"
    lm("c~u", thermometers())
    assert capsys.readouterr().out.count("\n") == 1, "each recorded answer says so, not the first one only"


def test_a_recorded_answer_fits_itself_to_the_order_and_index_of_the_data(without_r):
    frame = thermometers().set_index(pd.Index(list("klmnopqrstu"))).sample(frac=1, random_state=1)
    fit = lm("c  ~u", frame.assign(other="unused"))
    assert fit.residuals.index.equals(frame.index)
    assert np.abs(frame["c"] - fit.intercept - fit.slope * frame["u"] - fit.residuals).max() < 1e-13
    assert np.abs(frame["c"] - fit.fitted - fit.residuals).max() < 1e-13


@pytest.mark.parametrize(
    ("formula", "change", "tol"),
    [
        ("c ~ log(u)", lambda frame: frame, None),
        ("c ~ u", lambda frame: frame.iloc[1:], None),
        ("c ~ u", lambda frame: frame.assign(u=frame["u"] + 1e-12), None),
        ("u ~ c", lambda frame: frame, None),
        ("c ~ u", lambda frame: frame.rename(columns={"u": "c", "c": "u"}), None),
        ("c ~ u", lambda frame: frame, 1e-12),
        ("c ~ u", lambda frame: frame, 1e-7),
    ],
)
def test_what_is_not_recorded_raises(without_r, capsys, formula, change, tol):
    with pytest.raises(RUnavailable, match=rf"R is not installed.*{re.escape(repr(formula))} .* is not one of them"):
        lm(formula, change(thermometers()), tol=tol)
    assert capsys.readouterr().out == ""


def test_the_recorded_file_is_small_sorted_and_complete():
    text = records.FILE.read_text(encoding="utf-8")
    kept = json.loads(text)
    rows = sum(len(fit["fitted"]) + len(fit.get("residuals", [])) for fit in kept["fits"].values())
    assert len(text) < 25 * rows + 2_000 * len(kept["fits"]), "a number a row, and little else"
    assert text == json.dumps(kept, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    recorded = [*recipe.course_fits(), *recipe.glm_fits(), *recipe.certified_fits()]
    assert set(kept["fits"]) == {fit.key_and_order()[0] for fit in recorded}
    assert len(kept["fits"]) == len(recorded)


@pytest.mark.needs_r
def test_recording_anew_changes_nothing_when_r_gives_the_same_numbers(monkeypatch, tmp_path):
    file = tmp_path / "recorded.json"
    monkeypatch.setattr(recipe, "FILE", file)
    recipe.main()
    first = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**first, "date": "2020-02-02"}), encoding="utf-8")
    recipe.main()
    text = file.read_text(encoding="utf-8")
    assert text == json.dumps({**first, "date": "2020-02-02"}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    file.write_text(json.dumps({**first, "date": "2020-02-02", "r": "R 3.0.0"}), encoding="utf-8")
    recipe.main()
    assert json.loads(file.read_text(encoding="utf-8")) == first


@pytest.mark.needs_r
def test_r_still_gives_the_recorded_numbers():
    recorded, fresh = json.loads(records.FILE.read_text(encoding="utf-8")), recipe.make_records("")
    assert set(recorded["fits"]) == set(fresh["fits"])
    certified = {fit.key_and_order()[0] for fit in recipe.certified_fits()}
    for key in sorted(set(recorded["fits"]) - certified):
        fit = recorded["fits"][key]
        # Builds of R round differently. Scaled to length 1, the columns of a quadratic have a condition number of
        # about 100 and those of a line one of about 7; its square times a few roundings of 2e-16 may be lost.
        tolerance = 1e-10 if any(part in key for part in ("^2", "poly", "glm", "long")) else 1e-12
        separated = any("0 or 1 occurred" in text for text in fit.get("warnings", []))  # coefficients without end
        for name, numbers in fit.items():
            if name in ("terms", "columns", "warnings", "converged"):
                assert fresh["fits"][key][name] == numbers
            elif not separated:
                close = pytest.approx(numbers, rel=tolerance, abs=tolerance)
                if name in ("table", "interval"):  # p-values are small: relative only
                    close = pytest.approx(numbers, rel=10 * tolerance, abs=0)
                assert fresh["fits"][key][name] == close, (key, name)


# What lm() is worth on NIST's problems (chapter 16), recorded and fresh: the least digits of its worst coefficient.
LEAST_DIGITS = {
    "Norris": 11.5,
    "Pontius": 11,
    "NoInt1": 14,
    "NoInt2": 14,
    "Longley": 10,
    "Wampler1": 8.5,
    "Wampler2": 11.5,
    "Wampler3": 8.5,
    "Wampler4": 6.5,
    "Wampler5": 4.5,
}


@pytest.mark.parametrize("switch", [pytest.param("0", marks=pytest.mark.needs_r), "1"], ids=["R", "recorded"])
def test_nists_problems_are_recorded_and_about_as_right_as_r_is(switch, request, capsys):
    if switch == "1":
        request.getfixturevalue("without_r")
    for name in NAMES:
        one = problem(name)
        fit = lm(one.formula, one.frame())
        assert len(fit.coefficients) == len(one.terms) and len(fit.residuals) == len(one.response)
        if name != "Filip":
            assert lre(fit.coefficients["Estimate"], one.coefficients) > LEAST_DIGITS[name], name
            assert lre(fit.coefficients["Std. Error"], one.standard_errors) > 9, name
    filip = problem("Filip")
    assert list(lm(filip.formula, filip.frame()).coefficients["Estimate"].isna()) == [False] * 10 + [True]
    assert lre(lm(filip.formula, filip.frame(), tol=1e-12).coefficients["Estimate"], filip.coefficients) > 6
    assert capsys.readouterr().out.count("recorded answer") == (13 if switch == "1" else 0)


def test_a_machine_without_r_runs_the_course(tmp_path):
    code = (
        "import sys\nimport pandas as pd\nfrom helpers.r import RUnavailable, lm\n"
        f"frame = pd.DataFrame({thermometers().to_dict('list')})\n"
        "fit = lm('c ~ u', frame)\nprint(f'{fit.slope:.7f}', 'rpy2' in sys.modules)\n"
        "try:\n    lm('c ~ log(u)', frame)\nexcept RUnavailable as problem:\n    print(problem)\n"
    )
    run = python("-c", code, PATH=str(tmp_path), R_HOME=None, COURSE_WITHOUT_R="1")
    first, second, third = run.stdout.splitlines()
    assert first.startswith("R is not available here") and second == "0.5367719 False"
    assert third.startswith("R is switched off here") and third.endswith("is not one of them.")
    assert run.stderr == ""
