"""Every way to install finds the grammar, the providers and the demo's project.

Distributions are built by the real back end and installed into environments of their own.
Those see the development environment's packages by PYTHONPATH, which does not read its
.pth files: the checkout is not on their path.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from journeylang import __version__

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = Path(pytest.__file__).resolve().parents[1]
DATA = ("grammar", "journeys", "providers")

PROBE = """
import pathlib, journeylang
from journeylang import resources
print(pathlib.Path(journeylang.__file__).resolve().parent)
for find in (resources.grammar, resources.journeys, resources.providers):
    print(find())
assert (resources.grammar() / "journey.lark").is_file()
assert (resources.providers() / "file" / "provider.toml").is_file()
assert (resources.providers() / "smtp" / "provider.toml").is_file()
assert (resources.journeys() / "journey.toml").is_file()
assert list(resources.journeys().rglob("*.journey"))
assert list((resources.journeys() / "templates").rglob("*.email.*"))
"""

pytestmark = pytest.mark.slow


def run(*command: str | Path, at: Path, path: Sequence[Path] = (), succeeds: bool = True) -> str:
    """What a command says; it runs in ``at`` with nothing but ``path`` on its Python path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    done = subprocess.run(
        list(map(str, command)),
        cwd=at,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is succeeds, said
    return said if not succeeds else done.stdout


def build(kind: str, source: Path, into: Path) -> Path:
    """The wheel or sdist of the tree ``source``."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", into, at=source)
    (made,) = into.iterdir()
    return made


def environment(folder: Path) -> Path:
    """A new, empty environment's Python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, at=folder.parent)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(python: Path, *what: str | Path) -> None:
    """Without dependencies and without any network."""
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "install", *options, *what, at=python.parent, path=[DEPENDENCIES])


def where_found(python: Path | str, at: Path, path: Sequence[Path] = ()) -> tuple[Path, list[Path]]:
    """The package's own folder, and those of its data, in the order of ``DATA``."""
    package, *data = map(Path, run(python, "-c", PROBE, at=at, path=path).splitlines())
    return package, data


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as a clone has it: no environment, no caches, nothing built."""
    copy = tmp_path_factory.mktemp("clone") / "journeylang"
    unwanted = shutil.ignore_patterns(
        *(".venv", ".git", ".*_cache", "__pycache__", ".hypothesis", "dist", "*.duckdb")
    )
    shutil.copytree(ROOT, copy, ignore=unwanted)
    return copy


@pytest.fixture(scope="module")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tree, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel_from_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        # The first releases of 3.11 have no filters, and the archive is our own.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(unpacked)  # noqa: S202
    (source,) = unpacked.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel_from_sdist"))


@pytest.mark.parametrize("kind", ["wheel", "wheel_from_sdist"])
def test_an_installed_wheel_is_whole(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = environment(tmp_path / "env")
    install(python, request.getfixturevalue(kind))
    package, data = where_found(python, tmp_path)
    assert package.is_relative_to((tmp_path / "env").resolve())
    assert data == [package / "_data" / name for name in DATA]
    journey = python.with_name("journey")
    assert run(journey, "--version", at=tmp_path, path=[DEPENDENCIES]) == f"journey {__version__}\n"


def test_an_editable_install_finds_the_checkout(tree: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    install(python, "-e", tree)
    package, data = where_found(python, tmp_path)
    assert package == tree / "src" / "journeylang"
    assert data == [tree / name for name in DATA]


def test_a_bare_checkout_is_enough(tree: Path, tmp_path: Path) -> None:
    package, data = where_found(sys.executable, tmp_path, [tree / "src"])
    assert package == tree / "src" / "journeylang"
    assert data == [tree / name for name in DATA]


def test_an_incomplete_installation_says_so(wheel: Path, tmp_path: Path) -> None:
    """Without its data, and with folders of the same names where the interpreter lives."""
    python = environment(tmp_path / "env")
    install(python, wheel)
    package, _ = where_found(python, tmp_path)
    shutil.rmtree(package / "_data")
    for name in DATA:
        (package.parent.parent / name).mkdir()
    call = "from journeylang import resources; resources.grammar()"
    said = run(python, "-c", call, at=tmp_path, succeeds=False)
    assert "the installation is incomplete: `grammar` is neither in" in said


def test_both_wheels_hold_the_same(wheel: Path, wheel_from_sdist: Path) -> None:
    held = [set(zipfile.ZipFile(path).namelist()) for path in (wheel, wheel_from_sdist)]
    assert held[0] == held[1]
    assert "journeylang/py.typed" in held[0]
    assert any(name.endswith("/licenses/LICENSE") for name in held[0])
    tops = {name.split("/", maxsplit=1)[0] for name in held[0]}
    assert tops == {"journeylang", f"journeylang-{__version__}.dist-info"}
