"""train() and evaluate() at their edges: what is refused and in which words, where a run stops, what is trained."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

from helpers.loss import ShapeError, mse
from helpers.training import evaluate, train

X = torch.linspace(-1, 1, 12, dtype=torch.float64).unsqueeze(1)
Y = 3 * X + 0.5
CLASSES = torch.arange(12) % 3


def scalar(value=1.0, dtype=torch.float64):
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def linear(n_in=1, n_out=1):
    torch.manual_seed(0)
    return nn.Linear(n_in, n_out).double()


def sgd(model, lr=0.1):
    return torch.optim.SGD(model.parameters(), lr=lr)


# --- what is not finite ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS])
def test_a_gradient_that_is_not_finite_stops_before_its_step(kind, epochs, capsys):
    w = scalar(0.0)
    history = train(lambda x: torch.sqrt(w * w) * x, kind([w], lr=0.1), X, Y, epochs)
    assert w.item() == 0.0 and history.loss.tolist() == [mse(0 * X, Y).item()] and history.evaluations == 1
    assert history.stopped.startswith("stopped at epoch 1: the gradient is nan")
    assert "learning rate" not in history.stopped, "no step was taken"
    assert capsys.readouterr().out == history.stopped + "\n"


def test_a_gradient_breaks_off_later(capsys):
    w = scalar(0.2)  # two steps of 0.1 to the kink at 0, where the root has no slope
    history = train(
        lambda x: torch.sqrt(w * w) + 0 * x, torch.optim.SGD([w], lr=0.1), X, X, 5, loss=lambda p, t: p.mean()
    )
    assert w.item() == 0.0 and history.loss.tolist() == pytest.approx([0.2, 0.1, 0.0], abs=1e-15)
    assert history.stopped.startswith("stopped at epoch 3: the gradient is nan") and history.evaluations == 3


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_one_bad_number_in_one_gradient_is_seen(dtype, shape, bad):
    parameters = [torch.ones(shape, dtype=dtype, requires_grad=True) for _ in range(3)]
    parameters[1].register_hook(lambda grad: grad.flatten().index_fill(0, torch.tensor(0), bad).view(grad.shape))
    x = torch.ones(4, dtype=dtype)
    history = train(lambda x: x * sum(p.sum() for p in parameters), torch.optim.SGD(parameters, lr=0.1), x, x, 3)
    assert f"the gradient is {bad}" in history.stopped and all((p == 1).all() for p in parameters)


def test_a_sparse_gradient_is_looked_at_too():
    model = nn.Sequential(nn.Embedding(5, 1, sparse=True), nn.Flatten())
    x, y = torch.arange(5), torch.ones(5, 1)
    assert train(model, torch.optim.SparseAdam(list(model.parameters())), x, y, 3).stopped is None
    model[0].weight.register_hook(lambda grad: grad * torch.nan)
    before = model[0].weight.detach().clone()
    assert "gradient is nan" in train(model, torch.optim.SparseAdam(list(model.parameters())), x, y, 3).stopped
    assert torch.equal(model[0].weight, before)


def test_gradients_whose_sum_is_not_finite_are():
    parameters = [torch.zeros(4, requires_grad=True) for _ in range(2)]
    x = torch.full((4,), 3e38)
    history = train(lambda x: sum(p * x for p in parameters), torch.optim.SGD(parameters, lr=1e-38), x, x, 1,
                    loss=lambda p, t: p.sum())  # fmt: skip
    assert history.stopped is None and all(p.isfinite().all() and (p != 0).all() for p in parameters)


def test_a_loss_that_is_never_finite_blames_no_learning_rate():
    w = scalar()
    history = train(
        lambda x: w * x, torch.optim.SGD([w], lr=0.1), X, Y, 9, loss=lambda p, t: torch.log(-1 - (p**2).mean())
    )
    assert history.stopped.startswith("stopped at epoch 1: the loss is nan") and "learning rate" not in history.stopped
    assert w.item() == 1.0 and history.evaluations == 0 and history.loss.isnan().tolist() == [True]


def test_the_last_step_is_looked_at(capsys):
    w = scalar(1.0, torch.float32)
    history = train(lambda x: w * x, torch.optim.SGD([w], lr=3e38), X.float(), 1e3 * X.float(), 1)
    assert not w.isfinite() and "stopped at epoch 1: its step has made a parameter" in history.stopped
    assert "learning rate below 3e+38" in history.stopped


def test_a_step_with_a_closure_is_taken_back():
    class Second(torch.optim.SGD):
        """Steps by its second gradient, at another place."""

        def step(self, closure):
            closure()
            with torch.no_grad():
                self.param_groups[0]["params"][0].sub_(1)
            with torch.enable_grad():
                loss = closure()
            return super().step() or loss

    w = scalar(1.0)
    history = train(lambda x: torch.sqrt(w * w) * x, Second([w], lr=0.1), X, Y, 3)
    assert w.item() == 1.0 and len(history.loss) == 1
    assert "its step has made a parameter nan. Try a learning rate below 0.1" in history.stopped


@pytest.mark.parametrize("part", [0, 1])
def test_a_reading_that_is_missing_in_a_later_batch_is_named(part):
    pair = [X.clone(), Y.clone()]
    pair[part][7] = torch.nan
    model = linear()
    history = train(model, sgd(model), epochs=3, batches=DataLoader(TensorDataset(*pair), 4))
    name = ("inputs", "targets")[part]
    assert history.stopped == f"stopped at epoch 1: the loss is nan. The {name} of its batch contain nan"
    assert history.evaluations == 1


# --- what cannot work ------------------------------------------------------------------------------------------------


class Two(nn.Module):
    def __init__(self, returned):
        super().__init__()
        self.out, self.returned = linear(), returned

    def forward(self, x):
        return self.returned(self.out(x))


def attempt(model=None, x=X, y=Y, epochs=3, optimizer=sgd, **options):
    model = linear() if model is None else model
    return train(model, optimizer(model), x, y, epochs, **options)


def loader(*tensors, **options):
    return DataLoader(TensorDataset(*tensors), **options)


def own(predictions, targets):
    """A loss of one's own that pairs numbers."""
    return ((predictions - targets) ** 2).mean()


def batches(*tensors, **options):
    return {"x": None, "y": None, "batches": loader(*tensors, **options)}


META, FLAT, CHOICE = X.to("meta"), Y.squeeze(1), nn.CrossEntropyLoss()
SUM = functools.partial(nn.functional.mse_loss, reduction="sum")
OTHER_TYPES = {  # what attempt() is given, and words of the TypeError
    "a tuple": (dict(model=Two(lambda p: (p, p))), r"model returned a tuple of 2 \(Tensor, Tensor\)"),
    "a dict": (dict(model=Two(lambda p: {"y": p})), "model returned a dict with y"),
    "nothing": (dict(model=Two(lambda p: None)), "model returned a NoneType"),
    "an array": (dict(model=Two(lambda p: p.detach().numpy())), "model returned a ndarray"),
    "the class of a loss": (dict(loss=nn.MSELoss), r"loss is <class .*MSELoss'>: build it first, as in nn.MSELoss\(\)"),
    "a loss in text": (dict(loss="mse"), "loss is 'mse': build it first"),
    "the class of a model": (dict(model=nn.Linear, optimizer=lambda model: sgd(linear())), "model is <class.*build it"),
    "the class of an optimizer": (dict(optimizer=lambda model: torch.optim.SGD), "optimizer is <class.*build it"),
    "parameters": (dict(optimizer=lambda model: model.parameters()), "optimizer is <generator.*build it"),
    "a seed": (dict(batches=3, generator=0), r"generator is 0: build it first, as in torch.Generator\(\).manual_seed"),
    "NumPy's generator": (dict(batches=3, generator=np.random.default_rng(0)), "generator is Generator.*build it"),
    "sparse targets": (dict(y=Y.to_sparse()), "targets are sparse"),
    "complex inputs": (dict(x=X.to(torch.complex128)), "complex128"),
    "a validation triple": (dict(validation=(X, Y, Y)), "validation data are a tuple of 3"),
    "float32 data": (dict(x=X.float()), "inputs: torch.float32.*parameters: torch.float64"),
    "float32 validation": (dict(validation=(X.float(), Y)), "validation inputs: torch.float32"),
    "whole numbers for a function": (dict(model=torch.abs, optimizer=lambda model: sgd(linear()), x=X.long()), "int64"),
    "whole numbers": (dict(x=torch.arange(12).unsqueeze(1)), "inputs: torch.int64"),
    "no epochs": (dict(epochs=None), "epochs is None"),
    "half an epoch": (dict(epochs=2.5), "epochs is 2.5"),
    "epochs in text": (dict(epochs="3"), "epochs is '3'"),
    "a bool": (dict(epochs=True), "epochs is True"),
    "a bool of NumPy": (dict(epochs=np.True_), "epochs is"),
    "half a row": (dict(batches=2.5), "batches is 2.5"),
    "no data": (dict(x=None, y=None), "inputs are a NoneType"),
    "used up": (dict(x=None, y=None, batches=iter([(X, Y)])), "empty after one epoch"),
    "batches of dicts": (
        dict(x=None, y=None, batches=DataLoader([{"x": 1.0, "y": 2.0}])),
        "batch data are a dict with x, y",
    ),
    "batches of three": (batches(X, Y, Y), "list of 3"),
    "a data set for a DataLoader": (
        dict(x=None, y=None, batches=TensorDataset(X, Y)),
        r"batches is a TensorDataset: give a DataLoader",
    ),
    "batches without targets": (batches(X), "list of 1"),
    "class numbers as floats": (dict(model=linear(1, 3), y=CLASSES.double(), loss=CHOICE), "convert with .long"),
    "yes and no as whole numbers": (dict(y=CLASSES.unsqueeze(1) % 2, loss=nn.BCEWithLogitsLoss()), "torch.int64"),
}
OTHER_SHAPES = {
    "a column against a row": (dict(model=nn.Sequential(linear(), nn.Flatten(0))), r"\(12,\).*\(12, 1\)"),
    "a dict of losses": (dict(loss=lambda p, t: {"a": 1}), "no scalar tensor, found dict"),
    "losses, one a row, beside validation": (
        dict(loss=nn.MSELoss(reduction="none"), validation=(X, Y)),
        r"no scalar tensor, found shape \(12, 1\)",
    ),
    "a row against a column in a loss of one's own": (dict(y=FLAT, loss=own), r"\(12, 1\).*\(12,\)"),
    "the same in a batch": (batches(X, FLAT, batch_size=4), r"\(4, 1\).*\(4,\)"),
    "one output for three columns": (dict(y=Y.repeat(1, 3), loss=own), r"\(12, 1\).*\(12, 3\)"),
    "three outputs for one column": (dict(model=linear(1, 3), loss=nn.MSELoss()), r"\(12, 3\).*\(12, 1\)"),
    "the same, with an option of the loss": (dict(model=linear(1, 3), loss=SUM), r"\(12, 3\).*\(12, 1\)"),
    "class numbers in a column": (
        dict(model=linear(1, 3), y=CLASSES.unsqueeze(1), loss=CHOICE),
        r"\(12, 3\).*\(12, 1\)",
    ),
}
OTHER_VALUES = {
    "inputs on meta": (dict(x=META), "inputs: meta.*targets: cpu.*parameters: cpu"),
    "validation on meta": (dict(validation=(X, META)), "validation targets: meta"),
    "a model on meta": (dict(model=linear().to("meta")), "inputs: cpu.*model's parameters: meta"),
    "all on meta": (dict(model=linear().to("meta"), x=META, y=META), "no numbers"),
    "an optimizer on meta": (
        dict(optimizer=lambda model: sgd(linear().to("meta"))),
        "model's parameters: cpu.*optimizer's parameters: meta",
    ),
    "an optimizer of another model": (dict(optimizer=lambda model: sgd(linear())), "none of the parameters"),
    "a model that detaches": (dict(model=Two(Tensor.detach)), "the loss has no gradient"),
    "frozen parameters": (dict(model=linear().requires_grad_(False)), "no tensor with requires_grad=True"),
    "zero epochs": (dict(epochs=0), "epochs is 0"),
    "fewer epochs": (dict(epochs=-1), "epochs is -1"),
    "no rows a batch": (dict(batches=0), "batches is 0"),
    "a generator alone": (dict(generator=torch.Generator()), "batches=32"),
    "data twice": (dict(batches=loader(X, Y)), "give no others"),
    "no batch left": (batches(X, Y, batch_size=13, drop_last=True), "drop_last"),
}
REFUSED = {
    f"{error.__name__}: {name}": (options, error, words)
    for error, table in ((TypeError, OTHER_TYPES), (ShapeError, OTHER_SHAPES), (ValueError, OTHER_VALUES))
    for name, (options, words) in table.items()
}
BAD_PAIRS = {  # for training and for validation
    "different lengths": (X, Y[:10], ShapeError, r"\(12, 1\).*\(10, 1\)"),
    "a row against a column": (X, FLAT, ShapeError, r"\(12, 1\).*\(12,\)"),
    "scalars": (X[0, 0], Y, ShapeError, r"\(\)"),
    "empty": (X[:0], Y[:0], ValueError, "empty"),
    "nan": (X.sqrt(), Y, ValueError, "contain nan"),
    "infinity": (X, 1 / (Y - Y[3]), ValueError, "contain inf"),
    "integer targets": (X, Y.long(), TypeError, "torch.int64"),
    "a list": (X.tolist(), Y, TypeError, "list"),
}
for name, (x, y, error, words) in BAD_PAIRS.items():
    REFUSED[f"training: {name}"] = (dict(x=x, y=y), error, f"training.*{words}")
    REFUSED[f"validation: {name}"] = (dict(validation=(x, y)), error, f"validation.*{words}")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_in_words_before_the_first_step(name, capsys, monkeypatch):
    options, error, words = REFUSED[name]
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *_: pytest.fail("a step was taken"))
    with pytest.raises(error, match=words):
        attempt(**options)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("mode", "words"),
    [(torch.no_grad, "under torch.no_grad"), (torch.inference_mode, "no gradient can be computed")],
)
def test_without_gradients_nothing_is_trained(mode, words):
    with mode(), pytest.raises(ValueError, match=words):
        attempt()


def test_what_an_optimizer_counts_is_no_data():
    model = linear()
    optimizer = torch.optim.Adam(model.parameters())
    train(model, optimizer, X, Y, 1)  # counts its steps in float32, whatever the dtype of the model
    with pytest.raises(TypeError, match=r"inputs: torch.float32.*optimizer's state: torch.float64\)"):
        train(model, optimizer, X.float(), Y, 1)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda optimizer: lr_scheduler.StepLR(sgd(linear()), 1), ValueError, "another optimizer"),
        (lambda optimizer: lr_scheduler.ReduceLROnPlateau(sgd(linear())), ValueError, "another optimizer"),
        (lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=5), ValueError, "total_steps"),
        (lambda optimizer: lr_scheduler.StepLR, TypeError, "build it first"),
        (lambda optimizer: 0.5, TypeError, "build it first"),
    ],
)
def test_a_schedule_that_cannot_work_is_refused_before_the_first_step(make, error, words):
    model = linear()
    optimizer, before = sgd(model), model.weight.item()
    with pytest.raises(error, match=words):
        train(model, optimizer, X, Y, 6, schedule=make(optimizer))
    assert model.weight.item() == before
    assert train(model, optimizer, X, Y, 6).stopped is None


@pytest.mark.parametrize("validated", [False, True])
def test_a_schedule_that_asks_for_the_loss_is_told(validated):
    told = []

    class Plateau(lr_scheduler.ReduceLROnPlateau):
        def step(self, metrics, epoch=None):
            told.append(float(metrics))
            super().step(metrics)

    model = linear()
    optimizer = sgd(model)
    schedule = Plateau(optimizer, patience=0, threshold=0.9)
    history = train(model, optimizer, X, Y, 6, schedule=schedule, validation=(X, Y + 1) if validated else None)
    assert told == (history.validation_loss if validated else history.loss).tolist()
    assert optimizer.param_groups[0]["lr"] < 0.1


def test_a_schedule_for_as_many_epochs_as_it_has_rates():
    model = linear()
    optimizer = sgd(model)
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=6)  # which refuses a seventh step
    assert len(train(model, optimizer, X, Y, 6, schedule=schedule, batches=6).loss) == schedule.last_epoch == 6


# --- what works ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [np.int64(3), np.uint8(3), torch.tensor(3), np.array(3)])
def test_whole_numbers_of_any_library(epochs):
    assert len(attempt(epochs=epochs).loss) == 3
    assert attempt(batches=epochs, epochs=2).evaluations == 8


@pytest.mark.parametrize(("form", "size"), [("to_sparse", None), ("to_sparse_csr", None), ("to_sparse", 5)])
@pytest.mark.filterwarnings("ignore:Sparse")
def test_sparse_inputs_are_trained_on(form, size):
    dense, losses = torch.eye(12, 3, dtype=torch.float64), []
    for x in (getattr(dense, form)(), dense):
        generator = torch.Generator().manual_seed(3) if size else None
        losses.append(attempt(linear(3), x, Y, batches=size, generator=generator).loss.tolist())
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [nn.CrossEntropyLoss(), nn.functional.cross_entropy, lambda p, t: nn.functional.nll_loss(p.log_softmax(1), t)],
)
def test_classes_are_learned(loss):
    history = attempt(linear(1, 3), y=CLASSES, loss=loss, validation=(X, CLASSES))
    assert history.loss[-1] < history.loss[0] and torch.equal(history.loss, history.validation_loss)


def test_classes_of_each_pixel_and_probabilities_of_classes():
    images, labels = torch.rand(4, 1, 5, 5).double(), torch.randint(3, (4, 5, 5))
    convolution = nn.Conv2d(1, 3, 1).double()
    assert attempt(convolution, images, labels, loss=nn.CrossEntropyLoss()).stopped is None
    shares = torch.full((12, 3), 1 / 3, dtype=torch.float64)
    assert attempt(linear(1, 3), y=shares, loss=nn.CrossEntropyLoss()).stopped is None


def test_losses_that_mean_their_shapes_to_differ():
    def pinball(predictions, target):  # (n, 3) against (n, 1): three quantiles of one target
        quantiles = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
        error = target - predictions
        return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()

    def normal(predictions, target):  # (n, 2) against (n,): mean and logarithm of the variance
        mean, log_variance = predictions.T
        return (log_variance + (target - mean) ** 2 / log_variance.exp()).mean()

    assert attempt(linear(1, 3), loss=pinball).stopped is None
    assert attempt(linear(1, 2), y=Y.squeeze(1), loss=normal).stopped is None


def test_whole_numbers_are_looked_up():
    model = nn.Sequential(nn.Embedding(12, 4), nn.Linear(4, 1)).double()
    history = attempt(model, torch.arange(12), Y, optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.1))
    assert history.loss[-1] < history.loss[0]


def test_a_generator_goes_on_where_it_stopped():
    ours, theirs = linear(), linear()
    generator = torch.Generator().manual_seed(3)
    pieces = [train(ours, sgd(ours), X, Y, 2, batches=5, generator=generator).loss for _ in range(2)]
    whole = train(theirs, sgd(theirs), X, Y, 4, batches=5, generator=torch.Generator().manual_seed(3)).loss
    assert torch.equal(torch.cat(pieces), whole)


def test_optimizers_that_know_of_no_closure():
    class Plain(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {})

        def step(self):
            for p in self.param_groups[0]["params"]:
                p.data -= 0.1 * p.grad

    class Deaf(Plain):
        def step(self, closure=None):
            super().step()

    runs = [attempt(optimizer=lambda m, k=kind: k(m.parameters())).loss.tolist() for kind in (Plain, Deaf)]
    assert runs[0] == runs[1] == pytest.approx(attempt().loss.tolist(), rel=1e-12)


def test_an_optimizer_that_wants_the_gradient_first_and_then_a_closure():
    class Uphill(torch.optim.SGD):
        """The order of many a sharpness-aware optimizer: the first gradient is expected to be there."""

        def step(self, closure=None):
            p = self.param_groups[0]["params"][0]
            way = 0.05 * p.grad
            with torch.no_grad():
                p.add_(way)
            self.zero_grad()
            with torch.enable_grad():
                closure()
            with torch.no_grad():
                p.sub_(way)
            super().step()

    w = scalar(1.0)
    train(lambda x: w * x, Uphill([w], lr=0.1), X, Y, 1)
    curvature = 2 * (X * X).mean().item()
    slope = curvature * (1 - 3)
    assert w.item() == pytest.approx(1 - 0.1 * curvature * (1 + 0.05 * slope - 3), rel=1e-12)


def test_the_history_is_on_the_cpu_whatever_the_default(request):
    request.addfinalizer(lambda: (torch.set_default_device(None), torch.set_default_dtype(torch.float32)))
    model = linear()
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.bfloat16)
    history = train(model, sgd(model), X, Y, 3, validation=(X, Y), batches=5)
    for losses in (history.loss, history.validation_loss):
        assert losses.device.type == "cpu" and losses.dtype == torch.float64 and losses.isfinite().all()


def test_an_interrupted_model_is_in_its_own_mode_again(capsys):
    class Halting(nn.Module):
        def __init__(self):
            super().__init__()
            self.part, self.calls = nn.Sequential(nn.Dropout(0.5), linear()), 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 4:
                raise KeyboardInterrupt
            return self.part(x)

    model = Halting()
    model.part[0].eval()
    model.part.eval()
    modes = [module.training for module in model.modules()]
    history = train(model, sgd(model), X, Y, 9, batches=6)
    assert [module.training for module in model.modules()] == modes and len(set(modes)) == 2
    assert history.stopped == "interrupted in epoch 2 of 9" and len(history.loss) == 2
    with pytest.raises(RuntimeError):
        train(model, sgd(model), X.repeat(1, 2), Y, 9)
    assert [module.training for module in model.modules()] == modes


# --- evaluate --------------------------------------------------------------------------------------------------------


def test_evaluate_measures_without_a_trace():
    model = nn.Sequential(nn.BatchNorm1d(1), nn.Dropout(0.5), nn.Linear(1, 1)).double()
    model[0].eval()
    modes, state, before = [m.training for m in model.modules()], torch.get_rng_state(), str(model.state_dict())
    value = evaluate(model, mse, X, Y)
    assert value.dim() == 0 and not value.requires_grad and value.grad_fn is None
    assert [m.training for m in model.modules()] == modes and str(model.state_dict()) == before
    assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled()
    model.eval()
    assert value == mse(model(X), Y)


def test_evaluate_takes_functions_and_classes_and_refuses_what_train_refuses():
    assert evaluate(lambda x: 2 * x, nn.MSELoss(), X, Y) == mse(2 * X, Y)
    assert evaluate(linear(1, 3), nn.CrossEntropyLoss(), X, CLASSES) > 0
    with pytest.raises(ShapeError, match=r"\(12, 1\).*\(12,\)"):
        evaluate(linear(), nn.MSELoss(), X, Y.squeeze(1))
    with pytest.raises(TypeError, match="loss is <class.*build it first"):
        evaluate(linear(), nn.MSELoss, X, Y)
    with pytest.raises(TypeError, match="a tuple of 2"):
        evaluate(lambda x: (x, x), mse, X, Y)
    for arguments, words in (
        ((nn.Linear, mse, X, Y), "model is <class.*build it first"),
        ((linear(), mse, X.numpy(), Y), "inputs are a ndarray"),
        ((linear(), mse, X, Y.tolist()), "targets are a list"),
    ):
        with pytest.raises(TypeError, match=words):
            evaluate(*arguments)
    model = Two(lambda p: None).train()
    with pytest.raises(TypeError, match="NoneType"):
        evaluate(model, mse, X, Y)
    assert model.training and model.out.training
