"""How a stage lives and ends: one line for bad input, and no orphan whenever DVC is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import alive

from pipeline import lifetime
from pipeline.lifetime import stage

ROOT = Path(__file__).parent.parent
MARK = "WIDE_TEST_MARK"
linux = pytest.mark.skipif(sys.platform != "linux", reason="the watch works on Linux; elsewhere locks guard")
# Imported in the place of torch: the stage is among its imports until it is killed, and says that it is.
SLOW = """
import os, time
open(f"{os.getpid()}.imports", "w").close()
time.sleep(300)
"""
# What runs a stage as DVC does, in a shell that knows the stage's name, and waits for it.
DVC = """#!/bin/sh
echo started > started
DVC_STAGE=train@{number} {shell} -c '{python} -m stages.train paper study base quick'
"""
# Takes the orphans of its session, as a desktop's service manager does. Starts DVC in a session of its own.
COLLECTOR = """
import ctypes, subprocess, sys, time
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
print(subprocess.Popen(sys.argv[1:], start_new_session=True).pid, flush=True)
time.sleep(300)
"""
DOOR = '''
"""A stage of a test."""
import sys
from pipeline.lifetime import stage


@stage
def main(paper: str, scale: str = "quick", *more: str):
    {body}


if __name__ == "__main__":
    main(*sys.argv[1:])
'''


# One line for bad input


def ended(function, *arguments):
    """What a stage ends with: the message of its SystemExit."""
    with pytest.raises(SystemExit) as end:
        stage(function)(*arguments)
    return end.value.code


def test_a_stage_calls_its_function_and_returns():
    seen = []
    stage(lambda *words: seen.append(words))("a", "b")
    assert seen == [("a", "b")]


@pytest.mark.parametrize("error, says", [
    (ValueError("width is 0: give more"), "error: width is 0: give more"),
    (FileNotFoundError("a.npz is missing: run `dvc repro`"), "error: a.npz is missing: run `dvc repro`"),
    (OSError(28, "No space left on device", "a"), "error: [Errno 28] No space left on device: 'a'"),
    (ValueError("a line\n  and another"), "error: a line and another"),
    (ValueError(), "error: ValueError"),
    (UnicodeError("not text"), "error: not text"),
], ids=repr)  # fmt: skip
def test_value_and_os_errors_are_one_line(error, says, monkeypatch):
    monkeypatch.delenv("WIDE_TRACEBACK", raising=False)

    def fails():
        raise error

    assert ended(fails) == says


@pytest.mark.parametrize("error", [KeyError, TypeError, RuntimeError, KeyboardInterrupt, ZeroDivisionError])
def test_mistakes_of_the_program_are_not_hidden(error):
    def fails():
        raise error("a")

    with pytest.raises(error):
        stage(fails)()


def test_a_type_error_within_the_stage_is_not_taken_for_wrong_arguments():
    def fails(paper):
        return len(5)

    with pytest.raises(TypeError, match="has no len"):
        stage(fails)("a")


def test_a_traceback_can_be_asked_for(monkeypatch):
    def fails(paper):
        raise ValueError("a")

    monkeypatch.setenv("WIDE_TRACEBACK", "1")
    with pytest.raises(ValueError, match="^a$"):
        stage(fails)("x")
    with pytest.raises(ValueError, match="wrong arguments"):
        stage(fails)()


def plain(paper, scale="quick"):
    pytest.fail("called")


def many(paper, *more):
    pytest.fail("called")


@pytest.mark.parametrize("function, arguments, says", [
    (plain, (), "error: wrong arguments (none); usage: python -m {here} <paper> [<scale>]"),
    (plain, ("a", "b", "c"), "error: wrong arguments a b c; usage: python -m {here} <paper> [<scale>]"),
    (many, (), "error: wrong arguments (none); usage: python -m {here} <paper> [<more> …]"),
    (lambda: 1, ("scale=paper",), "error: wrong arguments scale=paper; usage: python -m {here}"),
], ids=["none", "too many", "several", "not any"])  # fmt: skip
def test_wrong_arguments_give_one_line_with_the_usage(function, arguments, says, monkeypatch):
    monkeypatch.delenv("WIDE_TRACEBACK", raising=False)
    assert ended(function, *arguments) == says.format(here=__name__)


@pytest.fixture
def doors(tmp_path):
    """Two stages of a project: a module, and a package as that of the drawings."""
    (tmp_path / "doors" / "drawing").mkdir(parents=True)
    code = DOOR.format(body="raise ValueError(f'{paper} at {scale} is too wide: lower it')")
    (tmp_path / "doors" / "toy.py").write_text(code)
    (tmp_path / "doors" / "drawing" / "__main__.py").write_text(code)
    return tmp_path


def run(folder, module, *words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    environment.pop("WIDE_TRACEBACK", None)
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


WRONG = "error: wrong arguments (none); usage: python -m {} <paper> [<scale>] [<more> …]\n"


@pytest.mark.parametrize("module, words, says", [
    ("doors.toy", (), WRONG.format("doors.toy")),
    ("doors.drawing", (), WRONG.format("doors.drawing")),
    ("doors.toy", ("x", "gpu"), "error: x at gpu is too wide: lower it\n"),
], ids=["module", "package", "value"])  # fmt: skip
def test_a_stage_that_ends_badly_prints_one_line_and_has_status_1(module, words, says, doors):
    done = run(doors, module, *words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", says)


def test_before_torch_only_the_standard_library_is_imported():
    code = "import sys; import stages; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ours = {"stages", "pipeline", "__main__"}
    assert set(done.stdout.split()) - set(sys.stdlib_module_names) - ours <= {"sitecustomize"}


def test_a_stage_notes_its_time_and_does_not_fail_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "papers/paper/dvc.yaml:train@quick")
    Path("params.yaml").write_text("width: 2\n")
    note = Path("results/quick/paper/timing.json")

    def redraw(paper, key, scale):
        Path("drawn").write_text(paper + key + scale)

    def main(paper, study, scale):
        Path("done").write_text(paper + study + scale)

    stage(redraw)("paper", "fig1", "quick")
    assert Path("drawn").exists() and not note.exists()  # a reviewer's clone stays as it was
    stage(main)("paper", "study", "quick")
    assert json.loads(note.read_text())["train@quick"]["width"] == 2
    note.write_text("<<<<<<< HEAD\n")
    Path("done").unlink()
    stage(main)("paper", "study", "quick")
    assert Path("done").exists()


def test_arithmetic_is_made_reproducible(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    try:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = True
        stage(lambda: None)()
        assert torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.benchmark
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=True)
        torch.backends.cudnn.benchmark = before[1]


# The watch on DVC


@pytest.fixture
def nest(tmp_path, monkeypatch):
    """A folder in which stages import for ever, and a mark by which all that is started there is found."""
    (tmp_path / "torch.py").write_text(SLOW)
    mark = f"{tmp_path.name}-{os.getpid()}-{time.time_ns()}"
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def marked(mark=None):
    """Processes that run with the mark in their environment, but for this one."""
    wanted, found = f"{MARK}={mark or os.environ[MARK]}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            content = (folder / "environ").read_bytes()
        except OSError:
            continue
        if wanted in content.split(b"\0") and int(folder.name) != os.getpid() and alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def until(holds, seconds=60):
    """Wait for something to hold; whether it came to."""
    deadline = time.time() + seconds
    while not holds() and time.time() < deadline:
        time.sleep(0.02)
    return holds()


def start_dvc(shell, number=0, **options):
    """A process that runs a stage as DVC does and outlives nothing; it says when it has begun."""
    folder = Path(f"dvc{number}")
    folder.mkdir()
    shutil.copy("torch.py", folder)
    script = folder / "dvc"
    script.write_text(DVC.format(shell=shell, python=sys.executable, number=number))
    script.chmod(0o755)
    return subprocess.Popen(["./dvc"], cwd=folder, **options)


def importing():
    """Processes that have come as far as importing torch."""
    return [int(path.stem) for path in Path().rglob("*.imports")]


SHELLS = [name for name in ("dash", "bash", "zsh") if shutil.which(name)]


@linux
@pytest.mark.parametrize("shell", SHELLS)
def test_a_stage_ends_with_the_dvc_that_started_it(shell, nest):
    dvc = start_dvc(shell)
    assert until(importing)
    [training] = importing()
    assert alive(training) and training in marked()
    dvc.kill()
    dvc.wait(60)
    assert until(lambda: not marked())


@linux
def test_a_dvc_killed_within_the_first_milliseconds_leaves_nothing(nest):
    """Twenty times, from the shell's start to the middle of the imports."""
    for number in range(20):
        dvc = start_dvc(SHELLS[number % len(SHELLS)], number)
        assert until(Path(f"dvc{number}/started").exists)
        time.sleep(0.012 * number)
        dvc.kill()
        dvc.wait(60)
    assert until(lambda: not marked(), 120)


@linux
def test_a_stage_whose_dvc_is_gone_already_ends_before_it_imports_torch(nest):
    """A shell that outlives DVC starts the stage when DVC has ended: who collects orphans is its parent."""
    Path("late").write_text(f"#!/bin/sh\nsleep 0.3\nexec {sys.executable} -m stages.train a b c d\n")
    Path("late").chmod(0o755)
    Path("dvc").write_text("#!/bin/sh\nDVC_STAGE=train ./late 2> said &\n")
    Path("dvc").chmod(0o755)
    subprocess.run(["./dvc"], start_new_session=True, check=True)
    assert until(lambda: Path("said").exists() and not marked())
    assert Path("said").read_text() == "error: the process that started this one is gone\n"
    assert importing() == []


@linux
@pytest.mark.parametrize("delay", [0, 0.02, 0.05, None])
def test_one_who_collects_orphans_is_not_taken_for_dvc(delay, nest):
    """Under a desktop's session the parent of an orphan is not process 1."""
    start = Path("dvc")
    start.write_text(DVC.format(shell="bash", python=sys.executable, number=0))
    start.chmod(0o755)
    collector = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, "./dvc"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    dvc = int(collector.stdout.readline())
    assert until(Path("started").exists if delay is not None else importing)
    time.sleep(delay or 0)
    os.kill(dvc, signal.SIGKILL)
    left = {collector.pid, dvc}
    assert until(lambda: set(marked()) <= left)
    assert alive(collector.pid)


@linux
def test_without_dvc_nothing_is_watched(nest):
    """A stage that is started by hand outlives the shell that started it."""
    Path("by_hand").write_text(f"#!/bin/sh\n{sys.executable} -m stages.train a b c d &\n")
    Path("by_hand").chmod(0o755)
    subprocess.run(["./by_hand"], start_new_session=True, check=True)
    assert until(importing)
    [training] = importing()
    assert alive(training) and marked() == [training]


@linux
def test_the_processes_up_to_dvc_are_those_that_bear_the_stages_name(nest):
    """The shell in between and DVC itself, but nothing above it."""
    code = "import os; from pipeline import lifetime; print(os.getpid(), lifetime._up_to_dvc(os.getppid()))"
    Path("inner").write_text(f'#!/bin/sh\n{sys.executable} -c "{code}"\n:\n')
    Path("inner").chmod(0o755)
    Path("outer").write_text("#!/bin/sh\necho $$\nDVC_STAGE=train ./inner\n:\n")
    Path("outer").chmod(0o755)
    done = subprocess.run(["./outer"], capture_output=True, text=True, check=True)
    dvc, rest = done.stdout.split("\n", 1)
    chain = [int(word) for word in rest.split(" ", 1)[1].strip().strip("[]").split(",")]
    assert len(chain) == 2 and chain[1] == int(dvc) and chain[0] not in (int(dvc), os.getpid())


@linux
@pytest.mark.parametrize("pid", [0, 1])
def test_process_1_is_the_parent_of_orphans_unless_it_is_dvc(pid, monkeypatch):
    words = {"/proc/1/cmdline": b"/sbin/init\0"}
    monkeypatch.setattr(lifetime, "Path", lambda path: FakeFile(words[path]))
    with pytest.raises(SystemExit, match="the process that started this one is gone"):
        lifetime.die_with(pid)
    words["/proc/1/cmdline"] = b"python\0/usr/bin/dvc\0repro\0"
    assert not lifetime._collects_orphans(pid)


class FakeFile:
    """A file of so much content."""

    def __init__(self, content):
        self.content = content

    def read_bytes(self):
        return self.content


@linux
def test_a_process_that_has_ended_is_gone():
    ended = subprocess.Popen(["true"])
    ended.wait(60)
    with pytest.raises(SystemExit, match="the process that started this one is gone"):
        lifetime.die_with(ended.pid)


@linux
def test_a_kernel_that_cannot_watch_stops_nothing(monkeypatch):
    def unknown(pid):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", unknown)
    monkeypatch.setattr(lifetime.threading, "Thread", lambda **_: pytest.fail("nothing to wait for"))
    lifetime.die_with(os.getppid())


def test_elsewhere_than_on_linux_nothing_is_watched(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("DVC_STAGE", "train")
    lifetime.die_with(1)
    lifetime.watch()
