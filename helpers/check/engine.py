"""What the checks of all chapters are made of: the Exercise, and values and functions that several chapters share.

An exercise knows a mistake by what it computes: beside the solution stand wrong answers, and an answer that gives the
results of one of them (or stops with the same exception) gets its hint.
"""

import contextlib
import ctypes
import dis
import functools
import inspect
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import data
from helpers.progress import note_solved


class Exercise:
    """A self-check, called with the learner's answer.

    solution: the right value, or the right function where cases are given.
    why: one sentence on why it matters, printed beside the tick.
    mistakes: known wrong answers (values, functions, or edits of the solution's text, in a tuple), each followed by the
        hint that names the mistake.
    hint: what to look at when the answer is wrong in a way that is not among the mistakes.
    cases: for functions, what to call it with; makes new arguments each time, since an answer may change them.
    observe: called with the answer and the arguments of one case; returns the list of results to compare.
    forbidden: what the text of the exercise rules out, as the full names of functions, classes or modules that must
        not be called, each with its hint.
    remark: called with the results and the solution's, unless they are those of a known mistake; returns what is wrong
        with them, even where they agree, or "".
    tolerance: largest error, relative to the size of the right answer, that still counts as right; float32 passes.
    """

    _name = ""

    def __init__(
        self,
        solution: Any,
        why: str,
        *mistakes: Any,
        hint: str,
        cases: Callable[[], Sequence[tuple]] | None = None,
        observe: Callable[..., list] = lambda answer, *arguments: [answer(*arguments)],
        forbidden: Mapping[str, str] = MappingProxyType({}),
        remark: Callable[[list, list], str] = lambda given, wanted: "",
        tolerance: float = 1e-5,
    ) -> None:
        self.solution, self.why, self.hint = solution, why, hint
        wrong = (edited(solution, *answer) if isinstance(answer, tuple) else answer for answer in mistakes[::2])
        self.mistakes = list(zip(wrong, mistakes[1::2], strict=True))
        self.cases, self.observe, self.tolerance = cases, observe, tolerance
        self.forbidden, self.remark = forbidden, remark

    def __call__(self, answer: Any) -> None:
        """Print one line about the answer; never a traceback, never the solution."""
        line = self.feedback(answer)
        print(line)
        if line.startswith("✓"):
            note_solved(self._name)

    def __repr__(self) -> str:
        return "a self-check: call it with your answer"

    def __dir__(self) -> list[str]:
        """What completion offers: nothing of the solution."""
        return ["feedback"]

    def feedback(self, answer: Any) -> str:
        """The line that is printed. What the answer or a library would print beside it stays unsaid."""
        with warnings.catch_warnings(action="ignore"), silence():
            return self._grade(answer)

    def _grade(self, answer: Any) -> str:
        if unanswered(answer):
            return "… not answered yet"
        if self.cases is not None and not callable(answer):
            return f"✗ Give the function itself, not {describe(answer)}: write its name without brackets behind it."
        with contextlib.redirect_stdout(io.StringIO()) as printed, calls_noted(bool(self.forbidden)) as called:
            given, problem = self._attempt(answer)
        ruled_out = next((hint for name, hint in self.forbidden.items() if was_called(name, called)), "")
        if problem:
            stop = in_any_order(problem)
            alike = [hint for wrong, hint in self.mistakes if in_any_order(self._attempt(wrong)[1]) == stop]
            hints = [*alike, ruled_out] if ruled_out else alike
            return f"✗ Not yet. {hints[0]}" if hints else f"✗ Your function stopped with {problem[1]}"
        nothing = any(unanswered(result) for result in given)
        if nothing and is_stub(answer) and not printed.getvalue():
            return "… not answered yet"
        wanted = self._attempt(self.solution)[0]
        if all_same(given, wanted, self.tolerance):
            remark = ruled_out or self.remark(given, wanted)
            return f"✗ Not yet. {remark}" if remark else f"✓ Right. {self.why}"
        for wrong, hint in self.mistakes:
            expected, stopped = self._attempt(wrong)
            if not stopped and all_same(given, expected, self.tolerance):
                return f"✗ Not yet. {hint}"
        if nothing:
            did = "printed something but returned" if printed.getvalue() else "returned"
            what = "forward" if isinstance(answer, type) else "function"
            in_all = sum(unanswered(result) for result in given) >= len(self.cases())
            when = "" if in_all else " in some cases"
            return f"✗ Your {what} {did} nothing{when}: hand the result back with return."
        of_the_format = (format_hint(g, w) for g, w in zip(given, wanted, strict=True))
        remark = next(filter(None, of_the_format), "") or ruled_out or self.remark(given, wanted)
        return f"✗ Not yet. {remark or self.hint}"

    def _attempt(self, answer: Any) -> tuple[list, tuple[int, str] | None]:
        """The answer itself, or what is observed in each case; and, where it stops, the case and the exception."""
        if self.cases is None:
            return [collected(answer)], None
        results = []
        for number, arguments in enumerate(self.cases()):
            try:
                results += [collected(result) for result in self.observe(answer, *arguments)]
            except (Exception, SystemExit) as problem:
                return results, (number, describe_exception(problem))
        return results, None


def edited(answer: Any, *edits: str) -> Any:
    """A function or class with edits of its text, in pairs: what it says, and what it says instead.

    Raises ValueError where it doesn't say so.
    """
    if not edits:
        return answer
    text, names = source_of(answer), dict(vars(sys.modules[answer.__module__]))
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        if old not in text:
            raise ValueError(f"{answer.__name__} does not say {old!r}")
        text = text.replace(old, new)
    exec(text, names)
    return names[answer.__name__]


source_of = functools.cache(inspect.getsource)  # which takes milliseconds, and has many edits


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing is printed, neither by Python nor by libraries written in C, which write to the file descriptors."""
    sys.stdout.flush()
    flush_c = getattr(ctypes.CDLL(None), "fflush", lambda _: None) if os.name == "posix" else lambda _: None
    with contextlib.ExitStack() as stack, open(os.devnull, "w") as nowhere:
        for descriptor in (1, 2):
            with contextlib.suppress(OSError):
                copy = os.dup(descriptor)
                stack.callback(os.close, copy)
                stack.callback(os.dup2, copy, descriptor)
                flush_c(None)
                os.dup2(nowhere.fileno(), descriptor)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
        flush_c(None)


@contextlib.contextmanager
def calls_noted(wanted: bool) -> Iterator[set[str]]:
    """The full names of the functions that are called meanwhile; of functions written in C the name alone."""
    called = set()

    def note(frame: Any, event: str, function: Any) -> None:
        if event == "call":
            called.add(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")
        elif event == "c_call":
            called.add(function.__name__)

    before = sys.getprofile()
    if wanted:
        sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


def was_called(name: str, called: set[str]) -> bool:
    """Whether a function, or anything in a class or module of this name, is among those called."""
    return any(one == name or one.startswith(name + ".") for one in called)


def unanswered(answer: Any) -> bool:
    """Whether it is what a stub leaves: None or ..."""
    return answer is None or answer is Ellipsis


def is_stub(answer: Any) -> bool:
    """Whether the body of a function, or of a module class's forward, does no more than return a constant."""
    code = getattr(getattr(answer, "forward", answer), "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return code is None or {instruction.opname for instruction in dis.get_instructions(code)} <= idle


def collected(value: Any) -> Any:
    """A generator, range, map or other iterable without a shape as a list; a single truth value as a bool."""
    plain = hasattr(value, "shape") or isinstance(value, (str, bytes, Mapping, tuple, nn.Module))
    if getattr(value, "shape", None) == () and value.dtype in (torch.bool, np.bool_):
        return bool(value)
    return value if plain or not isinstance(value, Iterable) else [collected(part) for part in value]


def numbers(value: Any) -> Tensor:
    """A number, tensor, array, DataFrame or (nested) sequence of such as one float64 tensor, outside any graph.

    Raises TypeError or ValueError for anything else.
    """
    if isinstance(value, Tensor):
        return value.detach().to("cpu", torch.float64)
    if isinstance(value, (tuple, list)):
        return torch.stack([numbers(part) for part in value]) if value else torch.empty(0, dtype=torch.float64)
    if getattr(value, "dtype", None) is np.dtype(object):  # fractions, say
        return numbers(value.tolist())
    return torch.as_tensor(value.to_numpy() if hasattr(value, "to_numpy") else value, dtype=torch.float64)


def numbers_or_none(value: Any) -> Tensor | None:
    """The value as numbers, or None where it isn't made of numbers, or its parts don't fit together."""
    try:
        return numbers(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def same(given: Any, wanted: Any, tolerance: float) -> bool:
    """Whether two results agree: words and truth values exactly, numbers in shape and within the tolerance."""
    if unanswered(given) or unanswered(wanted):
        return given is wanted
    if isinstance(wanted, (str, bool)) or isinstance(given, (str, bool)):
        clean = [v.strip().lower() if isinstance(v, str) else v for v in (given, wanted)]
        return type(clean[0]) is type(clean[1]) and clean[0] == clean[1]
    given, wanted = numbers_or_none(given), numbers_or_none(wanted)
    if given is None or wanted is None or given.shape != wanted.shape:
        return False
    largest = float(wanted.abs().max()) if wanted.ndim and wanted.numel() else 0
    return torch.allclose(given, wanted, rtol=tolerance, atol=tolerance * largest)


def all_same(given: list, wanted: list, tolerance: float) -> bool:
    return all(same(g, w, tolerance) for g, w in zip(given, wanted, strict=True))


def format_hint(given: Any, wanted: Any) -> str:
    """A hint about the type, shape or finiteness of an answer, or "" where these are right."""
    if isinstance(wanted, str):
        return "" if isinstance(given, str) else f"The answer is a word in quotes, yours is {describe(given)}."
    if isinstance(wanted, bool):
        return "" if isinstance(given, bool) else f"The answer is True or False, yours is {describe(given)}."
    wanted_numbers, given_numbers = numbers(wanted), numbers_or_none(given)
    if isinstance(given, tuple) and not isinstance(wanted, tuple):
        if len(given) == 1:
            return "Yours is a tuple with one part: take it out, with [0]."
        if given_numbers is None or wanted_numbers.ndim == 0:
            return f"One result is asked for, {len(given)} came back, separated by commas: return the one alone."
    if isinstance(wanted, tuple) and isinstance(given, (tuple, list)) and len(given) != len(wanted):
        return f"The answer has {len(wanted)} parts, yours has {len(given)}: return {len(wanted)}, separated by commas."
    if given_numbers is None and isinstance(given, list) and all(numbers_or_none(part) is not None for part in given):
        return "Its parts differ in shape: make one row of numbers of them, with torch.cat for example."
    if given_numbers is None:
        return f"The answer is made of numbers, yours is {describe(given)}."
    if isinstance(wanted, tuple) and given_numbers.shape[:1] != (len(wanted),):
        return f"The answer has {len(wanted)} parts: return all of them, separated by commas."
    shape, given_shape = tuple(wanted_numbers.shape), tuple(given_numbers.shape)
    if shape == () != given_shape:
        count = given_numbers.numel()
        return (
            f"The answer is one number, yours {'has it in a row or a table' if count == 1 else f'is {count} numbers'}."
        )
    if shape != given_shape:
        return f"The answer has shape {shape}, yours {f'has {given_shape}' if given_shape else 'is one number'}."
    if given_numbers.isfinite().all():
        return ""
    return (
        "Your answer contains numbers that are not finite: look for a division by zero, the exponential of a large "
        "number, the root or logarithm of a negative number, the std() of one number, or a step that is too long."
    )


def describe(value: Any) -> str:
    """A short phrase for an answer of an unexpected kind."""
    if value is None:
        return "nothing"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    if callable(value):
        return "a function: call it and give its result"
    if " at 0x" in text or len(text) > 40:
        return f"something of type {type(value).__name__}"
    return f"{text} ({type(value).__name__})"


def in_any_order(problem: tuple[int, str] | None) -> Any:
    """The case and the exception; sorted by words where an operation has no answer: a * b stops like b * a."""
    no_answer = problem and "unsupported operand" in problem[1]
    return (problem[0], sorted(problem[1].split())) if no_answer else problem


def describe_exception(problem: Exception) -> str:
    """The kind of an exception and the first line of its message, cut to a readable length."""
    text = (str(problem).splitlines() or ["no message"])[0]
    return f"{type(problem).__name__}: {text if len(text) < 160 else text[:157] + '...'}"


# ---- observations that several chapters share ------------------------------------------------------------------------


def arguments_untouched(answer: Callable, *arguments: Any) -> list:
    """What is returned. Raises ValueError if a tensor that was handed in has been changed."""
    tensors = [(argument, argument.clone()) for argument in arguments if isinstance(argument, Tensor)]
    result = answer(*arguments)
    if not all(same(argument, before, 0) for argument, before in tensors):
        raise ValueError("it changed the tensors that it was given")
    return [result]


def after_no_epoch(answer: Callable, u: Tensor, c: Tensor, w: Tensor, b: Tensor, *others: Any) -> Any:
    """What is returned; where no epoch is asked for, lines behind the loop may use what the loop alone makes."""
    try:
        return answer(u, c, w, b, *others)
    except (UnboundLocalError, IndexError):
        if others[-1] != 0:
            raise
        return w, b


def module_probe(probe: Callable[..., Any]) -> Callable[..., list]:
    """For a class or function that returns a module.

    probe: called with the module and the arguments that made it; returns the numbers to compare, or None for a stub.
    """

    def observe(answer: Callable, *arguments: Any) -> list:
        if isinstance(answer, nn.Module):
            raise TypeError("it is a module already made; give the class itself")
        module = answer(*arguments)
        if not unanswered(module) and not isinstance(module, nn.Module):
            raise TypeError("no module came back")
        return [None if unanswered(module) else probe(module, *arguments)]

    return observe


# The functions of PyTorch that find derivatives.
AUTOGRAD = ("torch.autograd.grad", "torch.autograd.backward", "torch.autograd.forward_ad", "torch._functorch")

# What is said to a function whose return stands inside its loop.
NO_POWER = "In Python ^ is no power, it combines bits: powers are written with **."
RETURN_IN_LOOP = "It ended after the first round: return stands inside the loop. Indent it as far as the line with for."


def nudged(given: list, wanted: list) -> str:
    """The hint for slopes that are right but for the last case, where a difference of two values drowns in rounding."""
    right = all_same(given[:-1], wanted[:-1], 1e-4) and not same(given[-1], wanted[-1], 1e-5)
    return "That is nearly the slope, as nudging finds it: work out its formula instead." if right else ""


def nearly_right(hint: str) -> Callable[[list, list], str]:
    """A remark: the hint, where the results are off by less than a thousandth."""
    return lambda given, wanted: hint if all_same(given, wanted, 1e-3) and not all_same(given, wanted, 1e-9) else ""


def of_fixed_size(given: list, wanted: list) -> str:
    """The hint for modules that train equally many numbers in both cases, though their widths differ."""
    fixed = given[0][0] == given[1][0] > 0
    return "Its layers have one size, whatever is asked for: put the argument where a number stands." if fixed else ""


def require_same_shape(output: Any, inputs: Tensor, name: str = "forward") -> None:
    """Raises ValueError unless a module returned a tensor of its inputs' shape."""
    if not isinstance(output, Tensor) or output.shape != inputs.shape:
        raise ValueError(f"{name} got a tensor of shape {tuple(inputs.shape)} and returned {describe(output)}")


# ---- values and functions that several chapters share ----------------------------------------------------------------


def float64(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def readings() -> tuple[Tensor, Tensor]:
    """The readings u, c in float64."""
    return data.tensors(torch.float64)


def leaf(value: float | list[float], old_gradient: float | None = None) -> Tensor:
    """A float64 tensor that requires a gradient, and may hold one from before."""
    tensor = float64(value).requires_grad_()
    if old_gradient is not None:
        tensor.grad = torch.full_like(tensor, old_gradient)
    return tensor


def curvatures(u: Tensor) -> Tensor:
    """The eigenvalues of the Hessian of a line's MSE, in ascending order."""
    X = torch.stack([u, torch.ones_like(u)], dim=1)
    return torch.linalg.eigvalsh(2 * X.T @ X / len(u))


def all_pairs(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean square of all n * n differences, which broadcasting (n, 1) against (n,) gives."""
    return ((prediction.reshape(-1, 1) - target.reshape(1, -1)) ** 2).mean()


def least_squares(X: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.lstsq(X, y.unsqueeze(1)).solution.squeeze(1)
