"""What a dbt project says of its models: `target/manifest.json`, and `catalog.json` beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from journeylang.draft.tables import Column, Table, kind_of, with_keys

OLDEST = 4
"""The manifest of dbt 1.0, which is the first that has all of this where it is still."""

LARGEST = 256 * 1024 * 1024
"""Bytes: the manifests of the largest projects have some tens of millions."""

_VERSION = re.compile(r"/manifest/v(\d+)(\.\d+)?\.json$")
_REF = re.compile(r"""(?:ref|source)\(\s*(?:['"][^'"]*['"]\s*,\s*)?['"]([^'"]+)['"]""")


class ManifestError(Exception):
    """It can't be read, or is no manifest; `way_out` says what to do."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Constraint(_Loose):
    type: str
    columns: list[str] | None = None


class _Column(_Loose):
    name: str
    data_type: str | None = None
    constraints: list[_Constraint] = Field(default_factory=list)


class _Test(_Loose):
    name: str = ""
    kwargs: dict[str, Any] = Field(default_factory=dict)


class _Depends(_Loose):
    nodes: list[str] = Field(default_factory=list)


class _Node(_Loose):
    resource_type: str = ""
    name: str = ""
    alias: str | None = None
    identifier: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    columns: dict[str, _Column] = Field(default_factory=dict)
    constraints: list[_Constraint] = Field(default_factory=list)
    config: dict[str, Any] = Field(default_factory=dict)
    test_metadata: _Test | None = None
    attached_node: str | None = None
    depends_on: _Depends = Field(default_factory=_Depends)

    @property
    def parts(self) -> tuple[str, ...]:
        name = self.identifier or self.alias or self.name
        return (self.schema_, name) if self.schema_ else (name,)


class _Metadata(_Loose):
    dbt_schema_version: str = ""
    adapter_type: str | None = None


class _Manifest(_Loose):
    metadata: _Metadata
    nodes: dict[str, _Node]
    sources: dict[str, _Node] = Field(default_factory=dict)


class _CatalogColumn(_Loose):
    name: str
    type: str = ""
    index: int = 0


class _CatalogNode(_Loose):
    columns: dict[str, _CatalogColumn] = Field(default_factory=dict)


class _Catalog(_Loose):
    nodes: dict[str, _CatalogNode] = Field(default_factory=dict)
    sources: dict[str, _CatalogNode] = Field(default_factory=dict)


class Manifest:
    """See `Source`. `adapter`: what the project runs on; `bare`: models whose columns nobody says.

    Raises:
        ManifestError: this is no manifest that can be read.
    """

    def __init__(self, path: Path) -> None:
        read = _manifest(path)
        catalog = _catalog(path.with_name("catalog.json"))
        self.adapter = read.metadata.adapter_type
        known = catalog.nodes | catalog.sources
        tests = list(_tests(read))
        relations = {
            unique_id: node
            for unique_id, node in (read.nodes | read.sources).items()
            if node.resource_type in ("model", "seed", "snapshot", "source")
            and node.config.get("materialized") != "ephemeral"
            and node.config.get("enabled", True)
        }
        self._values: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}
        self.bare: list[str] = []
        self.tables: Sequence[Table] = []
        by_name = {node.name: unique_id for unique_id, node in relations.items()}
        found = []
        for unique_id, node in relations.items():
            columns = _columns(node, known.get(unique_id))
            if not columns:
                self.bare.append(".".join(node.parts))
                continue
            found.append(self._table(node, columns, tests, unique_id, relations, by_name))
        self.tables = found

    def values(self, table: Table, column: Column) -> tuple[str, ...] | None:
        """See `Source`: those of a test `accepted_values`."""
        return self._values.get((table.parts, column.name.lower()))

    def unique(self, table: Table, column: Column) -> bool | None:
        """See `Source`: tested or declared so, or nobody says."""
        return True if column.unique else None

    def _table(
        self,
        node: _Node,
        columns: Sequence[tuple[str, str]],
        tests: Sequence[tuple[str, _Test]],
        unique_id: str,
        relations: Mapping[str, _Node],
        by_name: Mapping[str, str],
    ) -> Table:
        spelled = {name.lower(): name for name, _ in columns}
        unique: list[tuple[str, ...]] = []
        refers = []
        filled = set()
        primary: tuple[str, ...] = ()
        for constraint, names in _constraints(node):
            if not set(names) <= spelled.keys():
                # A part of a key is none.
                continue
            if constraint == "not_null":
                filled |= set(names)
            if constraint in ("unique", "primary_key"):
                unique.append(names)
            if constraint == "primary_key":
                primary = names
        for of, test in tests:
            column = str(test.kwargs.get("column_name") or "").strip('"').lower()
            if of != unique_id or column not in spelled:
                continue
            match test.name:
                case "unique":
                    unique.append((column,))
                case "not_null":
                    filled.add(column)
                case "accepted_values":
                    listed = test.kwargs.get("values") or ()
                    values = tuple(sorted(str(value) for value in listed))
                    self._values[node.parts, column] = values
                case "relationships":
                    to = _REF.search(str(test.kwargs.get("to") or ""))
                    target = relations.get(by_name.get(to[1], "")) if to else None
                    if target is not None:
                        field = str(test.kwargs.get("field") or "")
                        refers.append((spelled[column], target.parts, field))
                case _:
                    pass
        return with_keys(
            Table(
                parts=node.parts,
                columns=tuple(
                    Column(name=name, kind=kind_of(kind), nullable=name.lower() not in filled)
                    for name, kind in columns
                ),
                primary=tuple(spelled[name] for name in primary),
            ),
            [tuple(spelled[name] for name in names) for names in unique],
            refers,
        )


def _columns(node: _Node, told: _CatalogNode | None) -> list[tuple[str, str]]:
    """Names and types: the catalog has all of them, the manifest those that are documented."""
    documented = {c.name.lower(): c.data_type or "" for c in node.columns.values()}
    if told is not None and told.columns:
        ordered = sorted(told.columns.values(), key=lambda column: column.index)
        return [(c.name, c.type or documented.get(c.name.lower(), "")) for c in ordered]
    return [(c.name, c.data_type or "") for c in node.columns.values()]


def _constraints(node: _Node) -> Iterator[tuple[str, tuple[str, ...]]]:
    for column in node.columns.values():
        for constraint in column.constraints:
            yield constraint.type, (column.name.lower(),)
    for constraint in node.constraints:
        yield constraint.type, tuple(name.lower() for name in constraint.columns or ())


def _tests(read: _Manifest) -> Iterator[tuple[str, _Test]]:
    """Generic tests and the node that each is of."""
    for node in read.nodes.values():
        if node.resource_type != "test" or node.test_metadata is None:
            continue
        # Before dbt 1.4 nothing says whose it is: a test of one model depends on it alone; one of
        # a relationship depends on it last.
        nodes = node.depends_on.nodes
        of = node.attached_node or (nodes[-1] if nodes else "")
        yield of, node.test_metadata


def _manifest(path: Path) -> _Manifest:
    text = _text(path)
    again = "run `dbt parse`, or `dbt docs generate`, and give its `target/manifest.json`"
    try:
        read = _Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        told = f"{where}: {first['msg']}" if where else first["msg"]
        raise ManifestError(f"`{path}` is no manifest of dbt: {told}", again) from None
    version = _VERSION.search(read.metadata.dbt_schema_version)
    if version is None:
        told = read.metadata.dbt_schema_version or "it says no version"
        raise ManifestError(f"`{path}` is no manifest of dbt: {told}", again)
    if int(version[1]) < OLDEST:
        raise ManifestError(
            f"`{path}` is a manifest of version {version[1]}, of a dbt before 1.0", again
        )
    return read


def _catalog(path: Path) -> _Catalog:
    """What the warehouse says of the models, if it was asked; else nothing is known of types."""
    if not path.is_file():
        return _Catalog()
    try:
        return _Catalog.model_validate_json(_text(path))
    except ValidationError:
        raise ManifestError(
            f"`{path}` is no catalog of dbt", "run `dbt docs generate` again, or take it away"
        ) from None


def _text(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise ManifestError(
                f"`{path}` has more than {LARGEST // 1024**2} MiB",
                "give the manifest of the part that has the customers: `dbt parse --select …`",
            )
        return path.read_bytes()
    except OSError as error:
        raise ManifestError(
            f"`{path}` can't be read: {error.strerror}", "correct the path"
        ) from None
