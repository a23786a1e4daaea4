"""The peak of memory: seen where it is, also after it was freed, and small for a file read block by block."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from helpers import data
from helpers.beyond import memory
from helpers.beyond.memory import peak_memory
from helpers.beyond.tsqr import tsqr

MB = 1_000_000

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the peak")


@needs_linux
def test_a_peak_is_seen_though_its_memory_is_free_again():
    with peak_memory() as peak:
        torch.ones(5 * MB, dtype=torch.float64)
    assert 38 * MB < peak.growth < 46 * MB  # the system counts in steps of some pages
    with peak_memory() as peak:
        torch.ones(10)
    assert peak.growth < 4 * MB


@needs_linux
def test_the_pages_of_a_map_count(tmp_path):
    np.zeros(5 * MB).tofile(tmp_path / "zeros")
    with peak_memory() as peak:
        torch.from_file(str(tmp_path / "zeros"), size=5 * MB, dtype=torch.float64).sum()
    assert peak.growth > 38 * MB


@needs_linux
def test_tsqr_holds_one_block_at_a_time():
    """80 blocks of 1.6 MB each, made on the way: all of them would be 128 MB."""

    def blocks():
        for chunk in range(80):
            rows = data.plant(chunk % 2)
            yield rows[:, :9], rows[:, 9]

    with peak_memory() as peak:
        assert tsqr(blocks()).rows == 1_600_000
    assert peak.growth < 32 * MB


def test_where_it_cannot_be_measured_the_growth_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "RESET", tmp_path / "nowhere" / "clear_refs")
    with peak_memory() as peak:
        pass
    assert peak.growth is None
