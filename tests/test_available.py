"""`make repro`: data are looked for, locks restored, and then the pipeline runs, or smoke in a copy."""

from pathlib import Path
from types import SimpleNamespace

import official_files as official
import pytest

from pipeline import locks, raw, sets
from stages import available


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no connection to anywhere."""
    official.offline(tmp_path, monkeypatch)
    Path("params.yaml").write_text("scale: quick\nwidth: 1\n")
    return tmp_path


@pytest.fixture
def ran(monkeypatch):
    """What was run instead of DVC and smoke, which are not here."""
    ran = []
    stand_in = SimpleNamespace(main=lambda: ran.append("smoke"), environment=lambda: {"A": "1"})
    monkeypatch.setattr(available, "smoke", stand_in)
    monkeypatch.setattr(available.subprocess, "call", lambda words, env: ran.append((words, env)) or 3)
    return ran


def test_without_data_smoke_runs_and_says_why(ran, capsys):
    available.main()
    said = capsys.readouterr().out
    assert ran == ["smoke"] and all(source.name in said for source in sets.sources())
    assert "neither in data/raw/ nor to be downloaded" in said and "data/README.md" in said


def test_what_is_said_names_the_folder_in_use(ran, capsys, monkeypatch, elsewhere):
    monkeypatch.setenv("WIDE_RAW", str(elsewhere / "official"))
    available.main()
    assert f"neither in {elsewhere}/official/ nor" in capsys.readouterr().out


def test_one_missing_set_is_enough_and_is_the_one_that_is_named(ran, capsys, monkeypatch):
    monkeypatch.setattr(raw, "available", lambda source: source.name != "CIFAR10")
    available.main()
    assert ran == ["smoke"] and capsys.readouterr().out.startswith("CIFAR10: neither in")


def test_with_data_dvc_runs_and_its_status_is_passed_on(ran, monkeypatch):
    monkeypatch.setattr(raw, "available", lambda source: True)
    with pytest.raises(SystemExit) as ended:
        available.main()
    assert ended.value.code == 3 and ran == [(["dvc", "repro"], {"A": "1"})]


@pytest.mark.parametrize("scale", ["paper", "gpu", "smoke"])
def test_another_scale_does_not_fall_back(scale, ran, monkeypatch):
    Path("params.yaml").write_text(f"scale: {scale}\n")
    monkeypatch.setattr(raw, "available", lambda source: pytest.fail("data were looked for"))
    with pytest.raises(SystemExit):
        available.main()
    assert ran == [(["dvc", "repro"], {"A": "1"})]


def test_restored_locks_are_said_before_anything_runs(ran, capsys, monkeypatch):
    line = "dvc.lock was unreadable: restored"
    monkeypatch.setattr(locks, "restore", lambda: ran.append("restored") or [line])
    available.main()
    assert ran == ["restored", "smoke"] and capsys.readouterr().out.startswith(f"{line}\n")


def test_a_lock_that_cannot_be_restored_ends_it_in_one_line(ran):
    Path("dvc.lock").write_text("schema: [")
    with pytest.raises(SystemExit, match="^error: dvc.lock is unreadable .* delete it and run `dvc repro`"):
        available.main()
    assert ran == [] and Path("dvc.lock").read_text() == "schema: ["


def test_parameters_that_do_not_parse_are_one_line(ran):
    Path("params.yaml").write_text("scale: [")
    with pytest.raises(SystemExit, match="^error: params.yaml, line"):
        available.main()
    assert ran == []
