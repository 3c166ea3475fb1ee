"""The SQL of the shop's tables, in the order in which one rests on the other.

``u(purpose, n)`` is uniform in [0, 1) and ``e(purpose, n)`` exponential of mean 1; both depend
on the seed and their arguments alone. Temporary tables hold what the shop would not know of
its customers: how often they drink coffee, and when they will lose interest. Days are counted
from the shop's first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.demo import answers
from journeylang.demo.people import COFFEES, FIRST_NAMES, PLACES, VISITS_BY_HOUR

if TYPE_CHECKING:
    from journeylang.demo.shop import Shop

NAMES = (
    "crm.customers",
    "crm.signups",
    "crm.consents",
    "shop.orders",
    "shop.carts",
    "shop.visits",
    "shop.app_sessions",
    "shop.products",
)

Part = tuple[str, tuple[str, ...]]


def parts(shop: Shop) -> tuple[Part, ...]:
    """Each part's name, for a progress bar, and its statements."""
    return (
        ("people", (*_draws(shop), *_choices(), _people(shop))),
        ("carts", (_cart_lives(shop), _carts(shop))),
        ("orders", (_habits(shop), answers.prompted(shop), _orders(shop))),
        ("consents", (_consents(shop),)),
        ("customers", (_customers(shop), _signups())),
        ("visits", (_visits(shop), _app_sessions(shop))),
    )


def _draws(shop: Shop) -> tuple[str, ...]:
    hours = [hour for hour, weight in enumerate(VISITS_BY_HOUR) for _ in range(weight)]
    date = f"(DATE '{shop.first.date()}' + floor(day)::INT)"
    return (
        "CREATE SCHEMA IF NOT EXISTS crm",
        "CREATE SCHEMA IF NOT EXISTS shop",
        # md5 as one large number, over 2^128. `hash()` would be quicker, but another version
        # of the database may hash otherwise.
        f"""CREATE OR REPLACE TEMP MACRO u(purpose, n) AS
  md5_number('{shop.seed}:' || purpose || ':' || n)::DOUBLE / 3.402823669209385e38""",
        "CREATE OR REPLACE TEMP MACRO e(purpose, n) AS -ln(1 - u(purpose, n))",
        # An instant on that day at a likely local hour. One draw gives two figures: the hour,
        # and how much of it has gone.
        f"""CREATE OR REPLACE TEMP MACRO moment(day, x, utc_hours) AS
  TIMESTAMP '{shop.first}' + to_days(floor(day)::INT)
  + to_seconds(({hours}[1 + floor(100 * x)::INT] - utc_hours) * 3600
    + floor(3600 * (100 * x - floor(100 * x)))::INT)""",
        # More orders on Sundays, and some of October's wait for November's sales.
        f"""CREATE OR REPLACE TEMP MACRO favoured(day, x) AS floor(day)
  + CASE dayofweek({date}) WHEN 2 THEN if(x < 0.2, 5, 0) WHEN 3 THEN if(x < 0.2, 4, 0) ELSE 0 END
  + if(month({date}) = 10 AND x > 0.7, 33, 0)""",
        # The number of a customer who had signed up by that day, the newest more likely.
        f"""CREATE OR REPLACE TEMP MACRO somebody(day, x) AS
  1 + floor({shop.customers} * pow(day / {_span(shop)}, 1.25) * pow(x, 0.7))::BIGINT""",
    )


def _choices() -> tuple[str, ...]:
    """Lists to draw from: one row per slot, as many slots as a choice has weight."""
    places = ", ".join(
        f"({n}, {p.weight}, {_text(p.country)}, {_text(p.locale)}, {_text(p.zone)}, {p.utc_hours})"
        for n, p in enumerate(PLACES)
    )
    coffees = ", ".join(
        f"({n}, {c.weight}, '{c.sku}', {_text(c.name)}, '{c.category}', {c.price})"
        for n, c in enumerate(COFFEES)
    )
    names = ", ".join(
        f"('{language}', {number}, {len(listed)}, {_text(name)})"
        for language, listed in ((k, v.split()) for k, v in FIRST_NAMES.items())
        for number, name in enumerate(listed)
    )
    return (
        f"""CREATE OR REPLACE TEMP TABLE place AS
SELECT row_number() OVER (ORDER BY n, k) - 1 AS slot, country, locale, zone, utc_hours
FROM (VALUES {places}) AS v(n, weight, country, locale, zone, utc_hours),
  LATERAL (SELECT unnest(range(weight)) AS k)""",
        f"""CREATE OR REPLACE TEMP TABLE shelf AS
SELECT row_number() OVER (ORDER BY n, k) - 1 AS slot, name, category,
  price::DECIMAL(10, 2) AS price
FROM (VALUES {coffees}) AS v(n, weight, sku, name, category, price),
  LATERAL (SELECT unnest(range(weight)) AS k)""",
        f"""CREATE OR REPLACE TEMP TABLE called AS
SELECT * FROM (VALUES {names}) AS v(language, number, size, first_name)""",
        f"""CREATE OR REPLACE TABLE shop.products AS
SELECT sku, name AS title, category, price::DECIMAL(10, 2) AS price
FROM (VALUES {coffees}) AS v(n, weight, sku, name, category, price) ORDER BY n""",
    )


def _people(shop: Shop) -> str:
    return f"""CREATE OR REPLACE TEMP TABLE person AS
WITH drawn AS (
  SELECT i, 10000 + i AS key, floor(1000 * u('place', i)) AS slot,
    {_span(shop)} * pow((i - u('join', i)) / {shop.customers}, 0.8) AS day
  FROM range(1, {shop.customers} + 1) AS r(i)
)
SELECT d.i, d.key, d.day, p.country, p.locale, p.zone, p.utc_hours,
  least(moment(d.day, u('joined', d.i), p.utc_hours),
    TIMESTAMP '{shop.last}' - INTERVAL 1 MINUTE) AS signed_up_at,
  if(u('nameless', d.i) < 0.04, NULL, c.first_name) AS first_name,
  CASE WHEN u('address', d.i) < 0.03 THEN NULL ELSE
    coalesce(nullif(regexp_replace(lower(strip_accents(c.first_name)), '[^a-z]', '', 'g'), ''),
      'guest') || '.' || d.key
    || if(u('address', d.i) > 0.9998, ' at ', '@')
    || ['example.com', 'example.org', 'example.net'][1 + floor(3 * u('host', d.i))::INT]
  END AS email,
  -- No country has the code 999.
  if(u('mobile', d.i) < 0.62, '+999' || (10000000 + floor(89999999 * u('number', d.i))::INT),
    NULL) AS mobile,
  if(u('app', d.i) < 0.34, 'tok_' || left(md5('{shop.seed}:token:' || d.i), 24), NULL)
    AS push_token,
  u('emails', d.i) < 0.84 AS wants_email,
  if(u('tired', d.i) < 0.14, u('tired of', d.i), NULL) AS tired,
  u('buys', d.i) < 0.58 AS buys,
  55 * pow(e('hesitates', d.i), 2) AS hesitates,
  14 + 55 * e('pace', d.i) AS pace,
  400 * e('loyal', d.i) AS loyal,
  u('likes', d.i) AS likes
FROM drawn AS d
JOIN place AS p ON p.slot = d.slot
JOIN called AS c ON c.language = left(p.locale, 2) AND c.number = floor(c.size * u('name', d.i))"""


def _cart_lives(shop: Shop) -> str:
    days = 90 + shop.days
    prompted = answers.answers(answers.CART, "p.key", "u('cart prompted', c.n)")
    return f"""CREATE OR REPLACE TEMP TABLE cart_life AS
WITH drawn AS (
  SELECT n, {_span(shop)} - {days} * u('cart day', n) AS day
  FROM range(1, {int(shop.customers * 0.0044 * days)} + 1) AS r(n)
), begun AS (
  SELECT c.n, p.i, p.key, moment(c.day, u('cart hour', c.n), p.utc_hours) AS ts,
    if(u('cart back', c.n) < 0.3, 0.3 + 7 * e('cart back after', c.n), NULL) AS back_hours,
    CASE WHEN u('cart bought', c.n) < 0.26 THEN 0.2 + 5 * e('cart bought after', c.n)
      WHEN {prompted} AND p.email IS NOT NULL THEN 5 + 7 * e('cart prompted after', c.n)
    END AS bought_hours
  FROM drawn AS c
  JOIN person AS p ON p.i = somebody(c.day, u('cart of', c.n))
)
SELECT b.n, b.i, b.key, b.ts, s.name AS product,
  (s.price * (1 + least(floor(1.6 * e('cart items', b.n)), 5)))::DECIMAL(10, 2) AS total,
  1 + least(floor(1.6 * e('cart items', b.n)), 5)::INT AS items,
  b.ts + to_seconds((3600 * b.back_hours)::INT) AS back_at,
  b.ts + to_seconds((3600 * b.bought_hours)::INT) AS bought_at
FROM begun AS b
JOIN person AS p USING (i)
JOIN shelf AS s ON s.slot = floor(100 * u('cart coffee', b.n))
WHERE b.ts > p.signed_up_at AND b.ts < TIMESTAMP '{shop.last}'"""


def _carts(shop: Shop) -> str:
    # Whoever bought earlier than they would have come back does not come back to that cart.
    return f"""CREATE OR REPLACE TABLE shop.carts AS
SELECT row_number() OVER (ORDER BY ts, n, kind) AS event_id, n AS cart_id, key AS customer_id,
  kind, ts AS happened_at, total, items, product
FROM (
  SELECT n, key, 'abandoned' AS kind, ts, total, items, product FROM cart_life
  UNION ALL
  SELECT n, key, 'updated', back_at, total, items, product FROM cart_life
  WHERE back_at IS NOT NULL AND (bought_at IS NULL OR back_at < bought_at)
) WHERE ts < TIMESTAMP '{shop.last}' ORDER BY ts, n, kind"""


def _habits(shop: Shop) -> str:
    """When people order by themselves: each at their own pace, until they lose interest."""
    return f"""CREATE OR REPLACE TEMP TABLE habit AS
WITH counted AS (
  SELECT *, unnest(range(1 + least(60,
    floor(least(loyal, {_span(shop)} - day - hesitates) / pace)::INT))) AS k
  FROM person WHERE buys AND day + hesitates < {_span(shop)}
), dated AS (
  SELECT i, key, k, utc_hours, signed_up_at, favoured(day + hesitates
    + pace * (k + if(k = 0, 0, 0.6 * (u('order', i || '.' || k) - 0.5))),
    u('order day', i || '.' || k)) AS day
  FROM counted
)
SELECT i, key, 'h' || i || '.' || k AS mark, greatest(
  moment(day, u('order hour', i || '.' || k), utc_hours),
  signed_up_at + to_minutes(4 + floor(90 * u('order soon', i))::INT)) AS ts
FROM dated"""


def _orders(shop: Shop) -> str:
    return f"""CREATE OR REPLACE TABLE shop.orders AS
WITH placed AS (
  SELECT i, key, mark, ts, NULL AS product, NULL AS items, NULL AS total FROM habit
  UNION ALL
  SELECT i, key, mark, ts, NULL, NULL, NULL FROM prompted
  UNION ALL
  SELECT i, key, 'c' || n, bought_at, product, items, total
  FROM cart_life WHERE bought_at IS NOT NULL
), filled AS (
  SELECT o.key, o.mark, o.ts, coalesce(o.product, s.name) AS product,
    coalesce(o.items, if(s.category = 'gear', 1, 1 + least(floor(1.3 * e('items', o.mark)), 5)))
      ::INT AS items, s.price, o.total
  FROM placed AS o
  JOIN person AS p USING (i)
  JOIN shelf AS s ON s.slot = floor(100 * if(u('whim', o.mark) < 0.6, p.likes, u('coffee', o.mark)))
  WHERE o.ts < TIMESTAMP '{shop.last}'
), summed AS (
  SELECT *, coalesce(total, items * price) AS goods FROM filled
)
SELECT 500000 + row_number() OVER (ORDER BY ts, mark) AS order_id, key AS customer_id,
  ts AS placed_at,
  CASE WHEN u('status', mark) < 0.02 THEN 'cancelled' WHEN u('status', mark) < 0.035 THEN 'returned'
    WHEN ts > TIMESTAMP '{shop.last}' - INTERVAL 1 DAY THEN 'paid' ELSE 'shipped' END AS status,
  product, items, (goods + if(goods < 35, 3.90, 0))::DECIMAL(10, 2) AS total_amount,
  'EUR' AS currency
FROM summed ORDER BY ts, mark"""


def _consents(shop: Shop) -> str:
    return f"""CREATE OR REPLACE TABLE crm.consents AS
WITH asked AS (
  SELECT i, key, 'email' AS topic, wants_email AS yes, 'sign-up form, double opt-in' AS source,
    signed_up_at + to_seconds((60 + 240 * least(e('opt-in', i), 6))::INT) AS ts
  FROM person WHERE wants_email OR u('refuses', i) < 0.3
  UNION ALL
  SELECT i, key, 'sms', TRUE, 'checkout',
    signed_up_at + to_seconds((120 + 86400 * 20 * e('sms opt-in', i))::INT)
  FROM person WHERE mobile IS NOT NULL AND u('texts', i) < 0.5
  UNION ALL
  SELECT i, key, 'offers', TRUE, 'account page',
    signed_up_at + to_seconds((300 + 86400 * 40 * e('offers opt-in', i))::INT)
  FROM person WHERE wants_email AND u('offers', i) < 0.45
), left_again AS (
  SELECT i, key, signed_up_at
    + to_seconds((tired * epoch(TIMESTAMP '{shop.last}' - signed_up_at))::BIGINT) AS ts
  FROM person WHERE wants_email AND tired IS NOT NULL
), changed AS (
  SELECT key, topic, yes, source, ts FROM asked
  UNION ALL
  SELECT key, 'email', FALSE, 'unsubscribe link', ts FROM left_again
  UNION ALL
  SELECT key, 'email', TRUE, 'account page', ts + to_days(20 + floor(150 * u('again', i))::INT)
  FROM left_again WHERE u('returns', i) < 0.08
)
SELECT row_number() OVER (ORDER BY ts, key, topic) AS consent_id, key AS customer_id, topic,
  if(yes, 'opt_in', 'opt_out') AS status, source, ts AS changed_at
FROM changed WHERE ts < TIMESTAMP '{shop.last}' ORDER BY ts, key, topic"""


def _customers(shop: Shop) -> str:
    opening = f"TIMESTAMP '{shop.opening}'"
    return f"""CREATE OR REPLACE TABLE crm.customers AS
WITH spent AS (
  SELECT customer_id, sum(total_amount) AS ever, max(placed_at) AS last_at,
    sum(total_amount) FILTER (placed_at > {opening} - INTERVAL 365 DAY) AS in_a_year
  FROM shop.orders WHERE placed_at <= {opening} AND status <> 'cancelled' GROUP BY customer_id
)
SELECT p.key AS customer_id, p.email, p.mobile, p.push_token, p.first_name, p.country,
  p.zone AS tz, p.locale AS lang,
  if(u('birthday', p.i) < 0.6, DATE '1950-01-01' + floor(18500 * (u('born', p.i)
    + u('born then', p.i)) / 2)::INT + 1800, NULL) AS birth_date,
  CASE WHEN s.in_a_year >= 300 THEN 'gold' WHEN s.in_a_year >= 100 THEN 'silver' ELSE 'basic' END
    AS tier,
  coalesce(floor(s.ever), 0)::INT AS loyalty_points, p.signed_up_at,
  if(u('deleted', p.i) < 0.008 AND p.signed_up_at < {opening} - INTERVAL 30 DAY,
    {opening} - to_hours(floor(24 * 30 * u('deleted at', p.i))::INT), NULL) AS deleted_at,
  greatest(p.signed_up_at, s.last_at) AS updated_at
FROM person AS p
LEFT JOIN spent AS s ON s.customer_id = p.key
ORDER BY p.signed_up_at, p.key"""


def _signups() -> str:
    return """CREATE OR REPLACE TABLE crm.signups AS
SELECT row_number() OVER (ORDER BY signed_up_at, key) AS signup_id, key AS customer_id,
  signed_up_at, CASE WHEN x < 0.56 THEN 'web' WHEN x < 0.76 THEN 'app' WHEN x < 0.9 THEN 'checkout'
    WHEN x < 0.96 THEN 'store' ELSE 'import' END AS source
FROM (SELECT key, signed_up_at, u('source', i) AS x FROM person) ORDER BY signed_up_at, key"""


def _visits(shop: Shop) -> str:
    days = 90 + shop.days
    return f"""CREATE OR REPLACE TABLE shop.visits AS
WITH drawn AS (
  SELECT n, {_span(shop)} - {days} * u('visit day', n) AS day
  FROM range(1, {int(shop.customers * 0.034 * days)} + 1) AS r(n)
), seen AS (
  SELECT p.key, moment(v.day, u('visit hour', v.n), p.utc_hours) AS ts, u('page', v.n) AS page,
    u('device', v.n) AS device, v.n, p.signed_up_at
  FROM drawn AS v
  JOIN person AS p ON p.i = somebody(v.day, u('visit of', v.n))
  UNION ALL
  SELECT key, signed_up_at + to_minutes((30 + 2000 * e('look round', i))::INT), u('first page', i),
    u('first device', i), -i, signed_up_at
  FROM person WHERE day > {_span(shop)} - {days} AND u('looks round', i) < 0.45
)
SELECT row_number() OVER (ORDER BY ts, key, n) AS visit_id, key AS customer_id, ts AS visited_at,
  CASE WHEN page < 0.3 THEN 'home' WHEN page < 0.72 THEN 'shop' WHEN page < 0.88 THEN 'guide'
    ELSE 'account' END AS page, if(device < 0.64, 'mobile', 'desktop') AS device
FROM seen WHERE ts > signed_up_at AND ts < TIMESTAMP '{shop.last}' ORDER BY ts, key, n"""


def _app_sessions(shop: Shop) -> str:
    days = 90 + shop.days
    return f"""CREATE OR REPLACE TABLE shop.app_sessions AS
WITH drawn AS (
  SELECT n, {_span(shop)} - {days} * u('app day', n) AS day
  FROM range(1, {int(shop.customers * 0.045 * days)} + 1) AS r(n)
), opened AS (
  SELECT p.key, moment(a.day, u('app hour', a.n), p.utc_hours) AS ts, a.n, p.signed_up_at,
    left(p.push_token, 5) < 'tok_9' AS android
  FROM drawn AS a
  JOIN person AS p ON p.i = somebody(a.day, u('app of', a.n)) AND p.push_token IS NOT NULL
)
SELECT row_number() OVER (ORDER BY ts, n) AS session_id, key AS customer_id, ts AS opened_at,
  if(android, 'android', 'ios') AS platform
FROM opened WHERE ts > signed_up_at AND ts < TIMESTAMP '{shop.last}' ORDER BY ts, n"""


def _span(shop: Shop) -> int:
    """Days from the shop's first to the last virtual one."""
    return (shop.last - shop.first).days


def _text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"
