"""Includes point one way, as src/LAYERS says."""
import pytest

from support import layers
from support.media import ROOT


def test_every_include_follows_the_order_of_the_modules():
    assert layers.check(ROOT / "src") == []


def test_every_folder_of_src_has_its_place_in_the_order():
    known = layers.read_layers(ROOT / "src/LAYERS").keys() | {layers.TESTING}
    assert {folder.name for folder in (ROOT / "src").iterdir() if folder.is_dir()} <= known


@pytest.mark.parametrize("source, include, complaint", [
    ("base/text.cpp", "net/url.h", "points up"),
    ("http/router.cpp", "events/bus.h", "points sideways"),
    ("jobs/worker.cpp", "storage/storage.h", "points sideways"),
    ("api/routes.cpp", "http/detail/parser.h", "only http knows"),
    ("api/routes.cpp", "testing/fake_clock.h", "test support"),
    ("api/routes.cpp", "routes.h", "without its module"),
    ("api/routes.cpp", "utils/text.h", "not in LAYERS"),
])
def test_the_check_finds_a_planted_violation(tmp_path, source, include, complaint):
    (tmp_path / "LAYERS").write_text((ROOT / "src/LAYERS").read_text())
    (tmp_path / source).parent.mkdir()
    (tmp_path / source).write_text(f'#pragma once\n#include <vector>\n#include "{include}"\n')
    (found,) = layers.check(tmp_path)
    assert complaint in found


@pytest.mark.parametrize("source, include", [
    ("http/router.cpp", "http/detail/parser.h"),
    ("jobs/worker.cpp", "events/bus.h"),
    ("jobs/worker_test.cpp", "testing/fake_clock.h"),
    ("testing/origin.h", "server/server.h"),
])
def test_the_check_accepts_what_the_order_allows(tmp_path, source, include):
    (tmp_path / "LAYERS").write_text((ROOT / "src/LAYERS").read_text())
    (tmp_path / source).parent.mkdir()
    (tmp_path / source).write_text(f'#include "{include}"\n')
    assert layers.check(tmp_path) == []
