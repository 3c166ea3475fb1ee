-- What is compared, a statement a line of the table: how many rows, and how many of them differ.
-- The first part holds the runtime's views against what `expected.sql` worked out; the second
-- asks the views alone whether each promise was kept.

-- name: winback: who entered, in which tick
WITH e AS (SELECT customer_id, entered_at FROM expected_run WHERE journey = 'winback'),
a AS (SELECT customer_id, entered_at FROM cdnow.journey.runs WHERE journey = 'winback')
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: thanks: who entered, by which purchase
WITH e AS (SELECT customer_id, entered_at FROM expected_run WHERE journey = 'thanks'),
a AS (SELECT customer_id, entered_at FROM cdnow.journey.runs WHERE journey = 'thanks')
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: news: who entered, in which tick
WITH e AS (SELECT customer_id, entered_at FROM expected_run WHERE journey = 'news'),
a AS (SELECT customer_id, entered_at FROM cdnow.journey.runs WHERE journey = 'news')
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: thanks: purchases that did not enter
WITH e AS (SELECT customer_id, decided_at FROM expected_skip WHERE step IS NULL),
a AS (SELECT customer_id, "at" FROM cdnow.journey.non_sends
  WHERE journey = 'thanks' AND step IS NULL)
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: winback: who is held out
WITH e AS (SELECT customer_id, entered_at FROM expected_run WHERE status = 'held_out'),
a AS (SELECT customer_id, entered_at FROM cdnow.journey.runs WHERE status = 'held_out')
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: winback: arms, and since when
WITH e AS (SELECT customer_id, arm, exposed_at FROM expected_exposure),
a AS (SELECT customer_id, arm, "at" FROM cdnow.journey.exposures WHERE experiment = 'offer')
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: how and when each run ended, or where it waits
WITH e AS (SELECT journey, customer_id, entered_at, ended_at,
    CASE WHEN status = 'active' THEN step WHEN status = 'held_out' THEN status
      ELSE coalesce(reason, 'end') END AS how FROM expected_run),
a AS (SELECT journey, customer_id, entered_at, ended_at,
    CASE WHEN status = 'active' THEN step WHEN status = 'held_out' THEN status
      ELSE coalesce(reason, 'end') END AS how FROM cdnow.journey.runs)
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: messages: who got which, decided in which tick
WITH e AS (SELECT journey, step, customer_id, entered_at, decided_at, expires_at
  FROM expected_message),
a AS (SELECT m.journey, m.step, m.customer_id, r.entered_at, m.decided_at, m.expires_at
  FROM cdnow.journey.messages AS m
  JOIN cdnow.journey.runs AS r ON r.customer_id = m.customer_id AND r.run_id = m.run_id)
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: messages: how many each customer got
WITH e AS (SELECT customer_id, count(*) FROM expected_message GROUP BY customer_id),
a AS (SELECT customer_id, count(*) FROM cdnow.journey.messages GROUP BY customer_id)
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: messages withheld, when and why
WITH e AS (SELECT journey, step, customer_id, decided_at, reason FROM expected_skip
  WHERE step IS NOT NULL),
a AS (SELECT journey, step, customer_id, "at", reason FROM cdnow.journey.non_sends
  WHERE step IS NOT NULL)
SELECT (SELECT count(*) FROM a),
  (SELECT count(*) FROM ((FROM e EXCEPT ALL FROM a) UNION ALL (FROM a EXCEPT ALL FROM e)));

-- name: kept: at most 2 messages in any 30 days
SELECT count(*), count(*) FILTER (counted > 2) FROM (
  SELECT m.customer_id, m.message_id, (SELECT count(*) FROM cdnow.journey.messages AS o
    WHERE o.customer_id = m.customer_id AND o.decided_at <= m.decided_at
      AND o.decided_at > m.decided_at - INTERVAL 30 DAY) AS counted
  FROM cdnow.journey.messages AS m);

-- name: kept: nothing decided between 21:00 and 08:00 local
SELECT count(*), count(*) FILTER (local >= TIME '21:00' OR local < TIME '08:00') FROM (
  SELECT CAST(timezone(coalesce(c.timezone, 'America/Chicago'),
    timezone('UTC', m.decided_at)) AS TIME) AS local
  FROM cdnow.journey.messages AS m
  JOIN cdnow.shop.customers AS c ON c.customer_id = m.customer_id);

-- name: kept: the newest consent before each message is a yes
SELECT count(*), count(*) FILTER (status IS DISTINCT FROM 'opt_in') FROM (
  SELECT (SELECT arg_max(k.status, k.changed_at) FROM cdnow.shop.consents AS k
    WHERE k.customer_id = m.customer_id AND k.changed_at <= m.decided_at) AS status
  FROM cdnow.journey.messages AS m);

-- name: kept: every message has an address
SELECT count(*), count(*) FILTER (c.email IS NULL) FROM cdnow.journey.messages AS m
LEFT JOIN cdnow.shop.customers AS c ON c.customer_id = m.customer_id;

-- name: kept: the held out get no winback
SELECT (SELECT count(*) FROM person WHERE held_out), count(*) FROM cdnow.journey.messages AS m
JOIN person AS c ON c.customer_id = m.customer_id WHERE m.journey = 'winback' AND c.held_out;

-- name: kept: the control arm gets no winback
SELECT (SELECT count(*) FROM person WHERE arm = 'nothing'), count(*)
FROM cdnow.journey.messages AS m
JOIN person AS c ON c.customer_id = m.customer_id WHERE m.journey = 'winback' AND c.arm = 'nothing';

-- name: kept: no winback to who has bought since entering
SELECT count(*), count(*) FILTER (EXISTS (SELECT 1 FROM cdnow.shop.purchases AS p
  WHERE p.customer_id = m.customer_id AND p.purchased_at > r.entered_at
    AND p.purchased_at <= m.decided_at))
FROM cdnow.journey.messages AS m
JOIN cdnow.journey.runs AS r ON r.customer_id = m.customer_id AND r.run_id = m.run_id
WHERE m.journey = 'winback';

-- name: kept: each run gets each message once
SELECT count(*), count(*) - count(DISTINCT (customer_id, run_id, step))
FROM cdnow.journey.messages;

-- name: kept: of one customer never two runs of a journey at once
SELECT count(*), count(*) FILTER (entered_at < before) FROM (
  SELECT entered_at, max(coalesce(ended_at, TIMESTAMP '9999-01-01')) OVER (
    PARTITION BY journey, customer_id ORDER BY entered_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM cdnow.journey.runs);
