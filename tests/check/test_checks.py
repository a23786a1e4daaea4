"""Exercise self-checks: solutions get a tick, stubs a polite line, known wrong answers their own hint."""

import contextlib
import ctypes
import logging
import os
import sys
import warnings
from importlib import import_module
from pathlib import Path

import answers_00_04
import answers_05_09
import answers_10_17
import pytest
import torch
from answers_05_09 import Chain
from answers_10_17 import Back, Dropping, Network
from IPython.core.completer import IPCompleter, provisionalcompleter
from torch import nn

from helpers import check
from helpers.check.ch12 import probe_dropout
from helpers.check.engine import edited, float64, leaf, readings, same

NOT_YET = "✗ Not yet. "
EXERCISES = {name: getattr(check, name) for name in check.__all__}
WRONG = answers_00_04.WRONG | answers_05_09.WRONG | answers_10_17.WRONG
RIGHT = answers_00_04.RIGHT | answers_05_09.RIGHT | answers_10_17.RIGHT


@pytest.mark.parametrize(
    "name, answer, words",
    [
        pytest.param(name, case[:-1], case[-1], id=f"{name}-{case[-1]}")
        for name, cases in WRONG.items()
        for case in cases
    ],
)
def test_a_wrong_answer_gets_its_own_hint(name, answer, words):
    line = EXERCISES[name].feedback(edited(*answer))
    assert line.startswith(NOT_YET) and words in line


@pytest.mark.parametrize(
    "name, answer",
    [
        pytest.param(name, answer, id=f"{name}-{i}")
        for name, answers in RIGHT.items()
        for i, answer in enumerate(answers)
    ]
    + [pytest.param(name, exercise.solution, id=name) for name, exercise in EXERCISES.items()],
)
def test_the_solution_and_a_right_answer_in_another_style_are_right(name, answer):
    answer = edited(*answer) if isinstance(answer, tuple) else answer
    assert EXERCISES[name].feedback(answer) == f"✓ Right. {EXERCISES[name].why}"


@pytest.mark.parametrize("name", EXERCISES)
def test_every_hint_is_asked_for_by_a_wrong_answer(name):
    words = [case[-1] for case in WRONG[name]]
    assert not [hint for _, hint in EXERCISES[name].mistakes if not any(word in hint for word in words)]


@pytest.mark.parametrize("name", EXERCISES)
def test_every_named_mistake_gets_its_own_hint(name):
    exercise = EXERCISES[name]
    for wrong, hint in exercise.mistakes:
        assert exercise.feedback(wrong) == NOT_YET + hint
        assert "NameError" not in str(exercise._attempt(wrong)[1])  # which an edit may bring about
    assert len({hint for _, hint in exercise.mistakes}) == len(exercise.mistakes) >= 2


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("stub", [None, ..., lambda *arguments: None, lambda *arguments: ...])
def test_a_stub_is_met_politely(name, stub, capsys):
    exercise = EXERCISES[name]
    if exercise.cases is None and callable(stub):
        pytest.skip("its answer is a value, not a function")
    assert exercise(stub) is None
    assert capsys.readouterr().out == "… not answered yet\n"


def raises(*arguments):
    raise RuntimeError("out of luck\nsecond line")


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "answer",
    [
        "a string",
        3.5,
        torch.zeros(2, 3),
        object(),
        raises,
        lambda: 1,
        lambda *arguments: "text",
        lambda *arguments: torch.zeros(7),
    ],
    ids=["string", "number", "tensor", "object", "raises", "arity", "text", "shape"],
)
def test_any_answer_gets_one_line_and_never_the_solution(name, answer, capsys):
    exercise = EXERCISES[name]
    assert exercise(answer) is None
    printed = capsys.readouterr().out
    assert printed.startswith("✗ ") and printed.count("\n") == 1 and "Traceback" not in printed
    assert " at 0x" not in printed


def forgets_to_return(x):
    result = 2 * x  # noqa: F841


class HalfChain(Chain):
    def forward(self, x): ...


class HalfNetwork(nn.Module):
    """A stub whose super().__init__() is missing."""

    def __init__(self, hidden):
        """hidden: how many hidden units."""
        ...

    def forward(self, x): ...


NOTHING = "✗ Your function returned nothing: hand the result back with return."
STOPPED = "✗ Your function stopped with "
SHAPE = "ValueError: forward got a tensor of shape (3, 1) and returned "
SILENT = "ValueError: in training, forward got a tensor of shape (1000, 1) and returned nothing"
SILENT_IN_USE = "ValueError: in training forward hands the result back, after eval() it hands back nothing"
# What else is said: (exercise, answer, edits of its text in pairs, the line).
SAID = [
    ("double", lambda x: print(2 * x), NOTHING.replace("returned", "printed something but returned")),
    ("double", forgets_to_return, NOTHING),
    ("double", forgets_to_return, "2 * x", "2 * x; return ...", NOTHING),
    ("double", lambda x: sys.exit("bye"), STOPPED + "SystemExit: bye"),
    ("one_step", raises, STOPPED + "RuntimeError: out of luck"),
    ("breaks_convexity", lambda loss, a, b: loss(b) > loss(a) or None, NOTHING.replace(":", " in some cases:")),
    ("autograd_descent", answers_00_04.descend, "    return [w, b]", "", NOTHING),
    ("chain", Chain, "return x", "", NOTHING.replace("function", "forward")),
    ("chain", HalfChain, "… not answered yet"),
    ("chain", Chain, "parts:", "pieces:", STOPPED + "AttributeError: 'Chain' object has no attribute 'pieces'"),
    ("one_hidden", HalfNetwork, "… not answered yet"),
    ("one_hidden", Network(3), STOPPED + "TypeError: it is a module already made; give the class itself"),
    ("with_dropout", Dropping, "return self.o", "return None if self.training else self.o", STOPPED + SILENT),
    ("with_dropout", Dropping, "return self.o", "if self.training: return self.o", STOPPED + SILENT_IN_USE),
    ("back_to_degrees", Back, "return ", "return np.zeros(2) #", STOPPED + SHAPE + "array([0., 0.]) (ndarray)"),
]


@pytest.mark.parametrize("name, answer, line", [(name, case[:-1], case[-1]) for name, *case in SAID])
def test_what_else_is_said(name, answer, line):
    assert EXERCISES[name].feedback(edited(*answer)) == line


def test_the_hints_for_modules_leave_the_code_to_the_learner():
    for name in ("one_hidden", "with_dropout", "back_to_degrees"):
        assert not any(word in EXERCISES[name].hint for word in ("nn.", "F.", "register_buffer", "*", "self."))


def test_a_dropout_check_leaves_the_learners_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    module = Dropping(4, 0.5)
    torch.manual_seed(3)
    probe_dropout(module, 4, 0.5)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("use_jedi", [False, True])
def test_completion_offers_the_exercises_and_nothing_of_a_solution(use_jedi, tmp_path, monkeypatch):
    monkeypatch.setattr("jedi.settings.cache_directory", str(tmp_path))  # the user's may hold what is out of date
    _ = check.double  # a chapter has been loaded
    completer = IPCompleter(namespace={"check": check}, use_jedi=use_jedi)
    for text, wanted in (("check.", set(EXERCISES)), ("check.double.", {"feedback"})):
        with provisionalcompleter():
            assert {c.text.lstrip(".") for c in completer.completions(text, len(text))} == wanted
    assert set(dir(check)) == set(EXERCISES) and "solution" not in repr(check.standard_errors_apart)


def test_a_name_that_is_no_exercise_is_refused():
    with pytest.raises(AttributeError, match="no exercise 'duoble'"):
        _ = check.duoble


def test_every_exercise_of_a_chapter_is_offered():
    for path in sorted(Path(check.__file__).parent.glob("ch*.py")):
        module = import_module(f"helpers.check.{path.stem}")
        found = [name for name, value in vars(module).items() if type(value).__name__ == "Exercise"]
        assert tuple(found) == check.CHAPTERS[path.stem]


def on_tenths(rate, epochs, optimizer=None):
    """The readings on u / 10, parameters at (1, 0), and what an exercise of chapter 03 or 04 wants besides."""
    (u, c), (w, b) = readings(), (leaf(1.0), leaf(0.0))
    return u / 10, c, w, b, *([rate] if optimizer is None else [optimizer([w, b], lr=rate)]), epochs


# Examples in hints: the words, and for the arguments the numbers that the solution gives, and no known mistake does.
EXAMPLES = {
    "double": ("is 6", (lambda: (3,), 6)),
    "residual_standard_error": ("standard error of 3", (lambda: (float64([3, -2, 2, 1, 0]), 3), 3)),
    "confidence_interval": ("2.375 and 3.625", (lambda: (3, 0.25, 2.5), (2.375, 3.625))),
    "one_step": ("w = 1.5 and b = 0.7", (lambda: (float64([1, 2]), float64([2, 3]), 2, 1, 0.1), (1.5, 0.7))),
    "derivative": ("is 6", *((lambda old=old: (lambda x: x * x, leaf(3.0, old)), 6) for old in (None, 1.0))),
    "autograd_descent": ("w = 2.2094 and b = 0.1217", (lambda: on_tenths(0.01, 3), (2.2094, 0.1217))),
    "tanh_rule": ("(0.964, 0.071)", (lambda: (2,), (0.9640, 0.07065))),
    "momentum_step": ("0.65 and 3.5", (lambda: (1, 2, 3, 0.1, 0.5), (0.65, 3.5))),
    "training_cycle": ("w = 2.2094 and b = 0.1217", (lambda: on_tenths(0.01, 3, torch.optim.SGD), (2.2094, 0.1217))),
    "leaky_relu": (
        "2 and 0.05 come out as they are, an input of -2 as -0.2",
        (lambda: (float64([2, 0.05, -2]), 0.1), (2, 0.05, -0.2)),
    ),
    "steps_per_epoch": (
        "4, 4 and 1 rows, 8 rows are 4 and 4",
        *(
            (lambda n=n, drop=drop: (n, 4, drop), steps)
            for n, drop, steps in ((9, False, 3), (8, False, 2), (9, True, 2))
        ),
    ),
}


def gives(answer, examples):
    with contextlib.suppress(Exception):
        return all(same(answer(*arguments()), numbers, 1e-4) for arguments, numbers in examples)
    return False


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_in_a_hint_tells_right_from_wrong(name):
    exercise, (words, *examples) = EXERCISES[name], EXAMPLES[name]
    assert words in exercise.hint and gives(exercise.solution, examples)
    about_the_way = ("The numbers are right", "That is the slope by nudging")
    wrong = [answer for answer, hint in exercise.mistakes if not hint.startswith(about_the_way)]
    assert not any(gives(answer, examples) for answer in wrong)


def test_nothing_but_the_one_line_is_printed(capfd):
    """Neither what the answer prints, nor what its libraries do, in Python or in C."""

    def chatty(x):
        print("result:", 2 * x)
        print("to the other stream", file=sys.stderr)
        logging.getLogger("chatty").error("logged")
        warnings.warn("warned", stacklevel=1)
        os.write(1, b"past Python")
        os.write(2, b"past Python")
        ctypes.CDLL(None).puts(b"from C, into its own buffer")
        return 2 * x

    check.double(chatty)
    check.with_scaled_columns(lambda solve, X, y: solve((X - X.mean(0)) / X.std(0), y))
    check.with_scaled_columns(lambda solve, X, y: solve(X / 0, y))
    check.line_errors(lambda x, y, folds: torch.linalg.lstsq(torch.full((3, 3), torch.nan), torch.ones(3, 1)).solution)
    ctypes.CDLL(None).fflush(None)
    said = capfd.readouterr()
    assert said.err == "" and [line[:1] for line in said.out.splitlines()] == ["✓", "✗", "✗", "✗"]


def test_what_was_printed_before_a_check_is_not_lost(capfd):
    ctypes.CDLL(None).puts(b"before")
    check.double(lambda x: 2 * x)
    assert capfd.readouterr().out.startswith("before\n✓")


def test_a_profiler_keeps_running():
    def profiler(*event):
        return None

    sys.setprofile(profiler)
    try:
        check.leaky_relu.feedback(lambda x, slope: torch.relu(x))
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
