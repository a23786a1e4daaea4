"""A referee that nobody can bribe: lm() and glm() give what Rscript gives for the same data, or refuse by name."""

from __future__ import annotations

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

import numpy as np
import pandas as pd
import pytest

from helpers.data import insect_sprays, iris, quakes, thermometers
from helpers.r import RError, RUnavailable, RWarning, cells, glm, lm, session

ROOT = Path(__file__).parents[2]
BIG = 2**53


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def categories(values, levels, ordered=False) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.Index(levels, dtype=object), ordered=ordered)


Y4, Y8, X8 = [1.0, 3, 5, 9], [1, 3.5, 2, 5.5, 4, 7.5, 6, 10], [1.0, 2, 3, 4, 5, 6, 7, 8]
G = ["Zürich", "Köln", "Zürich", "Köln"]

# name: the formula, the data, the same data written for R by hand, and the estimates where they are known beforehand
CASES = {
    "the smallest of 32 bits": (
        "y ~ x",
        frame(y=[1, 2, 4, 3], x=np.array([-(2**31), 1, 2, 3], dtype="int32")),
        "data.frame(y = c(1, 2, 4, 3), x = c(-2147483648, 1, 2, 3))",
        [2.999999998292575, 9.313225740372373e-10],
    ),
    "the smallest of 64 bits": (
        "y ~ x",
        frame(y=[1, 2, 4, 3], x=np.array([-(2**63), 1024, 2048, 4096], dtype="int64")),
        "data.frame(y = c(1, 2, 4, 3), x = c(-2^63, 1024, 2048, 4096))",
        None,
    ),
    "the largest of 64 bits without sign that is a float": (
        "y ~ x",
        frame(y=[1, 2, 4, 3], x=np.array([0, 2**62, 2**63, 2**64 - 2048], dtype="uint64")),
        "data.frame(y = c(1, 2, 4, 3), x = c(0, 2^62, 2^63, 2^64 - 2048))",
        None,
    ),
    "the smallest of 32 bits, with a gap": (
        "y ~ x",
        frame(y=[1, 2, 4, 3, 7], x=pd.array([-(2**31), 1, 2, 3, None], dtype="Int64")),
        "data.frame(y = c(1, 2, 4, 3, 7), x = c(-2147483648, 1, 2, 3, NA))",
        None,
    ),
    "integers stay integers": (
        "y ~ I(x %/% 2L) + I(is.integer(x) + x^2)",
        frame(y=Y8, x=[1, 2, 3, 4, 5, 6, 7, 8]),
        f"data.frame(y = c({', '.join(map(str, Y8))}), x = 1:8)",
        None,
    ),
    "letters beyond ASCII": (
        "y ~ I(g == 'Zürich')",
        frame(y=Y4, g=G),
        r"data.frame(y = c(1, 3, 5, 9), g = c('Z\u00fcrich', 'K\u00f6ln', 'Z\u00fcrich', 'K\u00f6ln'))",
        [6, -3],
    ),
    "the order of letters": (
        "y ~ g",
        frame(y=[*Y4, 2.0, 6, 4, 8], g=["b", "B", "a", "A", "ä", "_", "b", "B"]),
        r"data.frame(y = c(1, 3, 5, 9, 2, 6, 4, 8), g = c('b', 'B', 'a', 'A', '\u00e4', '_', 'b', 'B'))",
        None,
    ),
    "letters that need four bytes, quotes, a new line": (
        "y ~ g",
        frame(y=[*Y4, 2.0, 6], g=["\U0001f321 \\", "'\"`\n\t", "", "NA", "", "NA"]),
        r"""data.frame(y = c(1, 3, 5, 9, 2, 6), g = c('\U0001f321 \\', '\'"`\n\t', '', 'NA', '', 'NA'))""",
        None,
    ),
    "an escaped backtick": (
        r"y ~ `a\`b`",
        frame(**{"y": Y8, "a`b": X8}),
        f"setNames(data.frame(c({', '.join(map(str, Y8))}), 1:8 + 0), c('y', 'a`b'))",
        [0.0892857142857, 1.07738095238],
    ),
    "a name with a backslash, and one beyond ASCII": (
        r"y ~ `a\\b` + `ü`",
        frame(**{"y": Y8, "a\\b": X8, "ü": [1.0, 4, 9, 16, 25, 36, 49, 64]}),
        rf"setNames(data.frame(c({', '.join(map(str, Y8))}), 1:8 + 0, (1:8)^2), c('y', 'a\\b', '\u00fc'))",
        None,
    ),
    "names that are words of R's, or nearly numbers": (
        "y ~ `if` + `1e5` + `NA`",
        frame(**{"y": Y8, "if": X8, "1e5": [3.0, 1, 4, 1, 5, 9, 2, 6], "NA": [2.0, 7, 1, 8, 2, 8, 1, 8]}),
        f"setNames(data.frame(c({', '.join(map(str, Y8))}), 1:8 + 0, c(3, 1, 4, 1, 5, 9, 2, 6), "
        "c(2, 7, 1, 8, 2, 8, 1, 8)), c('y', 'if', '1e5', 'NA'))",
        None,
    ),
    "a number that ends in a dot, and dates that are not used": (
        "y ~ I(x/2.)",
        frame(y=Y8, x=X8, day=pd.date_range("2026-01-01", periods=8)),
        f"data.frame(y = c({', '.join(map(str, Y8))}), x = 1:8 + 0)",
        [0.0892857142857, 2.15476190476],
    ),
    "a name in quotes, and a function's name that is a column of dates": (
        "y ~ log(get('x'))",
        frame(y=Y8, x=X8, log=pd.date_range("2026-01-01", periods=8)),
        f"data.frame(y = c({', '.join(map(str, Y8))}), x = 1:8 + 0)",
        None,
    ),
    "categories 1.0, 2.5, 3.0": (
        "y ~ x",
        frame(y=Y4, x=pd.Categorical([1.0, 2.5, 3.0, 1.0])),
        "data.frame(y = c(1, 3, 5, 9), x = factor(c(1, 2.5, 3, 1)))",
        None,
    ),
    "categories 100000.0 and 0.1, in an order": (
        "y ~ x",
        frame(y=Y4, x=categories([1e5, 0.1, 1e5, 123456.0], [1e5, 0.1, 123456.0], ordered=True)),
        "data.frame(y = c(1, 3, 5, 9), x = factor(c(1e5, 0.1, 1e5, 123456), c(1e5, 0.1, 123456), ordered = TRUE))",
        None,
    ),
    "categories True and False, and whole numbers and floats": (
        "y ~ a + b",
        frame(
            y=[*Y4, 7.0],
            a=categories([True, False, True, False, True], [True, False]),
            b=categories([1, 2.5, 2.5, 1, 1], [1, 2.5]),
        ),
        "data.frame(y = c(1, 3, 5, 9, 7), a = factor(c(TRUE, FALSE, TRUE, FALSE, TRUE), c(TRUE, FALSE)), "
        "b = factor(c(1, 2.5, 2.5, 1, 1)))",
        None,
    ),
    "a category that doesn't occur, and a gap": (
        "y ~ x",
        frame(y=[*Y4, 2.0], x=categories(["b", "a", None, "b", "a"], ["c", "b", "a"])),
        "data.frame(y = c(1, 3, 5, 9, 2), x = factor(c('b', 'a', NA, 'b', 'a'), c('c', 'b', 'a')))",
        None,
    ),
    "a perfect fit": ("y ~ x", frame(y=[1, 1, 1], x=[1, 2, 3]), "data.frame(y = c(1, 1, 1), x = 1:3)", None),
    "floats to the last bit": (
        "y ~ x",
        frame(y=[5e-324, 1.7976931348623157e308, -0.0, 0.1], x=[0.1 + 0.2, 0.3, 1 / 3, 2 / 3]),
        "data.frame(y = c(4.94065645841246544e-324, 1.7976931348623157e308, -0, 0.1), x = c(0.1 + 0.2, 0.3, 1/3, 2/3))",
        None,
    ),
}
TWO_SPECIES = iris().query("Species != 'setosa'")
GLM_CASES = {
    "two species": (
        "Species ~ Petal.Length + Petal.Width",
        TWO_SPECIES,
        "subset(iris, Species != 'setosa')",
        "binomial",
        {},
    ),
    "to the last digit": (
        "Species ~ Petal.Length + Petal.Width",
        TWO_SPECIES,
        "subset(iris, Species != 'setosa')",
        "binomial",
        {"epsilon": np.float64(1e-14), "maxit": np.int64(100)},
    ),
    "separated": (
        "setosa ~ Petal.Length + Petal.Width",
        iris().assign(setosa=lambda df: df["Species"] == "setosa"),
        "transform(iris, setosa = Species == 'setosa')",
        "binomial",
        {},
    ),
    "deep": ("I(depth > 300) ~ lat + long", quakes(), "quakes", "binomial", {}),
    "sprays": ("count ~ spray", insect_sprays(), "InsectSprays", "poisson", {}),
    "Gamma": ("depth ~ mag + stations", quakes(), "quakes", "Gamma", {}),
    "gaussian": ("depth ~ mag * stations", quakes(), "quakes", "gaussian", {}),
    "shares": (
        "cbind(count, 30 - count) ~ spray",
        insect_sprays(),
        "InsectSprays",
        "binomial",
        {"maxit": 2},
    ),
    "an offset, a gap, a column that says it twice": (
        "count ~ x + I(2 * x) + offset(log(x))",
        frame(count=[1, 3, 2, 7, 9], x=[1.0, 2, np.nan, 4, 5]),
        "data.frame(count = c(1, 3, 2, 7, 9), x = c(1, 2, NA, 4, 5))",
        "poisson",
        {},
    ),
}

PROGRAM = r"""
hex <- function(name, x) cat(name, "\t", paste(sprintf("%a", as.numeric(x)), collapse = " "), "\n", sep = "")
heard <- character()
listen <- function(w) { heard <<- c(heard, conditionMessage(w)); invokeRestart("muffleWarning") }
lm_case <- function(number, data, text) {
  heard <<- character()
  withCallingHandlers({ fit <- lm(as.formula(text), data); about <- summary(fit) }, warning = listen)
  table <- matrix(NA, length(coef(fit)), 4L); table[!about$aliased, ] <- about$coefficients
  hex(paste0(number, ".table"), table)
  hex(paste0(number, ".residuals"), residuals(fit))
  hex(paste0(number, ".numbers"), c(about$sigma, fit$df.residual, about$r.squared, about$adj.r.squared))
  hex(paste0(number, ".interval"), suppressWarnings(confint(fit)))
  cat(number, ".words\t", chartr("\n\t", "  ", paste(c(names(coef(fit)), heard), collapse = " | ")), "\n", sep = "")
}
glm_case <- function(number, data, text, ...) {
  heard <<- character()
  withCallingHandlers({ fit <- glm(as.formula(text), data = data, ...); about <- summary(fit) }, warning = listen)
  table <- matrix(NA, length(coef(fit)), 4L); table[!about$aliased, ] <- about$coefficients
  hex(paste0(number, ".table"), table)
  hex(paste0(number, ".fitted"), fitted(fit))
  hex(paste0(number, ".numbers"), c(fit$deviance, fit$null.deviance, fit$df.residual, fit$df.null, about$dispersion,
                                    fit$aic, fit$iter, fit$converged))
  cat(number, ".words\t", chartr("\n\t", "  ", paste(c(names(coef(fit)), heard), collapse = " | ")), "\n", sep = "")
}
"""


def quoted(text: str) -> str:
    """A text as R source, in ASCII."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isascii() else f"\\U{ord(c):08x}" for c in escaped) + '"'


@pytest.fixture(scope="module")
def rscript(tmp_path_factory) -> dict[str, str]:
    """What Rscript alone makes of all the cases, in one run: {"lm 0.table": numbers as text, ...}."""
    lines = [PROGRAM]
    for number, (formula, _, data, _) in enumerate(CASES.values()):
        lines.append(f"lm_case('lm {number}', {data}, {quoted(formula)})")
    for number, (formula, _, data, family, settings) in enumerate(GLM_CASES.values()):
        control = "".join(f", {name} = {value}" for name, value in settings.items())
        lines.append(f"glm_case('glm {number}', {data}, {quoted(formula)}, family = {family}{control})")
    file = tmp_path_factory.mktemp("rscript") / "cases.R"
    file.write_text("\n".join(lines), encoding="ascii")
    environment = {**os.environ, "LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LC_COLLATE": "C", "LANGUAGE": "en"}
    command = [session.find_r(), "--vanilla", str(file)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert run.returncode == 0, run.stderr
    return dict(line.split("\t", 1) for line in run.stdout.splitlines())


def floats(text: str) -> list[float]:
    return [math.nan if word in ("NA", "NaN") else float.fromhex(word) for word in text.split()]


def heard_while(fit) -> tuple[object, list[str]]:
    """A fit, and R's warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fit()
    assert all(warning.category is RWarning and warning.filename == __file__ for warning in caught)
    return result, [str(warning.message).split(" warns: ")[1] for warning in caught]


def same(ours, theirs: str) -> None:
    """The same numbers to the last bit: it is the same R that computed them."""
    np.testing.assert_array_equal(np.asarray(ours, dtype=float).ravel(order="F"), floats(theirs))


@pytest.mark.needs_r
@pytest.mark.parametrize("name", CASES)
def test_lm_says_what_rscript_says(name, rscript):
    formula, data, _, estimates = CASES[name]
    key = f"lm {list(CASES).index(name)}"
    fit, heard = heard_while(lambda: lm(formula, data))
    same(fit.coefficients, rscript[f"{key}.table"])
    same(fit.residuals, rscript[f"{key}.residuals"])
    same([fit.sigma, fit.df_residual, fit.r_squared, fit.adj_r_squared], rscript[f"{key}.numbers"])
    same(fit.conf_int, rscript[f"{key}.interval"])
    words = " | ".join([*fit.coefficients.index, *heard])
    assert words.replace("\n", " ").replace("\t", " ") == rscript[f"{key}.words"]
    if estimates:
        assert fit.coefficients["Estimate"].tolist() == pytest.approx(estimates, rel=1e-11)


@pytest.mark.needs_r
@pytest.mark.parametrize("name", GLM_CASES)
def test_glm_says_what_rscript_says(name, rscript):
    formula, data, _, family, settings = GLM_CASES[name]
    key = f"glm {list(GLM_CASES).index(name)}"
    fit, heard = heard_while(lambda: glm(formula, data, family, **settings))
    same(fit.coefficients, rscript[f"{key}.table"])
    same(fit.fitted, rscript[f"{key}.fitted"])
    numbers = [fit.deviance, fit.null_deviance, fit.df_residual, fit.df_null, fit.dispersion, fit.aic, fit.iterations]
    same([*numbers, fit.converged], rscript[f"{key}.numbers"])
    words = " | ".join([*fit.coefficients.index, *heard])
    assert words.replace("\n", " ").replace("\t", " ") == rscript[f"{key}.words"]
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
    ],
)
def test_a_formula_cannot_change_the_next_answer(deed, capfd):
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
    "contrasts": ("cat('hello'); options(contrasts = c('contr.sum', 'contr.poly'))", {}),
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
    "R's lm() refuses 'y ~ z': object 'z' not found. The data's columns are 'y', 'g'",
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
    cells.start_r()
    from rpy2.rinterface import evalr

    evalr(f"local({{ left = 1; save(left, file = '{(tmp_path / '.RData').as_posix()}') }})")
    settings = {name: value.format(home=tmp_path) for name, value in shell.items()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **settings}
    environment.pop("R_HOME", None)
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", CODE],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.stdout.splitlines(), run.stderr) == (ANSWERS, "")


def test_r_home_that_holds_programs_and_no_library_is_named(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "Rscript").touch()
    monkeypatch.delenv("COURSE_WITHOUT_R", raising=False)
    monkeypatch.setenv("R_HOME", str(tmp_path))
    with pytest.raises(RUnavailable, match="there is no R in that folder"):
        session.find_r()


@pytest.mark.parametrize(("value", "off"), [("", False), ("0", False), ("1", True), ("true", True), ("no", True)])
def test_course_without_r_has_one_meaning(monkeypatch, value, off):
    monkeypatch.setenv("COURSE_WITHOUT_R", value)
    assert session.switched_off() is off


def test_r_that_does_not_start_says_its_last_words(monkeypatch, tmp_path):
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\necho 'cannot create R_TempDir' >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setattr(session, "find_r", lambda: str(program))
    with pytest.raises(RUnavailable, match="could not start .R ended. cannot create R_TempDir"):
        session.Referee()


# --- what R cannot hold --------------------------------------------------------------------------------------------

REFUSED = {
    "integer beyond 2^53": ("y ~ x", frame(y=Y4, x=[1, 2, 3, BIG + 1]), ValueError, rf"column 'x' holds {BIG + 1}"),
    "unsigned beyond 2^53": (
        "y ~ x",
        frame(y=Y4, x=np.array([1, 2, 3, 2**64 - 1], "uint64")),
        ValueError,
        "18446744073709551615",
    ),
    "huge integer": ("y ~ x", frame(y=Y4, x=[1, 2, 3, 10**400]), (TypeError, ValueError), "column 'x' holds 10000"),
    "integer beyond 2^53 with a gap": (
        "y ~ x",
        frame(y=Y4, x=pd.array([1, 2, None, -BIG - 1], "Int64")),
        ValueError,
        "-9007199254740993",
    ),
    "integer among floats": (
        "y ~ x",
        frame(y=Y4, x=pd.Series([1, 2.5, 3, BIG + 1], dtype=object)),
        ValueError,
        "9007199254740993",
    ),
    "long double": (
        "y ~ x",
        frame(y=Y4, x=np.array([1, 2, 3, 4], "longdouble") / 3),
        ValueError,
        "column 'x' holds 0.333",
    ),
    "categories beyond 2^53": (
        "y ~ x",
        frame(y=Y4, x=pd.Categorical([1, 2, 1, BIG + 1])),
        ValueError,
        "9007199254740993",
    ),
    "null characters": ("y ~ g", frame(y=Y4, g=["a\0x", "a\0y", "b", "b"]), ValueError, "column 'g'.*null character"),
    "null character in a category": (
        "y ~ g",
        frame(y=Y4, g=pd.Categorical(["a\0x", "a", "b", "b"])),
        ValueError,
        "column 'g'.*null",
    ),
    "null character in a name": (
        "y ~ .",
        frame(**{"y": Y4, "a\0b": X8[:4]}),
        ValueError,
        "column name.*null character",
    ),
    "half a character": (
        "y ~ g",
        frame(y=Y4, g=pd.Series(["\udc80", "a", "b", "b"], dtype=object)),
        ValueError,
        "column 'g'.*surrogate",
    ),
    "half a character in a category": (
        "y ~ g",
        frame(y=Y4, g=categories(["\ud800", "a", "b", "b"], ["\ud800", "a", "b"])),
        ValueError,
        "column 'g'.*surrogate",
    ),
    "half a character in the formula": ("y ~ I(g == '\ud83d')", frame(y=Y4, g=G), ValueError, "the formula.*surrogate"),
    "half a character in a name": ("y ~ .", frame(**{"y": Y4, "\udc80": X8[:4]}), ValueError, "column name.*surrogate"),
    "names of two parts": (
        "y ~ x",
        frame(y=Y4, x=Y4).pipe(lambda df: pd.concat({"g": df}, axis=1)),
        TypeError,
        "'_'.join",
    ),
    "mixed categories": (
        "y ~ g",
        frame(y=Y4, g=categories([1, "1", 2, 2], [1, "1", 2])),
        TypeError,
        "column 'g'.*int, str",
    ),
    "categories that are one to R": (
        "y ~ g",
        frame(y=Y4, g=categories([0.3, 0.1 + 0.2, 1.0, 1.0], [0.3, 0.1 + 0.2, 1.0])),
        RError,
        "two categories of column 'g' are '0.3'",
    ),
    "no such family": ("y ~ x", frame(y=Y4, x=Y4), ValueError, "family is one of 'binomial'.*got 'cauchy'"),
}


@pytest.mark.needs_r
@pytest.mark.parametrize("case", REFUSED)
def test_what_r_cannot_hold_is_refused_by_name(case, request, capfd):
    formula, data, error, words = REFUSED[case]
    if error is RError:
        request.getfixturevalue("rscript")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=words):
            glm(formula, data, "cauchy") if "family" in case else lm(formula, data)
    assert capfd.readouterr() == ("", "")


def test_the_advice_for_names_of_two_parts_works():
    data = pd.concat({"g": frame(y=Y8, x=X8)}, axis=1)
    with pytest.raises(TypeError) as caught:
        lm("g_y ~ g_x", data)
    exec(str(caught.value).split("parts: ")[-1].split("one part: ")[-1], {"data": data})
    assert list(data.columns) == ["g_y", "g_x"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"epsilon": 0}, ValueError),
        ({"epsilon": "1"}, TypeError),
        ({"maxit": 2.5}, TypeError),
        ({"maxit": 0}, ValueError),
        ({"maxit": True}, TypeError),
        ({"epsilon": np.float32("inf")}, ValueError),
    ],
)
def test_bad_settings_of_glm(settings, error):
    with pytest.raises(error, match=next(iter(settings))):
        glm("y ~ x", frame(y=[0, 1, 1], x=[1, 2, 3]), **settings)


@pytest.mark.needs_r
def test_a_response_of_text_is_refused_in_r_s_words_by_glm():
    with pytest.raises(RError, match="R's glm.. refuses"):
        glm("g ~ y", frame(y=Y4, g=[*"abab"]))
    assert glm("g ~ y", frame(y=Y4, g=pd.Categorical([*"abab"]))).df_residual == 2


# --- buttons -------------------------------------------------------------------------------------------------------


@pytest.mark.needs_r
@pytest.mark.parametrize("code", ["Sys.sleep(60)", "while (TRUE) {}", "repeat cat('x')"])
def test_the_stop_button_stops_lm(code, ctrl_c_interrupts):
    lm("c ~ u", thermometers())
    timer = threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lm(f"c ~ {{ {code}; u }}", thermometers())
    timer.join()
    assert time.monotonic() - started < 20
    assert lm("c ~ u", thermometers()).df_residual == 9, "the next call works"


@pytest.fixture
def ctrl_c_interrupts():
    """Python's own handler for Ctrl-C, which a process started in the background does not have."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.needs_r
@pytest.mark.parametrize("deed", ["quit()", "q('no', 3)", "tools::pskill(Sys.getpid())"])
def test_r_may_end_and_python_goes_on(deed):
    with pytest.raises(RError, match="R ended"):
        lm(f"c ~ {{ {deed}; u }}", thermometers())
    assert lm("c ~ u", thermometers()).df_residual == 9


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
