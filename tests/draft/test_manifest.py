"""A binding drafted from a dbt project's manifest, and manifests that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from journeylang.draft.manifest import Manifest, ManifestError
from journeylang.loading.checking import check
from tests.draft.schemas import CATALOG, manifest
from tests.draft.test_init_from import begun, binding, block


def written(folder: Path, told: object, catalog: object = None) -> Path:
    """`target/` of a dbt project; where its manifest is."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    (target / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    if catalog is not None:
        (target / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    return target / "manifest.json"


@pytest.mark.parametrize("version", [4, 7, 12, 13])
def test_marts_are_bound_and_staging_is_not(version: int, tmp_path: Path) -> None:
    written(tmp_path, manifest(version), CATALOG)
    # The project's folder says where its manifest is.
    code, said = begun(str(tmp_path), tmp_path / "project")
    assert code == 0, said
    text = binding(tmp_path)
    customers = block(text, "customers from marts.dim_customers")
    assert "key c.customer_id" in customers
    assert "field mobile: text?" in customers
    assert "field lifetime_value: money(EUR)?" in customers
    order = block(text, "event order_placed from marts.fct_orders")
    assert "key o.order_id" in order
    assert "customer o.customer_id" in order
    assert "at o.ordered_at" in order
    assert 'only where o.status != "cancelled"' in order
    assert "staging.stg_orders: the same as marts.fct_orders" in text
    assert "int_helper" not in text
    assert "landing.raw_clicks: no column says when" in text
    assert "of 1 models no column is told" in said or "of 1 model no column is told" in said
    assert [str(found) for found in check(tmp_path / "project").diagnostics] == []


def test_without_a_catalog_types_are_guessed_from_names(tmp_path: Path) -> None:
    written(tmp_path, manifest())
    assert begun(str(tmp_path / "target/manifest.json"), tmp_path / "project")[0] == 0
    text = binding(tmp_path)
    assert "field first_order_date: date?  # guess: its type, by its name" in text
    assert [str(found) for found in check(tmp_path / "project").diagnostics] == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "metadata"),
        ([], "no manifest of dbt"),
        ({"metadata": {}, "nodes": {}}, "it says no version"),
        (manifest(3), "version 3"),
        ({**manifest(), "nodes": {"model.acme.x": {"columns": 3}}}, "columns"),
        ({**manifest(), "nodes": []}, "nodes"),
    ],
)
def test_what_is_no_manifest_is_refused(told: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        Manifest(written(tmp_path, told))
    code, said = begun(str(tmp_path), tmp_path / "project")
    assert code == 2
    assert "JRN881" in said
    assert not (tmp_path / "project").exists()


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, manifest())
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ManifestError, match="no manifest of dbt"):
        Manifest(path)


def test_a_catalog_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no catalog of dbt"):
        Manifest(written(tmp_path, manifest(), []))


def test_a_part_of_a_key_is_none(tmp_path: Path) -> None:
    told = manifest()
    nodes = told["nodes"]
    assert isinstance(nodes, dict)
    nodes["model.acme.fct_orders"]["constraints"] = [
        {"type": "primary_key", "columns": ["status", "not_documented"]}
    ]
    (orders,) = (t for t in Manifest(written(tmp_path, told)).tables if t.name == "fct_orders")
    assert orders.primary == ()
    assert [c.name for c in orders.columns if c.unique] == ["order_id"]
