"""Fixtures of the black-box tests: a real origin, real media, the real binary."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import media, process  # noqa: E402
from support.origin import Origin  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _adopt_orphans():
    process.adopt_orphans()


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    origin = Origin(media.make(), tmp_path_factory.mktemp("origin"))
    yield origin
    origin.stop()
