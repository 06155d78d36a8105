"""Each fast way gives the plain gradient, and each is taken only after its own trial; here on the CPU."""

from __future__ import annotations

import pytest
import torch

from generator.nst import Cell, preset, transfer_batch
from generator.nst.gpu import layers, verdicts, ways
from generator.nst.network import Vgg
from generator.nst.objective import Objective
from tests.generator.nst.tiny import picture, tiny_weights

WEIGHTS = {"vgg16": tiny_weights()}
TAPS = ("relu1_1", "relu2_1", "conv3_1", "relu3_1", "relu4_1")


@pytest.fixture(autouse=True)
def _no_verdicts_yet():
    verdicts._known.clear()
    verdicts._repeated.clear()
    yield
    verdicts._known.clear()
    verdicts._repeated.clear()
    verdicts._file = None


def made(chosen: ways.Ways, dtype: torch.dtype, **settings) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    network = Vgg(tiny_weights(), TAPS, dtype=dtype, plain=True, **settings)
    network.ways = chosen
    image = (picture(40, 48, seed=1)[None] * 255 - 120).requires_grad_()
    found = network(image)
    total = torch.stack([(value.float() * value.float()).sum() for value in found.values()]).sum()
    return found, torch.autograd.grad(total, image)[0]


@pytest.mark.parametrize("settings", [{}, {"pooling": "average"}, {"padding": "replicate"}])
def test_fused_layers_have_the_plain_activations_and_gradient_bit_by_bit(settings):
    plain, expected = made(ways.NONE, torch.float32, **settings)
    fused, gradient = made(frozenset({ways.FUSED}), torch.float32, **settings)
    assert plain.keys() == fused.keys()
    assert all(torch.equal(plain[tap], fused[tap]) for tap in plain)
    torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_a_layer_that_is_read_before_its_relu_is_not_fused(monkeypatch):
    seen = []
    convolved = layers.convolved

    def look(value, weight, bias, padding, *, pool):
        seen.append((len(weight), pool))
        return convolved(value, weight, bias, padding, pool=pool)

    monkeypatch.setattr(layers, "convolved", look)
    found, _ = made(frozenset({ways.FUSED}), torch.float32)
    assert "conv3_1" in found
    # To relu4_1 there are eight convolutions; conv3_1 is a tap. Three go on to a pooling layer.
    assert len(seen) == 7
    assert sum(pool for _, pool in seen) == 3


@pytest.mark.parametrize("settings", [{}, {"padding": "replicate"}])
@pytest.mark.parametrize("more", [set(), {ways.FUSED}])
def test_halves_of_bfloat16_keep_the_image_and_its_gradient(settings, more):
    _, exact = made(ways.NONE, torch.float32, **settings)
    _, plain = made(ways.NONE, torch.bfloat16, **settings)
    _, halved = made(frozenset({ways.HALVES, *more}), torch.bfloat16, **settings)
    off = [float((each - exact).norm() / exact.norm()) for each in (plain, halved)]
    # The tiny network's random kernels round more than VGG's: a tenth to a fifth.
    assert off[1] < 1.5 * off[0] < 0.3


def test_halves_add_up_to_the_image_where_one_bfloat16_number_loses_a_grey_level():
    image = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 255 - 120
    both = layers.halves(image).float()
    assert both.shape[1] == 8
    assert not both[:, 6:].any()
    assert (
        float((both[:, :3] + both[:, 3:6] - image).abs().max())
        < 2e-3
        < float((both[:, :3] - image).abs().max())
    )


def batch(**settings) -> list[Cell]:
    recipe = preset("patel2019").replace(size=32, evaluations=3, init="content", **settings)
    return [Cell(picture(seed=1), picture(seed=2), recipe.replace(ratio=0.1 * n), n) for n in (1, 2)]


@pytest.fixture
def _played_gpu(monkeypatch):
    """Let every way be tried here, as a GPU would."""
    chosen = Objective._ways

    def on_gpu(self, number, images):
        if self._passing == []:
            self._passing = [self._way_in_passing(each) for each in range(len(self._chunks))]
        key = (len(images), *images.shape[2:], True)
        if key not in self._fast:
            roots = self._recipes[0].style_loss == "wasserstein"
            every = {ways.FUSED, ways.PASSING, ways.TUNED, *({ways.ROOTS} if roots else ())}
            candidates = frozenset(every - (set() if self._passing[number] else {ways.PASSING}))
            self._fast[key] = self._proved(candidates, number, images)
        return self._fast[key]

    assert chosen is not on_gpu
    monkeypatch.setattr(Objective, "_ways", on_gpu)
    seconds = iter([1.0, 2.0] * 100)
    monkeypatch.setattr(verdicts, "_seconds", lambda work, device: next(seconds))


@pytest.mark.usefixtures("_played_gpu")
@pytest.mark.parametrize("style_loss", ["gram", "wasserstein"])
def test_each_way_has_a_verdict_of_its_own_and_the_image_tells_which_ran(style_loss):
    results = transfer_batch(batch(style_loss=style_loss), weights=WEIGHTS, chunk=2)
    tried = [each.way for each in verdicts._known.values()]
    first = [ways.ROOTS] if style_loss == "wasserstein" else []
    assert tried == [*first, ways.FUSED, ways.PASSING, ways.TUNED]
    assert [note.partition(":")[0] for note in results[0].notes] == tried
    assert not torch.backends.cudnn.benchmark


@pytest.mark.usefixtures("_played_gpu")
def test_wasserstein_losses_are_not_taken_in_passing_where_roots_by_iteration_are_not_taken(monkeypatch):
    seconds = iter([2.0, 1.0, *[1.0, 2.0] * 9])  # the first way is slower
    monkeypatch.setattr(verdicts, "_seconds", lambda work, device: next(seconds))
    results = transfer_batch(batch(style_loss="wasserstein"), weights=WEIGHTS, chunk=2)
    assert [note.partition(":")[0] for note in results[0].notes] == [ways.FUSED, ways.TUNED]


@pytest.mark.usefixtures("_played_gpu")
def test_the_verdict_on_one_style_loss_says_nothing_of_another():
    for style_loss in ("gram", "wasserstein"):
        transfer_batch(batch(style_loss=style_loss), weights=WEIGHTS, chunk=2)
    assert sum(each.way == ways.PASSING for each in verdicts._known.values()) == 2


@pytest.mark.usefixtures("_played_gpu")
def test_a_way_that_is_wrong_is_left_out_and_the_others_are_taken(monkeypatch):
    pooled = layers._Pooled.backward
    monkeypatch.setattr(
        layers._Pooled, "backward", staticmethod(lambda ctx, g: (pooled(ctx, g)[0] * 1.1, None, None, None))
    )
    results = transfer_batch(batch(), weights=WEIGHTS, chunk=2)
    verdict = next(each for each in verdicts._known.values() if each.way == ways.FUSED)
    assert not verdict.is_taken
    assert [note.partition(":")[0] for note in results[0].notes] == [ways.PASSING, ways.TUNED]


@pytest.mark.parametrize("exact", [False, True])
def test_exact_mode_takes_no_fast_way_on_any_device(monkeypatch, exact):
    seen, choose = [], Objective._ways

    def look(self, number, images):
        seen.append(choose(self, number, images))
        return seen[-1]

    def stop(progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "_ways", look)
    with pytest.raises(KeyboardInterrupt):
        transfer_batch(batch(), weights=WEIGHTS, device="meta", exact=exact, callback=stop)
    assert (seen == [ways.NONE]) == exact


@pytest.mark.parametrize("kind", ["cuda", "cpu", "mps"])
def test_cudnns_tuning_is_tried_on_its_gpus_and_in_force_for_the_work_alone(kind):
    possible = ways.possible(torch.device(kind), torch.bfloat16, roots=False, passing=False)
    assert (ways.TUNED in possible) == (kind == "cuda")
    with ways.in_force(possible):
        assert torch.backends.cudnn.benchmark == (kind == "cuda")
    assert not torch.backends.cudnn.benchmark


def test_the_bits_of_a_network_are_those_of_its_kernels():
    network = Vgg(tiny_weights(), TAPS, plain=True)
    bits = network.bits(1, 32, 32)
    assert network.bits(1, 32, 32) == bits
    assert Vgg(tiny_weights(), TAPS, dtype=torch.bfloat16).bits(1, 32, 32) != bits


def test_small_levels_with_a_fast_way_leave_the_chunks_of_larger_ones_alone(monkeypatch):
    chunks = []
    begin = Objective.__init__

    def look(self, network, deviation, references, chunk=0, *more):
        begin(self, network, deviation, references, chunk, *more)
        self.notes.append("a way: 2 times as fast")
        chunks.append(chunk)

    monkeypatch.setattr(Objective, "__init__", look)
    transfer_batch(batch(pyramid_min=16), weights=WEIGHTS)
    assert len(chunks) > 1
    assert chunks == [2] * len(chunks)
