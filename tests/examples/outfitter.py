"""A small warehouse of the invented outfitter: everything that the programmes' binding names."""

from __future__ import annotations

from pathlib import Path

import duckdb

CUSTOMERS = 400

_TABLES = """
CREATE SCHEMA crm;
CREATE SCHEMA shop;
CREATE TABLE crm.customers AS SELECT n AS customer_id,
  (['Europe/Berlin', 'Europe/Lisbon', 'America/New_York'])[n % 3 + 1] AS tz, 'en-GB' AS lang,
  CASE n % 4 WHEN 0 THEN 'sms' WHEN 1 THEN 'email' END AS favourite_channel,
  TIMESTAMP '2026-01-01' AS updated_at, 'p' || n || '@acme.example' AS email,
  CASE WHEN n % 3 > 0 THEN '+49151' || (10000000 + n) END AS mobile,
  CASE WHEN n % 4 = 0 THEN 'token-' || n END AS push_token,
  'Hauptstr. ' || n || ', 10115 Berlin' AS postal_address, 'Ada' AS first_name,
  DATE '1980-01-01' + (n * 37 % 7000)::INT AS birth_date,
  CASE WHEN n % 5 = 0 THEN 'AT' ELSE 'DE' END AS country, 'silver' AS tier, n * 7 % 900 AS points,
  CASE WHEN n % 2 = 0 THEN 'REF' || n END AS referral_code, 4.5 AS acquisition_cost,
  NULL::TIMESTAMP AS deleted_at
FROM range(1, {customers} + 1) AS r (n);
CREATE TABLE crm.consents AS SELECT n AS customer_id, TIMESTAMP '2025-01-01' AS changed_at,
  CASE WHEN n % 9 > 0 THEN 'opt_in' ELSE 'opt_out' END AS status, 'form' AS source, topic
FROM range(1, {customers} + 1) AS r (n),
  (VALUES ('email'), ('sms'), ('phone'), ('digest')) AS t (topic);
CREATE TABLE shop.orders AS SELECT n * 10 + k AS order_id, n AS customer_id,
  TIMESTAMP '2026-03-01 10:00' - to_days(((n * 13 + k * 71) % 330 + 1)::INT) AS placed_at,
  40 + n % 200 AS total_amount, 20 AS cost_of_goods,
  (['boots', 'socks', 'wax', 'tents'])[(n + k) % 4 + 1] AS category, 'Thing ' || k AS product,
  NULL::TEXT AS coupon, 'paid' AS status
FROM range(1, {customers} + 1) AS r (n), range(0, 3) AS s (k) WHERE n % 5 > 0;
CREATE TABLE shop.products AS SELECT 'sku' || k AS sku, 'Thing ' || k AS title,
  (['boots', 'socks', 'wax', 'tents'])[k % 4 + 1] AS category, 10 + k AS price, 100 - k AS sold_30d,
  5 AS stock FROM range(0, 24) AS s (k);
CREATE TABLE shop.coupon_pool AS
  SELECT 'CB' || k AS code, 'COMEBACK' AS campaign FROM range(0, 500) AS s (k);
CREATE TABLE crm.signups AS SELECT n AS signup_id, n AS customer_id,
  TIMESTAMP '2026-01-01' AS signed_up_at, 'web' AS source FROM range(1, 60) AS r (n);
CREATE TABLE crm.size_profiles AS SELECT n AS profile_id, n AS customer_id,
  TIMESTAMP '2026-01-05' AS saved_at FROM range(1, 30) AS r (n);
CREATE TABLE shop.deliveries AS SELECT order_id AS delivery_id, customer_id,
  placed_at + INTERVAL 3 DAY AS delivered_at, product, category FROM shop.orders;
CREATE TABLE shop.reviews AS SELECT n AS review_id, n AS customer_id,
  TIMESTAMP '2026-02-01' AS written_at, n % 5 + 1 AS stars FROM range(1, 60) AS r (n);
CREATE TABLE shop.carts AS SELECT n AS event_id, n AS customer_id,
  TIMESTAMP '2026-02-01' AS happened_at, 'cart' || n AS cart_id, 60 + n AS total,
  'Trail boot' AS product, CASE WHEN n % 4 = 0 THEN 'updated' ELSE 'abandoned' END AS kind
FROM range(1, 90) AS r (n);
CREATE TABLE shop.views AS SELECT n * 10 + k AS view_id, n AS customer_id,
  TIMESTAMP '2026-03-01 10:00' + to_hours(k::INT) AS viewed_at, 'Trail boot' AS product,
  'boots' AS category FROM range(1, 200) AS r (n), range(0, 2) AS s (k);
CREATE TABLE shop.wish_prices AS SELECT n AS change_id, n AS customer_id,
  TIMESTAMP '2026-02-20' AS changed_at, 'Trail boot' AS product, 120 AS old_price, 99 AS new_price
FROM range(1, 30) AS r (n);
CREATE TABLE crm.tier_changes AS SELECT n AS change_id, n AS customer_id,
  TIMESTAMP '2026-02-20' AS changed_at, 'gold' AS new_tier, n % 3 > 0 AS is_upgrade
FROM range(1, 30) AS r (n);
CREATE TABLE crm.referrals AS SELECT n AS referral_id, n AS referrer_id,
  TIMESTAMP '2026-02-20' AS ordered_at FROM range(1, 20) AS r (n);
CREATE TABLE crm.appointments AS SELECT 'b' || n AS booking_id, n AS customer_id,
  TIMESTAMP '2026-03-02 09:00' + to_hours(n::INT) AS booked_at,
  TIMESTAMP '2026-03-09 14:00' + to_days((n % 9)::INT) AS starts_at, 'Berlin Mitte' AS counter
FROM range(1, 40) AS r (n);
CREATE TABLE crm.cancellations AS SELECT booking_id, customer_id,
  booked_at + INTERVAL 20 HOUR AS cancelled_at FROM crm.appointments WHERE customer_id % 6 = 0;
CREATE TABLE crm.quotes AS SELECT n AS quote_id, n AS customer_id,
  TIMESTAMP '2026-02-20' AS requested_at, 4 + n AS people FROM range(1, 30) AS r (n);
CREATE TABLE shop.app_sessions AS SELECT n AS session_id, n AS customer_id,
  TIMESTAMP '2026-02-25' AS opened_at FROM range(1, 120) AS r (n);
"""


def warehouse(path: Path) -> None:
    """A DuckDB file of 400 customers who have done a bit of everything until March 2026."""
    with duckdb.connect(path) as connection:
        connection.execute(_TABLES.format(customers=CUSTOMERS))
