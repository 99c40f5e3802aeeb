"""Control groups: the choice and the limits over a folder that stands in for the kernel's, the rest in the kernel's own."""
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from trawl_engine import cgroups


NOBODY = 1 << 22  # The number of no process: the kernel's are lower.


def stand_in(folder: Path, controllers: str = "cpu memory pids", inside: tuple[int, ...] = ()) -> Path:
    """A folder with the files a delegated group has; writes replace instead of adding."""
    folder.mkdir()
    for name, text in {"cgroup.controllers": controllers, "cgroup.subtree_control": "", "cgroup.events": "", "cgroup.procs": "".join(f"{pid}\n" for pid in inside)}.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def kernel_files(monkeypatch):
    """A new group has its files at once, as in the kernel."""
    made = Path.mkdir

    def mkdir(self, *args, **options):
        made(self, *args, **options)
        for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max"):
            (self / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)


def test_every_slot_has_the_limits(tmp_path, kernel_files):
    base = stand_in(tmp_path / "base", inside=(os.getpid(),))
    groups = cgroups.Cgroups(base, memory=1 << 30, processes=256)
    group = groups.make(7)
    assert {name: (group / name).read_text() for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max")} == {
        "memory.max": str((1 << 30) * 5 // 4), "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "256"}
    assert (base / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (base / cgroups.SERVER / "cgroup.procs").read_text() == str(os.getpid()), "who has limits below may hold no process itself"
    groups.enter(7)
    assert (group / "cgroup.procs").read_text() == "0"


@pytest.mark.parametrize("controllers, inside, why", [
    ("hugetlb", (), "offers no memory and no pids"), ("memory", (), "offers no pids"), ("memory pids", (NOBODY,), "other processes")])
def test_what_is_not_ours_alone_is_left_alone(tmp_path, controllers, inside, why):
    base = stand_in(tmp_path / "base", controllers, inside)
    before = sorted(base.rglob("*"))
    with pytest.raises(cgroups.Unavailable, match=why):
        cgroups.Cgroups(base, memory=1, processes=1)
    assert sorted(base.rglob("*")) == before and (base / "cgroup.subtree_control").read_text() == ""


def test_groups_of_hosts_that_are_gone_go(tmp_path, kernel_files):
    base = stand_in(tmp_path / "base")
    gone, alive = base / f"{cgroups.CHILDREN}999999999", base / f"{cgroups.CHILDREN}1"
    for folder in (gone, alive):
        os.mkdir(folder)
        os.mkdir(folder / "3")
    cgroups.Cgroups(base, memory=1, processes=1)
    assert not gone.exists() and (alive / "3").is_dir()


@pytest.fixture
def real(request):
    """A group of our own in the kernel's tree, wherever version 2 of it is; its limits only where they are offered."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    place = next((Path(fields[4]) for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"), None)
    folder = place / f"trawl-test-{os.getpid()}" if place else None
    try:
        folder.mkdir()
    except (AttributeError, OSError):
        pytest.skip("control groups of version 2 cannot be made here")
    yield folder
    for group in sorted(folder.rglob("*/"), reverse=True):
        group.rmdir()
    folder.rmdir()


def started(groups: cgroups.Cgroups, slot: int, program: str) -> subprocess.Popen:
    return subprocess.Popen(["/usr/bin/python3", "-c", program], stdout=subprocess.PIPE, text=True, preexec_fn=lambda: groups.enter(slot))


def ends(process: subprocess.Popen) -> int:
    return process.wait(10)


def test_the_kernel_holds_a_child_and_its_children_together_and_ends_them_together(real):
    groups = cgroups.Cgroups(real, memory=1 << 30, processes=16, needed=())
    groups.make(1), groups.make(2)
    program = "import os, time\nif os.fork() == 0: os.setsid()\nos.write(1, b'up\\n')\ntime.sleep(60)"
    first, second = started(groups, 1, program), started(groups, 2, program)
    for child in (first, second):
        assert [child.stdout.readline() for _ in range(2)] == ["up\n"] * 2
    inside = (real / f"{cgroups.CHILDREN}{os.getpid()}/1/cgroup.procs").read_text().split()
    assert len(inside) == 2 and str(first.pid) in inside
    groups.end(1)  # The grandchild left the session and the group of processes; it cannot leave this one.
    assert ends(first) == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while Path(f"/proc/{max(map(int, inside))}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (real / f"{cgroups.CHILDREN}{os.getpid()}/1/cgroup.procs").read_text() == "" and second.poll() is None
    groups.end(2)
    ends(second)


def test_the_kernel_bounds_memory_and_processes(real):
    if not {"memory", "pids"} <= set((real / "cgroup.controllers").read_text().split()):
        pytest.skip("this machine's control groups of version 2 have no controllers for memory and processes")
    groups = cgroups.Cgroups(real, memory=64 << 20, processes=8)
    groups.make(1)
    hog = started(groups, 1, "import mmap\nm = mmap.mmap(-1, 256 << 20)\nfor at in range(0, 256 << 20, 4096): m[at] = 1\nprint('had it')")
    assert ends(hog) == -signal.SIGKILL and hog.stdout.read() == ""
    bomb = started(groups, 1, "import os, time\nn = 0\ntry:\n  for _ in range(50):\n    if os.fork() == 0: time.sleep(60)\n    n += 1\nexcept OSError: pass\nprint(n)")
    assert int(bomb.stdout.readline()) < 8
    groups.end(1)
    ends(bomb)
