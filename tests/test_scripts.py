"""The commands a stranger types first."""
import re
import subprocess

import pytest

from support.media import ROOT


def tally(tmp_path, **reports):
    for name, text in reports.items():
        if text is not None:
            (tmp_path / f"{name}.xml").write_text(text)
    done = subprocess.run([ROOT / "scripts/tally", *(tmp_path / name for name in reports)], capture_output=True, text=True, timeout=10)
    return done.returncode, done.stdout.splitlines()[-1]


GOOD = '<testsuites><testsuite><testcase name="a"/><testcase name="b"/></testsuite></testsuites>'
BAD = '<testsuite><testcase name="c"><failure message="x"/></testcase><testcase name="d"><skipped/></testcase></testsuite>'


@pytest.mark.parametrize("reports, code, line", [
    ({"unit": GOOD}, 0, "2 passed, 0 failed"),
    ({"unit": GOOD, "black-box": BAD}, 1, "2 passed, 1 failed"),
    ({"unit": GOOD, "black-box": None}, 1, "2 passed, 1 failed"),
    ({"unit": GOOD, "black-box": "<testsuite><testc"}, 1, "2 passed, 1 failed"),
    ({"unit": "<testsuite/>"}, 1, "0 passed, 0 failed"),
    ({"unit": '<testsuite><testcase name="e" status="notrun"><skipped message="Unable to find executable"/></testcase></testsuite>'}, 1, "0 passed, 1 failed"),
])
def test_the_last_line_sums_every_report_and_the_exit_code_follows(tmp_path, reports, code, line):
    assert tally(tmp_path, **reports) == (code, line)


@pytest.mark.parametrize("script", ["run", "test", ".ci/run", "scripts/setup", "scripts/build", "bench/fixed_cost", "tests/mutants/run"])
def test_every_script_can_be_run_as_it_is(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    if path.read_bytes().startswith(b"#!/usr/bin/env bash"):
        assert subprocess.run(["bash", "-n", path], timeout=10).returncode == 0
    else:
        compile(path.read_text(), str(path), "exec")


@pytest.mark.parametrize("mutant", sorted((ROOT / "tests/mutants").glob("*.patch")), ids=lambda path: path.stem)
def test_every_mutant_still_applies_and_names_a_test_there_is(mutant):
    done = subprocess.run(["git", "apply", "--check", mutant], cwd=ROOT, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    if named := re.search(r"^Test: *([^:\s]+)::(\w+)", mutant.read_text(), re.M):
        assert f"def {named[2]}(" in (ROOT / named[1]).read_text(), f"no {named[2]} in {named[1]}"
