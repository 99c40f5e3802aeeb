"""The description of the API: it is OpenAPI 3.1, it has every route and no other, and its examples fit."""
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support.contract import Contract, contract_of

META = json.loads((Path(__file__).parent / "support/openapi/schema-3.1.json").read_text())


@pytest.fixture(scope="module")
def contract(shared) -> Contract:
    return contract_of(shared.url)


@pytest.fixture
def document(contract) -> dict:
    return contract.document


def operations(document):
    return [(path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_the_description_is_valid_openapi_31(document):
    assert [error.message for error in Draft202012Validator(META).iter_errors(document)] == []
    broken = json.loads(json.dumps(document))
    next(iter(broken["paths"].values()))["get" if "get" in next(iter(broken["paths"].values())) else "post"]["responses"]["200"] = {"descriptoin": "x"}
    assert list(Draft202012Validator(META).iter_errors(broken)), "the meta-schema accepts anything"


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere(contract, document):
    def look(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                contract.resolver.resolve(node["$ref"])
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name.isalnum(), name


def test_it_has_every_route_and_no_other(api, document):
    routes = {(route["path"].replace("...}", "}"), route["method"].lower()) for route in api.get("/api/v1/admin/routes").json()["routes"]}
    assert routes == {(path, method) for path, method, _ in operations(document)}
    assert len(routes) > 100


def test_every_operation_says_what_it_is_and_who_may_call(api, document):
    scopes = {(route["path"].replace("...}", "}"), route["method"].lower()): route["scope"] for route in api.get("/api/v1/admin/routes").json()["routes"]}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(document):
        assert operation["summary"], path
        allowed = {scope for way in operation["security"] for names in way.values() for scope in names} or {"public"}
        assert allowed == {scopes[path, method]}, (path, method)
        assert {"400", "500"} <= set(operation["responses"]), (path, method)
        if allowed != {"public"}:
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), (path, method)
        named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
        names = [(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", [])]
        assert len(names) == len(set(names)), (path, names)


def test_every_route_has_an_answer_or_says_that_there_is_none(document):
    bare = {path: operation for path, method, operation in operations(document) if not any(status[0] in "123" for status in operation["responses"])}
    assert [path for path, operation in bare.items() if "501" not in operation["responses"]] == []


def test_headers_of_requests_are_described(document):
    named = {(path, one["name"]) for path, _, operation in operations(document) for one in operation.get("parameters", []) if one["in"] == "header"}
    assert {("/api/v1/downloads", "Idempotency-Key"), ("/api/v1/downloads/{id}/events", "Last-Event-ID"), ("/files/{path}", "Range"),
            ("/api/v1/bootstrap/admin-key", "X-Setup-Token")} <= named


def documents(document):
    """Every JSON media type object there is: (where, media)."""
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield f"{method} {path} takes", content["application/json"]
        for status, answer in operation["responses"].items():
            if "application/json" in answer.get("content", {}):
                yield f"{method} {path} {status}", answer["content"]["application/json"]


def test_every_example_matches_its_own_schema(contract, document):
    looked, wrong = 0, []
    for where, media in documents(document):
        if "schema" not in media:
            continue
        for name, example in media.get("examples", {}).items():
            looked += 1
            wrong += [f"{where} {name}: {error.message[:200]}" for error in contract.validator(media["schema"]).iter_errors(example["value"])]
    assert wrong == []
    assert looked > 500


def test_every_document_that_is_described_has_an_example(document):
    bare = [where for where, media in documents(document) if "schema" in media and "examples" not in media and "$ref" in media["schema"] and not media["schema"]["$ref"].endswith("/Error")]
    assert bare == []


def test_a_field_example_in_a_rule_matches_its_field(contract, document):
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            for example in described.get("examples", []):
                problems = [error.message for error in contract.validator(described).iter_errors(example)]
                assert problems == [], f"{name}.{field}"


def test_what_is_not_described_would_be_found(contract):
    problem = b'{"status": "ready", "more": 1}'
    assert contract.faults("GET", "/api/v1/health/ready", 200, "application/json", problem)
    assert contract.faults("GET", "/api/v1/health/ready", 200, "application/json", b'{}')
    assert contract.faults("GET", "/api/v1/health/ready", 200, "text/plain", b"x")
    assert contract.faults("GET", "/api/v1/health/ready", 418, "application/json", b'{"status": "ready"}')
    assert contract.faults("GET", "/api/v1/health/ready", 200, "application/json", b'{"status": "ready"}') == []


def test_clients_of_older_paths_may_send_what_the_schema_does_not_have(contract, document):
    def schema(path):
        return contract.validator(document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"])

    body = {"url": "https://example.com/1", "dest": "somewhere"}
    assert not schema("/api/v1/downloads").is_valid(body)
    assert schema("/api/v1/download").is_valid(body)
    assert not schema("/api/v1/download").is_valid({"url": "ftp://example.com/1"})
    assert not schema("/api/v1/downloads").is_valid({})
