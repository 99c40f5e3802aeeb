"""The pages that show the API to people, in a real browser: from this server alone, and without a complaint."""
from urllib.parse import urlsplit

import pytest
from support.browser import browse

PAGES = {
    # It keeps only those in the page that are in sight: each look goes a little further down.
    "/api/docs": "(window.seen ??= new Set(), document.querySelectorAll('.opblock').forEach(block => seen.add(block.id)), window.scrollBy(0, 400), seen.size)",
    "/api/redoc": "document.querySelectorAll('[id*=operation]').length",
}


@pytest.mark.parametrize("path", PAGES)
def test_the_page_shows_every_operation_and_asks_nobody_else(shared, api, tmp_path, path):
    operations = sum(len(item) for item in api.get("/api/openapi.json").json()["paths"].values())

    async def look(page):
        await page.until(f"({PAGES[path]}) >= {operations // 2}")
        return page

    seen = browse(shared.url + path, look, tmp_path)
    assert seen.complaints == []
    elsewhere = [url for url in seen.requests if not url.startswith(("data:", "about:", "blob:")) and urlsplit(url).netloc != urlsplit(shared.url).netloc]
    assert elsewhere == []
    assert any(url.endswith("/api/openapi.json") for url in seen.requests)


@pytest.mark.parametrize("path", ["/api/docs", "/docs", "/api/redoc", "/redoc"])
def test_the_page_may_run_nothing_but_the_scripts_of_this_server(api, path):
    page = api.get(path)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["connect-src"] == "'self'"
    assert "http" not in policy.get("img-src", "") and "<script>" not in page.text
    for source in [part.split('"')[0] for part in page.text.split('src="')[1:]]:
        assert source.startswith("/api/docs/assets/") and api.get(source).status_code == 200


def test_the_assets_come_packed_or_as_the_client_can_read_them(api):
    packed = api.get("/api/docs/assets/swagger-ui-bundle.js")
    plain = api.get("/api/docs/assets/swagger-ui-bundle.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.text == plain.text and len(plain.content) > 1_000_000
    assert "cdn." not in api.get("/api/docs/assets/redoc.standalone.js").text
    assert api.get("/api/docs/assets/nothing.js").status_code == 404
