"""The API's own description, as the law that every answer is held against."""
import functools
import json
import re

import httpx
from jsonschema import Draft202012Validator, FormatChecker, RefResolver

# What HTTP/1.1 itself says, before there is a route: no operation declares it.
BEFORE_ROUTES = {400, 404, 405, 408, 413, 414, 417, 426, 431, 501, 505}
OF_DECLARED_TYPE = re.compile(r"^([\w.+-]+/[\w.+-]+)")


def _rank(template: str) -> list:
    """Literal segments beat placeholders, as in the router."""
    return [0 if not part.startswith("{") else 1 for part in template.split("/")]


class Contract:
    def __init__(self, document: dict):
        self.document = document
        self.resolver = RefResolver("", document)
        self._validators: dict[int, Draft202012Validator] = {}
        self.routes = sorted(((self._pattern(path), path) for path in document["paths"]), key=lambda route: _rank(route[1]))

    def _pattern(self, path: str) -> re.Pattern:
        parts = []
        for part in path.split("/"):
            if part.startswith("{"):
                parts.append(".+" if self._is_rest(path, part[1:-1]) else "[^/]+")
            else:
                parts.append(re.escape(part))
        return re.compile("/".join(parts))

    def _is_rest(self, path: str, name: str) -> bool:
        for operation in self.document["paths"][path].values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == name and parameter["in"] == "path":
                    return "slashes" in parameter.get("description", "")
        return False

    def path_of(self, path: str) -> str | None:
        return next((template for pattern, template in self.routes if pattern.fullmatch(path)), None)

    def operation(self, method: str, path: str) -> dict | None:
        template = self.path_of(path)
        return self.document["paths"][template].get("get" if method == "HEAD" else method.lower()) if template else None

    def validator(self, schema: dict) -> Draft202012Validator:
        if id(schema) not in self._validators:
            self._validators[id(schema)] = Draft202012Validator(schema, resolver=self.resolver, format_checker=FormatChecker())
        return self._validators[id(schema)]

    @functools.cached_property
    def error(self) -> dict:
        return {"$ref": "#/components/schemas/Error"}

    def faults(self, method: str, path: str, status: int, media: str, body: bytes | None) -> list[str]:
        """What of an answer the description does not have. `body` None: it was not looked at."""
        if method in ("OPTIONS", "TRACE", "CONNECT"):
            return []
        operation = self.operation(method, path)
        if operation is None:
            return self._check_error(status, media, body) if status in BEFORE_ROUTES or status == 204 else [f"{status} of a path that is not described"]
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"status {status} is not declared"]
        content = answer.get("content", {})
        if method == "HEAD" or status in (101, 204, 304):
            return []
        if not content:
            return [f"{status} has a body that is not declared"] if body else []
        kind = OF_DECLARED_TYPE.match(media)
        declared = content.get(kind[1] if kind else "", content.get("*/*"))
        if declared is None:
            return [f"content type '{media}' is not declared for {status}"]
        if kind[1] != "application/json" or "schema" not in declared or body is None:
            return []
        return self._problems(declared["schema"], body)

    def _check_error(self, status: int, media: str, body: bytes | None) -> list[str]:
        return self._problems(self.error, body) if body and media.startswith("application/json") else []

    def _problems(self, schema: dict, body: bytes) -> list[str]:
        try:
            value = json.loads(body)
        except ValueError as wrong:
            return [f"is not JSON: {wrong}"]
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in self.validator(schema).iter_errors(value)][:5]

    def check(self, response: httpx.Response) -> None:
        """A response hook of httpx: fails the test whose answer is not as described."""
        media = response.headers.get("content-type", "")
        body = response.read() if media.startswith("application/json") else None
        request = response.request
        found = self.faults(request.method, request.url.raw_path.decode().split("?")[0], response.status_code, media, body)
        assert not found, f"{request.method} {request.url} -> {response.status_code} is not as /api/openapi.json has it: {found}\n{(body or b'')[:1000]}"


@functools.lru_cache(maxsize=32)
def _of_text(text: bytes) -> Contract:
    return Contract(json.loads(text))


def contract_of(url: str) -> Contract:
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        response = client.get("/api/openapi.json")
    assert response.status_code == 200, response.text
    return _of_text(response.content)
