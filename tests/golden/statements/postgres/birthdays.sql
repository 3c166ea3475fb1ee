-- who enters
INSERT INTO trail (round, customer_id, run_id, journey, edge, arrived_at, left_at, entered_at, fate, status, reason, entry, why, going, passes, fresh)
WITH fresh AS (
  SELECT c.customer_id, o.due_at AS at,
    CAST(CAST('x0' || substr(md5('birthdays' || ':' || (CAST(c.customer_id AS TEXT) COLLATE "C") || ':' || (CAST(o.due_at AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) AS run_id,
    CAST(NULL AS TEXT) AS entry, CASE WHEN (CAST(CAST('x0' || substr(md5('control-2026' || ':' || (CAST(c.customer_id AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) % 10000) < 200 THEN 5 ELSE 0 END AS status,
    row_number() OVER (PARTITION BY c.customer_id ORDER BY o.due_at) AS nth
  FROM (SELECT t."id" AS customer_id, coalesce((CAST(t."tz" AS TEXT) COLLATE "C"), 'Europe/Berlin') AS "_zone", CASE WHEN journey.to_date(t."born") BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN journey.to_date(t."born") END AS "born" FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c
  JOIN due AS o ON o.journey = 3 AND o.zone = c."_zone" AND o.month_day = extract(month FROM c."born") * 100 + extract(day FROM c."born") AND o.anniversary >= c."born"
  WHERE c.customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM journey.run AS r WHERE r.journey = 3 AND r.customer_id = c.customer_id)
)
SELECT 0 AS round, w.customer_id AS customer_id, w.run_id AS run_id, 3 AS journey, 0 AS edge, w.at AS arrived_at, w.at AS left_at, w.at AS entered_at, CASE WHEN w.status <> 0 THEN 4 ELSE 1 END AS fate, w.status AS status, CASE w.status WHEN 5 THEN 'global_control' WHEN 4 THEN 'held_out' END AS reason, w.entry AS entry, 1 AS why, 1 AS going, 0 AS passes, TRUE AS fresh
FROM fresh AS w WHERE w.nth = 1;

-- who wakes
INSERT INTO trail (round, customer_id, run_id, journey, edge, step, arrived_at, left_at, entered_at, fate, status, reason, entry, going, passes, fresh)
SELECT 0 AS round, w.customer_id AS customer_id, w.run_id AS run_id, w.journey AS journey, k.edge AS edge, w.step AS step, w.arrived_at AS arrived_at, CASE WHEN k.kind = 'send' THEN w.arrived_at ELSE w.wake_at END AS left_at, w.entered_at AS entered_at, 1 AS fate, 0 AS status, CASE WHEN k.kind = 'send' THEN w.reason END AS reason, w.entry AS entry, k.going AS going, w.passes AS passes, FALSE AS fresh
FROM journey.run AS w
JOIN plan_park AS k ON k.step = w.step
WHERE w.journey IN (3) AND w.status = 0 AND w.wake_at <= $now;

-- where they come to
INSERT INTO trail (round, customer_id, run_id, journey, edge, from_step, step, arrived_at, left_at, entered_at, fate, status, reason, entry, leaf, why, going, passes, fresh, content)
WITH going AS (
  SELECT t.* FROM trail AS t WHERE t.round = $round
    AND t.fate IN (1, 6) AND t.journey IN (3)
), headed AS (
  SELECT w.customer_id, w.run_id, w.journey, w.step AS from_step, w.left_at, w.entered_at,
    w.entry, w.going AS why, w.reason, w.passes, w.fresh, c.customer_id IS NULL AS gone,
    CASE w.journey WHEN 3 THEN CASE w.edge WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 0 END END AS leaf, (CAST(json_build_object('age', journey.as_json(CAST(CASE WHEN c."born" <= c."_today" THEN extract(year FROM c."_today") - extract(year FROM c."born") - CASE WHEN (extract(month FROM c."_today") * 100 + extract(day FROM c."_today")) < (extract(month FROM c."born") * 100 + extract(day FROM c."born")) THEN 1 ELSE 0 END END AS BIGINT))) AS TEXT) COLLATE "C") AS content_18
  FROM going AS w
  LEFT JOIN (SELECT t."id" AS customer_id, CASE WHEN journey.to_date(t."born") BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN journey.to_date(t."born") END AS "born", z.date AS "_today" FROM "crm"."customers" AS t LEFT JOIN zone_day AS z ON z.zone = coalesce((CAST(t."tz" AS TEXT) COLLATE "C"), 'Europe/Berlin') AND $now >= z.since AND $now < z.until WHERE t."deleted" IS NULL) AS c ON c.customer_id = w.customer_id
), landed AS (
  SELECT a.customer_id, a.run_id, a.journey, a.from_step, l.step, a.left_at AS arrived_at,
    (a.left_at + l.seconds * INTERVAL '1' SECOND) AS wake_at, a.entered_at, a.entry, a.why, a.fresh, l.edge, l.leaf,
    coalesce(a.passes - a.passes % l.kept + l.added, a.passes) AS passes,
    CASE WHEN a.gone THEN 'end' ELSE l.kind END AS kind,
    CASE WHEN a.gone THEN 3 ELSE coalesce(l.status, 0) END AS status,
    CASE WHEN a.gone THEN 'gone' WHEN l.kind = 'send' THEN a.reason ELSE l.reason END
      AS reason, CASE l.step WHEN 18 THEN a.content_18 ELSE NULL END AS content
  FROM headed AS a
  LEFT JOIN plan_leaf AS l ON l.journey = a.journey AND l.leaf = a.leaf AND NOT a.gone
)
SELECT $round + 1 AS round, w.customer_id AS customer_id, w.run_id AS run_id, w.journey AS journey, w.edge AS edge, w.from_step AS from_step, w.step AS step, w.arrived_at AS arrived_at, w.wake_at AS left_at, w.entered_at AS entered_at, CASE WHEN w.kind = 'end' THEN 4 WHEN w.kind = 'send' THEN 2   WHEN w.kind IN ('wait', 'race', 'state') AND w.wake_at <= $now THEN 1 ELSE 3 END AS fate, w.status AS status, w.reason AS reason, w.entry AS entry, w.leaf AS leaf, w.why AS why, 2 AS going, w.passes AS passes, w.fresh AS fresh, w.content AS content
FROM landed AS w;
