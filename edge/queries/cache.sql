-- The last day by route: what the cache did, and the share of requests that the origin did not see (percent).
SELECT
  blob1 /*route*/ AS route,
  sum(_sample_interval) AS requests,
  100 * sumIf(_sample_interval, double5 /*hit*/ = 1) / sum(_sample_interval) AS hits,
  sumIf(_sample_interval, double6 /*degraded*/ = 1) AS degraded
FROM he2_edge
WHERE timestamp > NOW() - INTERVAL '1' DAY AND blob5 /*cache*/ != ''
GROUP BY route
ORDER BY requests DESC
FORMAT JSON
