-- The last hour, by minute: what the gateway refused or could not do, by route and reason.
SELECT
  toStartOfInterval(timestamp, INTERVAL '1' MINUTE) AS minute,
  blob1 /*route*/ AS route,
  double2 /*status*/ AS status,
  blob4 /*fault*/ AS fault,
  sum(_sample_interval) AS requests
FROM he2_edge
WHERE timestamp > NOW() - INTERVAL '1' HOUR AND double2 /*status*/ >= 400
GROUP BY minute, route, status, fault
ORDER BY minute DESC, requests DESC
FORMAT JSON
