"""The figures the project claims, measured small at every commit."""
import os
import subprocess

from support.media import ROOT


def test_a_job_costs_at_least_eight_times_less_than_the_yt_dlp_command_line():
    program = os.environ.get("TRAWL_RELEASE_BIN", ROOT / "build/release/src/server/trawl")
    done = subprocess.run([ROOT / "bench/fixed_cost", "--jobs", "5", "--binary", program], capture_output=True, text=True, timeout=180)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
