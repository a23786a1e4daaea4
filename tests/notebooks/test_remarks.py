"""Remarks of chapters 10 and 11 that none of their cells prints."""

import torch
from torch.func import stack_module_state

from helpers.data import quakes, split, tensors
from helpers.model import network


def test_at_the_coldest_reading_the_network_is_ahead_by_one_split_the_lines_worst():
    u, c = tensors(torch.float64)
    x, y, X = (u * 0.1).unsqueeze(1), c.unsqueeze(1), torch.stack([u, torch.ones_like(u)], dim=1)
    pairs = torch.combinations(torch.arange(11), 2)
    rests = torch.tensor([[row for row in range(11) if row not in pair] for pair in pairs.tolist()])
    lines = torch.linalg.lstsq(X[rests], y[rests]).solution
    of_lines = ((X[pairs] @ lines - y[pairs]) ** 2).mean(dim=(1, 2))

    networks = []
    for seed in range(4):
        torch.manual_seed(seed)
        networks += [network() for _ in pairs]
    parameters, _ = stack_module_state(networks)
    W0, b0, W1, b1 = parameters.values()

    def losses_on(rows: torch.Tensor) -> torch.Tensor:
        rows = rows.repeat(4, 1)
        hidden = torch.tanh(x[rows] @ W0.mT + b0.unsqueeze(1))
        return ((hidden @ W1.mT + b1.unsqueeze(1) - y[rows]) ** 2).mean(dim=(1, 2))

    optimizer = torch.optim.SGD(parameters.values(), lr=1e-3, momentum=0.9)
    for _ in range(500):
        optimizer.zero_grad()
        losses_on(rests).sum().backward()
        optimizer.step()
    with torch.no_grad():
        of_networks = losses_on(pairs).view(4, -1).mean(dim=0)

    cold, worst = (pairs == 7).any(dim=1), of_lines.argmax()
    assert pairs[worst].tolist() == [6, 7]
    assert of_networks[cold].mean() < of_lines[cold].mean()
    cold[worst] = False
    assert of_networks[cold].mean() > of_lines[cold].mean()


def test_the_mean_of_the_five_nearest_quakes_does_as_well_as_a_polynomial():
    values = torch.tensor(quakes()[["lat", "long", "depth"]].to_numpy())
    misses = []
    for seed in range(10):  # the chapter's deal, and nine others
        known, new = split(1000, seed=seed, share=0.2)
        places = (values[:, :2] - values[known, :2].mean(dim=0)) / values[known, :2].std(dim=0)
        nearest = torch.cdist(places[new], places[known]).topk(5, largest=False).indices
        powers = [places[:, 0] ** i * places[:, 1] ** j for i in range(8) for j in range(8 - i)]
        columns = torch.stack(powers, dim=1)
        seventh = columns @ torch.linalg.lstsq(columns[known], values[known, 2]).solution
        both = torch.stack([values[known, 2][nearest].mean(dim=1), seventh[new]])
        misses.append((both - values[new, 2]).square().mean(dim=1).sqrt())
    assert misses[0].round().tolist() == [65, 60]  # the second stands in the chapter
    of_nearest, of_polynomial = torch.stack(misses).mean(dim=0)
    assert of_nearest < of_polynomial + 1
