"""Memory of a GPU: what counts as running out of it, what a batch may plan with, and that failed attempts leave nothing."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from generator.nst import Cell, preset, transfer_batch
from generator.nst.gpu import memory
from generator.nst.network import Vgg
from generator.nst.recipes import footprint
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
RECIPE = preset("patel2019").replace(size=32, evaluations=2)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
        RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        RuntimeError("HIP error: hipErrorOutOfMemory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
)
def test_every_librarys_way_to_say_that_memory_ran_out_is_known(error):
    assert memory.is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("shape mismatch"), RuntimeError("CUDNN_STATUS_BAD_PARAM"), ValueError("out of memory")],
)
def test_other_errors_are_no_lack_of_memory(error):
    assert not memory.is_out_of_memory(error)


@pytest.mark.slow
@pytest.mark.parametrize("error", [RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), MemoryError()])
def test_nothing_of_a_failed_attempt_is_in_memory_at_the_next(monkeypatch, error):
    call = Vgg.__call__
    failed: list[weakref.ref] = []

    def narrow(self, image):
        assert not any(ref() is not None for ref in failed)
        found = call(self, image)
        if len(image) > 1:
            failed.append(weakref.ref(next(iter(found.values()))))
            raise type(error)(*error.args)
        return found

    gc.disable()
    try:
        monkeypatch.setattr(Vgg, "__call__", narrow)
        cells = [Cell(picture(seed=seed), picture(), RECIPE, 1) for seed in range(4)]
        results = transfer_batch(cells, weights=WEIGHTS, chunk=4)
    finally:
        gc.enable()
    assert len(failed) == 2
    assert results[0].notes[-1] == "out of memory: 1 cells at a time"


def test_memory_goes_back_to_the_device_only_when_the_failed_attempt_is_gone(monkeypatch):
    call = Vgg.__call__
    failed: list[weakref.ref] = []
    alive: list[list[bool]] = []

    def narrow(self, image):
        found = call(self, image)
        if len(image) > 1:
            failed.append(weakref.ref(next(iter(found.values()))))
            raise torch.OutOfMemoryError
        return found

    monkeypatch.setattr(Vgg, "__call__", narrow)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "empty_cache", lambda: alive.append([ref() is not None for ref in failed])
    )
    transfer_batch([Cell(picture(), picture(seed=1), RECIPE, n) for n in range(2)], weights=WEIGHTS, chunk=2)
    assert alive == [[False]]


def test_free_memory_counts_what_pytorch_keeps(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 80))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    assert memory.free_bytes(torch.device("cuda")) == 40


def test_a_cells_bytes_count_its_pairs_its_precision_and_its_style_loss():
    gram = footprint.bytes_per_pixel(RECIPE, "fp32", 10)
    assert footprint.bytes_per_pixel(RECIPE, "fp32", 100) - gram == 90 * 24
    assert footprint.bytes_per_pixel(RECIPE, "bf16", 10) < 0.75 * gram
    # By live storages: 25 cells of 512 px in bfloat16 take 11.7 GB with 10 pairs and 25.8 GB with 100.
    for pairs, gigabytes in ((10, 11.7), (100, 25.8)):
        found = 25 * 512**2 * footprint.bytes_per_pixel(RECIPE, "bf16", pairs) / 1e9
        assert gigabytes <= found < 1.2 * gigabytes
    # On five layers patches take 21,700 bytes a pixel.
    patches = footprint.bytes_per_pixel(RECIPE.replace(style_loss="patches"), "fp32", 0)
    assert 21_700 <= patches < 30_000
    assert gram < footprint.bytes_per_pixel(RECIPE.replace(style_loss="wasserstein"), "fp32", 10) < 2 * gram
