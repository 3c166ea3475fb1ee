-- segment regulars
SELECT
  c.customer_id
FROM (
  SELECT
    t."id" AS customer_id
  FROM "crm"."customers" AS t
  WHERE
    t."deleted" IS NULL
) AS c
LEFT JOIN (
  SELECT
    e.customer_id,
    TRY_CAST(COALESCE(SUM(e."total") FILTER(WHERE
      e."_at" > $now - INTERVAL '31536000' SECOND), 0) AS DECIMAL(18, 4)) AS a0,
    COUNT(*) FILTER(WHERE
      e."_at" > $now - INTERVAL '7776000' SECOND) AS a1
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
    e."_at" <= $now AND e."_at" > $now - INTERVAL '31536000' SECOND
  GROUP BY
    e.customer_id
) AS g0
  ON g0.customer_id = c.customer_id
WHERE
  (
    CASE WHEN g0.customer_id IS NULL THEN CAST(0 AS DECIMAL(18, 4)) ELSE g0.a0 END >= CAST('100.0000' AS DECIMAL(18, 4))
    AND COALESCE(g0.a1, 0) >= CAST(2 AS BIGINT)
  );

-- segment best
SELECT
  c.customer_id
FROM (
  SELECT
    t."id" AS customer_id
  FROM "crm"."customers" AS t
  WHERE
    t."deleted" IS NULL
) AS c
LEFT JOIN (
  SELECT
    customer_id,
    place,
    among
  FROM ranking
  WHERE
    ranking = 780550799915489448
) AS k0
  ON k0.customer_id = c.customer_id
WHERE
  k0.place * 10000 < k0.among * 1000;
