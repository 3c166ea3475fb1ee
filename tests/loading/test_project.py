"""Loading a folder: what is read, and what is told about what cannot be."""

import os
from pathlib import Path

import pytest

from journeylang.loading.find import find_project
from journeylang.loading.project import Loading, load
from tests.loading.folder import BINDING, WELCOME, write


def told(loading: Loading) -> list[tuple[str, str]]:
    """(code, message) of everything found."""
    return [(d.code.id, d.message) for d in loading.diagnostics]


def test_a_project_that_is_right(tmp_path: Path) -> None:
    root = write(tmp_path, templates__welcome__hello_dot_email_dot_txt="Hello {{ journey }}")
    loading = load(root, "dev")
    assert told(loading) == []
    assert loading.checked == 2
    loaded = loading.outcome.value
    assert loaded is not None
    assert list(loaded.project.journeys) == ["welcome"]
    assert loaded.config.env["dev"].database == "acme.duckdb"
    files = loaded.templates["welcome/hello", "email"]
    assert [file.extension for file in files] == ["html", "txt"]
    assert loaded.uses["welcome/hello", "email"].functions == {"journey", "unsubscribe_url"}
    assert sorted(loaded.template_texts()) == [
        "welcome/hello.email.html",
        "welcome/hello.email.txt",
    ]
    assert "journeys/welcome.journey" in loaded.sources


def test_a_project_is_found_from_within(tmp_path: Path) -> None:
    root = write(tmp_path / "acme")
    assert find_project(root) == root
    assert find_project(root / "templates" / "welcome") == root
    assert find_project(root / "journeys" / "welcome.journey") == root
    assert find_project(tmp_path) is None


def test_files_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        journeys__z="segment a = customer.email is known",
        journeys__deep__er__a="segment a = customer.email is known",
    )
    (found,) = load(root).diagnostics
    assert found.span is not None
    assert (found.code.id, found.span.path) == ("JRN110", "journeys/z.journey")


def test_syntax_errors_hide_nothing_else_and_invent_nothing(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        journeys__binding=BINDING.replace("policy standard {", "policy standard ((("),
        journeys__other='segment a = customer.email = 5 and in segment b\nsegment c = "x" > 5',
    )
    codes = [code for code, _ in told(load(root))]
    assert "JRN001" in codes or "JRN008" in codes
    assert codes.count("JRN102") >= 1
    assert "JRN101" not in codes


def test_an_empty_project(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text('[project]\nname = "acme"\n')
    loading = load(tmp_path)
    assert told(loading) == [("JRN112", "the project has no *.journey file in `journeys/`")]
    assert loading.checked == 0


def test_an_empty_file_is_no_mistake(tmp_path: Path) -> None:
    assert told(load(write(tmp_path, journeys__empty="", journeys__comment="# nothing"))) == []


def test_a_folder_that_is_called_like_a_file(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "journeys" / "old.journey").mkdir()
    assert told(load(root)) == [("JRN814", "`journeys/old.journey` is a folder")]


def test_a_link_to_nothing(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "journeys" / "old.journey").symlink_to("../gone.journey")
    message = "`journeys/old.journey` is a link to `../gone.journey`, which is not there"
    assert told(load(root)) == [("JRN814", message)]


def test_links_in_a_circle(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "journeys" / "again").symlink_to(root / "journeys", target_is_directory=True)
    (root / "journeys" / "self.journey").symlink_to("self.journey")
    codes = [code for code, _ in told(load(root))]
    # The folder is read once more by its other name: everything in it is there twice.
    assert "JRN814" in codes


def test_a_linked_folder_is_read(tmp_path: Path) -> None:
    root = write(tmp_path / "acme")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "more.journey").write_text("segment a = nothing > 5")
    (root / "journeys" / "shared").symlink_to(tmp_path / "shared", target_is_directory=True)
    assert told(load(root)) == [("JRN101", "unknown metric `nothing`")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "journeys" / "welcome.journey").chmod(0)
    message = "`journeys/welcome.journey` cannot be read: permission denied"
    assert told(load(root)) == [("JRN814", message)]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "journeys" / "welcome.journey").write_bytes(b"segment \xff = 1")
    (root / "templates" / "welcome" / "hello.email.html").write_bytes(b"Gr\xfc\xdfe")
    (root / "journeys" / "utf16.journey").write_bytes("segment".encode("utf-16"))
    assert [code for code, _ in told(load(root))] == ["JRN002", "JRN002"]


def test_a_template_that_is_no_text(tmp_path: Path) -> None:
    root = write(tmp_path)
    (root / "templates" / "welcome" / "hello.email.html").write_bytes(b"Gr\xfc\xdfe")
    ((code, message),) = told(load(root))
    assert (code, message) == (
        "JRN002",
        "the bytes `fc` are not UTF-8",
    )


def test_a_missing_template(tmp_path: Path) -> None:
    root = write(tmp_path, journeys__welcome=WELCOME.replace("email", 'email "welcome/helo"'))
    ((code, message),) = told(load(root))
    assert (code, message) == ("JRN108", "`welcome/helo` has no template for `email`")


def test_templates_are_read_with_what_they_include(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        templates__welcome__hello_dot_email_dot_html="---\nsubject: x\n---\n"
        '{% extends "base.html" %}',
        templates__base_dot_html='{% include "foot.html" %}{% include "../secret.html" %}',
        templates__foot_dot_html="{{ customer.emial }}",
    )
    loading = load(root)
    assert told(loading) == [
        ("JRN108", "no template `../secret.html`"),
        ("JRN106", "unknown field `customer.emial`"),
    ]
    assert loading.outcome.value is not None
    assert set(loading.outcome.value.template_texts()) == {
        "welcome/hello.email.html",
        "base.html",
        "foot.html",
    }


def test_zones_are_those_of_the_zone_database(tmp_path: Path) -> None:
    root = write(tmp_path, journeys__binding=BINDING.replace("Europe/Berlin", "Berlin"))
    (found,) = load(root).diagnostics
    assert (found.code.id, found.help) == ("JRN115", "did you mean `Europe/Berlin`?")


def test_an_unknown_environment(tmp_path: Path) -> None:
    (found,) = load(write(tmp_path), "prod").diagnostics
    assert (found.code.id, found.message) == (
        "JRN816",
        "no environment `prod` in `journey.toml`",
    )
    assert found.help == "there is `dev`"


def test_without_settings_the_rest_is_checked(tmp_path: Path) -> None:
    root = write(tmp_path, journey_dot_toml="[project", journeys__more="segment a = nothing > 5")
    loading = load(root)
    assert loading.outcome.value is None
    assert [code for code, _ in told(loading)] == ["JRN809", "JRN101"]
