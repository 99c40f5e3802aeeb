"""Requests made from the API's own description: right ones, nearly right ones, and nonsense."""
import json
import string

from hypothesis import strategies as st

NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.floats(allow_nan=False), st.text(max_size=40), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2), st.sampled_from(["", "\x00", "\ud7ff", "' OR 1=1 --", "../../etc/passwd", "%s%n", "A" * 5000, -1, 2**63, 1e308, "null"]))


class Requests:
    """Strategies for one description. `given` names strategies for fields and parameters that have to be of some kind."""

    def __init__(self, document: dict, given: dict):
        self.document, self.given = document, given
        self._made: dict[str, st.SearchStrategy] = {}

    def value(self, schema: dict, name: str = "") -> st.SearchStrategy:
        if name in self.given:
            return self.given[name]
        if "$ref" in schema:
            return self._component(schema["$ref"])
        if "anyOf" in schema and "type" not in schema:
            return st.one_of([self.value(choice) for choice in schema["anyOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        kinds = schema.get("type", ["object", "string"])
        return st.one_of([self._of_type(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])

    def _component(self, reference: str) -> st.SearchStrategy:
        if reference not in self._made:
            self._made[reference] = st.deferred(lambda: self._made[reference + " made"])
            node = self.document
            for part in reference[2:].split("/"):
                node = node[part]
            self._made[reference + " made"] = self._of_type("object", node)
        return self._made[reference]

    def _of_type(self, kind: str, schema: dict) -> st.SearchStrategy:
        if kind == "null":
            return st.none()
        if kind == "boolean":
            return st.booleans()
        if kind == "integer":
            return st.integers(int(schema.get("minimum", -(2**31))), int(schema.get("maximum", 2**31)))
        if kind == "number":
            return st.floats(schema.get("minimum", -1e6), schema.get("maximum", 1e12), allow_nan=False)
        if kind == "array":
            return st.lists(self.value(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 3), 3))
        if kind == "object":
            members = schema.get("properties", {})
            needed = {name for choice in schema.get("allOf", []) for name in choice["anyOf"][0]["required"]} | set(schema.get("required", []))
            return st.fixed_dictionaries({name: self.value(part, name) for name, part in members.items() if name in needed},
                                         optional={name: self.value(part, name) for name, part in members.items() if name not in needed})
        if schema.get("format") == "date-time":
            return st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ") if time.year > 999 else "2030-01-01T00:00:00Z")
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=False, alphabet=st.characters(min_codepoint=32, max_codepoint=126)) \
                if _takes_alphabet() else st.from_regex(schema["pattern"])
        return st.text(alphabet=st.one_of(st.sampled_from(string.printable), st.characters(blacklist_categories=("Cs",))),
                       min_size=int(schema.get("minLength", 0)), max_size=min(int(schema.get("maxLength", 60)), 60))

    def spoiled(self, body: st.SearchStrategy) -> st.SearchStrategy:
        """A body with one thing wrong, or something that is no such body at all."""
        @st.composite
        def spoil(draw):
            document = draw(body)
            if not isinstance(document, dict) or draw(st.integers(0, 9)) == 0:
                return draw(NONSENSE)
            names = sorted(document) or ["url"]
            name = draw(st.sampled_from([*names, draw(st.text(max_size=10))]))
            if name in document and draw(st.booleans()):
                return {key: value for key, value in document.items() if key != name}
            return {**document, name: draw(NONSENSE)}
        return spoil()

    def request(self, path: str, method: str, operation: dict) -> st.SearchStrategy:
        """(path, query, body or None)"""
        text = st.one_of(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=30), st.uuids().map(str), st.sampled_from(["..", "%2e%2e", "a/b", "\x00", "-1"]))
        parameters = operation.get("parameters", [])
        places = {one["name"]: self.given.get(one["name"], text) for one in parameters if one["in"] == "path"}
        asked = {one["name"]: one for one in parameters if one["in"] == "query"}

        @st.composite
        def make(draw):
            filled = {name: draw(place) for name, place in places.items()}
            query = {}
            for name, one in asked.items():
                if one.get("required") or draw(st.integers(0, 4)) == 0:
                    wanted = draw(self.value(one["schema"], name) if name in self.given or draw(st.integers(0, 3)) else NONSENSE)
                    query[name] = wanted if isinstance(wanted, str) else json.dumps(wanted)
            body = None
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]
                if "application/json" in content:
                    right = self.value(content["application/json"]["schema"])
                    body = draw(right if draw(st.integers(0, 2)) else self.spoiled(right))
                    body = json.dumps(body).encode() if draw(st.integers(0, 29)) else draw(st.binary(max_size=60))
                else:
                    body = draw(st.binary(max_size=200))
            return filled, query, body
        return make()


def _takes_alphabet() -> bool:
    import inspect
    return "alphabet" in inspect.signature(st.from_regex).parameters
