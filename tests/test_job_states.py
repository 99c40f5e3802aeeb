"""The picture of the states in docs/job-states.md against the table the program is made from."""
import re

from support.media import ROOT


def test_the_diagram_shows_every_transition_and_no_other():
    table = re.findall(r"\{Step::(\w+), State::(\w+), State::(\w+)\}", (ROOT / "src/jobs/state.h").read_text())
    drawn = re.findall(r"^ +(\w+) --> (\w+): (\w+)$", (ROOT / "docs/job-states.md").read_text(), re.M)
    assert len(table) > 20
    assert sorted(drawn) == sorted((source, target, by) for by, source, target in table)


def test_every_state_is_explained_with_the_word_the_api_uses():
    names = re.findall(r'\{S::\w+, "(\w+)"\}', (ROOT / "src/jobs/state.h").read_text())
    explained = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/job-states.md").read_text(), re.M)
    assert [name for name, _ in explained] == names
    assert {status for _, status in explained} == {"queued", "running", "paused", "completed", "failed", "cancelled"}
