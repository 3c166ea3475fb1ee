"""Four schemas as others make them: a shop's own, Segment's, Shopify's, and a dbt project's."""

from __future__ import annotations

PLAIN = """
CREATE SCHEMA shop;
CREATE TABLE shop.clients (
  id INTEGER PRIMARY KEY, email VARCHAR, phone VARCHAR, first_name VARCHAR, city VARCHAR,
  time_zone VARCHAR, accepts_newsletter BOOLEAN, sms_opt_in BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL, deleted_at TIMESTAMP, tags TEXT[]
);
CREATE TABLE shop.sales (
  sale_no INTEGER PRIMARY KEY, client INTEGER REFERENCES shop.clients (id),
  total_cents BIGINT NOT NULL, currency VARCHAR, sold_on DATE NOT NULL, state VARCHAR
);
CREATE TABLE shop.sale_lines (
  sale_no INTEGER REFERENCES shop.sales (sale_no), line INTEGER, sku VARCHAR,
  PRIMARY KEY (sale_no, line)
);
CREATE TABLE shop.articles (
  sku VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, price NUMERIC(10, 2) NOT NULL
);
INSERT INTO shop.clients VALUES
  (1, 'ada@acme.example', '+493000001', 'Ada', 'Berlin', 'Europe/Berlin', TRUE, FALSE,
   TIMESTAMP '2026-01-01 10:00:00', NULL, NULL),
  (2, 'ben@acme.example', NULL, 'Ben', 'Bonn', NULL, FALSE, TRUE,
   TIMESTAMP '2026-01-02 10:00:00', NULL, NULL);
INSERT INTO shop.sales VALUES
  (1, 1, 1999, 'GBP', DATE '2026-01-05', 'paid'),
  (2, 1, 500, 'GBP', DATE '2026-02-05', 'cancelled');
INSERT INTO shop.sale_lines VALUES (1, 1, 'tea');
INSERT INTO shop.articles VALUES ('tea', 'Tea', 4.99);
"""

SEGMENT = """
CREATE SCHEMA site;
CREATE TABLE site.identifies (
  id VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, email VARCHAR, received_at TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ, context_ip VARCHAR
);
CREATE TABLE site.users (
  id VARCHAR, email VARCHAR, first_name VARCHAR, plan VARCHAR, marketing_opt_in BOOLEAN,
  created_at TIMESTAMPTZ, context_library_name VARCHAR, received_at TIMESTAMPTZ,
  uuid_ts TIMESTAMPTZ
);
CREATE TABLE site.tracks (
  id VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, event VARCHAR, event_text VARCHAR,
  received_at TIMESTAMPTZ, original_timestamp TIMESTAMPTZ, sent_at TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ, context_ip VARCHAR
);
CREATE TABLE site.order_completed (
  id VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, event VARCHAR, event_text VARCHAR,
  received_at TIMESTAMPTZ, original_timestamp TIMESTAMPTZ, sent_at TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ, context_ip VARCHAR, order_id VARCHAR, revenue DOUBLE PRECISION,
  currency VARCHAR
);
CREATE TABLE site.email_opened (
  id VARCHAR, user_id VARCHAR, event VARCHAR, event_text VARCHAR, received_at TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ
);
CREATE TABLE site.pages (
  id VARCHAR, user_id VARCHAR, anonymous_id VARCHAR, received_at TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ, name VARCHAR, path VARCHAR, url VARCHAR, context_user_agent VARCHAR
);
INSERT INTO site.users VALUES ('u1', 'ada@acme.example', 'Ada', 'pro', TRUE,
  TIMESTAMPTZ '2026-01-01 10:00:00+00', 'js', TIMESTAMPTZ '2026-01-01 10:00:05+00', NULL);
INSERT INTO site.tracks VALUES ('e1', 'u1', 'a1', 'order_completed', 'Order Completed',
  TIMESTAMPTZ '2026-01-05 10:00:05+00', NULL, NULL, TIMESTAMPTZ '2026-01-05 10:00:00+00', NULL);
INSERT INTO site.order_completed VALUES ('e1', 'u1', 'a1', 'order_completed', 'Order Completed',
  TIMESTAMPTZ '2026-01-05 10:00:05+00', NULL, NULL, TIMESTAMPTZ '2026-01-05 10:00:00+00', NULL,
  'o1', 19.99, 'USD');
"""

# As the connectors of loaders write what Shopify's interface tells.
SHOPIFY = """
CREATE SCHEMA shopify;
CREATE TABLE shopify.customer (
  id BIGINT PRIMARY KEY, email VARCHAR, phone VARCHAR, first_name VARCHAR, last_name VARCHAR,
  created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, orders_count INTEGER,
  total_spent DOUBLE PRECISION, currency VARCHAR, note VARCHAR, verified_email BOOLEAN,
  email_marketing_consent_state VARCHAR, sms_marketing_consent_state VARCHAR,
  _fivetran_synced TIMESTAMPTZ, _fivetran_deleted BOOLEAN
);
CREATE TABLE shopify."order" (
  id BIGINT PRIMARY KEY, customer_id BIGINT, created_at TIMESTAMPTZ, processed_at TIMESTAMPTZ,
  updated_at TIMESTAMPTZ, cancelled_at TIMESTAMPTZ, total_price DOUBLE PRECISION,
  subtotal_price DOUBLE PRECISION, total_tax DOUBLE PRECISION, currency VARCHAR,
  financial_status VARCHAR, test BOOLEAN, "Note Attributes" VARCHAR,
  _fivetran_synced TIMESTAMPTZ, _fivetran_deleted BOOLEAN
);
CREATE TABLE shopify.order_line (
  id BIGINT PRIMARY KEY, order_id BIGINT, product_id BIGINT, quantity INTEGER,
  price DOUBLE PRECISION
);
CREATE TABLE shopify.abandoned_checkout (
  id BIGINT PRIMARY KEY, customer_id BIGINT, created_at TIMESTAMPTZ, total_price DOUBLE PRECISION,
  abandoned_checkout_url VARCHAR, _fivetran_synced TIMESTAMPTZ
);
CREATE TABLE shopify.product (
  id BIGINT PRIMARY KEY, title VARCHAR, vendor VARCHAR, status VARCHAR
);
INSERT INTO shopify.customer VALUES (7, 'ada@acme.example', '+15550001', 'Ada', 'L',
  TIMESTAMPTZ '2026-01-01 10:00:00+00', NULL, 1, 20, 'USD', NULL, TRUE, 'subscribed',
  'not_subscribed', TIMESTAMPTZ '2026-01-01 11:00:00+00', FALSE),
  (8, 'ben@acme.example', NULL, 'Ben', 'M', TIMESTAMPTZ '2026-01-01 10:00:00+00', NULL, 0, 0, 'USD',
  NULL, TRUE, 'unsubscribed', NULL, TIMESTAMPTZ '2026-01-01 11:00:00+00', FALSE);
INSERT INTO shopify."order" VALUES (1, 7, TIMESTAMPTZ '2026-01-05 10:00:00+00', NULL, NULL, NULL,
  20, 18, 2, 'USD', 'paid', FALSE, NULL, TIMESTAMPTZ '2026-01-05 11:00:00+00', FALSE);
"""


def column(name: str, data_type: str | None = None) -> dict[str, object]:
    """A column as a manifest tells it."""
    return {"name": name, "data_type": data_type, "description": ""}


def model(name: str, schema: str, *columns: dict[str, object], **more: object) -> dict[str, object]:
    """A model as a manifest tells it."""
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "database": "warehouse",
        "columns": {str(c["name"]): c for c in columns},
        "config": {"materialized": "table"},
        **more,
    }


def data_test(of: str, name: str, column_name: str, **kwargs: object) -> dict[str, object]:
    """A generic test as a manifest tells it."""
    return {
        "resource_type": "test",
        "name": f"{name}_{column_name}",
        "attached_node": f"model.acme.{of}",
        "depends_on": {"nodes": [f"model.acme.{of}"]},
        "test_metadata": {"name": name, "kwargs": {"column_name": column_name, **kwargs}},
    }


def manifest(version: int = 12) -> dict[str, object]:
    """A dbt project with staging models behind marts, tests, a source and an ephemeral model."""
    nodes = {
        "model.acme.stg_customers": model("stg_customers", "staging", column("customer_id")),
        "model.acme.dim_customers": model(
            "dim_customers",
            "marts",
            column("customer_id"),
            column("email"),
            column("is_subscribed", "boolean"),
            column("first_order_date"),
            column("lifetime_value"),
        ),
        "model.acme.stg_orders": model(
            "stg_orders", "staging", column("order_id"), column("customer_id"), column("ordered_at")
        ),
        "model.acme.fct_orders": model(
            "fct_orders",
            "marts",
            column("order_id"),
            column("customer_id"),
            column("ordered_at"),
            column("status"),
            column("order_total"),
        ),
        "model.acme.int_helper": model(
            "int_helper", "marts", column("x"), config={"materialized": "ephemeral"}
        ),
        "model.acme.fct_bare": model("fct_bare", "marts"),
        "test.acme.1": data_test("dim_customers", "unique", "customer_id"),
        "test.acme.2": data_test("dim_customers", "not_null", "customer_id"),
        "test.acme.3": data_test("fct_orders", "unique", "order_id"),
        "test.acme.4": data_test(
            "fct_orders", "relationships", "customer_id", to="ref('dim_customers')",
            field="customer_id",
        ),
        "test.acme.5": data_test(
            "fct_orders", "accepted_values", "status", values=["placed", "cancelled"]
        ),
    }  # fmt: skip
    source = {
        "resource_type": "source",
        "name": "clicks",
        "identifier": "raw_clicks",
        "schema": "landing",
        "columns": {"id": column("id"), "customer_id": column("customer_id")},
    }
    return {
        "metadata": {
            "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{version}.json",
            "adapter_type": "duckdb",
        },
        "nodes": nodes,
        "sources": {"source.acme.web.clicks": source},
    }


CATALOG = {
    "nodes": {
        "model.acme.dim_customers": {
            "columns": {
                "customer_id": {"name": "customer_id", "type": "INTEGER", "index": 1},
                "email": {"name": "email", "type": "VARCHAR", "index": 2},
                "mobile": {"name": "mobile", "type": "VARCHAR", "index": 3},
                "is_subscribed": {"name": "is_subscribed", "type": "BOOLEAN", "index": 4},
                "lifetime_value": {"name": "lifetime_value", "type": "DECIMAL(18,2)", "index": 5},
            }
        }
    },
    "sources": {},
}
