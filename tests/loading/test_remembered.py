"""What a check finds is found again without looking, as long as not a byte has changed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from journeylang.diagnostics.model import Severity
from journeylang.loading import checking, inputs
from journeylang.loading.checking import Checking, check
from journeylang.syntax import grammar
from tests.loading.folder import CONFIG, write

WRONG = 'segment a "A" = exists(signd_up)  # journey: ignore[JRN302] none\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import platformdirs

    # The grammar keeps its own cache: it is not to be made anew for each test.
    grammar.tables()

    def home(*_: object, **__: object) -> Path:
        return tmp_path / "cache"

    monkeypatch.setattr(platformdirs, "user_cache_path", home)
    return tmp_path / "cache" / "checks"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The projects that were really looked at."""
    found: list[Path] = []
    really = checking.check_anew

    def looking(root: Path) -> Checking:
        found.append(root)
        return really(root)

    monkeypatch.setattr(checking, "check_anew", looking)
    return found


@pytest.fixture
def root(tmp_path: Path, cache: Path) -> Path:
    return write(
        tmp_path / "project",
        journeys__more=WRONG,
        journey_dot_toml=f'{CONFIG}\n[lint]\nignore = ["JRN6"]\nseverity = {{ JRN3 = "error" }}\n',
    )


def test_the_second_time_it_is_remembered(root: Path, looked: list[Path]) -> None:
    first = check(root, cached=True)
    again = check(root, cached=True)
    assert looked == [root]
    assert first.diagnostics
    assert again.diagnostics == first.diagnostics
    assert [d.fix for d in again.diagnostics] == [d.fix for d in first.diagnostics]
    assert (again.checked, again.whole, again.selection) == (3, first.whole, first.selection)
    assert again.selection.severities == (("JRN3", Severity.ERROR),)
    assert again.sources["journeys/more.journey"].text == WRONG


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "journeys/more.journey").write_text(WRONG + " "),
        lambda root: (root / "journeys/new.journey").write_text("# nothing\n"),
        lambda root: (root / "journeys/more.journey").unlink(),
        lambda root: (root / "journeys/more.journey").rename(root / "journeys/other.journey"),
        lambda root: (root / "templates/welcome/hello.email.html").write_text("<p>Hi</p>"),
        lambda root: (root / "templates/welcome/hello.push.txt").write_text("Hi"),
        lambda root: (root / "journey.toml").write_text(CONFIG),
    ],
)
def test_any_change_is_looked_at(
    root: Path, looked: list[Path], change: Callable[[Path], object]
) -> None:
    check(root, cached=True)
    change(root)
    check(root, cached=True)
    assert looked == [root, root]


def test_a_list_is_part_of_it(root: Path, looked: list[Path]) -> None:
    text = 'segment fair "Fair" = in list "lists/fair.csv"\n'
    (root / "journeys" / "fair.journey").write_text(text)
    check(root, cached=True)
    (root / "lists").mkdir()
    (root / "lists" / "fair.csv").write_text("email\na@b.example\n")
    check(root, cached=True)
    check(root, cached=True)
    assert looked == [root, root]


def test_another_version_looks_anew(
    root: Path, looked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    check(root, cached=True)
    monkeypatch.setattr(inputs, "__version__", "99.0")
    check(root, cached=True)
    assert looked == [root, root]


def _with_digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda data: data[:-5],
        lambda data: data.replace(b"signd", b"sigmd"),
        lambda data: b"\xff\xfe" + data,
        lambda _: _with_digest(b"[]"),
        lambda _: _with_digest(b"not json"),
        lambda data: _with_digest(data.partition(b"\n")[2].replace(b'"JRN101"', b'"JRN999"')),
        lambda data: _with_digest(data.partition(b"\n")[2].replace(b'"fix"', b'"fax"')),
        lambda data: _with_digest(
            data.partition(b"\n")[2].replace(b'"checked":3', b'"checked":[]')
        ),
    ],
)
def test_a_cache_that_is_not_whole_is_ignored(
    root: Path, cache: Path, looked: list[Path], spoil: Callable[[bytes], bytes]
) -> None:
    first = check(root, cached=True)
    (file,) = cache.iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    assert check(root, cached=True).diagnostics == first.diagnostics
    assert looked == [root, root]
    # And it is made whole again.
    check(root, cached=True)
    assert looked == [root, root]


def test_what_cannot_be_read_is_not_remembered(root: Path, cache: Path, looked: list[Path]) -> None:
    (root / "journeys" / "gone.journey").symlink_to("nowhere")
    check(root, cached=True)
    check(root, cached=True)
    assert looked == [root, root]


def test_without_a_folder_it_works_all_the_same(
    root: Path, cache: Path, looked: list[Path]
) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert check(root, cached=True).diagnostics
    assert check(root, cached=True).diagnostics
    assert looked == [root, root]


def test_it_is_plain_json_and_only_of_some_projects(root: Path, cache: Path) -> None:
    check(root, cached=True)
    (file,) = cache.iterdir()
    assert json.loads(file.read_bytes().partition(b"\n")[2])["checked"] == 3
    for number in range(80):
        (cache / f"{number}.json").write_text("old")
    (root / "journeys" / "more.journey").unlink()
    check(root, cached=True)
    assert len(list(cache.iterdir())) == 64
    assert file.exists()
