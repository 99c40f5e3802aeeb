"""Control groups of version 2 with their controllers, which a machine may have given to version 1: in a kernel of our own."""
import shutil
import subprocess

import pytest

from support.media import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("linux.uml"), reason="needs user-mode-linux")

# The machine's own files, read-only, under another kernel.
INIT = """#!/bin/sh
export PATH=/usr/bin:/bin:/usr/sbin:/sbin PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={root}/engine
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 none /sys/fs/cgroup
echo "+memory +pids" > /sys/fs/cgroup/cgroup.subtree_control
mount -t tmpfs tmpfs /tmp
/usr/bin/python3 -m pytest -q -rs --color=no -p no:cacheprovider {root}/engine/tests/test_cgroups.py 2>&1
echo "ended with $?"
exec /usr/bin/python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'
"""


def test_e9_control_groups_hold_memory_and_processes(tmp_path, bars):
    init = tmp_path / "init"
    init.write_text(INIT.format(root=ROOT))
    init.chmod(0o755)
    done = subprocess.run(["linux.uml", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", "mem=512M", "quiet", "con=null", "con0=null,fd:2"],
                          env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    assert "ended with 0" in said and "skipped" not in said, said[-4000:]
    bars.holds("E9", "tests of control groups passed in a kernel that has them", int(said.split(" passed")[0].split()[-1]), at_least=7)
