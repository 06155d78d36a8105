from __future__ import annotations

import json

import pytest

from survey import doctor


@pytest.mark.django_db
def test_a_host_without_pytorch_is_in_order_and_told_what_it_cannot_do(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    findings = {finding.name: finding for finding in doctor.examine()}
    assert not any(finding.fails for finding in findings.values())
    assert "makes no images" in findings["torch"].state
    assert findings["torch"].fix == "to make images: pip install -r requirements.txt"
    assert {"device", "weights"}.isdisjoint(findings)


def test_the_fast_ways_of_a_gpu_are_listed_with_what_they_proved(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    (untried,) = doctor.fast_ways("cuda")
    assert untried.state.startswith("none tried yet")
    (tmp_path / "gpus").mkdir()
    verdict = {"way": "losses in passing", "subject": "H100 2.15.0", "off": 1e-3, "tolerance": 2e-2}
    (tmp_path / "gpus" / "verdicts.json").write_text(
        json.dumps([verdict | {"seconds": 1.0, "plain_seconds": 1.5}])
    )
    (found,) = doctor.fast_ways("cuda")
    assert found.state == "losses in passing: gradient off by 1.0e-03, 1.50 times as fast; for H100 2.15.0"
    assert not found.fails


def test_an_apple_gpu_is_named_as_one_that_nobody_has_tried(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert "--device mps takes the Apple GPU" in doctor._device().state
    assert not any(finding.fails for finding in doctor.fast_ways("mps"))


def test_a_machine_without_the_gpu_that_was_asked_for_fails_with_the_fix(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (found,) = doctor.fast_ways("cuda")
    assert found.fails
    assert found.state.startswith("--device cuda: this machine has")
