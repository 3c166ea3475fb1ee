"""A small shop and the demo's project, made once for all tests that only read them."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from journeylang import resources
from journeylang.analysis.check import check_files
from journeylang.demo.shop import Shop, make
from journeylang.model.project import Project
from journeylang.source import Source
from journeylang.syntax.parse import parse

SMALL = Shop(customers=4_000)


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "acme.duckdb"
    make(path, SMALL)
    return path


@pytest.fixture
def shop(shop_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(shop_file, read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def project() -> Project:
    outcomes = [
        parse(Source(path=path.name, text=path.read_text("utf-8")))
        for path in sorted(resources.journeys().glob("*.journey"))
    ]
    files = [outcome.value for outcome in outcomes if outcome.value is not None]
    checked = check_files(files)
    assert checked.diagnostics == ()
    assert checked.value is not None
    return checked.value
