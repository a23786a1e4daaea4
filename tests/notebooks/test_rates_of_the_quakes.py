"""What chapter 11 says of the learning rate of its networks for the earthquakes: four rates, chosen by validation."""

import pytest
import torch
from torch import Tensor, nn

from helpers.data import quakes, split

RATES = torch.tensor([1e-3, 2e-3, 5e-3, 1e-2], dtype=torch.float64)
STARTS = range(3)


def misses(deals: list[tuple[Tensor, Tensor]], rates: Tensor = RATES) -> Tensor:
    """RMSE in km of the chapter's network, shape (rates, deals, starts); each deal has rows to fit and to measure.

    All networks are trained at once. A parameter is its rate times a tensor that Adam moves with rate 1, which is a
    step of Adam with that rate, since Adam does not feel the gradient's scale (apart from its eps).
    """
    values = torch.tensor(quakes()[["lat", "long", "depth"]].to_numpy())
    known = split(1000, seed=0, share=0.2).training
    columns = (values - values[known].mean(dim=0)) / values[known].std(dim=0)
    x, y = columns[:, :2], columns[:, 2:]
    networks = []
    for seed in STARTS:
        torch.manual_seed(seed)
        layers = [nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)]
        networks.append(list(nn.Sequential(*layers).double().parameters()))
    scale = rates.repeat_interleave(len(deals) * len(STARTS)).view(-1, 1, 1)
    several = len(rates) * len(deals)
    alike = [torch.stack(same).detach() for same in zip(*networks, strict=True)]
    stacks = [starts.repeat(several, *[1] * (starts.dim() - 1)) for starts in alike]
    moved = [((stack if stack.dim() == 3 else stack.unsqueeze(1)) / scale).requires_grad_() for stack in stacks]

    def errors(rows: Tensor) -> Tensor:
        W0, b0, W1, b1, W2, b2 = [scale * part for part in moved]
        hidden = torch.tanh(torch.tanh(x[rows] @ W0.mT + b0) @ W1.mT + b1)
        return ((hidden @ W2.mT + b2 - y[rows]) ** 2).mean(dim=(1, 2))

    optimizer = torch.optim.Adam(moved, lr=1.0, eps=1e-15, fused=True)
    generators = [(fitted, torch.Generator().manual_seed(seed)) for fitted, _ in deals for seed in STARTS]
    for _ in range(100):
        orders = [fitted[torch.randperm(len(fitted), generator=generator)] for fitted, generator in generators]
        for rows in torch.stack(orders).repeat(len(rates), 1).split(32, dim=1):
            optimizer.zero_grad()
            errors(rows).sum().backward()
            optimizer.step()
    measured = torch.stack([rows for _, rows in deals for _ in STARTS]).repeat(len(rates), 1)
    with torch.no_grad():
        return (errors(measured).sqrt() * values[known, 2].std()).view(len(rates), len(deals), len(STARTS))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small are faster on one core
    yield
    torch.set_num_threads(before)


def test_validation_rows_never_choose_a_small_rate_and_choose_the_chapters_or_its_double():
    known = split(1000, seed=0, share=0.2).training
    deals = [split(800, seed, share=0.25) for seed in range(4)]
    of_rates = misses([(known[deal.training], known[deal.validation]) for deal in deals]).mean(dim=2)
    assert set(RATES[of_rates.argmin(dim=0)].tolist()) == {5e-3, 1e-2}, of_rates  # in deals 0, 1, 2 the first


def test_the_test_set_judges_the_two_rates_that_are_chosen_by_64_to_67_km():
    judged = misses([split(1000, seed=0, share=0.2)], RATES[2:]).round()
    assert judged.min() == 64 and judged.max() == 67
    assert judged[0].flatten().tolist() == [65, 64, 65]  # those that the chapter prints
