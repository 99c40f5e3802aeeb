"""The command line: the same pipeline without a server."""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import tomllib

import pytest

from support import process
from support.feed import Feed, episodes
from support.media import DURATION, ROOT
from support.probe import decodes, probe, sha256
from support.server import SANITIZER, binary, environment


@pytest.fixture
def trawl(tmp_path):
    """Runs the program in an empty folder; returns exit code, standard output and standard error."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*args, env=None, within=60):
        done = subprocess.run([str(binary()), *map(str, args)], cwd=home, env=environment(home, **(env or {})), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=within)
        assert not SANITIZER.search(done.stderr), done.stderr
        return done

    run.home = home
    return run


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# --- get


def test_get_without_metadata_stores_the_identical_bytes_and_says_where(trawl, origin, tmp_path):
    done = trawl("get", "--allow-private", "--no-metadata", origin.url("small.mp4"), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (file,) = files_in(tmp_path / "out")
    assert sha256(file) == sha256(origin.file("small.mp4"))
    assert str(file) in done.stdout
    assert "\r" not in done.stdout and "\x1b" not in done.stdout + done.stderr, "control codes without a terminal"


def test_get_stores_a_playable_file_with_its_tags(trawl, origin, page, tmp_path):
    done = trawl("get", "--allow-private", origin.url("page.html"), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (file,) = files_in(tmp_path / "out")
    media = probe(file)
    assert re.fullmatch(rf"A_page_with_a_video\w*-{page['id']}\.mp4", file.name)
    assert media.tags["title"] == page["title"] and media.duration == pytest.approx(DURATION, abs=0.5)
    decodes(file)


def test_get_downloads_every_entry_of_a_playlist(trawl, origin, tmp_path):
    done = trawl("get", "--allow-private", "--no-metadata", origin.url("three.html"), origin.url("small.mp4?alone"), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    files = files_in(tmp_path / "out")
    wanted = [sha256(origin.file(name)) for name in ("small.mp4", "other.mp4", "bench.mp4", "small.mp4")]
    assert sorted(map(sha256, files)) == sorted(wanted)
    assert sorted(done.stdout.split("\n")[:-1]) == sorted(map(str, files))


def test_get_downloads_what_it_can_of_a_playlist_and_says_what_failed(trawl, origin, tmp_path):
    feed = Feed({"part": [*episodes(origin, 2), *episodes(origin, 1, "/media/missing.mp4", first=9)]})
    try:
        done = trawl("get", "--allow-private", "--no-metadata", feed.url("part"), "-o", tmp_path / "out")
    finally:
        feed.close()
    assert done.returncode == 1 and "http_404" in done.stderr
    assert len(files_in(tmp_path / "out")) == 2


def test_get_without_an_output_folder_stores_into_the_current_one(trawl, origin):
    assert trawl("get", "--allow-private", origin.url("small.mp4")).returncode == 0
    assert [file.suffix for file in files_in(trawl.home)] == [".mp4"]


def test_get_extracts_sound(trawl, origin, tmp_path):
    assert trawl("get", "--allow-private", "--audio", "mp3", origin.url("small.mp4"), "-o", tmp_path / "out").returncode == 0
    (file,) = files_in(tmp_path / "out")
    assert file.suffix == ".mp3" and probe(file).audio == ["mp3"]


def test_get_chooses_quality_and_subtitles(trawl, origin, tmp_path):
    assert trawl("get", "--allow-private", "--quality", "240p", origin.url("dash/manifest.mpd"), "-o", tmp_path / "dash").returncode == 0
    (video,) = files_in(tmp_path / "dash")
    assert probe(video).height == 144
    assert trawl("get", "--allow-private", "--subs", "en", origin.url("page.html"), "-o", tmp_path / "subs").returncode == 0
    assert [file.suffix for file in files_in(tmp_path / "subs")] == [".srt", ".mp4"]


def test_get_does_not_overwrite_a_file_of_an_earlier_run(trawl, origin, tmp_path):
    for page in ("one", "two"):
        assert trawl("get", "--allow-private", "--no-metadata", origin.url(f"{page}/watch.html"), "-o", tmp_path / "out").returncode == 0
    assert {sha256(file) for file in files_in(tmp_path / "out")} == {sha256(origin.file("small.mp4")), sha256(origin.file("other.mp4"))}


def test_get_with_json_prints_one_object_per_line(trawl, origin, tmp_path):
    done = trawl("get", "--allow-private", "--json", origin.url("small.mp4"), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line["event"] in ("started", "progress", "completed") for line in lines) and lines[0]["event"] == "started"
    result = lines[-1]
    assert result["event"] == "completed" and result["url"] == origin.url("small.mp4")
    assert result["files"] == [str(file) for file in files_in(tmp_path / "out")]


def test_get_takes_several_urls_and_fails_when_one_does(trawl, origin, tmp_path):
    done = trawl("get", "--allow-private", "--no-metadata", origin.url("small.mp4"), origin.url("nothing-here.mp4"), origin.url("other.mp4"), "-o", tmp_path / "out")
    assert done.returncode == 1
    assert {sha256(file) for file in files_in(tmp_path / "out")} == {sha256(origin.file("small.mp4")), sha256(origin.file("other.mp4"))}
    assert "nothing-here.mp4" in done.stderr and "404" in done.stderr


def test_get_refuses_a_private_address_without_leave(trawl, origin, tmp_path):
    before = origin.requests()
    done = trawl("get", origin.url("small.mp4"), "-o", tmp_path / "out")
    assert done.returncode == 1 and "--allow-private" in done.stderr
    assert origin.requests() == before


@pytest.mark.parametrize("args", [
    ["get"], ["get", "not-a-url"], ["get", "ftp://example.com/x"], ["get", "--quality", "9p", "http://example.com/"], ["get", "--audio", "midi", "http://example.com/"],
    ["get", "--nonsense", "http://example.com/"], ["nonsense"], ["--nonsense"]])
def test_a_wrong_command_line_ends_with_2_and_says_what_is_wrong(trawl, args):
    done = trawl(*args)
    assert done.returncode == 2 and done.stderr.strip() and done.stdout == ""


def test_get_on_a_terminal_draws_a_progress_bar(origin, tmp_path):
    leader, follower = pty.openpty()
    child = process.start([str(binary()), "get", "--allow-private", origin.url("/slow/small.mp4"), "-o", str(tmp_path / "out")],
                          cwd=tmp_path, env=environment(tmp_path, TERM="xterm"), stdout=follower, stderr=follower)
    os.close(follower)
    screen = b""
    try:
        while chunk := os.read(leader, 65536):
            screen += chunk
    except OSError:  # The terminal is gone with the program.
        pass
    os.close(leader)
    assert child.wait(30) == 0, screen
    text = screen.decode()
    assert "\r" in text and re.search(r"\d+(\.\d+)?\s?%", text) and re.search(r"[kKM]i?B/s", text)


def test_get_that_is_interrupted_leaves_neither_processes_nor_parts(origin, tmp_path):
    child = process.start([str(binary()), "get", "--allow-private", "--json", origin.url("/crawl/bench.mp4"), "-o", str(tmp_path / "out")],
                          cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in child.stdout:
        if b'"progress"' in line:
            break
    family = process.tree(child.pid)
    child.send_signal(signal.SIGINT)
    assert child.wait(15) in (1, 130)
    child.stdout.close()
    assert process.left_behind(family, within=6) == {}
    assert files_in(tmp_path) == []


# --- version, help, config


def test_version_names_the_program_and_its_yt_dlp(trawl):
    done = trawl("version")
    assert done.returncode == 0 and (ROOT / "VERSION").read_text().strip() in done.stdout
    assert re.search(r"yt-dlp\W+\d{4}\.\d{2}\.\d{2}", done.stdout)


@pytest.mark.parametrize("args, words", [
    (["--help"], ["serve", "get", "config", "version"]), (["get", "--help"], ["--quality", "--audio", "--subs", "--allow-private", "--json", "-o"]),
    (["serve", "--help"], ["--server.port"])])
def test_help_can_be_learned_from(trawl, args, words):
    done = trawl(*args)
    assert done.returncode == 0 and all(word in done.stdout for word in words)


def test_config_prints_what_is_in_effect_with_secrets_masked(trawl):
    done = trawl("config", env={"TRAWL_AUTH_API_KEY": "a-very-secret-key-of-mine"})
    assert done.returncode == 0 and "a-very-secret-key-of-mine" not in done.stdout + done.stderr
    values = tomllib.loads(done.stdout)
    assert values["server"]["port"] == 8080 and values["auth"]["api_key"] and values["policy"]["allow_private_networks"] is False


def test_flags_beat_the_environment_and_that_beats_the_file(trawl):
    (trawl.home / "trawl.toml").write_text("[server]\nport = 1001\n[download]\nmax_concurrent = 11\nqueue_max = 101\n")
    done = trawl("config", "--config", "trawl.toml", "--server.port", 1003, env={"TRAWL_SERVER_PORT": "1002", "TRAWL_DOWNLOAD_MAX_CONCURRENT": "12"})
    assert done.returncode == 0, done.stderr
    values = tomllib.loads(done.stdout)
    assert (values["server"]["port"], values["download"]["max_concurrent"], values["download"]["queue_max"]) == (1003, 12, 101)


def test_names_of_earlier_services_are_understood(trawl):
    done = trawl("config", env={"MAX_CONCURRENT_DOWNLOADS": "7", "STORAGE_DIR": "/srv/media"})
    values = tomllib.loads(done.stdout)
    assert values["download"]["max_concurrent"] == 7 and values["storage"]["dir"] == "/srv/media"
    assert "MAX_CONCURRENT_DOWNLOADS" in done.stderr and "download.max_concurrent" in done.stderr


@pytest.mark.parametrize("args, env, words", [
    (["--server.port", "99999"], {}, ["server.port", "99999", "65535"]),
    ([], {"TRAWL_DOWNLOAD_MAX_CONCURRENT": "1001"}, ["download.max_concurrent", "1001", "1000"]),
    ([], {"TRAWL_DOWNLOAD_TIMEOUT_SEC": "soon"}, ["download.timeout_sec", "soon"]),
    (["--log.level", "loud"], {}, ["log.level", "loud", "DEBUG"]),
    ([], {"MAX_CONCURRENT_DOWNLOADS": "3", "YTD_MAX_WORKERS": "4"}, ["MAX_CONCURRENT_DOWNLOADS", "YTD_MAX_WORKERS", "download.max_concurrent"])])
def test_a_wrong_value_stops_the_start_with_one_line(trawl, args, env, words):
    for command in ("serve", "config"):
        done = trawl(command, *args, env=env)
        assert done.returncode == 2, done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.strip()]
        assert all(word in line for word in words), line


def test_serve_says_when_its_port_is_taken(trawl, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = trawl("serve", "--server.host", "127.0.0.1", "--server.port", port, "--storage.dir", tmp_path / "data", within=15)
    assert done.returncode in (1, 2) and str(port) in done.stderr
