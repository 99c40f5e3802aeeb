"""The sandbox in a container that was given no more than Docker or Podman give: their capabilities and their seccomp profile.

Podman's profile is the file that Debian ships. Docker's is in no package of Debian: what it denies is listed here, or
TRAWL_SECCOMP_PROFILE names the file itself (profiles/seccomp/default.json of moby).
"""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import media
from support.media import ROOT
from support.server import binary

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("crun"), reason="needs root and crun")

CAPABILITIES = [f"CAP_{name}" for name in ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
                                           "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")]
# What Docker's default profile refuses to such a container: the effect on every call that the sandbox uses, or has to do without,
# is that of the profile, which itself lists what it allows.
DENIED = ["unshare", "setns", "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
          "mount_setattr", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "kcmp", "pidfd_getfd", "process_madvise",
          "open_by_handle_at", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct",
          "quotactl", "syslog", "settimeofday", "clock_settime", "iopl", "ioperm", "vhangup", "nfsservctl", "lookup_dcookie", "sethostname",
          "setdomainname", "mbind", "set_mempolicy", "get_mempolicy", "move_pages", "migrate_pages", "fanotify_init", "io_uring_setup",
          "io_uring_enter", "io_uring_register", "uselib", "ustat", "sysfs"]
NAMESPACES = 0x7E020000  # The flags of clone() that make some.


PODMAN = Path("/usr/share/containers/seccomp.json")


def seccomp(engine: str, capabilities: list[str]) -> dict:
    own = os.environ.get("TRAWL_SECCOMP_PROFILE")
    if engine == "podman" or own:
        return for_runtime(json.loads(Path(own if own and engine == "docker" else PODMAN).read_text()), capabilities)
    return {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [
        {"names": DENIED, "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
        *({"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [{"index": 0, "value": 1 << bit, "valueTwo": 1 << bit, "op": "SCMP_CMP_MASKED_EQ"}]}
          for bit in range(32) if NAMESPACES >> bit & 1)]}


def for_runtime(profile: dict, capabilities: list[str]) -> dict:
    """A profile of Docker or Podman as they hand it to the runtime: what is for other machines and capabilities left out."""
    def applies(rule: dict) -> bool:
        wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
        return (not wanted.get("arches") or "amd64" in wanted["arches"]) and "amd64" not in (unwanted.get("arches") or []) \
            and set(wanted.get("caps") or []) <= set(capabilities) and not set(unwanted.get("caps") or []) & set(capabilities)

    kept = ("action", "args", "errnoRet", "names")
    rules = [{name: rule[name] for name in kept if rule.get(name) is not None} for rule in profile["syscalls"] if applies(rule)]
    architectures = next(([one["architecture"], *one["subArchitectures"]] for one in profile["archMap"] if one["architecture"] == "SCMP_ARCH_X86_64"))
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1), "architectures": architectures, "syscalls": rules}


def bundle(folder: Path, engine: str, uid: int) -> None:
    """An OCI bundle over this system's own programs, read-only, with `folder`/work to write in."""
    root = folder / "rootfs"
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
              {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
              {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
              {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777"]}]
    shown = ["/usr", "/etc", "/var/lib/dpkg", str(ROOT)]
    mounts += [{"destination": path, "type": "bind", "source": path, "options": ["rbind", "ro"]} for path in shown]
    mounts.append({"destination": "/work-folder", "type": "bind", "source": str(folder / "work"), "options": ["rbind", "rw"]})
    for mount in mounts:
        (root / mount["destination"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        if Path("/", link).is_symlink():
            (root / link).symlink_to(os.readlink(f"/{link}"))
    capabilities = CAPABILITIES if uid == 0 else []
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/work-folder", "TRAWL_BIN": str(binary())}
    (folder / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.2", "hostname": "container", "root": {"path": str(root), "readonly": False}, "mounts": mounts,
        "process": {"user": {"uid": uid, "gid": uid}, "cwd": "/work-folder", "noNewPrivileges": False,
                    "env": [f"{name}={value}" for name, value in environment.items()],
                    "args": ["/usr/bin/python3", str(ROOT / "tests/support/in_container.py"), "/work-folder", str(media.make())],
                    "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")}},
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")], "seccomp": seccomp(engine, capabilities)}}))


@pytest.mark.parametrize("engine, uid", [("docker", 0), ("docker", 1000), ("podman", 0), ("podman", 1000)])
def test_e10_the_sandbox_holds_in_a_stock_container(tmp_path, bars, engine, uid):
    if (engine, uid) == ("podman", 1000) and bars.size(2, 1) == 1:
        pytest.skip("at full size only")
    (tmp_path / "work").mkdir()
    os.chown(tmp_path / "work", uid, uid)
    bundle(tmp_path, engine, uid)
    name = f"trawl-test-{os.getpid()}-{engine}-{uid}"
    state = tmp_path / "state"
    try:
        # crun refuses machines that have both versions of cgroups; in a mount namespace of ours there is one.
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"', "sh",
                               "crun", "--cgroup-manager", "disabled", "--root", state, "run", "--bundle", tmp_path, name],
                              capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
    finally:
        subprocess.run(["crun", "--root", state, "delete", "--force", name], capture_output=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["uid"] == uid
    for kind in ("network", "files"):
        through = [name for name, result in found[kind].items() if result != "refused"]
        bars.holds("E10", f"ways out, {kind}, {engine}, as {uid}", len(through), equals=0)
    assert set(found["permitted"].values()) == {"THROUGH"}
    assert found["strays"] == 0 and found["secret"] == "secret words"
    # Podman lets a container make namespaces where the kernel does.
    assert found["sandbox"]["tier"] in (("A",) if engine == "docker" else ("A", "B")) and found["sandbox"]["private_users"] == (uid == 0)
    assert found["size"] == (media.make() / "small.mp4").stat().st_size and found["merged"] == "completed"
