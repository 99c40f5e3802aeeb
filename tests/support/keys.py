"""API keys of a server that wants them."""
ADMIN_KEY = "the-key-of-the-configuration"


def make(guarded, **wanted):
    """A key with `wanted`: what speaks with it, its text, its id."""
    made = guarded.api.post("/api/v1/admin/api-keys", json={"name": "test", **wanted})
    assert made.status_code == 201, made.text
    return guarded.as_key(made.json()["api_key"]), made.json()["api_key"], made.json()["key_info"]["id"]


def holder(guarded, **wanted):
    return make(guarded, **wanted)[0]
