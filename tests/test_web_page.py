"""The web page at the root, used by a real browser as a person would."""
import json
from urllib.parse import quote, urlsplit

import httpx

from support.browser import browse
from support.feed import Feed, episodes
from support.keys import ADMIN_KEY, guarded_server, make_key
from support.probe import sha256

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def write(page, field: str, text: str):
    await page.value(f"document.getElementById({json.dumps(field)}).value = {json.dumps(text)}")


async def press(page, selector: str):
    """A button in the page, or in the newest download."""
    assert await page.until(f"(button => button && button.checkVisibility() && (button.click(), true))(document.querySelector({json.dumps(selector)}))")


async def submit(page, urls: str):
    await page.until("document.getElementById('work').checkVisibility()")
    await write(page, "urls", urls)
    await press(page, "#submit button")


def words(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})?.innerText"


def test_a_download_is_submitted_watched_and_fetched(shared, origin, tmp_path):
    name = "<img src=x onerror=owned=1>"

    async def use(page):
        await submit(page, origin.url(f"/named/{quote(name)}.mp4"))
        await page.until(f"{words('.job .status')} === 'completed' && document.querySelectorAll('.job .file').length === 1")
        assert await page.value(words(".job .title")) == name  # As text, which is all a title is.
        assert await page.value("typeof owned") == "undefined" and await page.value("document.querySelectorAll('.job img').length") == 0
        assert await page.value("document.getElementById('live').innerText") == "live"
        await press(page, ".job [data-does=log]")
        assert "Extracting URL" in await page.until(words(".job .log"))
        assert page.complaints == []
        await press(page, ".job .file")
        while not any("/files/" in url for url in page.requests):
            await page.value("1")
        return page

    seen = browse(shared.url, use, tmp_path)
    assert {urlsplit(url).netloc for url in seen.requests if not url.startswith(("data:", "about:"))} == {urlsplit(shared.url).netloc}


def test_progress_comes_by_itself_and_a_download_is_stopped_and_deleted(server, origin, tmp_path):
    one = server()

    async def use(page):
        await submit(page, origin.url("/slow/bench.mp4"))
        first = await page.until("document.querySelector('.job progress').value")
        asked = len(page.requests)
        await page.until(f"document.querySelector('.job progress').value > {first} && {words('.job .figures')}.includes(' of ')")
        await page.until(f"{words('.job .title')} === 'bench'")
        assert len([url for url in page.requests[asked:] if "/downloads?" in url]) <= 1  # It was told, not asked for.
        await press(page, ".job [data-does=pause]")
        await page.until(f"{words('.job .status')} === 'paused'")
        await press(page, ".job [data-does=cancel]")
        await page.until(f"{words('.job .status')} === 'cancelled'")
        await press(page, ".job [data-does=remove]")
        await page.until("document.querySelectorAll('.job').length === 0 && document.getElementById('none').checkVisibility()")

    browse(one.url, use, tmp_path)
    assert one.api.get("/api/v1/downloads").json()["total"] == 0


def test_what_the_server_refuses_is_said_and_stays_in_the_form(shared, tmp_path):
    async def use(page):
        await submit(page, "ftp://site.example/a.mp4")
        said = await page.until(words("#problem"))
        assert "http" in said, said
        assert await page.value("document.getElementById('urls').value") == "ftp://site.example/a.mp4"

    browse(shared.url, use, tmp_path)


def test_a_playlist_is_shown_as_one_and_as_its_downloads(server, origin, tmp_path):
    one, feed = server(download__max_retries=0), Feed()
    feed.feeds = {"three": episodes(origin, 3)}

    async def use(page):
        await page.until("document.getElementById('work').checkVisibility()")
        await page.value("document.getElementById('playlist').checked = true")
        await submit(page, feed.url("three"))
        await page.until("document.querySelectorAll('.job[data-status=completed]').length === 3")
        await page.until("document.querySelectorAll('.batch').length === 0")
        await submit(page, feed.url("none"))
        assert await page.until(words(".batch[data-status=failed] .problem"))

    try:
        browse(one.url, use, tmp_path)
    finally:
        feed.close()


def test_a_key_is_asked_for_and_goes_nowhere_but_into_requests(origin, tmp_path):
    (tmp_path / "server").mkdir()
    with guarded_server(tmp_path / "server") as guarded:
        key = make_key(guarded.api)[0]

        async def use(page):
            await page.until("document.getElementById('enter').checkVisibility()")
            await write(page, "key", "wrong")
            await press(page, "#enter button")
            await page.until(words("#problem"))
            assert not await page.value("document.getElementById('work').checkVisibility()")
            await write(page, "key", key)
            await press(page, "#enter button")
            await page.until("document.getElementById('live').innerText === 'live'")
            await submit(page, origin.url("small.mp4"))
            await press(page, ".job .file")
            while not any("/files/" in url for url in page.requests):
                await page.value("1")
            assert await page.value("localStorage.length") == 0 and await page.value("document.cookie") == ""
            await press(page, "#forget")
            await page.until("document.getElementById('enter').checkVisibility()")
            assert await page.value("sessionStorage.length") == 0
            return page

        seen = browse(guarded.url, use, tmp_path)
        assert not any(key in url or ADMIN_KEY in url for url in seen.requests)
        link = next(url for url in seen.requests if "/files/" in url)
        (stored,) = guarded.api.get("/api/v1/files").json()["files"]
        assert sha256(httpx.get(link).content) == stored["sha256"]


def test_the_page_may_run_nothing_but_the_scripts_of_this_server(api):
    page = api.get("/", headers=HTML)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html") and "Accept" in page.headers["vary"]
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert all(policy[name] == "'self'" for name in ("script-src", "style-src", "connect-src"))
    assert "style=" not in page.text and "onclick" not in page.text and "<script>" not in page.text
    for name in ("page.js", "page.css", "icon.svg"):
        assert f'"ui/{name}"' in page.text and api.get(f"/ui/{name}").status_code == 200
    assert api.get("/ui/nothing.js").status_code == 404


def test_programs_are_told_where_to_look_instead(api):
    for accept in ("*/*", "application/json"):
        assert api.get("/", headers={"Accept": accept}).json()["name"] == "trawl"


def test_an_operator_brings_a_page_or_wants_none(server, tmp_path):
    mine = tmp_path / "mine"
    (mine / "js").mkdir(parents=True)
    (mine / "index.html").write_text("<p>ours</p>")
    (mine / "js" / "app.js").write_text("1")
    (tmp_path / "secret").write_text("secret")
    (mine / "link").symlink_to(tmp_path / "secret")
    ours = server(env={"STATIC_DIR": str(mine)}).url
    assert httpx.get(ours, headers=HTML).text == "<p>ours</p>"
    assert httpx.get(f"{ours}/ui/js/app.js").headers["content-type"].startswith("text/javascript")
    for path in ("page.js", "link", "..%2fsecret", "%2e%2e/secret", "js/../../secret", str(tmp_path / "secret")):
        assert httpx.get(f"{ours}/ui/{path}").status_code in (400, 404), path
    none = server(ui__enabled="false").url
    assert httpx.get(none, headers=HTML).json()["name"] == "trawl" and httpx.get(f"{none}/ui/page.js").status_code == 404


def test_a_folder_without_a_page_is_refused_at_the_start(server, tmp_path):
    assert f"ui.static_dir: {tmp_path}/none cannot be read" in server(start=False, ui__static_dir=tmp_path / "none").refused()
