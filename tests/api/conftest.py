import pytest

from support.keys import ADMIN_KEY
from support.server import Server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that wants keys."""
    server = Server(tmp_path_factory.mktemp("guarded"), {"auth.mode": "required", "auth.api_key": ADMIN_KEY, "limits.enabled": "false"})
    server.key = ADMIN_KEY
    yield server.start()
    server.close()
