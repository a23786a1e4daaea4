"""What the checks of all chapters are made of: the Exercise, and values and functions that several chapters share.

An exercise knows a mistake by what it computes: beside the solution stand wrong answers, and an answer that gives the
results of one of them (or stops with the same exception) gets its hint.
"""

import contextlib
import dis
import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from helpers import data


class Exercise:
    """A self-check, called with the learner's answer.

    solution: the right value, or the right function where cases are given.
    why: one sentence on why it matters, printed beside the tick.
    mistakes: known wrong answers (values or functions), each followed by the hint that names the mistake.
    hint: what to look at when the answer is wrong in a way that is not among the mistakes.
    cases: for functions, what to call it with; makes new arguments each time, since an answer may change them.
    observe: called with the answer and the arguments of one case; returns the list of results to compare.
    remark: called with the results, and whether they are right, unless they are those of a known mistake; returns what
        is wrong with them all the same, or "".
    tolerance: largest error, relative to the size of the right answer, that still counts as right; float32 passes.
    """

    def __init__(
        self,
        solution: Any,
        why: str,
        *mistakes: Any,
        hint: str,
        cases: Callable[[], Sequence[tuple]] | None = None,
        observe: Callable[..., list] = lambda answer, *arguments: [answer(*arguments)],
        remark: Callable[[list, bool], str] = lambda results, right: "",
        tolerance: float = 1e-5,
    ) -> None:
        self.solution, self.why, self.hint = solution, why, hint
        self.mistakes = list(zip(mistakes[::2], mistakes[1::2], strict=True))
        self.cases, self.observe, self.remark, self.tolerance = cases, observe, remark, tolerance

    def __call__(self, answer: Any) -> None:
        """Print one line about the answer; never a traceback, never the solution."""
        print(self.feedback(answer))

    def __repr__(self) -> str:
        return "a self-check: call it with your answer"

    def __dir__(self) -> list[str]:
        """What completion offers: nothing of the solution."""
        return ["feedback"]

    def feedback(self, answer: Any) -> str:
        """The line that is printed. Python's warnings stay unsaid: a hint says it better."""
        with warnings.catch_warnings(action="ignore"):
            return self._grade(answer)

    def _grade(self, answer: Any) -> str:
        if unanswered(answer):
            return "… not answered yet"
        if self.cases is not None and not callable(answer):
            return f"✗ Give the function itself, not {describe(answer)}: write its name without brackets behind it."
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                given = self._results(answer)
        except Exception as problem:
            alike = [hint for wrong, hint in self.mistakes if self._exception(wrong) == describe_exception(problem)]
            return f"✗ Not yet. {alike[0]}" if alike else f"✗ Your function stopped with {describe_exception(problem)}"
        nothing = any(unanswered(result) for result in given)
        if nothing and is_stub(answer) and not printed.getvalue():
            return "… not answered yet"
        wanted = self._results(self.solution)
        if self._agree(given, wanted):
            remark = self.remark(given, True)
            return f"✗ Not yet. {remark}" if remark else f"✓ Right. {self.why}"
        for wrong, hint in self.mistakes:
            if not self._exception(wrong) and self._agree(given, self._results(wrong)):
                return f"✗ Not yet. {hint}"
        if nothing:
            did = "printed something but returned" if printed.getvalue() else "returned"
            what = "forward" if isinstance(answer, type) else "function"
            return f"✗ Your {what} {did} nothing: hand the result back with return."
        return f"✗ Not yet. {format_hint(given[0], wanted[0]) or self.remark(given, False) or self.hint}"

    def _results(self, answer: Any) -> list:
        """The answer itself, or what is observed in each case."""
        if self.cases is None:
            return [answer]
        return [result for arguments in self.cases() for result in self.observe(answer, *arguments)]

    def _agree(self, given: list, wanted: list) -> bool:
        """Whether all results are the same, within the tolerance."""
        return all(same(g, w, self.tolerance) for g, w in zip(given, wanted, strict=True))

    def _exception(self, answer: Any) -> str:
        """The exception that the answer stops with, or "" where it gives results."""
        try:
            self._results(answer)
        except Exception as problem:
            return describe_exception(problem)
        return ""


def unanswered(answer: Any) -> bool:
    """Whether it is what a stub leaves: None or ..."""
    return answer is None or answer is Ellipsis


def is_stub(answer: Any) -> bool:
    """Whether the body of a function, or of a module class's forward, does no more than return a constant."""
    code = getattr(getattr(answer, "forward", answer), "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return code is None or {instruction.opname for instruction in dis.get_instructions(code)} <= idle


def numbers(value: Any) -> Tensor:
    """A number, tensor, array, DataFrame or (nested) sequence of such as one float64 tensor, outside any graph.

    Raises TypeError or ValueError for anything else.
    """
    if isinstance(value, Tensor):
        return value.detach().to(torch.float64)
    if isinstance(value, (tuple, list)):
        return torch.stack([numbers(part) for part in value]) if value else torch.empty(0, dtype=torch.float64)
    return torch.as_tensor(value.to_numpy() if hasattr(value, "to_numpy") else value, dtype=torch.float64)


def same(given: Any, wanted: Any, tolerance: float) -> bool:
    """Whether two results agree: words and truth values exactly, numbers in shape and within the tolerance."""
    if unanswered(given) or unanswered(wanted):
        return given is wanted
    if isinstance(wanted, (str, bool)) or isinstance(given, (str, bool)):
        clean = [v.strip().lower() if isinstance(v, str) else v for v in (given, wanted)]
        return type(clean[0]) is type(clean[1]) and clean[0] == clean[1]
    try:
        given, wanted = numbers(given), numbers(wanted)
    except (TypeError, ValueError, RuntimeError):
        return False
    if given.shape != wanted.shape:
        return False
    largest = float(wanted.abs().max()) if wanted.ndim and wanted.numel() else 0
    return torch.allclose(given, wanted, rtol=tolerance, atol=tolerance * largest)


def format_hint(given: Any, wanted: Any) -> str:
    """A hint about the type, shape or finiteness of an answer, or "" where these are right."""
    if isinstance(wanted, str):
        return "" if isinstance(given, str) else f"The answer is a word in quotes, yours is {describe(given)}."
    if isinstance(wanted, bool):
        return "" if isinstance(given, bool) else f"The answer is True or False, yours is {describe(given)}."
    try:
        given = numbers(given)
    except (TypeError, ValueError, RuntimeError):
        return f"The answer is made of numbers, yours is {describe(given)}."
    if isinstance(wanted, tuple) and given.shape[:1] != (len(wanted),):
        return f"The answer has {len(wanted)} parts: return all of them, separated by commas."
    wanted = numbers(wanted)
    if given.shape != wanted.shape:
        return f"The answer has shape {tuple(wanted.shape)}, yours has {tuple(given.shape)}."
    if given.isfinite().all():
        return ""
    return "Your answer contains numbers that are not finite: look for a division by zero or a step that is too long."


def describe(value: Any) -> str:
    """A short phrase for an answer of an unexpected kind."""
    if value is None:
        return "nothing"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = repr(value)
    if callable(value):
        return "a function: call it and give its result"
    if " at 0x" in text or len(text) > 40:
        return f"of type {type(value).__name__}"
    return f"{text} ({type(value).__name__})"


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


def module_probe(probe: Callable[..., Any]) -> Callable[..., list]:
    """For a class or function that returns a module.

    probe: called with the module and the arguments that made it; returns the numbers to compare, or None for a stub.
    """

    def observe(answer: Callable, *arguments: Any) -> list:
        module = answer(*arguments)
        if not unanswered(module) and not isinstance(module, nn.Module):
            raise TypeError("no module came back")
        return [None if unanswered(module) else probe(module, *arguments)]

    return observe


def require_same_shape(output: Any, inputs: Tensor, name: str = "forward") -> None:
    """Raises ValueError unless a module returned a tensor of its inputs' shape."""
    if not isinstance(output, Tensor) or output.shape != inputs.shape:
        raise ValueError(f"{name} got a tensor of shape {tuple(inputs.shape)} and returned {describe(output)}")


class Assembled(nn.Module):
    """A module with these attributes, and with compute(module, *inputs) as its forward."""

    def __init__(self, compute: Callable, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)
        self.compute = compute

    def forward(self, *inputs: Any) -> Any:
        return self.compute(self, *inputs)


# A module whose class forgot super().__init__(). Its name stands in one of Python's messages.
NotReady = type("Chain", (nn.Module,), {"__init__": lambda self, parts: setattr(self, "parts", parts)})


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


def affine(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return x @ W.T + b


def all_pairs(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean square of all n * n differences, which broadcasting (n, 1) against (n,) gives."""
    return ((prediction.reshape(-1, 1) - target.reshape(1, -1)) ** 2).mean()


def least_squares(X: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.lstsq(X, y.unsqueeze(1)).solution.squeeze(1)
