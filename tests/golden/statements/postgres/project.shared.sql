-- the plan as tables
DROP TABLE IF EXISTS pg_temp.plan_leaf;
CREATE TEMP TABLE plan_leaf (journey INTEGER, leaf INTEGER, kind TEXT COLLATE "C", step INTEGER, seconds BIGINT, rule INTEGER, edge INTEGER, status SMALLINT, reason TEXT COLLATE "C", kept INTEGER, added INTEGER);
INSERT INTO plan_leaf VALUES
  (1, 0, 'send', 3, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (1, 1, 'send', 4, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (1, 2, 'end', NULL, NULL, NULL, NULL, 1, 'end', 1, 0),
  (1, 3, 'act', 14, NULL, NULL, 1, NULL, NULL, 1000000000, 0),
  (1, 4, 'wait', 12, NULL, 0, 4, NULL, NULL, 1, 1000000),
  (1, 5, 'send', 13, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (1, 6, 'act', 9, NULL, NULL, 5, NULL, NULL, 1, 0),
  (1, 7, 'act', 10, NULL, NULL, 7, NULL, NULL, 1, 0),
  (1, 8, 'end', NULL, NULL, NULL, NULL, 1, 'silent', 1, 0),
  (1, 9, 'race', 8, NULL, 1, 9, NULL, NULL, 1, 0),
  (1, 10, 'state', 7, NULL, 2, 11, NULL, NULL, 1, 0),
  (1, 11, 'wait', 6, NULL, 3, 12, NULL, NULL, 1, 0),
  (1, 12, 'wait', 5, NULL, 4, 13, NULL, NULL, 1, 0),
  (1, 13, 'send', 3, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (1, 14, 'send', 4, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (1, 15, 'end', NULL, NULL, NULL, NULL, 2, 'converted', 1, 0),
  (2, 0, 'send', 16, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (2, 1, 'end', NULL, NULL, NULL, NULL, 1, 'end', 1, 0),
  (3, 0, 'send', 18, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (3, 1, 'end', NULL, NULL, NULL, NULL, 1, 'end', 1, 0),
  (4, 0, 'send', 20, NULL, NULL, NULL, NULL, NULL, 1, 0),
  (4, 1, 'end', NULL, NULL, NULL, NULL, 1, 'end', 1, 0);
ANALYZE plan_leaf;
DROP TABLE IF EXISTS pg_temp.plan_exposure;
CREATE TEMP TABLE plan_exposure (journey INTEGER, leaf INTEGER, experiment INTEGER, arm TEXT COLLATE "C", salt TEXT COLLATE "C", low INTEGER, high INTEGER);
INSERT INTO plan_exposure VALUES
  (1, 0, 2, 'plain', 'subject-2026', NULL, NULL),
  (1, 1, 2, 'best', 'subject-2026', NULL, NULL);
ANALYZE plan_exposure;
DROP TABLE IF EXISTS pg_temp.plan_park;
CREATE TEMP TABLE plan_park (journey INTEGER, step INTEGER, kind TEXT COLLATE "C", edge INTEGER, going SMALLINT);
INSERT INTO plan_park VALUES
  (1, 13, 'send', 3, 9),
  (1, 12, 'wait', 4, 2),
  (1, 8, 'race', 9, 5),
  (1, 7, 'state', 11, 5),
  (1, 6, 'wait', 12, 2),
  (1, 5, 'wait', 13, 2),
  (1, 3, 'send', 15, 9),
  (1, 4, 'send', 17, 9),
  (2, 16, 'send', 2, 9),
  (3, 18, 'send', 2, 9),
  (4, 20, 'send', 2, 9);
ANALYZE plan_park;
DROP TABLE IF EXISTS pg_temp.plan_send;
CREATE TEMP TABLE plan_send (journey INTEGER, step INTEGER, ordinal INTEGER, priority INTEGER, hold_seconds BIGINT, expires BIGINT, parks BOOLEAN, edge INTEGER, lacking INTEGER, topic TEXT COLLATE "C");
INSERT INTO plan_send VALUES
  (1, 13, 1, 0, 43200, 604800, TRUE, 2, 2, NULL),
  (1, 3, 3, 0, 604800, 604800, TRUE, 14, 14, NULL),
  (1, 4, 2, 0, 604800, 604800, TRUE, 16, 16, NULL),
  (2, 16, 5, 0, 604800, 604800, TRUE, 1, 1, NULL),
  (3, 18, 0, 0, 604800, 604800, TRUE, 1, 1, NULL),
  (4, 20, 4, 0, 604800, 604800, TRUE, 1, 1, NULL);
ANALYZE plan_send;
DROP TABLE IF EXISTS pg_temp.plan_landing;
CREATE TEMP TABLE plan_landing (step INTEGER, to_step INTEGER, fate INTEGER, status SMALLINT, reason TEXT COLLATE "C", seconds BIGINT, rule INTEGER, kept INTEGER, added INTEGER);
INSERT INTO plan_landing VALUES
  (4, 5, 3, 0, NULL, NULL, 4, 1, 0),
  (16, NULL, 4, 1, 'end', NULL, NULL, 1, 0),
  (18, NULL, 4, 1, 'end', NULL, NULL, 1, 0),
  (20, NULL, 4, 1, 'end', NULL, NULL, 1, 0);
ANALYZE plan_landing;
DROP TABLE IF EXISTS pg_temp.plan_turn;
CREATE TEMP TABLE plan_turn (step INTEGER, favourite TEXT COLLATE "C", position INTEGER, turn INTEGER);
INSERT INTO plan_turn VALUES
  (4, 'sms', 0, 0),
  (4, 'sms', 1, 1),
  (4, 'email', 1, 0),
  (4, 'email', 0, 1);
ANALYZE plan_turn;
DROP TABLE IF EXISTS pg_temp.plan_offer;
CREATE TEMP TABLE plan_offer (step INTEGER, position INTEGER, channel TEXT COLLATE "C", caps INTEGER, consents INTEGER, controlled BOOLEAN, quiet INTEGER, quiet_hold INTEGER, quiet_skip INTEGER, counted BOOLEAN, cost DECIMAL(18,4), transactional BOOLEAN);
INSERT INTO plan_offer VALUES
  (13, 0, 'push', 0, 0, TRUE, NULL, NULL, NULL, TRUE, NULL, FALSE),
  (13, 1, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE),
  (3, 0, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE),
  (4, 0, 'sms', 0, 0, TRUE, 5, 5, NULL, TRUE, 0.06, FALSE),
  (4, 1, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE),
  (16, 0, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE),
  (18, 0, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE),
  (20, 0, 'email', 1, 1, TRUE, NULL, NULL, NULL, TRUE, 0.0004, FALSE);
ANALYZE plan_offer;
DROP TABLE IF EXISTS pg_temp.plan_budget;
CREATE TEMP TABLE plan_budget (allowance INTEGER, name TEXT COLLATE "C", kind TEXT COLLATE "C", shown TEXT COLLATE "C", quota DECIMAL(18,4));
INSERT INTO plan_budget VALUES
  (0, 'policy standard: capacity push', 'capacity', 'policy standard: capacity push 100 per day', 100),
  (1, 'policy standard: budget sms', 'budget', 'policy standard: budget sms 5 EUR per month', 5.0000);
ANALYZE plan_budget;
DROP TABLE IF EXISTS pg_temp.plan_allowance;
CREATE TEMP TABLE plan_allowance (step INTEGER, channel TEXT COLLATE "C", allowance INTEGER, amount DECIMAL(18,4), holds BOOLEAN);
INSERT INTO plan_allowance VALUES
  (13, 'push', 0, 1, TRUE),
  (4, 'sms', 1, 0.06, FALSE);
ANALYZE plan_allowance;
DROP TABLE IF EXISTS pg_temp.plan_code;
CREATE TEMP TABLE plan_code (step INTEGER, path TEXT COLLATE "C", name TEXT COLLATE "C", promo TEXT COLLATE "C", per_customer BOOLEAN, until TIMESTAMP);
INSERT INTO plan_code VALUES
  (3, 'subject/plain/hello', 'code', 'few', FALSE, NULL);
ANALYZE plan_code;
DROP TABLE IF EXISTS pg_temp.plan_version;
CREATE TEMP TABLE plan_version (journey INTEGER, version INTEGER, holdout_step INTEGER, draws BOOLEAN, salt TEXT COLLATE "C"); INSERT INTO plan_version VALUES (1, 1, 1, TRUE, 'control-2026 club-2026'), (2, 1, 15, TRUE, 'control-2026'), (3, 1, 17, TRUE, 'control-2026'), (4, 1, 19, TRUE, 'control-2026');
ANALYZE plan_version;

-- is there anything to do
SELECT 'run' AS kind, (CAST(j.journey AS TEXT) COLLATE "C") AS name, 1 AS n, (CAST(NULL AS TEXT) COLLATE "C") AS a, (CAST((SELECT min(r.wake_at) FROM journey.run AS r WHERE r.status = 0 AND r.journey = j.journey) AS TEXT) COLLATE "C") AS b FROM (VALUES (1), (2), (3), (4)) AS j(journey) WHERE EXISTS (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.journey = j.journey)
UNION ALL SELECT 'state', (CAST(j.journey AS TEXT) COLLATE "C"), 1, NULL, NULL FROM (VALUES (1, 7)) AS j(journey, step) WHERE EXISTS (SELECT 1 FROM journey.run AS r WHERE r.status = 0 AND r.step = j.step)
UNION ALL SELECT 'event', 'feedback', count(*), NULL, NULL FROM journey.message_event AS e WHERE e.at > $since_feedback AND e.at <= $now
UNION ALL SELECT 'event', 'visited', count(*), NULL, NULL FROM (SELECT t."customer_id" AS customer_id, t."id" AS "_key", journey.to_instant(t."at") AS "_at", journey.to_instant(t."changed") AS "_changed" FROM "shop"."visits" AS t) AS e WHERE greatest(e."_at", e."_changed") > $since_visited AND e."_at" <= $now
UNION ALL SELECT 'event', 'signed_up', count(*), NULL, NULL FROM (SELECT t."customer_id" AS customer_id, t."id" AS "_key", journey.to_instant(t."at") AS "_at" FROM "shop"."signups" AS t) AS e WHERE e."_at" > $since_signed_up AND e."_at" <= $now
UNION ALL SELECT 'pause', (CAST(p.journey AS TEXT) COLLATE "C"), CASE WHEN p.until IS NULL THEN 1 ELSE 0 END, (CAST(p.after AS TEXT) COLLATE "C"), (CAST(p.until AS TEXT) COLLATE "C") FROM journey.pause AS p WHERE p.until IS NULL OR NOT p.caught_up
UNION ALL SELECT 'gone', '', 1, (SELECT string_agg(concat_ws(' ', p.oid, p.relfilenode, pg_stat_get_tuples_deleted(p.oid), pg_stat_get_tuples_updated(p.oid)), ', ' ORDER BY p.oid) FROM pg_class AS p WHERE (p.oid = to_regclass('"crm"."customers"') OR p.oid IN (SELECT t.relid FROM pg_partition_tree(to_regclass('"crm"."customers"')) AS t))), NULL
UNION ALL SELECT 'start', p.journey, count(*), NULL, NULL FROM journey.pending_entry AS p WHERE p."at" < $now GROUP BY p.journey;

-- who is gone
INSERT INTO trail (round, customer_id, run_id, journey, from_step, arrived_at, entered_at, fate, status, reason, entry, why, passes, fresh)
SELECT 0 AS round, w.customer_id AS customer_id, w.run_id AS run_id, w.journey AS journey, w.step AS from_step, $now AS arrived_at, w.entered_at AS entered_at, 4 AS fate, 3 AS status, 'gone' AS reason, w.entry AS entry, 13 AS why, w.passes AS passes, FALSE AS fresh
FROM journey.run AS w
WHERE w.status = 0 AND w.journey IN (1, 2, 3, 4) AND EXISTS (SELECT 1 FROM (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c)
  AND NOT EXISTS (SELECT 1 FROM (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c WHERE c.customer_id = w.customer_id);

-- a ranking of all customers
SELECT 780550799915489448 AS ranking, r.customer_id, row_number() OVER (ORDER BY r.metric DESC, journey.in_order(r.customer_id)) - 1 AS place, count(*) OVER () AS among
FROM (SELECT c.customer_id, CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18,4)) ELSE g0.a0 END AS metric FROM (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c
LEFT JOIN (SELECT e.customer_id, journey.to_money(coalesce(sum(e."total"), 0)) AS a0 FROM (SELECT t."customer_id" AS customer_id, t."id" AS "_key", journey.to_instant(t."at") AS "_at", journey.to_money(t."total") AS "total" FROM "shop"."orders" AS t WHERE t."status" <> 'cancelled') AS e WHERE e."_at" <= $now AND e."_at" > $now - INTERVAL '31536000' SECOND GROUP BY e.customer_id) AS g0 ON g0.customer_id = c.customer_id
  WHERE c.customer_id IS NOT NULL) AS r
WHERE r.metric IS NOT NULL;

-- who stands at a send
INSERT INTO intent (customer_id, run_id, journey, step, arrived_at, entered_at, entry, last_reason, mask, content, passes, fresh, limit_at, rank)
SELECT t.customer_id, t.run_id, t.journey, t.step, t.arrived_at, t.entered_at,
  t.entry, t.reason AS last_reason, coalesce(t.mask, -1) AS mask, t.content AS content, t.passes, t.fresh,
  (t.arrived_at + s.hold_seconds * INTERVAL '1' SECOND) AS limit_at, row_number() OVER (PARTITION BY t.customer_id ORDER BY s.priority DESC, t.arrived_at, s.ordinal, t.run_id) AS rank
FROM trail AS t JOIN plan_send AS s ON s.step = t.step WHERE t.round > $after AND t.fate = 2;

-- what is used up of budgets and capacities
INSERT INTO spent (allowance, amount, "at")
SELECT 0, sum(u.amount), min(u.at) FROM journey.budget_use AS u
WHERE u.budget = 'policy standard: capacity push' AND u.at >= $this_day
  AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
    AND b.message_id = u.message_id AND b.customer_id = u.customer_id)
HAVING count(*) > 0
UNION ALL SELECT 1, sum(u.amount), min(u.at) FROM journey.budget_use AS u
WHERE u.budget = 'policy standard: budget sms' AND u.at >= $this_month
  AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
    AND b.message_id = u.message_id AND b.customer_id = u.customer_id)
HAVING count(*) > 0;

-- may it be sent, but for them
INSERT INTO verdict (customer_id, run_id, step, position, line, channel, cost, counted, quiet_from, quiet_until, caps, early, late, stuck, held, release)
WITH i AS (
  SELECT n.*, row_number() OVER (
    ORDER BY p.priority DESC, n.arrived_at, p.ordinal, n.customer_id, n.run_id) AS line
  FROM (SELECT n.* FROM intent AS n WHERE n.rank = $rank) AS n JOIN plan_send AS p ON p.step = n.step
),
"said_sms_ok" AS (SELECT k.customer_id, max(k.at) FILTER (WHERE k.granted) AS yes, max(k.at) FILTER (WHERE NOT k.granted) AS no FROM (SELECT customer_id, "at", granted FROM journey.consent_change WHERE consent = 'sms_ok') AS k WHERE k.at <= $now AND k.customer_id IN (SELECT n.customer_id FROM intent AS n WHERE n.rank = $rank) GROUP BY k.customer_id),
"said_email_ok" AS (SELECT k.customer_id, max(k.at) FILTER (WHERE k.granted) AS yes, max(k.at) FILTER (WHERE NOT k.granted) AS no FROM (SELECT * FROM (SELECT t."customer_id" AS customer_id, journey.to_instant(t."at") AS at, coalesce(t."status" = 'in', FALSE) AS granted FROM "crm"."consents" AS t WHERE t."topic" = 'email') AS b UNION ALL SELECT customer_id, "at", granted FROM journey.consent_change WHERE consent = 'email_ok') AS k WHERE k.at <= $now AND k.customer_id IN (SELECT n.customer_id FROM intent AS n WHERE n.rank = $rank) GROUP BY k.customer_id),
reach AS (
  SELECT c.customer_id, c."_zone" AS zone, c."token" IS NOT NULL AS "address_push", coalesce(('push' = ANY (u.channels)), FALSE) AS "suppressed_push", c."email" IS NOT NULL AS "address_email", coalesce(('email' = ANY (u.channels)), FALSE) AS "suppressed_email", c."mobile" IS NOT NULL AS "address_sms", coalesce(('sms' = ANY (u.channels)), FALSE) AS "suppressed_sms", (coalesce((c."mobile" IS NOT NULL AND c."country" <> 'FR'), FALSE) AND NOT ("said_sms_ok".no IS NOT NULL AND ("said_sms_ok".yes IS NULL OR "said_sms_ok".no >= "said_sms_ok".yes))) AS "granted_sms_ok", ("said_email_ok".yes IS NOT NULL AND ("said_email_ok".no IS NULL OR "said_email_ok".yes > "said_email_ok".no)) AS "granted_email_ok"
  FROM (SELECT t."id" AS customer_id, coalesce((CAST(t."tz" AS TEXT) COLLATE "C"), 'Europe/Berlin') AS "_zone", (CAST(t."email" AS TEXT) COLLATE "C") AS "email", (CAST(t."mobile" AS TEXT) COLLATE "C") AS "mobile", (CAST(t."token" AS TEXT) COLLATE "C") AS "token", (CAST(t."country" AS TEXT) COLLATE "C") AS "country" FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c
  LEFT JOIN "said_sms_ok" ON "said_sms_ok".customer_id = c.customer_id
  LEFT JOIN "said_email_ok" ON "said_email_ok".customer_id = c.customer_id
  LEFT JOIN (SELECT customer_id, array_agg(channel) AS channels,
      array_agg(channel) FILTER (WHERE reason NOT IN ('unsubscribe')) AS dead
    FROM journey.suppression
    WHERE customer_id IS NOT NULL GROUP BY customer_id) AS u ON u.customer_id = c.customer_id
  WHERE c.customer_id IN (SELECT n.customer_id FROM intent AS n WHERE n.rank = $rank)
),
counts AS (
  SELECT m.customer_id, count(*) FILTER (WHERE m.decided_at >= z.day) AS n0, min(m.decided_at) FILTER (WHERE m.decided_at >= z.day) AS o0, count(*) FILTER (WHERE m.decided_at > $now - INTERVAL '604800' SECOND AND m.channel = 'email') AS n1, min(m.decided_at) FILTER (WHERE m.decided_at > $now - INTERVAL '604800' SECOND AND m.channel = 'email') AS o1
  FROM journey.message AS m JOIN reach AS r ON r.customer_id = m.customer_id
  LEFT JOIN zone_day AS z ON z.zone = r.zone AND $now >= z.since AND $now < z.until
  WHERE m.counted AND m.decided_at > $now - INTERVAL '604800' SECOND
    AND m.customer_id IN (SELECT n.customer_id FROM intent AS n WHERE n.rank = $rank)
    AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
      AND b.message_id = m.message_id AND b.customer_id = m.customer_id)
  GROUP BY m.customer_id
),
members AS (
  SELECT i.customer_id, coalesce((CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18,4)) ELSE g0.a0 END >= CAST('100.0000' AS DECIMAL(18,4)) AND coalesce(g0.a1, 0) >= CAST(2 AS BIGINT)), FALSE) AS m0
  FROM i JOIN (SELECT t."id" AS customer_id FROM "crm"."customers" AS t WHERE t."deleted" IS NULL) AS c ON c.customer_id = i.customer_id
LEFT JOIN (SELECT e.customer_id, journey.to_money(coalesce(sum(e."total") FILTER (WHERE e."_at" > $now - INTERVAL '31536000' SECOND), 0)) AS a0, count(*) FILTER (WHERE e."_at" > $now - INTERVAL '7776000' SECOND) AS a1 FROM (SELECT t."customer_id" AS customer_id, t."id" AS "_key", journey.to_instant(t."at") AS "_at", journey.to_money(t."total") AS "total" FROM "shop"."orders" AS t WHERE t."status" <> 'cancelled') AS e WHERE e."_at" <= $now AND e.customer_id IN (SELECT customer_id FROM i) AND e."_at" > $now - INTERVAL '31536000' SECOND GROUP BY e.customer_id) AS g0 ON g0.customer_id = i.customer_id
),
candidate AS (
  SELECT i.customer_id, i.run_id, i.step, i.limit_at, i.line AS line, coalesce(q.turn, o.position) AS position,
    o.channel, o.cost, o.counted,
    NOT CASE o.channel WHEN 'push' THEN r."address_push" WHEN 'email' THEN r."address_email" WHEN 'sms' THEN r."address_sms" ELSE FALSE END AS no_address,
    CASE o.channel WHEN 'push' THEN r."suppressed_push" WHEN 'email' THEN r."suppressed_email" WHEN 'sms' THEN r."suppressed_sms" ELSE FALSE END AS suppressed,
    NOT (CASE o.consents WHEN 0 THEN r."granted_sms_ok" WHEN 1 THEN r."granted_email_ok" ELSE TRUE END) AS no_consent, (o.controlled AND (CAST(CAST('x0' || substr(md5('control-2026' || ':' || (CAST(i.customer_id AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) % 10000) < 200) AS controlled,
    coalesce(qh.quiet, FALSE) AS quiet_hold, FALSE AS quiet_skip,
    qh.release AS quiet_release, coalesce(qh.next_from) AS quiet_from,
    coalesce(qh.next_until) AS quiet_until,
    coalesce(CASE o.caps WHEN 0 THEN ((b.m0 AND coalesce(n.n0, 0) >= 1)) WHEN 1 THEN ((coalesce(n.n1, 0) >= 2) OR (b.m0 AND coalesce(n.n0, 0) >= 1)) ELSE FALSE END, FALSE) AS capped_hold,
    coalesce(FALSE, FALSE) AS capped_skip,
    CASE o.caps WHEN 0 THEN (CASE WHEN (b.m0 AND coalesce(n.n0, 0) >= 1) THEN z.next_day END) WHEN 1 THEN (greatest(CASE WHEN (coalesce(n.n1, 0) >= 2) THEN n.o1 + INTERVAL '604800' SECOND END, CASE WHEN (b.m0 AND coalesce(n.n0, 0) >= 1) THEN z.next_day END)) ELSE CAST(NULL AS TIMESTAMP) END AS cap_release, CASE o.caps WHEN 0 THEN ((CAST(json_build_object('any 1 per day for regulars', journey.as_json(coalesce(n.n0, 0))) AS TEXT) COLLATE "C")) WHEN 1 THEN ((CAST(json_build_object('email 2 per 7d', journey.as_json(coalesce(n.n1, 0)), 'any 1 per day for regulars', journey.as_json(coalesce(n.n0, 0))) AS TEXT) COLLATE "C")) ELSE NULL END AS caps
  FROM i
  JOIN plan_offer AS o ON o.step = i.step AND (i.mask = -1 OR i.mask >= 0 AND (i.mask >> o.position) & 1 = 1)
  JOIN reach AS r ON r.customer_id = i.customer_id
  LEFT JOIN journey.weight AS y ON y.experiment = i.step AND y.day = CAST($now AS DATE) AND i.step IN (4) AND (CAST(CAST('x0' || substr(md5(y.salt || ':' || (CAST(CAST($now AS DATE) AS TEXT) COLLATE "C") || ':' || (CAST(i.customer_id AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) % 10000) >= y.low AND (CAST(CAST('x0' || substr(md5(y.salt || ':' || (CAST(CAST($now AS DATE) AS TEXT) COLLATE "C") || ':' || (CAST(i.customer_id AS TEXT) COLLATE "C")), 1, 15) AS BIT(64)) AS BIGINT) % 10000) < y.high
  LEFT JOIN plan_turn AS q ON q.step = i.step AND q.position = o.position AND q.favourite = coalesce(y.arm)
  LEFT JOIN counts AS n ON n.customer_id = i.customer_id
  LEFT JOIN members AS b ON b.customer_id = i.customer_id
  LEFT JOIN zone_day AS z ON z.zone = r.zone AND $now >= z.since AND $now < z.until
  LEFT JOIN zone_quiet AS qh ON qh.zone = r.zone AND qh.rule = o.quiet_hold AND $now >= qh.since AND $now < qh.until
),
ruled AS (
  SELECT k.*, CASE WHEN k.no_address THEN 'no_address' WHEN k.suppressed THEN 'suppressed'
      WHEN k.no_consent THEN 'no_consent' WHEN k.controlled THEN 'global_control' END AS early,
    CASE WHEN k.quiet_hold OR k.quiet_skip THEN 'quiet'
      WHEN k.capped_hold OR k.capped_skip THEN 'capped' END AS late,
    k.no_address OR k.suppressed OR k.no_consent OR k.controlled OR k.quiet_skip
      OR k.capped_skip AS stuck,
    k.quiet_hold OR k.capped_hold AS held,
    greatest(CASE WHEN k.quiet_hold THEN k.quiet_release END,
      CASE WHEN k.capped_hold THEN k.cap_release END) AS release
  FROM candidate AS k
)
SELECT k.customer_id, k.run_id, k.step, k.position, k.line, k.channel, k.cost, k.counted, k.quiet_from, k.quiet_until, k.caps, k.early, k.late, k.stuck, k.held, k.release FROM ruled AS k WHERE $now < k.limit_at;

-- who is the first for whom there is not enough
INSERT INTO closed (allowance, line)
WITH waiting AS (
  SELECT v.* FROM verdict AS v WHERE v.position = $position
    AND NOT EXISTS (SELECT 1 FROM granted AS g
      WHERE g.customer_id = v.customer_id AND g.run_id = v.run_id)
), claim AS (
  SELECT v.line, a.allowance, a.amount, v.early IS NULL AND v.late IS NULL AS claims
  FROM waiting AS v JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
), barred AS (
  SELECT DISTINCT c.line FROM claim AS c
  JOIN closed AS x ON x.allowance = c.allowance AND x.line <= c.line
), summed AS (
  SELECT c.*, sum(CASE WHEN c.claims AND b.line IS NULL THEN c.amount ELSE 0 END)
    OVER (PARTITION BY c.allowance ORDER BY c.line) AS total, b.line IS NULL AS alive
  FROM claim AS c LEFT JOIN barred AS b ON b.line = c.line
), used AS (
  SELECT b.allowance, b.quota, coalesce(sum(s.amount), 0) AS amount
  FROM plan_budget AS b LEFT JOIN spent AS s ON s.allowance = b.allowance
  GROUP BY b.allowance, b.quota
), over AS (
  SELECT s.allowance, min(s.line) AS line
  FROM summed AS s JOIN used AS u ON u.allowance = s.allowance
  WHERE s.claims AND s.alive AND u.amount + s.total > u.quota GROUP BY s.allowance
)
SELECT o.allowance, o.line FROM over AS o WHERE o.line = (SELECT min(line) FROM over);

-- for whom there is not enough
INSERT INTO stopped (customer_id, run_id, position, allowance, amount)
WITH waiting AS (
  SELECT v.* FROM verdict AS v WHERE v.position = $position
    AND NOT EXISTS (SELECT 1 FROM granted AS g
      WHERE g.customer_id = v.customer_id AND g.run_id = v.run_id)
), claim AS (
  SELECT v.line, a.allowance, a.amount, v.early IS NULL AND v.late IS NULL AS claims
  FROM waiting AS v JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
), barred AS (
  SELECT DISTINCT c.line FROM claim AS c
  JOIN closed AS x ON x.allowance = c.allowance AND x.line <= c.line
), summed AS (
  SELECT c.*, sum(CASE WHEN c.claims AND b.line IS NULL THEN c.amount ELSE 0 END)
    OVER (PARTITION BY c.allowance ORDER BY c.line) AS total, b.line IS NULL AS alive
  FROM claim AS c LEFT JOIN barred AS b ON b.line = c.line
), used AS (
  SELECT b.allowance, b.quota, coalesce(sum(s.amount), 0) AS amount
  FROM plan_budget AS b LEFT JOIN spent AS s ON s.allowance = b.allowance
  GROUP BY b.allowance, b.quota
)
SELECT v.customer_id, v.run_id, v.position, s.allowance, u.amount + s.total
FROM summed AS s JOIN used AS u ON u.allowance = s.allowance
JOIN waiting AS v ON v.line = s.line
LEFT JOIN closed AS x ON x.allowance = s.allowance
WHERE s.line >= x.line OR (NOT s.claims AND u.amount + s.total + s.amount > u.quota);

-- for whom there is
INSERT INTO granted (customer_id, run_id, position)
SELECT v.customer_id, v.run_id, v.position FROM verdict AS v
WHERE v.position = $position AND v.early IS NULL AND v.late IS NULL
  AND NOT EXISTS (SELECT 1 FROM granted AS g
    WHERE g.customer_id = v.customer_id AND g.run_id = v.run_id)
  AND NOT EXISTS (SELECT 1 FROM stopped AS x WHERE x.customer_id = v.customer_id
    AND x.run_id = v.run_id AND x.position = v.position);

-- what they take
INSERT INTO spent (allowance, amount, "at")
SELECT a.allowance, sum(a.amount), CAST($now AS TIMESTAMP)
FROM granted AS g JOIN verdict AS v ON v.customer_id = g.customer_id AND v.run_id = g.run_id
  AND v.position = g.position
JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
WHERE g.position = $position GROUP BY a.allowance;

-- may it be sent
INSERT INTO decided (phase, customer_id, run_id, journey, step, arrived_at,
  entered_at, entry, passes, fresh, outcome, reason, figures, wake_at, quiet_from,
  quiet_until, rank, channel, cost, counted, content)
WITH i AS (
  SELECT n.*, row_number() OVER (
    ORDER BY p.priority DESC, n.arrived_at, p.ordinal, n.customer_id, n.run_id) AS line
  FROM (SELECT n.* FROM intent AS n WHERE n.rank = $rank) AS n JOIN plan_send AS p ON p.step = n.step
),
short AS (
  SELECT s.customer_id, s.run_id, s.position, min(b.kind) AS kind, max(CASE s.allowance WHEN 0 THEN $next_day WHEN 1 THEN $next_month ELSE CAST(NULL AS TIMESTAMP) END) AS release,
    bool_or(NOT a.holds OR CASE s.allowance WHEN 0 THEN $next_day WHEN 1 THEN $next_month ELSE CAST(NULL AS TIMESTAMP) END IS NULL) AS stuck,
    string_agg(b.shown || ': ' || (CAST(s.amount AS TEXT) COLLATE "C"), ', ' ORDER BY s.allowance) AS budgets
  FROM stopped AS s JOIN plan_budget AS b ON b.allowance = s.allowance
  JOIN verdict AS v ON v.customer_id = s.customer_id AND v.run_id = s.run_id
    AND v.position = s.position
  JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
    AND a.allowance = s.allowance
  LEFT JOIN (SELECT allowance, min("at") AS oldest FROM spent GROUP BY allowance) AS u
    ON u.allowance = s.allowance
  GROUP BY s.customer_id, s.run_id, s.position
), judged AS (
  SELECT k.customer_id, k.run_id, k.position, k.channel, k.cost, k.counted, k.quiet_from, k.quiet_until, k.caps, coalesce(k.early, s.kind, k.late) AS reason,
    NOT k.stuck AND NOT coalesce(s.stuck, FALSE) AND (k.held OR s.run_id IS NOT NULL) AS waiting,
    greatest(k.release, s.release) AS release, s.budgets
  FROM verdict AS k LEFT JOIN short AS s ON s.customer_id = k.customer_id
    AND s.run_id = k.run_id AND s.position = k.position
),
settled AS (
  SELECT customer_id, run_id, min(CASE WHEN reason IS NULL THEN position END) AS open,
    min(CASE WHEN waiting THEN position END) AS held, min(position) AS first,
    min(CASE WHEN waiting THEN release END) AS release,
    concat_ws(', ', max(CASE WHEN position = 0 THEN channel || ': ' || coalesce(reason, 'open') END), max(CASE WHEN position = 1 THEN channel || ': ' || coalesce(reason, 'open') END)) AS others
  FROM judged GROUP BY customer_id, run_id
),
chosen AS (
  SELECT j.customer_id, j.run_id, j.position, j.channel, j.cost, j.counted, j.quiet_from,
    j.quiet_until, j.caps, j.reason, j.waiting, s.release, j.budgets, s.others
  FROM settled AS s JOIN judged AS j ON j.customer_id = s.customer_id AND j.run_id = s.run_id
    AND j.position = coalesce(s.open, s.held, s.first)
)
SELECT $round, i.customer_id, i.run_id, i.journey, i.step, i.arrived_at,
  i.entered_at, i.entry, i.passes, i.fresh, CASE WHEN $now >= i.limit_at OR k.channel IS NULL THEN 3 WHEN k.reason IS NULL THEN 1 WHEN k.waiting AND TRUE THEN 2 ELSE 3 END AS outcome,
  CASE WHEN $now >= i.limit_at THEN coalesce(i.last_reason, 'expired')
    ELSE coalesce(k.reason,
      CASE WHEN i.mask = -2 THEN 'too_few' ELSE 'no_channel' END) END,
  CASE WHEN k.reason IS NOT NULL THEN (CAST(json_build_object('channel', journey.as_json(k.channel), 'channels', journey.as_json(k.others), 'counted', journey.as_json(CAST(k.caps AS JSON)), 'budgets', journey.as_json(k.budgets)) AS TEXT) COLLATE "C") END, least(coalesce(k.release, i.limit_at), i.limit_at), k.quiet_from, k.quiet_until, i.rank, k.channel, k.cost, k.counted, i.content
FROM i LEFT JOIN chosen AS k ON k.customer_id = i.customer_id AND k.run_id = i.run_id;

-- what the messages are charged to
INSERT INTO journey.budget_use (customer_id, message_id, budget, "at", amount)
SELECT DISTINCT m.customer_id, m.message_id, b.name, $now, a.amount
FROM journey.message AS m JOIN plan_allowance AS a ON a.step = m.step AND a.channel = m.channel
JOIN plan_budget AS b ON b.allowance = a.allowance
WHERE m.message_id >= $base;

-- how many need a code
WITH w AS (SELECT s.customer_id, s.run_id, s.journey, s.step, p.path,
    row_number() OVER (ORDER BY o.priority DESC, s.arrived_at, o.ordinal, s.customer_id, s.run_id)
      AS n
  FROM decided AS s JOIN plan_code AS p ON p.step = s.step JOIN plan_send AS o ON o.step = s.step
  WHERE s.phase = $round AND s.rank = $rank
    AND s.outcome = 1 AND s.step IN (3)
    AND NOT EXISTS (SELECT 1 FROM journey.promo_code AS k
      WHERE k.promo = p.promo AND k.customer_id = s.customer_id AND (p.per_customer OR k.run_id = s.run_id AND k.step = s.step AND k.tick = $tick) AND (p.until IS NULL OR $now < p.until))) SELECT count(*) FROM w;

-- draw their codes
INSERT INTO journey.promo_code (customer_id, promo, code, run_id, journey, step, tick, "at", expires_at)
WITH w AS (
  SELECT s.customer_id, s.run_id, s.journey, s.step, p.path,
    row_number() OVER (ORDER BY o.priority DESC, s.arrived_at, o.ordinal, s.customer_id, s.run_id)
      AS n
  FROM decided AS s JOIN plan_code AS p ON p.step = s.step JOIN plan_send AS o ON o.step = s.step
  WHERE s.phase = $round AND s.rank = $rank
    AND s.outcome = 1 AND s.step IN (3)
    AND NOT EXISTS (SELECT 1 FROM journey.promo_code AS k
      WHERE k.promo = p.promo AND k.customer_id = s.customer_id AND (p.per_customer OR k.run_id = s.run_id AND k.step = s.step AND k.tick = $tick) AND (p.until IS NULL OR $now < p.until))
), free AS (
  SELECT f.code, row_number() OVER (ORDER BY f.code) AS n FROM (
    SELECT b.code FROM (SELECT DISTINCT (CAST(t."code" AS TEXT) COLLATE "C") AS code FROM "shop"."pool" AS t) AS b
    WHERE b.code IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM journey.promo_code AS c WHERE c.code = b.code)
    ORDER BY b.code LIMIT (SELECT count(*) FROM w)) AS f
)
SELECT w.customer_id, 'few', f.code, w.run_id, w.journey, w.step, $tick, $now, NULL FROM w JOIN free AS f ON f.n = w.n
WHERE w.n <= 2 - (SELECT count(*) FROM journey.promo_code AS c WHERE c.promo = 'few');

-- put the codes into the messages
UPDATE decided AS s SET content = (CAST((journey.json(s.content) || jsonb_build_object(p.name, k.code)) AS TEXT) COLLATE "C")
FROM plan_code AS p JOIN journey.promo_code AS k ON k.promo = p.promo
WHERE p.step = s.step AND s.phase = $round AND s.rank = $rank AND s.outcome = 1 AND k.customer_id = s.customer_id AND (p.per_customer OR k.run_id = s.run_id AND k.step = s.step AND k.tick = $tick) AND (p.until IS NULL OR $now < p.until);

-- who got none
UPDATE decided AS s SET outcome = 3, reason = 'no_code'
WHERE s.phase = $round AND s.rank = $rank AND s.outcome = 1 AND s.step IN (SELECT step FROM plan_code) AND NOT EXISTS (
  SELECT 1 FROM plan_code AS p JOIN journey.promo_code AS k ON k.promo = p.promo
  WHERE p.step = s.step AND k.customer_id = s.customer_id AND (p.per_customer OR k.run_id = s.run_id AND k.step = s.step AND k.tick = $tick) AND (p.until IS NULL OR $now < p.until));

-- the messages
INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until,
  cost, content, topic)
SELECT m.customer_id, m.message_id, ((m.message_id) / 500), m.run_id, m.journey, m.version,
  m.step, CASE m.step WHEN 13 THEN ((m.passes) / 1000000) ELSE 1 END, m.channel, m.counted, $now, m.expires_at, m.quiet_from,
  m.quiet_until, m.cost, m.content, m.topic
FROM (SELECT s.*, v.version AS version, NULL AS topic, $base + row_number() OVER () - 1 AS message_id,
    (s.arrived_at + p.expires * INTERVAL '1' SECOND) AS expires_at
  FROM decided AS s JOIN plan_version AS v ON v.journey = s.journey
    JOIN plan_send AS p ON p.step = s.step
  WHERE s.phase = $round AND s.rank = $rank AND s.outcome = 1) AS m;

-- what came of them
SELECT DISTINCT s.journey, s.outcome, CASE WHEN s.reason IN ('too_few', 'no_code') THEN p.lacking ELSE p.edge END
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
WHERE s.phase = $round;

-- who waits there
INSERT INTO trail (round, customer_id, run_id, journey, from_step, step,
  arrived_at, left_at, entered_at, fate, status, reason, entry, why, passes, fresh)
SELECT $round + 1, s.customer_id, s.run_id, s.journey, s.step, s.step,
  s.arrived_at, s.wake_at, s.entered_at, 3, 0, s.reason, s.entry, 8,
  s.passes, s.fresh
FROM decided AS s WHERE s.phase = $round AND s.outcome = 2;

-- clear runs
UPDATE journey.run AS r SET version = v.version, step = t.step, arrived_at = t.arrived_at, wake_at = CASE WHEN t.fate = 3 THEN t.left_at END, status = t.status, reason = t.reason, ended_at = CASE WHEN t.fate = 4 THEN $now END, passes = t.passes
FROM (SELECT * FROM trail AS t WHERE t.fate IN (3, 4)) AS t JOIN plan_version AS v ON v.journey = t.journey
WHERE r.customer_id = t.customer_id AND r.run_id = t.run_id AND NOT t.fresh;

-- runs
INSERT INTO journey.run (customer_id, run_id, journey, version, step,
  arrived_at, wake_at, entered_at, status, reason, entry, ended_at, passes)
SELECT t.customer_id, t.run_id, t.journey, v.version, t.step, t.arrived_at,
  CASE WHEN t.fate = 3 THEN t.left_at END, t.entered_at, t.status, t.reason, t.entry,
  CASE WHEN t.fate = 4 THEN $now END, t.passes
FROM (SELECT * FROM trail AS t WHERE t.fate IN (3, 4)) AS t JOIN plan_version AS v ON v.journey = t.journey WHERE t.fresh;

-- transitions
INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick,
  from_step, to_step, why)
SELECT t.customer_id, t.run_id, t.journey, t.arrived_at, $tick, t.from_step, t.step, t.why
FROM trail AS t WHERE (t.why <> 9 AND (t.round > 0 OR t.fate = 4));

-- non-sends
INSERT INTO journey.decision (customer_id, run_id, journey, step,
  "at", tick, reason, figures)
SELECT s.customer_id, s.run_id, s.journey, s.step, $now, $tick, s.reason, s.figures
FROM decided AS s WHERE s.outcome = 3;

-- non-entries
INSERT INTO journey.decision (customer_id, run_id, journey, step,
  "at", tick, reason, figures)
SELECT t.customer_id, t.run_id, t.journey, NULL, $now, $tick, t.reason, NULL
FROM trail AS t WHERE t.fate = 5;

-- exposures
INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id,
  salt)
SELECT DISTINCT ON (t.customer_id, x.experiment, x.salt)
  t.customer_id, x.experiment, x.arm, t.arrived_at, t.run_id, x.salt
FROM trail AS t JOIN plan_exposure AS x ON x.journey = t.journey AND x.leaf = t.leaf
WHERE NOT EXISTS (SELECT 1 FROM journey.exposure AS k
  WHERE k.customer_id = t.customer_id AND k.experiment = x.experiment
    AND k.salt = x.salt)
ORDER BY t.customer_id, x.experiment, x.salt, t.arrived_at, t.run_id;

-- drawn
INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id, salt)
SELECT
  t.customer_id, v.holdout_step,
  CASE WHEN t.status IN (5, 4) THEN t.reason ELSE 'treated' END,
  t.entered_at, t.run_id, v.salt
FROM trail AS t JOIN plan_version AS v ON v.journey = t.journey AND v.draws
WHERE t.why = 1 AND t.fate <> 5 AND (t.round = 1 OR t.fate = 4)
  AND NOT EXISTS (SELECT 1 FROM journey.exposure AS k
    WHERE k.customer_id = t.customer_id AND k.experiment = v.holdout_step
    AND k.salt = v.salt);

-- clear profile
DELETE FROM journey.profile AS p
USING (SELECT DISTINCT customer_id, name FROM written) AS w
WHERE p.customer_id = w.customer_id AND p.name = w.name;

-- profile
INSERT INTO journey.profile (customer_id, name, value, "at", journey, step,
  run_id)
SELECT customer_id, name, value, $now, journey, step, run_id
FROM (SELECT r.*, row_number() OVER (PARTITION BY r.customer_id, r.name
    ORDER BY r.priority, r.arrived_at DESC, r.ordinal DESC, r.run_id DESC) AS nth
  FROM (SELECT w.*, row_number() OVER (PARTITION BY w.customer_id, w.run_id, w.name
      ORDER BY w.round DESC) AS latest FROM written AS w) AS r
  WHERE r.latest = 1) AS k
WHERE k.nth = 1;
