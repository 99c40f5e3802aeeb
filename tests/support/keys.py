"""Servers that want API keys, and keys of them."""
from contextlib import contextmanager

from support.server import Server

ADMIN_KEY = "the-key-of-the-configuration"


@contextmanager
def guarded_server(folder, **options):
    """One that nobody may use without a key; its own `api` has full access. `__` in an option's name stands for a dot."""
    wanted = {"auth__mode": "required", "auth__api_key": ADMIN_KEY, "limits__enabled": "false", **options}
    server = Server(folder, {name.replace("__", "."): value for name, value in wanted.items()})
    server.key = ADMIN_KEY
    yield server.start()
    server.close()


def make_key(api, **wanted):
    """A new key's text and what is shown of it."""
    response = api.post("/api/v1/admin/api-keys", json={"name": "test", **wanted})
    assert response.status_code == 201, response.text
    return response.json()["api_key"], response.json()["key_info"]


def make(guarded, **wanted):
    """A key with `wanted`: what speaks with it, its text, its id."""
    text, info = make_key(guarded.api, **wanted)
    return guarded.as_key(text), text, info["id"]


def holder(guarded, **wanted):
    return make(guarded, **wanted)[0]
