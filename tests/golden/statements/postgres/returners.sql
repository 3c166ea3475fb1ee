-- who is inside: everybody each time, for rows of `ordered` may change unseen; bind `ordered` as `append only`, or with `changed at`
INSERT INTO inside (journey, customer_id, inside)
SELECT 4, s.customer_id, s.inside
FROM (SELECT c.customer_id, coalesce((CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18,4)) ELSE g0.a0 END >= CAST('100.0000' AS DECIMAL(18,4)) AND coalesce(g0.a1, 0) >= CAST(2 AS BIGINT)), FALSE) AS inside
  FROM (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c
LEFT JOIN (SELECT e.customer_id, journey.to_money(coalesce(sum(e."total") FILTER (WHERE e."_at" > $now - INTERVAL '31536000' SECOND), 0)) AS a0, count(*) FILTER (WHERE e."_at" > $now - INTERVAL '7776000' SECOND) AS a1 FROM (SELECT t."customer_id" AS customer_id, t."id" AS "_key", journey.to_instant(t."at") AS "_at", journey.to_money(t."total") AS "total" FROM "shop"."orders" AS t WHERE t."status" <> 'cancelled') AS e WHERE e."_at" <= $now AND e."_at" > $now - INTERVAL '31536000' SECOND GROUP BY e.customer_id) AS g0 ON g0.customer_id = c.customer_id
  WHERE c.customer_id IS NOT NULL) AS s
LEFT JOIN journey.member AS m
  ON m.customer_id = s.customer_id AND m.journey = 4
WHERE s.inside <> (m.customer_id IS NOT NULL);

-- who enters
INSERT INTO trail (round, customer_id, run_id, journey, edge, arrived_at, left_at, entered_at, fate, status, reason, entry, why, going, passes, fresh)
WITH fresh AS (
  SELECT i.customer_id, CAST($now AS TIMESTAMP) AS at, 0 AS key, CAST(CAST('x0' || substr(md5('returners' || ':' || (CAST(i.customer_id AS TEXT) COLLATE "C") || ':' || (CAST(CAST($now AS TIMESTAMP) AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) AS run_id, CAST(NULL AS TEXT) AS entry
  FROM inside AS i
  WHERE i.journey = 4 AND i.inside AND $open
), judged AS (
  SELECT w.*, CASE WHEN p.active THEN 'active' WHEN p.customer_id IS NOT NULL THEN 'reentry' END AS refused
  FROM fresh AS w
  JOIN (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c ON c.customer_id = w.customer_id
  LEFT JOIN (SELECT r.customer_id, bool_or(r.status = 0) AS active, max(r.entered_at) AS entered_at FROM journey.run AS r WHERE r.journey = 4 AND r.customer_id IN (SELECT customer_id FROM fresh) GROUP BY r.customer_id) AS p ON p.customer_id = w.customer_id
), several AS (
  SELECT j.customer_id FROM judged AS j WHERE j.refused IS NULL
  GROUP BY j.customer_id HAVING count(*) > 1
), ranked AS (
  SELECT j.*, 1 AS nth FROM judged AS j
  WHERE NOT (j.refused IS NULL AND j.customer_id IN (SELECT customer_id FROM several))
  UNION ALL
  SELECT j.*, row_number() OVER (
    PARTITION BY j.customer_id ORDER BY j.at, j.key) AS nth
  FROM judged AS j
  WHERE j.refused IS NULL AND j.customer_id IN (SELECT customer_id FROM several)
)
SELECT 0 AS round, w.customer_id AS customer_id, w.run_id AS run_id, 4 AS journey, 0 AS edge, w.at AS arrived_at, w.at AS left_at, w.at AS entered_at, CASE WHEN w.refusal IS NOT NULL THEN 5 ELSE CASE WHEN w.status <> 0 THEN 4 ELSE 1 END END AS fate, w.status AS status, coalesce(w.refusal, CASE w.status WHEN 5 THEN 'global_control' WHEN 4 THEN 'held_out' END) AS reason, w.entry AS entry, 1 AS why, 1 AS going, 0 AS passes, TRUE AS fresh
FROM (SELECT r.*, CASE WHEN (CAST(CAST('x0' || substr(md5('control-2026' || ':' || (CAST(r.customer_id AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) % 10000) < 200 THEN 5 ELSE 0 END AS status,
    CASE WHEN r.nth > 1 THEN 'active' ELSE r.refused END AS refusal FROM ranked AS r) AS w;

-- who was inside
DELETE FROM journey.member AS m
USING (SELECT i.customer_id FROM inside AS i WHERE i.journey = 4 AND NOT i.inside) AS o
WHERE m.journey = 4 AND m.customer_id = o.customer_id;

-- who was inside
INSERT INTO journey.member (customer_id, journey)
SELECT i.customer_id, i.journey FROM inside AS i WHERE i.journey = 4 AND i.inside;

-- who wakes
INSERT INTO trail (round, customer_id, run_id, journey, edge, step, arrived_at, left_at, entered_at, fate, status, reason, entry, going, passes, fresh)
SELECT 0 AS round, w.customer_id AS customer_id, w.run_id AS run_id, w.journey AS journey, k.edge AS edge, w.step AS step, w.arrived_at AS arrived_at, CASE WHEN k.kind = 'send' THEN w.arrived_at ELSE w.wake_at END AS left_at, w.entered_at AS entered_at, 1 AS fate, 0 AS status, CASE WHEN k.kind = 'send' THEN w.reason END AS reason, w.entry AS entry, k.going AS going, w.passes AS passes, FALSE AS fresh
FROM journey.run AS w
JOIN plan_park AS k ON k.step = w.step
WHERE w.journey IN (4) AND w.status = 0 AND w.wake_at <= $now;

-- where they come to
INSERT INTO trail (round, customer_id, run_id, journey, edge, from_step, step, arrived_at, left_at, entered_at, fate, status, reason, entry, leaf, why, going, passes, fresh)
WITH going AS (
  SELECT t.* FROM trail AS t WHERE t.round = $round
    AND t.fate IN (1, 6) AND t.journey IN (4)
), headed AS (
  SELECT w.customer_id, w.run_id, w.journey, w.step AS from_step, w.left_at, w.entered_at,
    w.entry, w.going AS why, w.reason, w.passes, w.fresh, c.customer_id IS NULL AS gone,
    CASE w.journey WHEN 4 THEN CASE w.edge WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 0 END END AS leaf
  FROM going AS w
  LEFT JOIN (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c ON c.customer_id = w.customer_id
), landed AS (
  SELECT a.customer_id, a.run_id, a.journey, a.from_step, l.step, a.left_at AS arrived_at,
    (a.left_at + l.seconds * INTERVAL '1' SECOND) AS wake_at, a.entered_at, a.entry, a.why, a.fresh, l.edge, l.leaf,
    coalesce(a.passes - a.passes % l.kept + l.added, a.passes) AS passes,
    CASE WHEN a.gone THEN 'end' ELSE l.kind END AS kind,
    CASE WHEN a.gone THEN 3 ELSE coalesce(l.status, 0) END AS status,
    CASE WHEN a.gone THEN 'gone' WHEN l.kind = 'send' THEN a.reason ELSE l.reason END
      AS reason
  FROM headed AS a
  LEFT JOIN plan_leaf AS l ON l.journey = a.journey AND l.leaf = a.leaf AND NOT a.gone
)
SELECT $round + 1 AS round, w.customer_id AS customer_id, w.run_id AS run_id, w.journey AS journey, w.edge AS edge, w.from_step AS from_step, w.step AS step, w.arrived_at AS arrived_at, w.wake_at AS left_at, w.entered_at AS entered_at, CASE WHEN w.kind = 'end' THEN 4 WHEN w.kind = 'send' THEN 2   WHEN w.kind IN ('wait', 'race', 'state') AND w.wake_at <= $now THEN 1 ELSE 3 END AS fate, w.status AS status, w.reason AS reason, w.entry AS entry, w.leaf AS leaf, w.why AS why, 2 AS going, w.passes AS passes, w.fresh AS fresh
FROM landed AS w;
