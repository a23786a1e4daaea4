"""A referee that nobody can bribe: lm() and glm() give what Rscript gives for the same data, or refuse by name."""

from __future__ import annotations

import concurrent.futures
import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from helpers.data import insect_sprays, iris, quakes, thermometers
from helpers.r import RError, RWarning, cells, glm, lm, session

ROOT = Path(__file__).parents[2]
BIG = 2**53


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def categories(values, levels, ordered=False) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.Index(levels, dtype=object), ordered=ordered)


def integers(*values, dtype="int64") -> np.ndarray:
    return np.array(values, dtype=dtype)


def readings() -> pd.DataFrame:
    """The thermometers, with a column of each type R knows."""
    return thermometers().assign(
        place=list("abcabcabcab"),
        sunny=[True, False, False, True, True, False, True, False, True, True, False],
        storey=[3, 1, 2, 5, 1, 2, 2, 1, 4, 3, 1],
        month=pd.Categorical(["May", "June", "July"] * 3 + ["May", "July"], categories=["May", "June", "July"]),
    )


Y4, Y8, X8 = [1.0, 3, 5, 9], [1, 3.5, 2, 5.5, 4, 7.5, 6, 10], [1.0, 2, 3, 4, 5, 6, 7, 8]
YX = frame(y=Y8, x=X8)
G = ["Zürich", "Köln", "Zürich", "Köln"]
DAYS = pd.date_range("2026-01-01", periods=8)


class Case(NamedTuple):
    """A formula, the data, the same data as columns written for R by hand, the estimates where they are known."""

    formula: str
    data: pd.DataFrame
    for_r: str
    estimates: list[float] | None = None


READINGS = r"""u = c(35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4),
  c = c(0.5, 14, 15, 28, 11, 8, 3, -4, 6, 13, 21), place = rep(c('a', 'b', 'c'), length.out = 11),
  sunny = c(1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0) == 1, storey = c(3L, 1L, 2L, 5L, 1L, 2L, 2L, 1L, 4L, 3L, 1L),
  month = factor(c(rep(c('May', 'June', 'July'), 3), 'May', 'July'), c('May', 'June', 'July'))"""
FORMULAS = ["c ~ u", "c ~ 0 + u", "c ~ 1", "c ~ u + I(u^2)", "c ~ log(u) + storey", "c ~ place", "c ~ 0 + place"]
FORMULAS += ["c ~ u * place", "c ~ month + sunny", "c ~ poly(u, 2)", "c ~ 0", "c ~ u + I(2 * u) + storey", "log(c) ~ u"]
CASES = {formula: Case(formula, readings(), READINGS) for formula in FORMULAS}
ROWS = "lapply(list({}), `[`, 1:{})"
CASES |= {f"{rows} rows": Case("c ~ u", readings()[:rows], ROWS.format(READINGS, rows)) for rows in (1, 2)}
KINDS = ("float32", "uint64", "int8", "Int64", "Float64", "object")
CASES |= {f"storeys as {kind}": Case("c ~ storey", readings().astype({"storey": kind}), READINGS) for kind in KINDS}
U_C = READINGS[: READINGS.index(", place")]
CASES |= {
    "a lone dot": Case("c ~ .", thermometers(), U_C),
    "a dot without": Case("c ~ . - u", thermometers(), U_C),
    "a formula of two lines": Case("c ~\n  u", thermometers(), U_C),
    "categories that are numbers, in an order of their own": Case(
        "y ~ x", frame(y=Y4, x=pd.Categorical([3, 1, 2, 3], [3, 2, 1])), "y = Y4, x = factor(c(3, 1, 2, 3), 3:1)"
    ),
    "the smallest of 32 bits": Case(
        "y ~ x",
        frame(y=[1, 2, 4, 3], x=integers(-(2**31), 1, 2, 3, dtype="int32")),
        "y = c(1, 2, 4, 3), x = c(-2147483648, 1, 2, 3)",
        [2.999999998292575, 9.313225740372373e-10],
    ),
    "the smallest of 64 bits": Case(
        "y ~ x", frame(y=Y4, x=integers(-(2**63), 1024, 2048, 4096)), "y = Y4, x = c(-2^63, 1024, 2048, 4096)"
    ),
    "the largest of 64 bits without sign that is a float": Case(
        "y ~ x",
        frame(y=Y4, x=integers(0, 2**62, 2**63, 2**64 - 2048, dtype="uint64")),
        "y = Y4, x = c(0, 2^62, 2^63, 2^64 - 2048)",
    ),
    "the smallest of 32 bits, with a gap": Case(
        "y ~ x",
        frame(y=[*Y4, 7], x=pd.array([-(2**31), 1, 2, 3, None], dtype="Int64")),
        "y = c(Y4, 7), x = c(-2147483648, 1, 2, 3, NA)",
    ),
    "integers stay integers": Case(
        "y ~ I(x %/% 2L) + I(is.integer(x) + x^2)", frame(y=Y8, x=range(1, 9)), "y = Y8, x = 1:8"
    ),
    "letters beyond ASCII": Case(
        "y ~ I(g == 'Zürich')",
        frame(y=Y4, g=G),
        r"y = Y4, g = c('Z\u00fcrich', 'K\u00f6ln', 'Z\u00fcrich', 'K\u00f6ln')",
        [6, -3],
    ),
    "the order of letters": Case(
        "y ~ g",
        frame(y=Y8, g=["b", "B", "a", "A", "ä", "_", "b", "B"]),
        r"y = Y8, g = c('b', 'B', 'a', 'A', '\u00e4', '_', 'b', 'B')",
    ),
    "letters that need four bytes, quotes, a question mark, a new line": Case(
        "y ~ g",
        frame(y=[*Y4, 2.0, 6], g=["\U0001f321 \\?", "'\"`\n\t", "", "NA?\\\\?", "", "NA?\\\\?"]),
        r"""y = c(Y4, 2, 6), g = c('\U0001f321 \\?', '\'"`\n\t', '', 'NA?\\\\?', '', 'NA?\\\\?')""",
    ),
    "an escaped backtick": Case(
        r"y ~ `a\`b`", frame(**{"y": Y8, "a`b": X8}), r"y = Y8, `a\`b` = X8", [0.0892857142857, 1.07738095238]
    ),
    "a name with a backslash, and one beyond ASCII": Case(
        r"y ~ `a\\b` + `ü`", frame(**{"y": Y8, "a\\b": X8, "ü": np.square(X8)}), r"y = Y8, `a\\b` = X8, '\u00fc' = X8^2"
    ),
    "names that are words of R's, or nearly numbers": Case(
        "y ~ `if` + `1e5` + `NA`",
        frame(**{"y": Y8, "if": X8, "1e5": [3.0, 1, 4, 1, 5, 9, 2, 6], "NA": [2.0, 7, 1, 8, 2, 8, 1, 8]}),
        "y = Y8, `if` = X8, `1e5` = c(3, 1, 4, 1, 5, 9, 2, 6), `NA` = c(2, 7, 1, 8, 2, 8, 1, 8)",
    ),
    "a number that ends in a dot, and dates that are not used": Case(
        "y ~ I(x/2.)", YX.assign(day=DAYS), "y = Y8, x = X8", [0.0892857142857, 2.15476190476]
    ),
    "a name in quotes, and a function's name that is a column of dates": Case(
        "y ~ log(get('x'))", YX.assign(log=DAYS), "y = Y8, x = X8"
    ),
    "categories 1.0, 2.5, 3.0": Case(
        "y ~ x", frame(y=Y4, x=pd.Categorical([1.0, 2.5, 3.0, 1.0])), "y = Y4, x = factor(c(1, 2.5, 3, 1))"
    ),
    "categories 100000.0 and 0.1, in an order": Case(
        "y ~ x",
        frame(y=Y4, x=categories([1e5, 0.1, 1e5, 123456.0], [1e5, 0.1, 123456.0], ordered=True)),
        "y = Y4, x = factor(c(1e5, 0.1, 1e5, 123456), c(1e5, 0.1, 123456), ordered = TRUE)",
    ),
    "categories True and False, and whole numbers and floats": Case(
        "y ~ a + b",
        frame(
            y=[*Y4, 7.0],
            a=categories([True, False, True, False, True], [True, False]),
            b=categories([1, 2.5, 2.5, 1, 1], [1, 2.5]),
        ),
        "y = c(Y4, 7), a = factor(c(TRUE, FALSE, TRUE, FALSE, TRUE), c(TRUE, FALSE)), b = factor(c(1, 2.5, 2.5, 1, 1))",
    ),
    "categories of dates": Case(
        "y ~ x",
        frame(y=Y4, x=pd.Categorical([*DAYS[:2], *DAYS[:2]])),
        "y = Y4, x = factor(rep(c('2026-01-01 00:00:00', '2026-01-02 00:00:00'), 2))",
    ),
    "a category that doesn't occur, and a gap": Case(
        "y ~ x",
        frame(y=[*Y4, 2.0], x=categories(["b", "a", None, "b", "a"], ["c", "b", "a"])),
        "y = c(Y4, 2), x = factor(c('b', 'a', NA, 'b', 'a'), c('c', 'b', 'a'))",
    ),
    "gaps of every type": Case(
        "c ~ storey + sunny + place",
        readings().assign(
            storey=pd.array([None, 1, 2, 5, 1, 2, 2, 1, 4, 3, 1], dtype="Int64"),
            sunny=pd.array([True, None, *[False, True] * 4, False], dtype="boolean"),
            place=[*"ab", None, *"abcabcab"],
        ),
        f"within(data.frame({READINGS}), {{ storey[1] <- NA; sunny <- c(TRUE, NA, rep(c(FALSE, TRUE), 4), FALSE); "
        "place <- c('a', 'b', NA, rep(c('a', 'b', 'c'), length.out = 8)) })",
    ),
    "a function of one's own making": Case(
        "y ~ ecdf(z)(x)",
        frame(y=Y4, x=[1.0, 2, 3, 4], z=[2.0, 2, 5, 3]),
        "y = Y4, x = 1:4 + 0, z = c(2, 2, 5, 3)",
    ),
    "NumPy's numbers of several types": Case(
        "y ~ x",
        frame(y=Y4, x=pd.Series([np.float32(0.5), np.float16(2), np.int8(3), 4.5], dtype=object)),
        "y = Y4, x = c(0.5, 2, 3, 4.5)",
    ),
    "a perfect fit": Case("y ~ x", frame(y=[1, 1, 1], x=[1, 2, 3]), "y = c(1, 1, 1), x = 1:3"),
    "floats to the last bit": Case(
        "y ~ x",
        frame(y=[5e-324, 1.7976931348623157e308, -0.0, 0.1], x=[0.1 + 0.2, 0.3, 1 / 3, 2 / 3]),
        "y = c(4.94065645841246544e-324, 1.7976931348623157e308, -0, 0.1), x = c(0.1 + 0.2, 0.3, 1/3, 2/3)",
    ),
}
TWO_SPECIES, THEIRS = iris().query("Species != 'setosa'"), "subset(iris, Species != 'setosa')"
SETOSA = iris().assign(setosa=lambda df: df["Species"] == "setosa")
GLM_CASES = {  # with the family, and what glm() is told beside
    "two species": (Case("Species ~ Petal.Length + Petal.Width", TWO_SPECIES, THEIRS), "binomial", {}),
    "to the last digit": (
        Case("Species ~ Petal.Length + Petal.Width", TWO_SPECIES, THEIRS),
        "binomial",
        {"epsilon": np.float64(1e-14), "maxit": np.int64(100)},
    ),
    "separated": (
        Case("setosa ~ Petal.Length + Petal.Width", SETOSA, "transform(iris, setosa = Species == 'setosa')"),
        "binomial",
        {},
    ),
    "deep": (Case("I(depth > 300) ~ lat + long", quakes(), "quakes"), "binomial", {}),
    "sprays": (Case("count ~ spray", insect_sprays(), "InsectSprays"), "poisson", {}),
    "Gamma": (Case("depth ~ mag + stations", quakes(), "quakes"), "Gamma", {}),
    "gaussian": (Case("depth ~ mag * stations", quakes(), "quakes"), "gaussian", {}),
    "shares": (Case("cbind(count, 30 - count) ~ spray", insect_sprays(), "InsectSprays"), "binomial", {"maxit": 2}),
    "an offset, a gap, a column that says it twice": (
        Case(
            "count ~ x + I(2 * x) + offset(log(x))",
            frame(count=[1, 3, 2, 7, 9], x=[1.0, 2, np.nan, 4, 5]),
            "data.frame(count = c(1, 3, 2, 7, 9), x = c(1, 2, NA, 4, 5))",
        ),
        "poisson",
        {},
    ),
}

PROGRAM = r"""
Y4 <- c(1, 3, 5, 9); Y8 <- c(1, 3.5, 2, 5.5, 4, 7.5, 6, 10); X8 <- 1:8 + 0
table_of <- function(...) data.frame(..., check.names = FALSE)
case <- function(key, fit_it, numbers) {
  heard <- character()
  withCallingHandlers({ fit <- fit_it(); about <- summary(fit) },
                      warning = function(w) { heard <<- c(heard, conditionMessage(w)); invokeRestart("muffleWarning") })
  write <- function(part, text) cat(key, ".", part, "\t", text, "\n", sep = "")
  hex <- function(part, x) write(part, paste(sprintf("%a", as.numeric(x)), collapse = " "))
  table <- matrix(NA, length(coef(fit)), 4L); table[!about$aliased, ] <- about$coefficients
  hex("table", table); hex("residuals", residuals(fit)); hex("fitted", fitted(fit)); hex("numbers", numbers(fit, about))
  if (class(fit)[1L] == "lm" && length(coef(fit))) hex("interval", suppressWarnings(confint(fit)))
  write("words", chartr("\n\t", "  ", paste(c(names(coef(fit)), heard), collapse = " | ")))
}
lm_case <- function(key, text, data) case(key, function() lm(as.formula(text), data), function(fit, about)
  c(about$sigma, fit$df.residual, about$r.squared, about$adj.r.squared, sum(residuals(fit)^2) / length(residuals(fit))))
glm_case <- function(key, text, data, ...)
  case(key, function() glm(as.formula(text), data = data, ...), function(fit, about)
    c(fit$deviance, fit$null.deviance, fit$df.residual, fit$df.null, about$dispersion, fit$aic, fit$iter,
      fit$converged))
"""


def quoted(text: str) -> str:
    """A text as R source, in ASCII."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isascii() else f"\\U{ord(c):08x}" for c in escaped) + '"'


@pytest.fixture(scope="module")
def rscript(tmp_path_factory) -> dict[str, str]:
    """What Rscript alone makes of all the cases, in one run: {"lm name.table": numbers as text, ...}."""
    lines = [PROGRAM]
    for name, (formula, _, for_r, _) in CASES.items():
        lines.append(f"lm_case({quoted(f'lm {name}')}, {quoted(formula)}, table_of({for_r}))")
    for name, ((formula, _, for_r, _), family, settings) in GLM_CASES.items():
        control = "".join(f", {setting} = {value}" for setting, value in settings.items())
        lines.append(f"glm_case('glm {name}', {quoted(formula)}, {for_r}, family = {family}{control})")
    file = tmp_path_factory.mktemp("rscript") / "cases.R"
    file.write_text("\n".join(lines), encoding="ascii")
    environment = {**os.environ, "LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LC_COLLATE": "C", "LANGUAGE": "en"}
    command = [session.find_r(), "--vanilla", str(file)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert run.returncode == 0, run.stderr
    return dict(line.split("\t", 1) for line in run.stdout.splitlines())


def check_same(key: str, fit: object, heard: list[str], theirs: dict[str, str], **ours: object) -> None:
    """The same words, and the same numbers to the last bit: it is the same R that computed them."""
    words = " | ".join([*fit.coefficients.index, *heard])
    assert words.replace("\n", " ").replace("\t", " ") == theirs[f"{key}.words"]
    for part, numbers in {"table": fit.coefficients, "fitted": fit.fitted, **ours}.items():
        words = theirs[f"{key}.{part}"].split()
        expected = [math.nan if word == "NA" else float.fromhex(word) for word in words]
        np.testing.assert_array_equal(np.asarray(numbers, dtype=float).ravel(order="F"), expected, err_msg=part)


def heard_while(fit) -> tuple[object, list[str]]:
    """A fit, and R's warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fit()
    assert all(warning.category is RWarning and warning.filename == __file__ for warning in caught)
    return result, [str(warning.message).split(" warns: ")[1] for warning in caught]


@pytest.mark.needs_r
@pytest.mark.parametrize("name", CASES)
def test_lm_says_what_rscript_says(name, rscript, capfd):
    formula, data, _, estimates = CASES[name]
    fit, heard = heard_while(lambda: lm(formula, data))
    numbers = [fit.sigma, fit.df_residual, fit.r_squared, fit.adj_r_squared, fit.mse]
    ours = {"residuals": fit.residuals, "numbers": numbers, **({"interval": fit.conf_int} if len(fit.conf_int) else {})}
    check_same(f"lm {name}", fit, heard, rscript, **ours)
    assert list(fit.coefficients.columns) == ["Estimate", "Std. Error", "t value", "Pr(>|t|)"]
    assert list(fit.conf_int.columns) == ["2.5 %", "97.5 %"] and fit.conf_int.index.equals(fit.coefficients.index)
    assert fit.residuals.index.equals(fit.fitted.index) and fit.residuals.index.isin(data.index).all()
    if estimates:
        assert fit.coefficients["Estimate"].tolist() == pytest.approx(estimates, rel=1e-11)
    assert capfd.readouterr() == ("", "")


@pytest.mark.needs_r
@pytest.mark.parametrize("name", GLM_CASES)
def test_glm_says_what_rscript_says(name, rscript):
    (formula, data, _, _), family, settings = GLM_CASES[name]
    fit, heard = heard_while(lambda: glm(formula, data, family, **settings))
    numbers = [fit.deviance, fit.null_deviance, fit.df_residual, fit.df_null, fit.dispersion, fit.aic, fit.iterations]
    check_same(f"glm {name}", fit, heard, rscript, numbers=[*numbers, fit.converged])
    letter = "z" if family in ("binomial", "poisson") else "t"
    assert list(fit.coefficients.columns) == ["Estimate", "Std. Error", f"{letter} value", f"Pr(>|{letter}|)"]


@pytest.mark.needs_r
def test_glm_has_the_numbers_that_are_known():
    fit = glm("Species ~ Petal.Length + Petal.Width", TWO_SPECIES)
    assert fit.coefficients["Estimate"].tolist() == pytest.approx([-45.27234, 5.754532, 10.44670], rel=1e-6)
    assert fit.deviance == pytest.approx(20.56351, rel=1e-6) and fit.converged is True and fit.family == "binomial"
    assert fit.fitted.index.equals(TWO_SPECIES.index) and 0 < fit.fitted.min() < fit.fitted.max() < 1
    assert repr(fit).splitlines()[-1].startswith("deviance 20.5635 on 100 points, degrees of freedom left: 97; ")
    assert glm("count ~ spray", insect_sprays(), "poisson").intercept == pytest.approx(2.674149, rel=1e-6)
    for name in ("df_residual", "df_null", "iterations"):
        assert type(getattr(fit, name)) is int, name
    assert type(fit.aic) is float


# --- what a cell, a file or a shell leaves behind ------------------------------------------------------------------

BRIBES = {
    "residuals": "residuals <- function(fit) rep(0, 11)",
    "residuals of a line": "residuals <- function(w, b) c - (w * u + b)",
    "c": "c <- function(...) 0",
    "lm, summary and coef": "lm <- summary <- coef <- function(...) stop('bribed')",
    "methods": "`$.lm` <- function(x, name) 0; model.frame.default <- print <- function(...) stop('bribed')",
    "a method for data frames": "dim.data.frame <- names.data.frame <- function(x) NULL",
    "contrasts": "options(contrasts = c('contr.sum', 'contr.poly'))",
    "na.action": "options(na.action = 'na.fail')",
    "numbers": "options(digits = 3, OutDec = ',', scipen = -50)",
    "warnings are errors": "options(warn = 2)",
    "language": "Sys.setenv(LANGUAGE = 'de'); Sys.setlocale('LC_ALL', 'C')",
    "masks in base": "unlockBinding('sum', baseenv()); local(sum <- function(...) 0, baseenv())",
    "T": "T <- FALSE; F <- TRUE; pi <- 3; letters <- NULL",
}


def evaluator():
    """What evaluates R code in the R of the cells."""
    cells.start_r()
    from rpy2.rinterface import evalr

    return evalr


@pytest.fixture
def bribed(request):
    """R cells run the code; afterwards the R of the cells is as before."""
    evaluate = evaluator()
    evaluate("assign('.before', options(), envir = .GlobalEnv)")
    total = evaluate("sum")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate(f"{{ {request.param} }}")
    yield request.param
    evaluate("options(.before)")
    evaluate("Sys.unsetenv('LANGUAGE')")
    evaluate("Sys.setlocale('LC_CTYPE', 'C.UTF-8')")
    evaluate("function(f) { unlockBinding('sum', baseenv()); assign('sum', f, envir = baseenv()) }")(total)
    evaluate("rm(list = ls(.GlobalEnv, all.names = TRUE), envir = .GlobalEnv)")


@pytest.mark.needs_r
@pytest.mark.parametrize("bribed", BRIBES.values(), ids=BRIBES.keys(), indirect=True)
def test_what_cells_leave_behind_changes_no_answer(bribed):
    fit = lm("c ~ u", thermometers())
    assert fit.mse == pytest.approx(2.92764557089564, rel=1e-13)
    assert fit.residuals[0] == pytest.approx(-1.357972073388542, rel=1e-12)
    groups = frame(y=[1.0, 2, 4, 9, np.nan], p=[*"abab", "b"])
    assert lm("y ~ p", groups).coefficients["Estimate"].tolist() == pytest.approx([2.5, 3], rel=1e-13)
    assert list(lm("y ~ I(y > 1.5)", groups.assign(y=[1.0, 2, 4, 9, 3])).coefficients.index)[1] == "I(y > 1.5)TRUE"


@pytest.mark.needs_r
@pytest.mark.parametrize(
    "code",
    [
        "attach(data.frame(z = 11:1))",
        "attach(list(z = 11:1), pos = 5)",
        "z <- 11:1",
        "makeActiveBinding('z', c, globalenv())",
    ],
)
def test_a_formula_sees_nothing_that_cells_have_made(code):
    evaluate = evaluator()
    evaluate(f"{{ {code} }}")
    try:
        with pytest.raises(RError, match="object 'z' not found"):
            lm("c ~ u + z", thermometers())
    finally:
        frames = "c('data.frame(z = 11:1)', 'list(z = 11:1)')"
        evaluate(f"for (name in intersect({frames}, search())) detach(name, character.only = TRUE)")
        evaluate("suppressWarnings(rm(z, envir = globalenv()))")


@pytest.mark.needs_r
@pytest.mark.parametrize(
    "deed",
    [
        "options(contrasts = c('contr.sum', 'contr.poly'))",
        "assign('p', 4:1, envir = globalenv())",
        "Sys.setlocale('LC_ALL', 'C')",
        "attach(list(u = 11:1))",
        "cat('noise'); system('echo noise'); message('noise')",
        "Sys.setenv(LANGUAGE = 'de')",
        "sink(tempfile())",
        "e <- as.environment('package:stats'); unlockBinding('coef', e); assign('coef', function(...) c(a = 0), e)",
        "trace('lm.fit', quote(stop('traced')), where = asNamespace('stats'), print = FALSE)",
    ],
)
def test_a_formula_cannot_change_the_next_answer(deed, capfd):
    with contextlib.suppress(RError):
        lm(f"c ~ {{ {deed}; u }}", thermometers())
    fit = lm("y ~ g", frame(y=Y4, g=G))
    assert list(fit.coefficients.index) == ["(Intercept)", "gZürich"]
    assert fit.coefficients["Estimate"].tolist() == pytest.approx([6, -3], rel=1e-13)
    with pytest.raises(RError, match="object 'p' not found"):
        lm("y ~ p", frame(y=Y4))
    assert capfd.readouterr() == ("", "")


# For each run, what its start-up files say, its language, and one other setting.
START_UPS = {
    "options, and what hides": (
        "options(digits = 4, OutDec = ','); print('hello'); c <- function(...) 0; attach(data.frame(z = 11:1))",
        {"LC_ALL": "C", "R_DEFAULT_PACKAGES": "NULL"},
    ),
    "stop": (
        "stop('no')",
        {"LC_ALL": "POSIX"}
        | {name: "{home}/bad.R" for name in ("R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER")},
    ),
    "a package that is missing": (
        "library(nosuchpackage)",
        {"LC_ALL": "xx_YY.UTF-8", "LANG": "xx_YY.UTF-8", "TMPDIR": "{home}/nowhere"},
    ),
    "quit": ("q()", {"LANGUAGE": "de:en", "LANG": "de_DE.UTF-8", "R_LIBS": "{home}", "R_LIBS_USER": "{home}"}),
    "contrasts": (
        "cat('hello'); options(contrasts = c('contr.sum', 'contr.poly'))",
        {"R_TESTS": "startup.Rs", "R_MAX_NUM_DLLS": "2000", "R_SHARE_DIR": "{home}", "TZ": "Asia/Tokyo"},
    ),
}
CODE = """
import os
before = dict(os.environ)
import pandas as pd
from helpers.r import RError, cells, lm, probe
frame = pd.DataFrame({"y": [1.0, 3, 5, 9], "g": ["Zürich", "Köln"] * 2})
probe()
fit = lm("y ~ g", frame)
print(ascii(list(fit.coefficients.index)), fit.coefficients["Estimate"].round(9).tolist())
print(round(lm("I(y + as.numeric(as.POSIXct('1970-01-02'))) ~ 1", frame).intercept, 6))
try:
    lm("y ~ z", frame)
except RError as problem:
    print(problem)
cells.start_r()
from rpy2.rinterface import evalr
print(ascii(str(evalr("paste(1.5, Encoding(enc2utf8('\\u00fc')), getOption('contrasts')[1])")[0])))
print("a saved workspace:", evalr("exists('left')")[0])
print({name for name in os.environ if "LIBRARY_PATH" in name and os.environ[name] != before.get(name)})
"""
ANSWERS = [
    r"['(Intercept)', 'gZ\xfcrich'] [6.0, -3.0]",
    "86404.5",  # a day of seconds, and the mean of y
    "lm() refuses 'y ~ z': object 'z' not found. The data's columns are 'y', 'g'",
    "'1.5 UTF-8 contr.treatment'",
    "a saved workspace: False",
    "set()",  # programs started later find their own libraries
]


@pytest.mark.needs_r
@pytest.mark.parametrize(("profile", "shell"), START_UPS.values(), ids=START_UPS)
def test_start_up_files_and_shells_change_nothing(profile, shell, tmp_path):
    (tmp_path / ".Rprofile").write_text(profile + "\n")
    (tmp_path / "bad.R").write_text(profile + "\n")
    (tmp_path / ".Renviron").write_text("R_HOME=/nowhere\nOMIT=1\n")
    evaluator()(f"local({{ left = 1; save(left, file = '{(tmp_path / '.RData').as_posix()}') }})")
    settings = {name: value.format(home=tmp_path) for name, value in shell.items()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **settings}
    environment.pop("R_HOME", None)
    command = [sys.executable, "-X", "utf8", "-c", CODE]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (run.stdout.splitlines(), run.stderr) == (ANSWERS, "")


ENDINGS = {
    "by itself": "",
    "after a question that R ends with": "; lm('c ~ I(identity(u))', data)",
    "killed": "; kill()",
}


@pytest.mark.needs_r
@pytest.mark.parametrize("ending", ENDINGS)
def test_r_leaves_no_temporary_files(ending, tmp_path):
    code = (
        "import os; import pandas as pd; from helpers.r import lm; kill = lambda: os.kill(os.getpid(), 9); "
        f"data = pd.DataFrame({{'c': [1, 2, 4], 'u': [1, 2, 3]}}); lm('c ~ u', data){ENDINGS[ending]}"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120)
    assert run.returncode == (-9 if ending == "killed" else 0)
    end = time.monotonic() + 20  # R needs a moment to see that Python is gone
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


# --- what is refused -------------------------------------------------------------------------------------------------


def changed(**columns) -> pd.DataFrame:
    return readings().assign(**columns)


OTHER_FORMULAS = {  # on the readings: R's words
    "c ~ v": "object 'v' not found.*columns are 'u', 'c'",
    "c u": "not a formula: 'c u'.*unexpected symbol",
    "c ~": "not a formula: 'c ~'.*unexpected end of input",
    "u + c": "not a formula",
    "": "not a formula: ''",
    "c ~ u; c ~ 1": "not a formula",
    "c ~ u\n  + storey": "not a formula.*A line that goes on ends in an operator",
    "~ u": "'~ u' has no response",
    "cbind(c, u) ~ storey": "more than one column",
    "place ~ u": "NA/NaN/Inf in 'y'.*NAs introduced by coercion",
    "month ~ u": "response is not numeric",
    "c ~ mean": "invalid type .closure. for variable 'mean'",
    "c ~ cars": "invalid type .list. for variable 'cars'",
    "c ~ stop('enough')": "enough",
}
REFUSED = {formula: (formula, readings(), RError, words) for formula, words in OTHER_FORMULAS.items()}
REFUSED |= {
    "formula of bytes": (b"c ~ u", readings(), TypeError, "formula is text.*got bytes"),
    "formula None": (None, readings(), TypeError, "formula is text.*got NoneType None"),
    "null character": ("c ~ u\0 + place", readings(), ValueError, "the formula.*null character"),
    "half a character in the formula": ("y ~ I(g == '\ud83d')", readings(), ValueError, "the formula.*surrogate"),
}
OTHER_DATA = {  # for c ~ u
    "no rows": (readings().iloc[:0], RError, r"0 \(non-NA\) cases. The data have no rows"),
    "no columns": (frame(), RError, "not found. The data have no columns"),
    "column all NaN": (changed(u=np.nan), RError, r"0 \(non-NA\) cases. No row has"),
    "column all None": (changed(u=[None] * 11), RError, r"0 \(non-NA\) cases. No row has"),
    "infinity": (changed(u=np.inf), RError, "NA/NaN/Inf in 'x'"),
    "one level": (changed(u="a"), RError, "2 or more levels"),
    "column name 0": (changed().rename(columns={"storey": 0}), TypeError, "column 0"),
    "names of two parts": (pd.concat({"a": readings()}, axis=1), TypeError, r"column \('a', 'u'\).*'_'.join"),
    "same name twice": (pd.concat([readings()] * 2, axis=1), ValueError, "two columns .* 'u'"),
    "dict": ({"u": [1.0], "c": [2.0]}, TypeError, "DataFrame.*got dict"),
    "dates": (changed(u=pd.date_range("2026-01-01", periods=11)), TypeError, "'u' holds datetime64"),
    "mixed": (changed(u=[1, "a"] * 5 + [2]), TypeError, "'u' holds mixed-int"),
    "complex": (changed(u=readings()["u"] * 1j), TypeError, "'u' holds complex"),
}
REFUSED |= {name: ("c ~ u", *rest) for name, rest in OTHER_DATA.items()}
OTHER_COLUMNS = {  # for y ~ x
    "integer beyond 2^53": ([1, 2, 3, BIG + 1], ValueError, rf"column 'x' holds {BIG + 1}"),
    "unsigned beyond 2^53": (integers(1, 2, 3, 2**64 - 1, dtype="uint64"), ValueError, "18446744073709551615"),
    "huge integer": ([1, 2, 3, 10**400], (TypeError, ValueError), "column 'x' holds 10000"),
    "beyond 2^53 with a gap": (pd.array([1, 2, None, -BIG - 1], "Int64"), ValueError, "-9007199254740993"),
    "integer among floats": (pd.Series([1, 2.5, 3, BIG + 1], dtype=object), ValueError, "9007199254740993"),
    "long double": (integers(1, 2, 3, 4, dtype="longdouble") / 3, ValueError, "column 'x' holds 0.333"),
    "categories beyond 2^53": (pd.Categorical([1, 2, 1, BIG + 1]), ValueError, "9007199254740993"),
    "null characters": (["a\0x", "a\0y", "b", "b"], ValueError, "column 'x'.*null character"),
    "null in a category": (pd.Categorical(["a\0x", "a", "b", "b"]), ValueError, "column 'x'.*null"),
    "half a character": (pd.Series(["\udc80", "a", "b", "b"], dtype=object), ValueError, "column 'x'.*surrogate"),
    "half in a category": (categories(["\ud800", *"abb"], ["\ud800", *"ab"]), ValueError, "column 'x'.*surrogate"),
    "mixed categories": (categories([1, "1", 2, 2], [1, "1", 2]), TypeError, "column 'x'.*int, str"),
    "categories that are one to R": (
        categories([0.3, 0.1 + 0.2, 1.0, 1.0], [0.3, 0.1 + 0.2, 1.0]),
        RError,
        "two categories of column 'x' are '0.3'",
    ),
}
REFUSED |= {name: ("y ~ x", frame(y=Y4, x=column), *rest) for name, (column, *rest) in OTHER_COLUMNS.items()}
REFUSED |= {
    "null character in a name": ("y ~ .", frame(**{"y": Y4, "a\0b": Y4}), ValueError, "column name.*null character"),
    "half a character in a name": ("y ~ .", frame(**{"y": Y4, "\udc80": Y4}), ValueError, "column name.*surrogate"),
}


@pytest.mark.needs_r
@pytest.mark.parametrize("case", REFUSED)
def test_what_r_cannot_do_or_hold_is_refused_by_name_without_noise_and_the_next_call_works(case, capfd):
    formula, data, error, words = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=f"(?s){words}") as caught:
            lm(formula, data)
        assert caught.type is error or caught.type in error
        assert f"{lm('c ~ u', thermometers()).slope:.7f}" == "0.5367719"
    assert capfd.readouterr() == ("", "")


def test_the_advice_for_names_of_two_parts_works():
    data = pd.concat({"g": YX}, axis=1)
    with pytest.raises(TypeError) as caught:
        lm("g_y ~ g_x", data)
    exec(str(caught.value).split("one part: ")[-1], {"data": data})
    assert list(data.columns) == ["g_y", "g_x"]


SETTINGS = [
    (lm, "tol", [(0, ValueError), (-1e-7, ValueError), (math.nan, ValueError), ("1", TypeError)]),
    (glm, "epsilon", [(0, ValueError), ("1", TypeError), (np.float32("inf"), ValueError)]),
    (glm, "maxit", [(2.5, TypeError), (0, ValueError), (True, TypeError)]),
    (glm, "family", [("cauchy", ValueError), (None, ValueError)]),
]


@pytest.mark.parametrize(("fit", "name", "value", "error"), [(*s[:2], *pair) for s in SETTINGS for pair in s[2]])
def test_bad_settings(fit, name, value, error):
    with pytest.raises(error, match=f"{name} is .*{value}"):
        fit("y ~ x", frame(y=[0, 1, 1], x=[1, 2, 3]), **{name: value})


@pytest.mark.needs_r
def test_a_response_of_text_is_refused_in_r_s_words_by_glm():
    with pytest.raises(RError, match="glm.. refuses"):
        glm("g ~ y", frame(y=Y4, g=[*"abab"]))
    assert glm("g ~ y", frame(y=Y4, g=pd.Categorical([*"abab"]))).df_residual == 2


@pytest.mark.needs_r
@pytest.mark.parametrize("code", ["file.create('{}')", "{{file.create('{}'); c ~ u}}", "c ~ u; file.create('{}')"])
def test_text_that_is_no_formula_is_not_run(code, tmp_path):
    file = tmp_path / "made_by_r"
    with pytest.raises(RError, match="not a formula"):
        lm(code.format(file.as_posix()), thermometers())
    assert not file.exists()


# --- buttons ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ctrl_c_interrupts():
    """Python's own handler for Ctrl-C, which a process started in the background does not have."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.needs_r
@pytest.mark.parametrize("code", ["Sys.sleep(60)", "while (TRUE) {}", "repeat cat('x')"])
def test_the_stop_button_stops_lm(code, ctrl_c_interrupts):
    lm("c ~ u", thermometers())
    timer = threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lm(f"c ~ {{ {code}; u }}", thermometers())
    timer.join()
    assert time.monotonic() - started < 20
    assert lm("c ~ u", thermometers()).df_residual == 9, "the next call works"


def test_an_interrupt_waits_until_r_has_started(ctrl_c_interrupts):
    reached = []
    with pytest.raises(KeyboardInterrupt), cells.undisturbed_start():
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of the block")
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.needs_r
@pytest.mark.parametrize("deed", ["q('no', 3)", "tools::pskill(Sys.getpid())"])
def test_r_may_end_and_python_goes_on(deed):
    with pytest.raises(RError, match="R ended"):
        lm(f"c ~ {{ {deed}; u }}", thermometers())
    assert lm("c ~ u", thermometers()).df_residual == 9


@pytest.mark.needs_r
def test_steps_are_counted_in_whole_numbers_however_many_are_allowed():
    fit = glm("sunny ~ c", readings(), maxit=10**12)
    assert isinstance(fit.iterations, int) and f"; {fit.iterations} iterations" in repr(fit)


@pytest.mark.needs_r
def test_a_forked_process_has_a_referee_of_its_own():
    lm("c ~ u", thermometers())
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os._exit(0 if lm("c ~ u", thermometers()).df_residual == 9 else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert lm("c ~ u", thermometers()).df_residual == 9


@pytest.mark.needs_r
def test_a_process_forked_off_while_a_thread_asks_does_not_wait_for_it():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lm, "c ~ { Sys.sleep(1); u }", thermometers())
        lock = session.locks[os.getpid()]
        while lock.acquire(blocking=False):  # until the other thread has it
            lock.release()
            time.sleep(0.01)
        child = os.fork()
        if child == 0:
            os._exit(0 if session.locks[os.getpid()].acquire(timeout=5) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert slow.result().df_residual == 9
