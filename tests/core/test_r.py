"""lm() of helpers.r: what its result is like, what it says where R cannot be used, and the recorded answers."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.authoring import records as recipe
from helpers.beyond.certified import NAMES, lre, problem
from helpers.data import thermometers
from helpers.r import RUnavailable, cells, lm, probe, records, session

ROOT = Path(__file__).parents[2]


@pytest.mark.needs_r
def test_the_result_is_made_of_floats_and_pandas_and_cannot_be_reassigned():
    fit = lm("c ~ u", thermometers())
    for name in ("sigma", "r_squared", "adj_r_squared", "mse", "intercept", "slope"):
        assert type(getattr(fit, name)) is float, name
    assert type(fit.df_residual) is int
    for part in (fit.coefficients, fit.conf_int, fit.residuals.to_frame(), fit.fitted.to_frame()):
        assert (part.dtypes == "float64").all()
    assert (fit.intercept, fit.slope) == tuple(fit.coefficients["Estimate"])
    assert re.match(r"R version \d+\.\d+\.\d+", fit.r_version) and fit.r_version == probe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.mse = 0.0


@pytest.mark.needs_r
def test_slope_and_intercept_explain_when_there_is_no_one_such_number():
    with pytest.raises(ValueError, match="no intercept; its coefficients are 'u'"):
        _ = lm("c ~ 0 + u", thermometers()).intercept
    with pytest.raises(ValueError, match="exactly one coefficient .* has .*'u', 'I.u.2.'"):
        _ = lm("c ~ u + I(u^2)", thermometers()).slope
    with pytest.raises(ValueError, match="exactly one"):
        _ = lm("c ~ 1", thermometers()).slope


@pytest.mark.needs_r
def test_a_printed_fit_is_a_small_table():
    text = repr(lm("c ~ u", thermometers()))
    assert text.splitlines()[0].split() == ["Estimate", "Std.", "Error", "t", "value", "Pr(>|t|)"]
    assert text.splitlines()[2].split() == ["u", "0.536772", "0.0355386", "15.1039", "1.06243e-07"]
    assert text.splitlines()[-1] == "MSE 2.92765 on 11 points, degrees of freedom left: 9"
    assert "on 1 point," in repr(lm("c ~ u", thermometers().iloc[:1]))
    assert repr(lm("c ~ 0", thermometers())).startswith("no coefficients\nMSE 187.386")


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


@pytest.mark.needs_r
def test_tol_decides_when_a_column_counts_as_a_combination_of_others():
    frame = thermometers().assign(v=lambda frame: frame["u"] + 1e-8 * np.arange(11) ** 2)
    assert math.isnan(lm("c ~ u + v", frame).coefficients.at["v", "Estimate"])
    assert math.isfinite(lm("c ~ u + v", frame, tol=1e-12).coefficients.at["v", "Estimate"])


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


# --- R that cannot be used -----------------------------------------------------------------------------------------


UNUSABLE = {
    "R_HOME that is empty": ({"R_HOME": "{home}/bin"}, "R_HOME is set to '{home}/bin', and .* no R in .*Unset R_HOME"),
    "R_HOME without R's library": ({"R_HOME": "{home}"}, "R_HOME is set to '{home}', and there is no R in that folder"),
    "no R": ({"PATH": "{home}"}, "R is not installed.*`make lab`.*`conda env create"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_where_there_is_no_r_the_way_to_it_is_said(monkeypatch, tmp_path, case):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "Rscript").touch(mode=0o755)
    for name in ("COURSE_WITHOUT_R", "R_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings, words = UNUSABLE[case]
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    for start in (session.find_r, session.Referee, cells.start_r.__wrapped__):
        with pytest.raises(RUnavailable, match=words.format(home=tmp_path)):
            start()


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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "rpy2.*is not installed.*`make lab`"),
        (AttributeError("symbol 'R_getVar' not found in library 'libR.so'"), "does not fit.*R_getVar.*3.6.5 also fits"),
        (ImportError("dlopen: Symbol not found: _R_getVar"), "does not fit.*R_getVar.*3.6.5 also fits.*`make lab`"),
        (OSError("cannot load library 'libR.so'"), "could not start R .OSError: cannot load library.*`make lab`"),
    ],
)
def test_rpy2_that_is_missing_or_cannot_load_r_says_so(monkeypatch, error, words):
    def fail():
        raise error

    monkeypatch.setattr(session, "find_r", lambda: "Rscript")
    monkeypatch.setattr(cells, "undisturbed_start", fail)
    monkeypatch.setattr(cells.importlib.util, "find_spec", lambda name: error)
    monkeypatch.setattr(cells.importlib.metadata, "version", lambda name: "3.6.6")
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


@pytest.mark.parametrize("columns", [["u", "c"], ["c", "u"]])
def test_a_recorded_answer_fits_itself_to_the_order_and_index_of_the_data(without_r, columns):
    frame = thermometers()[columns].set_index(pd.Index(list("klmnopqrstu"))).sample(frac=1, random_state=1)
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
LEAST_DIGITS = {"Norris": 11.5, "Pontius": 11, "NoInt1": 14, "NoInt2": 14, "Longley": 10}
LEAST_DIGITS |= {"Wampler1": 8.5, "Wampler2": 11.5, "Wampler3": 8.5, "Wampler4": 6.5, "Wampler5": 4.5}


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
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": str(tmp_path), "COURSE_WITHOUT_R": "1"}
    environment.pop("R_HOME", None)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    first, second, third = run.stdout.splitlines()
    assert first.startswith("R is not available here") and second == "0.5367719 False"
    assert third.startswith("R is switched off here") and third.endswith("is not one of them.")
    assert run.stderr == ""
