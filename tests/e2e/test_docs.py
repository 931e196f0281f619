# SPDX-License-Identifier: Apache-2.0
"""The docs agree with the tree and the program: links have targets, commands and options exist."""
import re
import shlex

import pytest

from helpers.program import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "tests" / "lab" / "README.md"])
GENERATED = {"options.md", "events.md", "exit-codes.md", "manifest.md", "key-template.md", "oom-kill.md"}
FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.M | re.S)


def text_of(page):
    return page.read_text(encoding="utf-8")


def anchors(page):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(page)), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", h).lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page):
    rooms = "|".join(path.name for path in (ROOT / "src").iterdir() if path.is_dir())
    named = re.findall(r"(?<![\w/.-])((?:docs|deploy/kustomize|deploy/helm|deploy/ecs|scripts|tests|cmake)/[\w./-]*\w)", text_of(page))
    named += ["src/" + file for file in re.findall(r"(?<![\w.-])(?:src/)?((?:%s)/[\w/]+\.[ch])\b" % rooms, text_of(page))]
    for name in named:
        assert (ROOT / name).exists() or re.search("NAME|ROOM", name), name


def commands(text):
    """Every command line of salvage's in blocks of code and between backquotes, as words."""
    code = FENCE.findall(text)
    lines = [line for block in code for line in re.sub(r"\\\n", " ", block).splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    for line in lines:
        found = re.search(r"(?<!-n )(?<!install )(?:^|(?<=[\s|/(\"]))salvage ((?:-|[a-z])[^|>#]*)", line)
        if found and "…" not in found[1]:
            try:
                yield shlex.split(found[1])
            except ValueError:
                continue  # a sentence with an apostrophe


@pytest.fixture(scope="module")
def options_of():
    """The page of options, which is the program's own word (tests/docs-check): command -> its options."""
    sections = re.split(r"^## salvage ", text_of(ROOT / "docs" / "options.md"), flags=re.M)[1:]
    named = {}
    for section in sections:
        name = re.match(r"((?:(?:jvm|core) )?[a-z-]+)", section)[1]
        named[name] = set(re.findall(r"(?<![\w-])(--[\w-]+)", section)) | {"--help"}
    return named


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in GENERATED | {"CHANGELOG.md"}],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page, options_of):
    hidden = {"worker", "guard-case", "guard-record", "guard-restore", "guard-attach", "guard-check", "guard-notifier", "watch-check",
              "armer", "notifier", "run-arm", "node-pods", "node-requests", "node-capture", "node-arm", "docs", "help", "sh",
              "sleep"}
    for words in commands(text_of(page)):
        name = " ".join(words[:2]) if " ".join(words[:2]) in options_of else words[0]
        if words[0] in hidden or name == "jvm" or words[0].startswith("-"):
            continue
        assert name in options_of, words
        own = words[:words.index("--")] if "--" in words else words
        for word in own:
            if word.startswith("--"):
                assert re.sub("=.*", "", word).replace("--no-", "--") in \
                    {o.replace("--no-", "--") for o in options_of[name]}, words


def test_commands_are_found_at_all():
    """The checks above see what people copy."""
    found = [words for page in PAGES for words in commands(text_of(page))]
    assert ["watch", "/dumps", "--to", "s3://evidence/prod"] in found and len(found) > 60
