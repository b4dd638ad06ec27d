"""The demo as a newcomer runs it: it succeeds, twice at once too, and it notices what is missing and what is too much."""

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.local.topology import ARTICLE_WORKSPACES

RULES = Path(__file__).parents[2] / "infra" / "local" / "demo" / "rules"
EXTRA = f"""
  - name: cards-too
    from: [northwind]
    assets:
      - {{kind: model, name: "credit-card-*"}}
    into: {ARTICLE_WORKSPACES[1].id}
    actions: [register]
"""


def demo(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "infra.local.demo", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def processes_of(directory: Path) -> list[str]:
    """The command lines that name a folder: whatever the demo starts does."""
    found = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(words) for words in found if any(str(directory) in word for word in words)]


@pytest.mark.slow
def test_given_two_demos_at_once_when_one_has_a_rule_too_many_then_only_that_one_fails_and_says_why(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    with (tmp_path / "rules" / "tenants" / "fabrikam.yaml").open("a") as rules:
        rules.write(EXTRA)
    with (
        demo("--directory", tmp_path / "good") as good,
        demo("--directory", tmp_path / "bad", "--rules", tmp_path / "rules") as bad,
    ):
        good_output, good_errors = good.communicate(timeout=200)
        bad_output, _ = bad.communicate(timeout=200)
    assert good.returncode == 0, good_output + good_errors
    assert "Everything came as it must" in good_output
    assert good_errors == ""
    assert "\x1b" not in good_output
    assert bad.returncode == 1
    assert "too much: workspace2: credit-card-default:1, pushed by Fanout, registered" in bad_output
    assert processes_of(tmp_path) == []


def test_when_the_deadline_comes_first_then_it_says_what_is_missing(tmp_path: Path) -> None:
    with demo("--directory", tmp_path, "--deadline", 0.5) as late:
        output, _ = late.communicate(timeout=100)
    assert late.returncode == 1
    assert "missing after" in output
    assert "workspace3: credit-card-default:1, pushed by Fanout, registered" in output
    assert processes_of(tmp_path) == []


def test_when_the_rules_are_wrong_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with demo("--directory", tmp_path / "state", "--rules", tmp_path / "rules") as refused:
        output, _ = refused.communicate(timeout=100)
    assert refused.returncode == 2
    assert "were not applied" in output
    assert processes_of(tmp_path) == []
