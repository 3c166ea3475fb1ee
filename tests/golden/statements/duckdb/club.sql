-- who leaves: everybody each time, for rows of `ordered` may change unseen; bind `ordered` as `append only`, or with `changed at`
INSERT INTO trail (
  round,
  customer_id,
  run_id,
  journey,
  from_step,
  arrived_at,
  entered_at,
  fate,
  status,
  reason,
  entry,
  why,
  passes,
  fresh
)
WITH active AS (
  SELECT
    r.*
  FROM journey.run AS r
  WHERE
    r.status = 0 AND r.journey = 1
)
SELECT
  0 AS round,
  w.customer_id AS customer_id,
  w.run_id AS run_id,
  1 AS journey,
  w.step AS from_step,
  $now AS arrived_at,
  w.entered_at AS entered_at,
  4 AS fate,
  2 AS status,
  'converted' AS reason,
  w.entry AS entry,
  11 AS why,
  w.passes AS passes,
  FALSE AS fresh
FROM active AS w
WHERE
  (
    EXISTS(
      SELECT
        1
      FROM (
        SELECT
          t."customer_id" AS customer_id,
          t."id" AS "_key",
          TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
          TRY_CAST(t."total" AS DECIMAL(18, 4)) AS "total"
        FROM "shop"."orders" AS t
        WHERE
          t."status" <> 'cancelled'
      ) AS e
      WHERE
        e.customer_id = w.customer_id
        AND e."_at" <= $now
        AND e."_at" > w.entered_at
        AND e."total" > CAST('20.0000' AS DECIMAL(18, 4))
    )
  )
  AND EXISTS(
    SELECT
      1
    FROM (
      SELECT
        t."id" AS customer_id
      FROM "crm"."customers" AS t
      WHERE
        t."deleted" IS NULL
    ) AS c
    WHERE
      c.customer_id = w.customer_id
  );

-- who enters
INSERT INTO trail (
  round,
  customer_id,
  run_id,
  journey,
  edge,
  arrived_at,
  left_at,
  entered_at,
  fate,
  status,
  reason,
  entry,
  why,
  going,
  passes,
  fresh
)
WITH seen AS (
  SELECT
    e.customer_id,
    e."_at" AS "at",
    e."_key" AS key,
    CAST('0x' || SUBSTRING(
      MD5('club' || ':' || CAST(e.customer_id AS TEXT) || ':' || CAST(e."_key" AS TEXT)),
      1,
      15
    ) AS BIGINT) AS run_id,
    CAST(NULL AS TEXT) AS entry
  FROM (
    SELECT
      t."customer_id" AS customer_id,
      t."id" AS "_key",
      TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
      TRY_CAST(t."source" AS TEXT) AS "source"
    FROM "shop"."signups" AS t
  ) AS e
  WHERE
    e."_at" > $since_entry
    AND e."_at" <= $until_entry
    AND NOT e."_key" IS NULL
    AND e."source" <> 'import'
), fresh AS (
  SELECT
    s.*
  FROM seen AS s
  WHERE
    NOT EXISTS(
      SELECT
        1
      FROM journey.run AS r
      WHERE
        r.customer_id = s.customer_id AND r.run_id = s.run_id
    )
    AND NOT EXISTS(
      SELECT
        1
      FROM journey.decision AS d
      WHERE
        d.customer_id = s.customer_id AND d.run_id = s.run_id AND d.step IS NULL
    )
), judged AS (
  SELECT
    w.*,
    CASE
      WHEN p.active
      THEN 'active'
      WHEN p.entered_at >= z.instant
      THEN 'reentry'
      WHEN NOT COALESCE(NOT COALESCE(c."country" = 'FR', FALSE), FALSE)
      THEN 'audience'
    END AS refused
  FROM fresh AS w
  JOIN (
    SELECT
      t."id" AS customer_id,
      COALESCE(TRY_CAST(t."tz" AS TEXT), 'Europe/Berlin') AS "_zone",
      TRY_CAST(t."country" AS TEXT) AS "country"
    FROM "crm"."customers" AS t
    WHERE
      t."deleted" IS NULL
  ) AS c
    ON c.customer_id = w.customer_id
  LEFT JOIN (
    SELECT
      r.customer_id,
      BOOL_OR(CAST(r.status = 0 AND x.run_id IS NULL AS BOOLEAN)) AS active,
      MAX(r.entered_at) AS entered_at
    FROM journey.run AS r
    LEFT JOIN trail AS x
      ON x.customer_id = r.customer_id
      AND x.run_id = r.run_id
      AND x.fate = 4
      AND x.round = 0
    WHERE
      r.journey = 1 AND r.customer_id IN (
        SELECT
          customer_id
        FROM fresh
      )
    GROUP BY
      r.customer_id
  ) AS p
    ON p.customer_id = w.customer_id
  LEFT JOIN zone_rule AS z
    ON z.zone = c."_zone" AND z.rule = 6 AND w."at" >= z.since AND w."at" < z.until
), several AS (
  SELECT
    j.customer_id
  FROM judged AS j
  WHERE
    j.refused IS NULL
  GROUP BY
    j.customer_id
  HAVING
    COUNT(*) > 1
), ranked AS (
  SELECT
    j.*,
    1 AS nth
  FROM judged AS j
  WHERE
    NOT (
      j.refused IS NULL
      AND j.customer_id IN (
        SELECT
          customer_id
        FROM several
      )
    )
  UNION ALL
  SELECT
    j.*,
    ROW_NUMBER() OVER (PARTITION BY j.customer_id ORDER BY j."at", j.key) AS nth
  FROM judged AS j
  WHERE
    j.refused IS NULL
    AND j.customer_id IN (
      SELECT
        customer_id
      FROM several
    )
)
SELECT
  0 AS round,
  w.customer_id AS customer_id,
  w.run_id AS run_id,
  1 AS journey,
  0 AS edge,
  w."at" AS arrived_at,
  w."at" AS left_at,
  w."at" AS entered_at,
  CASE
    WHEN NOT w.refusal IS NULL
    THEN 5
    ELSE CASE WHEN w.status <> 0 THEN 4 ELSE 1 END
  END AS fate,
  w.status AS status,
  COALESCE(w.refusal, CASE w.status WHEN 5 THEN 'global_control' WHEN 4 THEN 'held_out' END) AS reason,
  w.entry AS entry,
  1 AS why,
  1 AS going,
  0 AS passes,
  TRUE AS fresh
FROM (
  SELECT
    r.*,
    CASE
      WHEN (
        CAST('0x' || SUBSTRING(MD5('control-2026' || ':' || CAST(r.customer_id AS TEXT)), 1, 15) AS BIGINT) % 10000
      ) < 200
      THEN 5
      WHEN (
        CAST('0x' || SUBSTRING(MD5('club-2026' || ':' || CAST(r.customer_id AS TEXT)), 1, 15) AS BIGINT) % 10000
      ) < 1000
      THEN 4
      ELSE 0
    END AS status,
    CASE WHEN r.nth > 1 THEN 'active' ELSE r.refused END AS refusal
  FROM ranked AS r
) AS w;

-- who wakes: everybody each time, for rows of `ordered` may change unseen; bind `ordered` as `append only`, or with `changed at`
INSERT INTO trail (
  round,
  customer_id,
  run_id,
  journey,
  edge,
  step,
  arrived_at,
  left_at,
  entered_at,
  fate,
  status,
  reason,
  entry,
  going,
  passes,
  fresh
)
WITH race_8 AS (
  SELECT
    r.*
  FROM journey.run AS r
  WHERE
    r.status = 0 AND r.step = 8
), race_7 AS (
  SELECT
    r.*
  FROM journey.run AS r
  WHERE
    r.status = 0 AND r.step = 7
), hits AS (
  SELECT
    w.customer_id,
    w.run_id,
    e."_at" AS "at",
    6 AS edge
  FROM race_8 AS w
  JOIN (
    SELECT
      m.customer_id,
      m.run_id,
      m.step,
      m.channel,
      m.decided_at AS "_decided",
      f.event_id AS "_key",
      f."at" AS "_at",
      f.received_at AS "_received",
      f.data ->> '$.link' AS "link"
    FROM journey.message_event AS f
    JOIN journey.message AS m
      ON m.customer_id = f.customer_id AND m.message_id = f.message_id
    WHERE
      f.name = 'clicked'
  ) AS e
    ON e.customer_id = w.customer_id
  WHERE
    e."_at" > w.arrived_at
    AND e."_at" <= w.wake_at
    AND e."_at" <= $now
    AND e.step = 3
    AND e.run_id = w.run_id
    AND e."_at" > $since_feedback
    AND STARTS_WITH(e."link", 'https:')
  UNION ALL
  SELECT
    w.customer_id,
    w.run_id,
    e."_at" AS "at",
    8 AS edge
  FROM race_8 AS w
  JOIN (
    SELECT
      t."customer_id" AS customer_id,
      t."id" AS "_key",
      TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
      TRY_CAST(t."page" AS TEXT) AS "page",
      TRY_CAST(t."changed" AS TIMESTAMP) AS "_changed"
    FROM "shop"."visits" AS t
  ) AS e
    ON e.customer_id = w.customer_id
  WHERE
    e."_at" > w.arrived_at
    AND e."_at" <= w.wake_at
    AND e."_at" <= $now
    AND e."_at" > $since_visited
    AND CONTAINS(e."page", 'club')
  UNION ALL
  SELECT
    w.customer_id,
    w.run_id,
    $now AS "at",
    10 AS edge
  FROM race_7 AS w
  JOIN (
    SELECT
      t."id" AS customer_id
    FROM "crm"."customers" AS t
    WHERE
      t."deleted" IS NULL
  ) AS c
    ON c.customer_id = w.customer_id
  LEFT JOIN (
    SELECT
      e.customer_id,
      TRY_CAST(COALESCE(SUM(e."total"), 0) AS DECIMAL(18, 4)) AS a0
    FROM (
      SELECT
        t."customer_id" AS customer_id,
        t."id" AS "_key",
        TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
        TRY_CAST(t."total" AS DECIMAL(18, 4)) AS "total"
      FROM "shop"."orders" AS t
      WHERE
        t."status" <> 'cancelled'
    ) AS e
    WHERE
      e."_at" <= $now
      AND e.customer_id IN (
        SELECT
          customer_id
        FROM race_7
      )
      AND e."_at" > $now - INTERVAL '31536000' SECOND
    GROUP BY
      e.customer_id
  ) AS g0
    ON g0.customer_id = w.customer_id
  WHERE
    CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18, 4)) ELSE g0.a0 END > CAST('50.0000' AS DECIMAL(18, 4))
), won AS (
  SELECT DISTINCT ON (customer_id, run_id)
    customer_id,
    run_id,
    "at",
    edge
  FROM hits
  ORDER BY
    customer_id,
    run_id,
    "at",
    edge
)
SELECT
  0 AS round,
  w.customer_id AS customer_id,
  w.run_id AS run_id,
  w.journey AS journey,
  COALESCE(h.edge, k.edge) AS edge,
  w.step AS step,
  w.arrived_at AS arrived_at,
  COALESCE(h."at", CASE WHEN k.kind = 'send' THEN w.arrived_at ELSE w.wake_at END) AS left_at,
  w.entered_at AS entered_at,
  1 AS fate,
  0 AS status,
  CASE WHEN k.kind = 'send' THEN w.reason END AS reason,
  w.entry AS entry,
  CASE
    WHEN NOT h."at" IS NULL
    THEN CASE WHEN k.kind = 'state' THEN 4 ELSE 3 END
    ELSE k.going
  END AS going,
  w.passes AS passes,
  FALSE AS fresh
FROM journey.run AS w
JOIN plan_park AS k
  ON k.step = w.step
LEFT JOIN won AS h
  ON h.customer_id = w.customer_id AND h.run_id = w.run_id
WHERE
  w.journey IN (1)
  AND w.status = 0
  AND (
    w.wake_at <= $now OR NOT h."at" IS NULL
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM trail AS x
    WHERE
      x.customer_id = w.customer_id
      AND x.run_id = w.run_id
      AND x.fate = 4
      AND x.round = 0
  );

-- where they come to
INSERT INTO trail (
  round,
  customer_id,
  run_id,
  journey,
  edge,
  from_step,
  step,
  arrived_at,
  left_at,
  entered_at,
  fate,
  status,
  reason,
  entry,
  leaf,
  why,
  going,
  passes,
  fresh,
  mask,
  content
)
WITH going AS (
  SELECT
    t.*
  FROM trail AS t
  WHERE
    t.round = $round AND t.fate IN (1, 6) AND t.journey IN (1)
), headed AS (
  SELECT
    w.customer_id,
    w.run_id,
    w.journey,
    w.step AS from_step,
    w.left_at,
    w.entered_at,
    w.entry,
    w.going AS why,
    w.reason,
    w.passes,
    w.fresh,
    c.customer_id IS NULL AS gone,
    c."_zone" AS zone,
    CASE w.journey
      WHEN 1
      THEN CASE w.edge
        WHEN 0
        THEN CASE
          WHEN EXISTS(
            SELECT
              1
            FROM (
              SELECT
                t."customer_id" AS customer_id,
                t."id" AS "_key",
                TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
                TRY_CAST(t."total" AS DECIMAL(18, 4)) AS "total"
              FROM "shop"."orders" AS t
              WHERE
                t."status" <> 'cancelled'
            ) AS e
            WHERE
              e.customer_id = w.customer_id
              AND e."_at" <= $now
              AND e."_at" > w.entered_at
              AND e."_at" > $since_signed_up
              AND e."total" > CAST('20.0000' AS DECIMAL(18, 4))
          )
          THEN 15
          ELSE CASE
            WHEN (
              CAST('0x' || SUBSTRING(MD5('subject-2026' || ':' || CAST(w.customer_id AS TEXT)), 1, 15) AS BIGINT) % 10000
            ) < 5000
            THEN 0
            ELSE 1
          END
        END
        WHEN 1
        THEN 2
        WHEN 2
        THEN CASE
          WHEN EXISTS(
            SELECT
              1
            FROM (
              SELECT
                t."customer_id" AS customer_id,
                t."id" AS "_key",
                TRY_CAST(t."at" AS TIMESTAMP) AS "_at"
              FROM "shop"."orders" AS t
              WHERE
                t."status" <> 'cancelled'
            ) AS e
            WHERE
              e.customer_id = w.customer_id AND e."_at" <= $now AND e."_at" > w.entered_at
          )
          THEN 3
          ELSE CASE WHEN (
            (
              w.passes
            ) // 1000000
          ) % 1000 < 3 THEN 4 ELSE 3 END
        END
        WHEN 3
        THEN 5
        WHEN 4
        THEN 5
        WHEN 5
        THEN 4
        WHEN 6
        THEN 6
        WHEN 7
        THEN 4
        WHEN 8
        THEN 7
        WHEN 9
        THEN CASE WHEN k0.place * 10000 < k0.among * 1000 THEN 8 ELSE 4 END
        WHEN 10
        THEN 9
        WHEN 11
        THEN 9
        WHEN 12
        THEN CASE
          WHEN CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18, 4)) ELSE g0.a0 END > CAST('50.0000' AS DECIMAL(18, 4))
          THEN 9
          ELSE 10
        END
        WHEN 13
        THEN 11
        WHEN 14
        THEN 12
        WHEN 15
        THEN 13
        WHEN 16
        THEN 12
        WHEN 17
        THEN 14
      END
    END AS leaf,
    CASE
      WHEN EXISTS(
        SELECT
          1
        FROM (
          SELECT
            t."customer_id" AS customer_id,
            t."id" AS "_key",
            TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
            TRY_CAST(t."changed" AS TIMESTAMP) AS "_changed"
          FROM "shop"."visits" AS t
        ) AS e
        WHERE
          e.customer_id = w.customer_id
          AND e."_at" <= $now
          AND e."_at" > $now - INTERVAL '604800' SECOND
      )
      THEN 1
      ELSE 0
    END + 2 AS mask_13,
    CAST(JSON_OBJECT('points', c."points") AS TEXT) AS content_3
  FROM going AS w
  LEFT JOIN (
    SELECT
      t."id" AS customer_id,
      COALESCE(TRY_CAST(t."tz" AS TEXT), 'Europe/Berlin') AS "_zone",
      TRY_CAST(t."points" AS BIGINT) AS "points"
    FROM "crm"."customers" AS t
    WHERE
      t."deleted" IS NULL
  ) AS c
    ON c.customer_id = w.customer_id
  LEFT JOIN (
    SELECT
      customer_id,
      place,
      among
    FROM ranking
    WHERE
      ranking = 780550799915489448
  ) AS k0
    ON k0.customer_id = w.customer_id
  LEFT JOIN (
    SELECT
      e.customer_id,
      TRY_CAST(COALESCE(SUM(e."total"), 0) AS DECIMAL(18, 4)) AS a0
    FROM (
      SELECT
        t."customer_id" AS customer_id,
        t."id" AS "_key",
        TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
        TRY_CAST(t."total" AS DECIMAL(18, 4)) AS "total"
      FROM "shop"."orders" AS t
      WHERE
        t."status" <> 'cancelled'
    ) AS e
    WHERE
      e."_at" <= $now
      AND e.customer_id IN (
        SELECT
          customer_id
        FROM going
      )
      AND e."_at" > $now - INTERVAL '31536000' SECOND
    GROUP BY
      e.customer_id
  ) AS g0
    ON g0.customer_id = w.customer_id
), landed AS (
  SELECT
    a.customer_id,
    a.run_id,
    a.journey,
    a.from_step,
    l.step,
    a.left_at AS arrived_at,
    COALESCE(
      (
        a.left_at + TO_SECONDS(l.seconds)
      ),
      z.instant,
      (
        a.left_at + TO_SECONDS(z.shift)
      )
    ) AS wake_at,
    a.entered_at,
    a.entry,
    a.why,
    a.fresh,
    l.edge,
    l.leaf,
    COALESCE(a.passes - a.passes % l.kept + l.added, a.passes) AS passes,
    CASE WHEN a.gone THEN 'end' ELSE l.kind END AS kind,
    CASE WHEN a.gone THEN 3 ELSE COALESCE(l.status, 0) END AS status,
    CASE WHEN a.gone THEN 'gone' WHEN l.kind = 'send' THEN a.reason ELSE l.reason END AS reason,
    CASE l.step WHEN 13 THEN a.mask_13 ELSE -1 END AS mask,
    CASE l.step WHEN 3 THEN a.content_3 ELSE NULL END AS content
  FROM headed AS a
  LEFT JOIN plan_leaf AS l
    ON l.journey = a.journey AND l.leaf = a.leaf AND NOT a.gone
  LEFT JOIN zone_rule AS z
    ON z.zone = a.zone
    AND z.rule = l.rule
    AND a.left_at >= z.since
    AND a.left_at < z.until
), race_8 AS (
  SELECT
    *
  FROM landed
  WHERE
    step = 8
), hits AS (
  SELECT
    w.customer_id,
    w.run_id,
    e."_at" AS "at",
    6 AS edge
  FROM race_8 AS w
  JOIN (
    SELECT
      m.customer_id,
      m.run_id,
      m.step,
      m.channel,
      m.decided_at AS "_decided",
      f.event_id AS "_key",
      f."at" AS "_at",
      f.received_at AS "_received",
      f.data ->> '$.link' AS "link"
    FROM journey.message_event AS f
    JOIN journey.message AS m
      ON m.customer_id = f.customer_id AND m.message_id = f.message_id
    WHERE
      f.name = 'clicked'
  ) AS e
    ON e.customer_id = w.customer_id
  WHERE
    e."_at" > w.arrived_at
    AND e."_at" <= w.wake_at
    AND e."_at" <= $now
    AND e.step = 3
    AND e.run_id = w.run_id
    AND STARTS_WITH(e."link", 'https:')
  UNION ALL
  SELECT
    w.customer_id,
    w.run_id,
    e."_at" AS "at",
    8 AS edge
  FROM race_8 AS w
  JOIN (
    SELECT
      t."customer_id" AS customer_id,
      t."id" AS "_key",
      TRY_CAST(t."at" AS TIMESTAMP) AS "_at",
      TRY_CAST(t."page" AS TEXT) AS "page",
      TRY_CAST(t."changed" AS TIMESTAMP) AS "_changed"
    FROM "shop"."visits" AS t
  ) AS e
    ON e.customer_id = w.customer_id
  WHERE
    e."_at" > w.arrived_at
    AND e."_at" <= w.wake_at
    AND e."_at" <= $now
    AND CONTAINS(e."page", 'club')
), won AS (
  SELECT DISTINCT ON (customer_id, run_id)
    customer_id,
    run_id,
    "at",
    edge
  FROM hits
  ORDER BY
    customer_id,
    run_id,
    "at",
    edge
)
SELECT
  $round + 1 AS round,
  w.customer_id AS customer_id,
  w.run_id AS run_id,
  w.journey AS journey,
  COALESCE(h.edge, w.edge) AS edge,
  w.from_step AS from_step,
  w.step AS step,
  w.arrived_at AS arrived_at,
  CASE
    WHEN w.kind = 'act'
    THEN CASE WHEN w.step IN (10) THEN $now ELSE w.arrived_at END
    WHEN NOT h."at" IS NULL
    THEN h."at"
    ELSE w.wake_at
  END AS left_at,
  w.entered_at AS entered_at,
  CASE
    WHEN w.kind = 'end'
    THEN 4
    WHEN w.kind = 'send'
    THEN 2
    WHEN w.kind = 'act'
    THEN 6
    WHEN NOT h."at" IS NULL
    THEN 1
    WHEN w.kind IN ('wait', 'race', 'state') AND w.wake_at <= $now
    THEN 1
    ELSE 3
  END AS fate,
  w.status AS status,
  w.reason AS reason,
  w.entry AS entry,
  w.leaf AS leaf,
  w.why AS why,
  CASE
    WHEN w.kind = 'act'
    THEN 10
    ELSE CASE WHEN NOT h."at" IS NULL THEN 3 WHEN w.kind IN ('race', 'state') THEN 5 ELSE 2 END
  END AS going,
  w.passes AS passes,
  w.fresh AS fresh,
  w.mask AS mask,
  w.content AS content
FROM landed AS w
LEFT JOIN won AS h
  ON h.customer_id = w.customer_id AND h.run_id = w.run_id;

-- what steps leave behind
INSERT INTO written (
  round,
  customer_id,
  run_id,
  journey,
  step,
  arrived_at,
  priority,
  ordinal,
  name,
  value
)
WITH acting AS (
  SELECT
    *
  FROM trail
  WHERE
    round = $round AND fate = 6 AND step IN (9)
)
SELECT
  w.round,
  w.customer_id,
  w.run_id,
  w.journey,
  w.step,
  w.arrived_at,
  CASE w.step WHEN 9 THEN 0 END,
  CASE w.step WHEN 9 THEN 2 END,
  CASE w.step WHEN 9 THEN 'stage' END,
  CASE w.step WHEN 9 THEN CAST(TRY_CAST('warm' AS TEXT) AS TEXT) END
FROM acting AS w
JOIN (
  SELECT
    t."id" AS customer_id
  FROM "crm"."customers" AS t
  WHERE
    t."deleted" IS NULL
) AS c
  ON c.customer_id = w.customer_id;

-- what steps leave behind
INSERT INTO journey.pending_entry (
  customer_id,
  journey,
  entry_key,
  "at",
  entry,
  run_id,
  step
)
WITH acting AS (
  SELECT
    *
  FROM trail
  WHERE
    round = $round AND fate = 6 AND step IN (14)
)
SELECT
  w.customer_id,
  CASE w.step WHEN 14 THEN 'thanks' END,
  CAST(w.run_id AS TEXT) || ':' || CASE w.step WHEN 14 THEN 'other' END || ':' || CAST(CAST(w.arrived_at AS TIMESTAMP) AS TEXT),
  $now,
  CASE w.step
    WHEN 14
    THEN CAST(JSON_OBJECT('reason', TRY_CAST(c."country" AS TEXT)) AS TEXT)
  END,
  w.run_id,
  w.step
FROM acting AS w
JOIN (
  SELECT
    t."id" AS customer_id,
    TRY_CAST(t."country" AS TEXT) AS "country"
  FROM "crm"."customers" AS t
  WHERE
    t."deleted" IS NULL
) AS c
  ON c.customer_id = w.customer_id;

-- what is called outside
INSERT INTO journey.message (
  customer_id,
  message_id,
  batch_id,
  run_id,
  journey,
  version,
  step,
  occurrence,
  channel,
  counted,
  decided_at,
  expires_at,
  content,
  action
)
WITH acting AS (
  SELECT
    *
  FROM trail
  WHERE
    round = $round AND fate = 6 AND step IN (10)
), called AS (
  SELECT
    w.customer_id,
    w.run_id,
    w.journey,
    w.step,
    1 AS occurrence,
    CASE w.step WHEN 10 THEN 'invoke loyalty' END AS channel,
    CASE w.step
      WHEN 10
      THEN CAST(JSON_OBJECT('points', CAST(100 AS BIGINT)) AS TEXT)
    END AS content,
    CASE w.step WHEN 10 THEN 'award' END AS action,
    $base + ROW_NUMBER() OVER () - 1 AS message_id
  FROM acting AS w
  JOIN (
    SELECT
      t."id" AS customer_id
    FROM "crm"."customers" AS t
    WHERE
      t."deleted" IS NULL
  ) AS c
    ON c.customer_id = w.customer_id
)
SELECT
  m.customer_id,
  m.message_id,
  (
    (
      m.message_id
    ) // 500
  ),
  m.run_id,
  m.journey,
  v.version,
  m.step,
  m.occurrence,
  m.channel,
  FALSE,
  $now,
  $now + INTERVAL '604800' SECOND,
  m.content,
  m.action
FROM called AS m
JOIN plan_version AS v
  ON v.journey = m.journey;

-- what has been learnt
WITH judged AS (
  SELECT
    j.*,
    r.entered_at,
    r.entry
  FROM (
    SELECT
      m.customer_id,
      m.run_id,
      m.channel AS arm,
      m.decided_at AS judged_at
    FROM journey.message AS m
    WHERE
      m.step = 4
      AND NOT EXISTS(
        SELECT
          1
        FROM journey.receipt AS b
        WHERE
          b.given_back AND b.message_id = m.message_id AND b.customer_id = m.customer_id
      )
  ) AS j
  JOIN journey.run AS r
    ON r.customer_id = j.customer_id AND r.run_id = j.run_id
  WHERE
    j.judged_at + INTERVAL '1209600' SECOND <= $now
), begun AS (
  SELECT
    customer_id,
    run_id,
    entered_at,
    entry,
    MIN(judged_at) AS first_at
  FROM judged
  GROUP BY
    customer_id,
    run_id,
    entered_at,
    entry
), reached AS (
  SELECT
    w.customer_id,
    w.run_id,
    e."_at" AS reached_at
  FROM begun AS w
  JOIN (
    SELECT
      t."customer_id" AS customer_id,
      t."id" AS "_key",
      TRY_CAST(t."at" AS TIMESTAMP) AS "_at"
    FROM "shop"."orders" AS t
    WHERE
      t."status" <> 'cancelled'
  ) AS e
    ON e.customer_id = w.customer_id
  WHERE
    e."_at" > w.first_at
)
SELECT
  j.arm,
  COUNT(*),
  COUNT(*) FILTER(WHERE
    EXISTS(
      SELECT
        1
      FROM reached AS k
      WHERE
        k.customer_id = j.customer_id
        AND k.run_id = j.run_id
        AND k.reached_at > j.judged_at
        AND k.reached_at <= j.judged_at + INTERVAL '1209600' SECOND
    ))
FROM judged AS j
GROUP BY
  j.arm;
