"""The store of jobs agrees with a model of it on random sequences, on SQLite and on PostgreSQL with the same seeds."""
import os
import subprocess

import pytest

from support.media import ROOT


@pytest.mark.parametrize("kind", ["Sqlite", "Postgres"])
def test_q15_the_store_agrees_with_its_model_on_every_sequence(kind, bars, seeded):
    program = ROOT / "build/dev/src/jobs/jobs_test"
    assert program.is_file(), f"there is no {program}: cmake --build --preset dev --target jobs_test"
    count = bars.size(10_000, 20)
    first = int(os.environ.get("TRAWL_SEED", seeded.randrange(1_000_000)))
    done = subprocess.run([program, f"--gtest_filter=On/JobModel.*/{kind}"], capture_output=True, text=True, timeout=7200,
                          env={**os.environ, "TRAWL_SEQUENCES": str(count), "TRAWL_SEED": str(first)})
    print(done.stdout[-6000:] if done.returncode else f"seeds {first} to {first + count - 1}")
    assert "1 test from 1 test suite ran" in done.stdout, done.stdout[-2000:]
    bars.holds("Q15", f"divergences in {count} sequences on {kind}", int(done.returncode != 0), equals=0)
