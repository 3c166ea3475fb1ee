"""`journey init --from` a database: what is drafted passes `check`, and is true of the tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from journeylang.engines.catalog import described
from journeylang.loading.checking import check
from journeylang.loading.project import load
from journeylang.runtime.setup import lay_foundation
from journeylang.runtime.soundness import examine
from tests.draft.schemas import PLAIN, SEGMENT, SHOPIFY
from tests.engines.databases import ENGINES, open_engine
from tests.engines.server import new_database
from tests.examples import test_cdnow, test_hillstrom
from tests.examples.examples import Example

SCHEMAS = {"plain": PLAIN, "segment": SEGMENT, "shopify": SHOPIFY}


def there(engine: str, schema: str, folder: Path) -> str:
    """A database with the schema's tables, and where it is."""
    place = new_database() if engine == "postgres" else str(folder / "warehouse.duckdb")
    opened = open_engine(engine, place)
    for statement in SCHEMAS[schema].split(";\n"):
        if statement.strip():
            opened.execute(statement)
    opened.close()
    return place


def begun(source: str, folder: Path, *options: str) -> tuple[int, str]:
    """`journey init` in `folder`, from a source."""
    ran = CliRunner().invoke(cli, ["init", str(folder), "--from", source, *options])
    return ran.exit_code, ran.output


def binding(folder: Path) -> str:
    """What was drafted for the project in `folder`."""
    return (folder / "project/journeys/binding.journey").read_text(encoding="utf-8")


def block(text: str, head: str) -> str:
    """A declaration of the draft without the reasons, by how it begins."""
    found = re.search(rf"(?ms)^{re.escape(head)}.*?^}}", text)
    assert found is not None, f"no `{head}` in\n{text}"
    return re.sub(r" *# guess:.*", "", found[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_draft_passes_check_and_is_true_of_the_tables(
    engine: str, schema: str, tmp_path: Path
) -> None:
    place = there(engine, schema, tmp_path)
    code, said = begun(place, tmp_path / "project")
    assert code == 0, said
    checking = check(tmp_path / "project")
    assert [(found.code.id, found.message) for found in checking.diagnostics] == []
    project = load(tmp_path / "project").outcome.value
    assert project is not None
    opened = open_engine(engine, place)
    lay_foundation(opened)
    found = examine(opened, project.project)
    opened.close()
    assert [(told.code.id, told.message) for told in found.diagnostics] == []


def drafted(schema: str, folder: Path) -> str:
    """The draft of a schema in DuckDB."""
    code, said = begun(there("duckdb", schema, folder), folder / "project")
    assert code == 0, said
    return binding(folder)


def test_a_shop_of_ones_own(tmp_path: Path) -> None:
    text = drafted("plain", tmp_path)
    customers = block(text, "customers from shop.clients")
    assert "key c.id" in customers
    assert 'timezone c.time_zone else "UTC"' in customers
    assert "field mobile: text? = c.phone pii" in customers
    assert "only where c.deleted_at is unknown" in customers
    assert "# not bound: tags" in text
    sale = block(text, "event order_placed from shop.sales")
    assert "key s.sale_no" in sale
    assert "customer s.client" in sale
    assert "at s.sold_on late 6h" in sale
    assert "field total: money(GBP) = s.total_cents / 100" in sale
    assert "signed_up" in text
    assert "when customer.accepts_newsletter = true" in text
    assert "consent sms_marketing when customer.sms_opt_in = true" in text
    assert "value { revenue: order_placed.total }" in text
    assert "field price: money(GBP)" in block(text, "catalog articles from shop.articles")
    assert "shop.sale_lines: no column says which customer" in text


def test_the_layout_of_segment(tmp_path: Path) -> None:
    text = drafted("segment", tmp_path)
    assert "key u.id" in block(text, "customers from site.users")
    order = block(text, "event order_completed from site.order_completed")
    assert "customer o.user_id" in order
    assert "at o.timestamp" in order
    assert "changed at o.received_at" in order
    assert "field revenue: money(USD)?" in order
    assert "context" not in text
    assert "site.tracks: each of its events has a table of its own" in text
    # What the runtime calls so is of its own messages.
    assert "event email_opened from" in text
    assert "event page_viewed from site.pages" in text
    assert "site.identifies: who somebody is, not what happened" in text
    assert "consent email_marketing when customer.marketing_opt_in = true" in text


def test_the_layout_of_shopify(tmp_path: Path) -> None:
    text = drafted("shopify", tmp_path)
    order = block(text, "event order_placed from shopify.order")
    assert "at o.processed_at" in order
    assert "changed at o._fivetran_synced" in order
    assert "field total_price: money(USD)?" in order
    assert 'field note_attributes: text? = o."Note Attributes"' in order
    assert "only where o.cancelled_at is unknown and not o.test = true" in order
    assert 'when customer.email_marketing_consent_state = "subscribed"' in text
    # Nobody has agreed to text messages, as far as can be seen: there is no such channel.
    assert "channel sms" not in re.sub(r"(?m)^#.*$", "", text)
    assert "# channel sms { address: customer.mobile" in text
    assert "event cart_abandoned from shopify.abandoned_checkout" in text
    assert "value { revenue: order_placed.total_price }" in text


def test_columns_that_an_index_only_carries_are_no_key(tmp_path: Path) -> None:
    opened = open_engine("postgres")
    opened.execute("CREATE TABLE customers (id INTEGER, no INTEGER, email TEXT)")
    opened.execute("CREATE UNIQUE INDEX ON customers (no) INCLUDE (email)")
    (table,) = described(opened)
    opened.close()
    assert table.parts == ("public", "customers")
    assert table.unique == (("no",),)


def test_without_customers_nothing_is_written(tmp_path: Path) -> None:
    opened = open_engine("duckdb", str(tmp_path / "clicks.duckdb"))
    opened.execute("CREATE TABLE clicks (id INTEGER, page VARCHAR)")
    opened.close()
    code, said = begun(str(tmp_path / "clicks.duckdb"), tmp_path / "project")
    assert code == 2
    assert "JRN882" in said
    assert "there are clicks" in said
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("nothing.duckdb", "JRN801"),
        ("env:NO_SUCH_VARIABLE", "JRN810"),
        ("mysql://me@db/shop", "JRN009"),
        ("postgresql://me:secret@db/shop", "JRN883"),
        ("postgresql://me@127.0.0.1:1/shop", "JRN801"),
        ("nothing.json", "JRN881"),
    ],
)
def test_what_cannot_be_read_is_told_with_a_way_out(source: str, code: str, tmp_path: Path) -> None:
    exit_code, said = begun(source, tmp_path / "project")
    assert exit_code == 2
    assert code in said
    assert "= help: " in said
    assert "secret@" not in said
    assert not (tmp_path / "project").exists()


def test_a_project_that_is_there_is_kept(tmp_path: Path) -> None:
    place = there("duckdb", "plain", tmp_path)
    assert begun(place, tmp_path / "project")[0] == 0
    (tmp_path / "project/journeys/binding.journey").write_text("language 1\n", encoding="utf-8")
    code, said = begun(place, tmp_path / "project")
    assert code == 1
    assert "this is a project already" in said
    assert binding(tmp_path) == "language 1\n"


def test_an_address_of_a_variable_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", there("postgres", "plain", tmp_path))
    code, said = begun("env:SHOP_URL", tmp_path / "project", "--currency", "CHF")
    assert code == 0, said
    config = (tmp_path / "project/journey.toml").read_text(encoding="utf-8")
    assert 'database = "env:SHOP_URL"' in config
    assert 'channels = { email = "file", sms = "file" }' in config


def test_a_file_that_a_variable_names_is_named_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_FILE", there("duckdb", "plain", tmp_path))
    assert begun("env:SHOP_FILE", tmp_path / "project")[0] == 0
    config = (tmp_path / "project/journey.toml").read_text(encoding="utf-8")
    assert 'database = "env:SHOP_FILE"' in config


def test_line_ends_in_names_and_values_add_no_line(tmp_path: Path) -> None:
    opened = open_engine("duckdb", str(tmp_path / "odd.duckdb"))
    opened.execute(
        'CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR, "Order\nNote" INTEGER[])'
    )
    opened.execute(
        "CREATE TABLE consents (customer_id INTEGER, changed_at TIMESTAMP, status VARCHAR)"
    )
    opened.execute(
        "INSERT INTO consents VALUES (1, now()::TIMESTAMP, 'yes'),"
        " (2, now()::TIMESTAMP, E'no\nchannel sms { address: customer.email }')"
    )
    opened.close()
    assert begun(str(tmp_path / "odd.duckdb"), tmp_path / "project")[0] == 0
    text = binding(tmp_path)
    assert "\nchannel sms" not in text
    assert [found.message for found in check(tmp_path / "project").diagnostics] == []


@pytest.mark.slow
@pytest.mark.parametrize("example", ["cdnow", "hillstrom"])
def test_the_examples_data(example: str, tmp_path: Path) -> None:
    made_up = {"cdnow": test_cdnow.made_up, "hillstrom": test_hillstrom.made_up}[example]
    real = {"cdnow": test_cdnow.REAL, "hillstrom": test_hillstrom.REAL}[example]
    source = Path(real) if real else made_up(tmp_path / "source", 100)
    loaded = Example.copy(example, tmp_path / "example")
    done = loaded.python("load.py", str(source), str(tmp_path / "shop_data.duckdb"))
    assert done.returncode == 0, done.stderr
    code, said = begun(str(tmp_path / "shop_data.duckdb"), tmp_path / "project")
    assert code == 0, said
    text = binding(tmp_path)
    assert "key c.customer_id" in block(text, "customers from shop.customers")
    assert "at p.purchased_at" in block(text, "event purchased from shop.purchases")
    assert ("consent email_marketing from shop.consents" in text) == (example == "cdnow")
    assert [found.message for found in check(tmp_path / "project").diagnostics] == []
