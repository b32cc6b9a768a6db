-- The last day by route: requests, how many of them failed (percent), and how long they took (ms).
SELECT
  blob1 /*route*/ AS route,
  sum(_sample_interval) AS requests,
  100 * sumIf(_sample_interval, double2 /*status*/ >= 500) / sum(_sample_interval) AS failed,
  quantileExactWeighted(0.5)(double3 /*total_ms*/ , _sample_interval) AS median_ms,
  quantileExactWeighted(0.99)(double3 /*total_ms*/ , _sample_interval) AS p99_ms,
  quantileExactWeighted(0.99)(double4 /*origin_ms*/ , _sample_interval) AS p99_origin_ms
FROM he2_edge
WHERE timestamp > NOW() - INTERVAL '1' DAY
GROUP BY route
ORDER BY requests DESC
FORMAT JSON
