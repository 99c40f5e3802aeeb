"""`trawl backup` and `trawl restore` over the real binary."""
import subprocess

from support.server import binary, environment


def trawl(server, *words):
    return subprocess.run([binary(), *words, "--storage.dir", server.storage], cwd=server.folder, env=environment(server.folder), capture_output=True, text=True, timeout=60)


def test_a_copy_made_while_the_server_runs_brings_its_downloads_back(server, origin, tmp_path):
    one = server()
    before = one.api.completed(origin.url("small.mp4"))
    copy = tmp_path / "copy.db"
    made = trawl(one, "backup", copy)
    assert made.returncode == 0 and "schema" in made.stdout, made.stderr
    after = one.api.completed(origin.url("other.mp4"))
    again = trawl(one, "backup", copy)
    assert again.returncode == 1 and "exists already" in again.stderr

    busy = trawl(one, "restore", copy)
    assert busy.returncode == 1 and "in use" in busy.stderr
    assert one.api.show(after["id"])["status"] == "completed"

    one.stop()
    done = trawl(one, "restore", copy)
    assert done.returncode == 0 and "before-restore" in done.stdout, done.stderr
    one.start()
    assert one.api.show(before["id"])["status"] == "completed"
    assert one.api.fetch(one.api.show(before["id"])["file_info"], tmp_path).stat().st_size > 0
    assert one.api.get(f"/api/v1/downloads/{after['id']}").status_code == 404


def test_what_is_no_backup_changes_nothing(server, tmp_path):
    one = server()
    one.stop()
    (tmp_path / "text").write_text("not a database" * 1000)
    before = (one.storage / "trawl.db").read_bytes()
    refused = trawl(one, "restore", tmp_path / "text")
    assert refused.returncode == 1 and refused.stderr.startswith("trawl: ")
    assert (one.storage / "trawl.db").read_bytes() == before


def test_postgresql_has_a_tool_of_its_own(server, tmp_path):
    one = server(start=False)
    for command, tool in (("backup", "pg_dump"), ("restore", "pg_restore")):
        said = trawl(one, command, tmp_path / "x", "--db.url", "postgresql://somebody@127.0.0.1/trawl")
        assert said.returncode == 2 and tool in said.stderr
