"""Every relative link of the pages leads to a file, and every ``#anchor`` to a heading."""

import re
from pathlib import Path

import pytest

from tests.docs.links import anchors, broken_links

ROOT = Path(__file__).parents[2].resolve()
PAGES = sorted(
    str(page.relative_to(ROOT))
    for pattern in (
        "*.md",
        "docs/*.md",
        "data/*.md",
        "tests/docs/*.md",
        "digit_classifier/pretrained/*/*.md",
    )
    for page in ROOT.glob(pattern)
)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    assert broken_links(ROOT / name, ROOT) == []


def test_all_pages_are_checked():
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/api.md"} < {*PAGES}


def test_modules_that_the_architecture_names_exist():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|sh|toml|md))`", text))
    tracked = [
        f"/{path.relative_to(ROOT)}"
        for folder in ("digit_classifier", "tests", "deployment_scripts", "docs")
        for path in [*(ROOT / folder).rglob("*.*"), ROOT / "pyproject.toml"]
    ]

    missing = [name for name in named if not any(path.endswith(f"/{name}") for path in tracked)]

    assert len(named) > 15
    assert missing == []


@pytest.mark.parametrize(
    "link",
    [
        "[a](docs/gone.md)",
        "[a](docs/page.md#gone)",
        "[a](#gone)",
        "[`code`](gone.py)",
        "[a\nb](gone.md)",
        "[a]: gone.md",
        '<img src="gone.png">',
        '<a href="docs/page.md#gone">a</a>',
        "[a](../outside.md)",
    ],
)
def test_broken_links_are_found(tmp_path, link):
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "page.md").write_text("# Title\n")
    (tmp_path / "outside.md").touch()
    page = root / "README.md"
    page.write_text(f"# Title\n\n[good](docs/page.md#title) [good](#title)\n\n{link}\n")

    assert len(broken_links(page, root)) == 1


def test_links_elsewhere_and_in_code_are_left_alone(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(
        "[a](https://example.org/b) [a](mailto:a@example.org) `[a](b)`\n\n```\n[a](b)\n```\n"
    )

    assert broken_links(page, tmp_path) == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("# Two words", "two-words"),
        ("## `run_tests.sh` – why?", "run_testssh--why"),
        ("### [Keep a Changelog](https://example.org)", "keep-a-changelog"),
        ("# 0.2.0 (unreleased)", "020-unreleased"),
        ("# Größe & Form", "größe--form"),
        ("# Twice\n# Twice", "twice-1"),
        ('<a id="mark"></a>', "mark"),
    ],
)
def test_anchors_follow_githubs_rules(heading, anchor):
    assert anchor in anchors(f"{heading}\n\n```\n# a comment\n```\n")
    assert "a-comment" not in anchors(f"{heading}\n\n```\n# a comment\n```\n")
