"""A plan may hold cells made in one pass by a trained network, beside cells made by optimisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import call_command
from django.core.management.base import CommandError

from generator.files import images
from generator.files.images import ImageError, read_provenance
from generator.models import Cell, ImageSet
from generator.nst.feedforward.network import TransformNet, save_network
from generator.plans.document import PlanError
from generator.plans.plan import load_plan
from generator.sets.create import image_set_from_plan
from tests.generator.conftest import PlanWriter

pytestmark = pytest.mark.django_db

BOTH = """
[[cells]]
label = "optimised"
[[cells]]
label = "one pass"
method = "feedforward"
network = "wave-net.safetensors"
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A narrow untrained network beside the plan."""
    path = tmp_path / "plan" / "wave-net.safetensors"
    torch.manual_seed(0)
    save_network(path, TransformNet(width=4, blocks=1), {"licence": "CC0"})
    return path


def test_generate_makes_both_kinds_of_cells(write_plan: PlanWriter, network: Path, capsys):
    call_command("generate", str(write_plan(BOTH)))
    optimised, one_pass = ImageSet.objects.get().cells.all()
    assert [optimised.status, one_pass.status] == [Cell.Status.DONE] * 2
    assert (one_pass.width, one_pass.height) == (optimised.width, optimised.height)
    assert one_pass.factors["method"] == "feedforward"
    assert one_pass.factors["network"] == "wave-net.safetensors"
    assert optimised.factors["method"] == "optimised"


def test_the_image_is_the_networks_and_its_file_says_so(write_plan: PlanWriter, network: Path):
    from generator.nst import prepare
    from generator.nst.feedforward.network import load_network

    path = write_plan(BOTH)
    call_command("generate", str(path))
    cell = ImageSet.objects.get().cells.get(label__startswith="one pass")
    assert cell.height is not None
    assert cell.width is not None
    content = images.to_tensor(images.read(path.parent / "cat.png"))
    trained = load_network(network)
    made = trained.model(prepare.resize(content, (cell.height, cell.width)).clamp(0, 1)[None])[0]
    with cell.image.open() as file:
        found, expected = (np.asarray(each, dtype=int) for each in (images.read(file), images.to_image(made)))
    # Channels last or not, sums round otherwise in their last digit: here and there to the next grey level.
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.01
    account = read_provenance(Path(cell.image.path))
    assert account["weights"]["sha256"] == trained.sha256 == cell.weights
    assert account["weights"]["trained"] == {"licence": "CC0"}
    assert (account["algorithm"], account["stop"]) == ("feedforward-1", "one pass")


def test_reproduce_makes_it_again(write_plan: PlanWriter, network: Path):
    from generator.making.reproduce import reproduce

    call_command("generate", str(write_plan(BOTH)))
    cell = ImageSet.objects.get().cells.get(label__startswith="one pass")
    assert cell.height is not None
    assert cell.width is not None
    again = reproduce(Path(cell.image.path))
    assert (again.largest, again.notes) == (0, ())


def test_a_dry_run_forecasts_a_plan_of_one_pass_alone(write_plan: PlanWriter, network: Path, capsys):
    tail = '[[cells]]\nmethod = "feedforward"\nnetwork = "wave-net.safetensors"\n'
    call_command("generate", str(write_plan(tail)), dry_run=True)
    assert "measured now on one pass" in capsys.readouterr().out


def test_the_key_follows_the_weights_and_not_the_files_name(write_plan: PlanWriter, network: Path):
    tail = '[[cells]]\nmethod = "feedforward"\nnetwork = "{}"\n'
    network.with_name("copy.safetensors").write_bytes(network.read_bytes())
    keys = {
        image_set_from_plan(load_plan(write_plan(tail.format(name), name=f"{name[:4]}.toml"))).cells.get().key
        for name in ("wave-net.safetensors", "copy.safetensors")
    }
    assert len(keys) == 1


@pytest.mark.parametrize("varied", ["ratio = 0.5\n", 'content_layer = "conv1_1"\n', "seed = 7\n"])
def test_it_refuses_cells_that_differ_in_what_a_network_does_not_read(
    write_plan: PlanWriter, network: Path, varied: str
):
    cell = '[[cells]]\nmethod = "feedforward"\nnetwork = "wave-net.safetensors"\n'
    path = write_plan(cell + cell + varied)
    with pytest.raises(PlanError, match="asks twice for the same image"):
        image_set_from_plan(load_plan(path))
    assert not ImageSet.objects.exists()


def test_it_refuses_a_network_trained_on_another_style(write_plan: PlanWriter, network: Path):
    save_network(network, TransformNet(4, 1), {"style": {"pixels": "0" * 64, "file": "scream.jpg"}})
    with pytest.raises(
        ImageError, match=r"wave\.png: is not the style image that .* was trained on \(scream\.jpg\)"
    ):
        image_set_from_plan(load_plan(write_plan(BOTH)))


def test_it_names_a_network_file_that_is_missing(write_plan: PlanWriter):
    with pytest.raises(
        CommandError, match=r"wave-net\.safetensors: no such file; `train_style` makes one"
    ) as error:
        call_command("generate", str(write_plan(BOTH)))
    assert error.value.returncode == 2


def test_it_asks_for_a_file_where_the_network_is_a_name(write_plan: PlanWriter):
    with pytest.raises(
        PlanError, match="network = 'vgg16': with method = \"feedforward\" it should be a file"
    ):
        load_plan(write_plan('[[cells]]\nmethod = "feedforward"\nnetwork = "vgg16"\n'))
