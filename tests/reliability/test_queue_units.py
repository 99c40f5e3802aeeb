"""Bars of the queue that are measured inside a process, with a clock or with races that no client could make: Q9 and a part of Q11."""
import json
import os
import subprocess

from support.media import ROOT


def measured(test: str, tmp_path, **env: str) -> dict[str, float]:
    """Runs a unit test, which must pass, and returns what it recorded."""
    program = ROOT / "build/dev/src/jobs/jobs_test"
    assert program.is_file(), f"there is no {program}: cmake --build --preset dev --target jobs_test"
    report = tmp_path / "report.json"
    done = subprocess.run([program, f"--gtest_filter={test}", f"--gtest_output=json:{report}"], capture_output=True, text=True, timeout=600, env={**os.environ, **env})
    print(done.stdout[-6000:], done.stderr[-6000:])
    (suite,) = json.loads(report.read_text())["testsuites"]
    (case,) = suite["testsuite"]
    figures = {name: float(value) for name, value in case.items() if isinstance(value, str) and is_number(value)}
    return {**figures, "passed": done.returncode == 0}


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_q9_retries_of_jobs_that_fail_together_are_spread(bars, tmp_path):
    found = measured("QueueInVirtualTime.SpreadsRetriesAndObeysRetryAfter", tmp_path)
    bars.holds("Q9", "shortest delay, times the schedule's", found["least"], at_least=0.8 - 0.0005)  # A millisecond of five seconds.
    bars.holds("Q9", "longest delay, times the schedule's", found["longest"], at_most=1.2)
    bars.holds("Q9", "jobs that come back in one second", found["in_one_second"] * 100, at_most=5, unit="%")
    bars.holds("Q9", "Retry-After obeyed", found["obeyed"] * 100, equals=100, unit="%")
    assert found["passed"]


def test_q11_a_cancellation_and_a_completion_that_race_make_one_end(bars, tmp_path):
    races = bars.size(2_000, 500)
    found = measured("QueueInRealTime.EndsAJobOnceThatIsCancelledWhileItCompletes", tmp_path, TRAWL_RACES=str(races))
    bars.holds("Q11", "races of cancel and complete", found["races"], equals=races)
    bars.holds("Q11", "jobs with other than one end", found["two_ends"], equals=0)
    assert found["passed"]
