"""JavaScript runtimes that are there and new enough."""
import pytest
from trawl_engine import runtimes


def program(folder, name, says):
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{says}"\n')
    path.chmod(0o755)


@pytest.mark.parametrize(('programs', 'found'), [
    ({}, []),
    ({'deno': 'deno 2.3.1 (stable)', 'node': 'v22.1.0'}, ['deno', 'node']),
    ({'node': 'v20.20.2'}, []),
    ({'qjs': 'QuickJS version 2024-01-13'}, ['quickjs']),
    ({'deno': 'what?'}, []),
])
def test_runtimes_are_found_by_their_versions(tmp_path, monkeypatch, programs, found):
    for name, says in programs.items():
        program(tmp_path, name, says)
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(runtimes.shutil, 'which', lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    assert [one['name'] for one in runtimes.find()] == found
    assert list(runtimes.parameters(runtimes.find())['js_runtimes']) == found


def test_a_yt_dlp_that_knows_no_providers_has_none():
    assert runtimes.providers() == []
