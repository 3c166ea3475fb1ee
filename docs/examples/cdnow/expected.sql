-- What should happen to CDNOW's customers, by hand. `verify.py` runs these statements, tick by
-- tick; the customer and purchase tables are attached as `cdnow.shop`.

-- name: tables
-- The steps of the three journeys, in order. `days` is the length of a wait, `hours` the life
-- of a message.
CREATE TABLE program AS
SELECT * FROM (VALUES
  ('winback', 'offer/reminder/note', 'send', NULL, 168, 'breathe', 10),
  ('winback', 'offer/discount/note', 'send', NULL, 168, 'breathe', 10),
  ('winback', 'breathe', 'wait', 10, NULL, 'morning', 10),
  ('winback', 'morning', 'weekday', NULL, NULL, 'if worthwhile', 10),
  ('winback', 'if worthwhile', 'if', NULL, NULL, 'again', 10),
  ('winback', 'again', 'send', NULL, 168, 'patience', 10),
  ('winback', 'patience', 'wait', 14, NULL, 'end', 10),
  ('thanks', 'settle', 'wait', 1, NULL, 'note', 5),
  ('thanks', 'note', 'send', NULL, 168, 'listen', 5),
  ('thanks', 'listen', 'wait', 14, NULL, 'listen/more', 5),
  ('thanks', 'bought again', 'if', NULL, NULL, 'end', 5),
  ('thanks', 'listen/more', 'send', NULL, 168, 'end', 5),
  ('news', 'issue', 'send', NULL, 84, 'end', 0)
) AS p(journey, step, kind, days, hours, next, priority);

CREATE TABLE moment (before TIMESTAMP, now TIMESTAMP);
CREATE TABLE night (zone VARCHAR, today DATE, quiet BOOLEAN, opens_at TIMESTAMP);
CREATE TABLE clock (zone VARCHAR, since TIMESTAMP, until TIMESTAMP, ahead INTEGER);

CREATE TABLE expected_run (journey VARCHAR, customer_id INTEGER, entered_at TIMESTAMP,
  entered_on DATE, status VARCHAR, reason VARCHAR, ended_at TIMESTAMP, step VARCHAR,
  arrived_at TIMESTAMP, wake_at TIMESTAMP, why VARCHAR);
-- Those still on their way; `latest` is each customer's newest local day of entry.
CREATE TABLE live AS FROM expected_run;
CREATE TABLE latest (journey VARCHAR, customer_id INTEGER, entered_on DATE);
CREATE TABLE expected_message (journey VARCHAR, customer_id INTEGER, entered_at TIMESTAMP,
  step VARCHAR, decided_at TIMESTAMP, expires_at TIMESTAMP);
CREATE TABLE expected_skip (journey VARCHAR, customer_id INTEGER, step VARCHAR,
  decided_at TIMESTAMP, reason VARCHAR);
CREATE TABLE expected_exposure (customer_id INTEGER, arm VARCHAR, exposed_at TIMESTAMP);
CREATE TABLE intent (journey VARCHAR, customer_id INTEGER, entered_at TIMESTAMP, step VARCHAR,
  arrived_at TIMESTAMP, ends_at TIMESTAMP, why VARCHAR, rank INTEGER);
CREATE TABLE judged (journey VARCHAR, customer_id INTEGER, entered_at TIMESTAMP, step VARCHAR,
  arrived_at TIMESTAMP, ends_at TIMESTAMP, reason VARCHAR, release TIMESTAMP);

CREATE MACRO bucket(salt, customer) AS
  CAST('0x' || md5(salt || ':' || CAST(customer AS VARCHAR))[1:15] AS BIGINT) % 10000;

-- Local time of an instant, and the instant of a local time: the first of two in autumn, the
-- end of the gap in spring.
CREATE MACRO here(instant, z) AS (SELECT instant + to_seconds(clock.ahead) FROM clock
  WHERE clock.zone = z AND instant >= clock.since AND instant < clock.until);
CREATE MACRO instant_of(clock_time, z) AS coalesce(
  (SELECT min(clock_time - to_seconds(clock.ahead)) FROM clock WHERE clock.zone = z
    AND clock_time - to_seconds(clock.ahead) >= clock.since AND clock_time - to_seconds(clock.ahead) < clock.until),
  (SELECT min(clock.since) FROM clock
    WHERE clock.zone = z AND clock.since + to_seconds(clock.ahead) > clock_time));

-- The first weekday whose 10:00 is later than a local time.
CREATE MACRO morning_day(clock_time) AS CAST(clock_time AS DATE)
  + CASE WHEN CAST(clock_time AS TIME) < TIME '10:00' THEN 0 ELSE 1 END;
CREATE MACRO weekday_from(day) AS
  day + CASE isodow(day) WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 0 END;

-- name: people
CREATE TABLE person AS
SELECT customer_id, email IS NOT NULL AS reachable, coalesce(timezone, 'America/Chicago') AS zone,
  bucket('cdnow-winback-holdout', customer_id) < 1000 AS held_out,
  CASE WHEN bucket('cdnow-winback-offer', customer_id) < 2000 THEN 'nothing'
    WHEN bucket('cdnow-winback-offer', customer_id) < 6000 THEN 'reminder'
    ELSE 'discount' END AS arm
FROM cdnow.shop.customers;
CREATE TABLE purchase AS SELECT customer_id, purchase_id, purchased_at AS bought_at, amount
FROM cdnow.shop.purchases;

-- name: night
-- What this tick's `now` means in each zone; it is quiet from 21:00 to 08:00.
DELETE FROM night;
INSERT INTO night
SELECT zone, CAST(local AS DATE), CAST(local AS TIME) >= TIME '21:00' OR CAST(local AS TIME) < TIME '08:00',
  instant_of(CAST(CAST(local AS DATE) AS TIMESTAMP)
    + CASE WHEN CAST(local AS TIME) < TIME '08:00' THEN INTERVAL 8 HOUR ELSE INTERVAL 32 HOUR END,
    zone)
FROM (SELECT z.zone, here(m.now, z.zone) AS local
  FROM (SELECT DISTINCT zone FROM clock) AS z, moment AS m);

-- name: exits
-- Who bought leaves winback, before anything else is looked at.
UPDATE live AS r
SET status = 'exited', reason = 'bought', ended_at = m.now, step = 'end'
FROM moment AS m
WHERE r.status = 'active' AND r.journey = 'winback' AND EXISTS (SELECT 1 FROM purchase AS p
  WHERE p.customer_id = r.customer_id AND p.bought_at > r.entered_at AND p.bought_at <= m.now);

-- name: awaited
-- A purchase ends the race `listen`, if it is not later than the timeout.
UPDATE live AS r SET step = 'bought again', wake_at = m.now
FROM moment AS m
WHERE r.status = 'active' AND r.step = 'listen' AND EXISTS (SELECT 1 FROM purchase AS p
  WHERE p.customer_id = r.customer_id AND p.bought_at > r.arrived_at AND p.bought_at <= r.wake_at
    AND p.bought_at <= m.now);

-- name: refused
-- New purchases of a customer who is in thanks already, and all but the first of the others.
INSERT INTO expected_skip
SELECT 'thanks', p.customer_id, NULL, m.now, 'no entry'
FROM moment AS m JOIN purchase AS p ON p.bought_at > m.before AND p.bought_at <= m.now
WHERE EXISTS (SELECT 1 FROM live AS r
    WHERE r.journey = 'thanks' AND r.status = 'active' AND r.customer_id = p.customer_id)
  OR EXISTS (SELECT 1 FROM purchase AS q WHERE q.customer_id = p.customer_id
    AND q.bought_at > m.before AND (q.bought_at, q.purchase_id) < (p.bought_at, p.purchase_id));

-- name: thanked
INSERT INTO live
SELECT 'thanks', e.customer_id, e.bought_at, NULL, 'active', NULL, NULL, 'settle',
  e.bought_at, NULL, NULL
FROM (SELECT p.customer_id, min(p.bought_at) AS bought_at
  FROM moment AS m JOIN purchase AS p ON p.bought_at > m.before AND p.bought_at <= m.now
  GROUP BY p.customer_id) AS e
WHERE NOT EXISTS (SELECT 1 FROM live AS r
  WHERE r.journey = 'thanks' AND r.status = 'active' AND r.customer_id = e.customer_id);

-- name: due
-- Who is silent for 90 days enters winback, who bought within a year gets the news; neither
-- while still inside, nor before 180 or 30 local days have gone by.
INSERT INTO live
SELECT t.journey, t.customer_id, t.now, t.today,
  CASE WHEN t.journey = 'winback' AND t.held_out THEN 'held_out' ELSE 'active' END, NULL, NULL,
  CASE WHEN t.journey = 'news' THEN 'issue' WHEN t.arm = 'nothing' THEN 'if control'
    ELSE 'offer/' || t.arm || '/note' END,
  t.now, NULL, NULL
FROM (
  SELECT j.journey, j.days, c.customer_id, c.held_out, c.arm, z.today, p.now, p.last_at
  FROM (VALUES ('winback', 180), ('news', 30)) AS j(journey, days),
    (SELECT p.customer_id, m.now, max(p.bought_at) AS last_at
      FROM purchase AS p JOIN moment AS m ON p.bought_at <= m.now
      GROUP BY p.customer_id, m.now) AS p
  JOIN person AS c ON c.customer_id = p.customer_id
  JOIN night AS z ON z.zone = c.zone
) AS t
WHERE CASE t.journey WHEN 'winback' THEN t.last_at <= t.now - INTERVAL 90 DAY
    ELSE t.last_at > t.now - INTERVAL 365 DAY END
  AND NOT EXISTS (SELECT 1 FROM live AS r
    WHERE r.journey = t.journey AND r.customer_id = t.customer_id AND r.status = 'active')
  AND NOT EXISTS (SELECT 1 FROM latest AS l WHERE l.journey = t.journey
    AND l.customer_id = t.customer_id AND t.today - l.entered_on < t.days);
DELETE FROM latest AS l USING live AS r, moment AS m
WHERE r.journey = l.journey AND r.customer_id = l.customer_id AND r.entered_at = m.now;
INSERT INTO latest SELECT r.journey, r.customer_id, r.entered_on
FROM live AS r JOIN moment AS m ON r.entered_at = m.now WHERE r.journey <> 'thanks';

-- name: enrolled
-- The held out end at once; the others are exposed to the experiment, the control ends too.
INSERT INTO expected_exposure
SELECT r.customer_id, c.arm, r.entered_at
FROM moment AS m JOIN live AS r ON r.journey = 'winback' AND r.entered_at = m.now
JOIN person AS c ON c.customer_id = r.customer_id
WHERE r.status = 'active' AND NOT EXISTS (
  SELECT 1 FROM expected_exposure AS x WHERE x.customer_id = r.customer_id);
UPDATE live AS r
SET status = CASE r.status WHEN 'held_out' THEN 'held_out' ELSE 'exited' END,
  reason = CASE r.status WHEN 'held_out' THEN NULL ELSE 'untouched' END,
  ended_at = m.now, step = 'end'
FROM moment AS m
WHERE r.ended_at IS NULL AND (r.status = 'held_out' OR r.step = 'if control');

-- name: wakes
-- When a wait ends that was reached at `arrived_at`; an `if` lets go at once.
UPDATE live AS r
SET wake_at = CASE WHEN w.kind = 'if' THEN w.arrived_at ELSE instant_of(w.ends, w.zone) END
FROM (
  SELECT t.*, CASE t.kind WHEN 'wait' THEN t.local + to_days(t.days)
    WHEN 'weekday' THEN weekday_from(morning_day(t.local)) + INTERVAL 10 HOUR END AS ends
  FROM (
    SELECT r.journey, r.customer_id, r.entered_at, r.arrived_at, p.kind, p.days, c.zone,
      here(r.arrived_at, c.zone) AS local
    FROM live AS r
    JOIN program AS p ON p.journey = r.journey AND p.step = r.step AND p.kind <> 'send'
    JOIN person AS c ON c.customer_id = r.customer_id
    WHERE r.status = 'active' AND r.wake_at IS NULL
  ) AS t
) AS w
WHERE r.journey = w.journey AND r.customer_id = w.customer_id AND r.entered_at = w.entered_at;

-- name: waits over
SELECT count(*) FROM live AS r JOIN moment AS m ON r.wake_at <= m.now
JOIN program AS p ON p.journey = r.journey AND p.step = r.step AND p.kind <> 'send'
WHERE r.status = 'active';

-- name: advance
-- Everyone whose wait is over goes one step on.
UPDATE live AS r
SET step = a.step, arrived_at = a.arrived_at, wake_at = NULL, status = a.status,
  reason = a.reason, ended_at = a.ended_at
FROM (
  SELECT r.journey, r.customer_id, r.entered_at, r.wake_at AS arrived_at,
    CASE WHEN leaving THEN 'end' ELSE p.next END AS step,
    CASE WHEN leaving THEN 'exited' WHEN p.next = 'end' THEN 'finished' ELSE 'active' END AS status,
    CASE WHEN leaving AND r.step = 'bought again' THEN 'bought_again'
      WHEN leaving THEN 'small' END AS reason,
    CASE WHEN leaving OR p.next = 'end' THEN r.now END AS ended_at
  FROM (
    SELECT r.*, m.now, r.step = 'bought again' OR (r.step = 'if worthwhile' AND (
      SELECT coalesce(sum(p.amount), 0) FROM purchase AS p
      WHERE p.customer_id = r.customer_id AND p.bought_at <= m.now) < 30) AS leaving
    FROM live AS r, moment AS m
  ) AS r
  JOIN program AS p ON p.journey = r.journey AND p.step = r.step AND p.kind <> 'send'
  WHERE r.status = 'active' AND r.wake_at <= r.now
) AS a
WHERE r.journey = a.journey AND r.customer_id = a.customer_id AND r.entered_at = a.entered_at;

-- name: intents
-- Who stands at a send now, in the order in which a customer's messages are decided.
DELETE FROM intent;
INSERT INTO intent
SELECT r.journey, r.customer_id, r.entered_at, r.step, r.arrived_at,
  r.arrived_at + to_hours(p.hours), r.why,
  row_number() OVER (PARTITION BY r.customer_id ORDER BY p.priority DESC, r.arrived_at, r.journey)
FROM live AS r JOIN moment AS m ON r.wake_at IS NULL OR r.wake_at <= m.now
JOIN program AS p ON p.journey = r.journey AND p.step = r.step AND p.kind = 'send'
WHERE r.status = 'active';

-- name: ranks
SELECT coalesce(max(rank), 0) FROM intent;

-- name: judge
-- The first rule that is against the message, and when it could be asked again.
DELETE FROM judged;
INSERT INTO judged
SELECT i.journey, i.customer_id, i.entered_at, i.step, i.arrived_at, i.ends_at,
  CASE WHEN i.ends_at <= i.now THEN coalesce(i.why, 'expired')
    WHEN NOT i.reachable THEN 'no_address'
    WHEN NOT i.consented THEN 'no_consent'
    WHEN i.quiet THEN 'quiet'
    WHEN i.counted >= 2 THEN 'capped' END,
  CASE WHEN i.ends_at > i.now AND i.reachable AND i.consented AND (i.quiet OR i.counted >= 2)
    THEN least(i.ends_at, greatest(CASE WHEN i.quiet THEN i.opens_at END,
      CASE WHEN i.counted >= 2 THEN i.oldest + INTERVAL 30 DAY END)) END
FROM (
  SELECT i.*, m.now, c.reachable, z.quiet, z.opens_at,
    coalesce((SELECT arg_max(k.status, k.changed_at) FROM cdnow.shop.consents AS k
      WHERE k.customer_id = i.customer_id AND k.changed_at <= m.now) = 'opt_in', FALSE)
      AS consented,
    coalesce(s.counted, 0) AS counted, s.oldest
  FROM intent AS i, moment AS m
  JOIN person AS c ON c.customer_id = i.customer_id
  JOIN night AS z ON z.zone = c.zone
  LEFT JOIN (SELECT s.customer_id, count(*) AS counted, min(s.decided_at) AS oldest
    FROM expected_message AS s, moment AS m WHERE s.decided_at > m.now - INTERVAL 30 DAY
    GROUP BY s.customer_id) AS s ON s.customer_id = i.customer_id
  WHERE i.rank = 1
) AS i;

-- name: sent
INSERT INTO expected_message
SELECT j.journey, j.customer_id, j.entered_at, j.step, m.now, j.ends_at
FROM judged AS j, moment AS m WHERE j.reason IS NULL;

-- name: skipped
INSERT INTO expected_skip
SELECT j.journey, j.customer_id, j.step, m.now, j.reason
FROM judged AS j, moment AS m WHERE j.reason IS NOT NULL AND j.release IS NULL;

-- name: moved
-- Behind a send that was decided or skipped one arrives now.
UPDATE live AS r
SET step = p.next, arrived_at = m.now, why = NULL,
  wake_at = NULL,
  status = CASE p.next WHEN 'end' THEN 'finished' ELSE 'active' END,
  ended_at = CASE p.next WHEN 'end' THEN m.now END
FROM judged AS j
JOIN program AS p ON p.journey = j.journey AND p.step = j.step, moment AS m
WHERE r.journey = j.journey AND r.customer_id = j.customer_id AND r.entered_at = j.entered_at
  AND j.release IS NULL;

-- name: parked
UPDATE live AS r SET wake_at = j.release, why = j.reason
FROM judged AS j
WHERE r.journey = j.journey AND r.customer_id = j.customer_id AND r.entered_at = j.entered_at
  AND j.release IS NOT NULL;

-- name: next rank
UPDATE intent SET rank = rank - 1;

-- name: ended
INSERT INTO expected_run FROM live WHERE ended_at IS NOT NULL;
DELETE FROM live WHERE ended_at IS NOT NULL;

-- name: still under way
INSERT INTO expected_run FROM live;
