"""A5: whatever is sent, the API answers as it says it does, without a fault of its own."""
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.contract import contract_of  # noqa: E402
from support.fuzz import Requests  # noqa: E402

# Nothing leaves the machine and no engine child is started: the one domain that is allowed has no address.
URLS = st.one_of(st.sampled_from(["https://other.example/watch?v=1", "http://127.0.0.1:1/x", "http://[::1]/", "https://" + "a" * 300 + "/", "http://ä.example/"]),
                 st.text(max_size=30), st.text(max_size=20).map(lambda text: "http://" + text))
KEPT_APART = {"wait": st.just(0), "url": URLS, "urls": st.lists(URLS, max_size=4), "webhook_url": st.one_of(st.none(), URLS)}


def said_absent(path: str, answer: httpx.Response) -> bool:
    """The analytics of the seeds are routes that say there are none."""
    return "/analytics/" in path and answer.status_code == 501 and answer.json()["error_code"] == "not_available"


def test_a5_20000_requests_made_from_the_description(server, seeded, bars):
    one = server(auth__mode="off", limits__enabled="false", cookies__key="a1" * 32, policy__allowed_domains="nothing.invalid", log__level="error")
    one.api.until_ready()
    contract = contract_of(one.url)
    made = Requests(contract.document, KEPT_APART)
    operations = [(path, method, operation) for path, item in contract.document["paths"].items() for method, operation in item.items()
                  if "x-websocket" not in operation]
    requests = {index: made.request(*operation) for index, operation in enumerate(operations)}
    statuses, faults, asked = {}, [], set()
    wanted = bars.size(20_000, 2500)
    client = httpx.Client(base_url=one.url, timeout=30, trust_env=False)

    @seed(seeded.randrange(1 << 32))
    @settings(max_examples=wanted, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fuzz(data):
        index = data.draw(st.integers(0, len(operations) - 1))
        path, method, operation = operations[index]
        filled, query, body = data.draw(requests[index])
        target = path
        for name, value in filled.items():
            target = target.replace("{" + name + "}", quote(value, safe=""))
        target += "?" + urlencode(query, errors="surrogatepass") if query else ""
        answer = client.request(method.upper(), target, content=body, headers={"Content-Type": "application/json"} if body is not None else None)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        asked.add(index)
        media = answer.headers.get("content-type", "")
        found = contract.faults(method.upper(), answer.request.url.raw_path.decode().split("?")[0], answer.status_code, media, answer.content)
        if answer.status_code >= 500 and not said_absent(path, answer):
            found.append("a fault of the server")
        if found and len(faults) < 20:
            faults.append(f"{method} {target[:200]} {(body or b'')[:300]} -> {answer.status_code} {found} {answer.content[:300]}")

    begin = time.monotonic()
    fuzz()
    client.close()
    print(f"{sum(statuses.values())} requests in {time.monotonic() - begin:.0f} s: {dict(sorted(statuses.items()))}")
    assert faults == [], "\n".join(faults)
    bars.holds("A5", "requests made from the description", sum(statuses.values()), at_least=wanted)
    bars.holds("A5", "operations of the description that were asked", len(asked) / len(operations), at_least=0.95)
    bars.holds("A5", "answers that were no refusal", sum(count for status, count in statuses.items() if status < 300), at_least=wanted // 50)
    bars.holds("A5", "answers of 500 and above, or not as described", len(faults), equals=0)
    assert one.api.get("/api/v1/health/live").status_code == 200
