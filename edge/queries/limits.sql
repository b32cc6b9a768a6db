-- The last day: how often each limit let callers pass and refused them, by class of caller.
SELECT
  blob7 /*limit*/ AS outcome,
  blob6 /*caller*/ AS caller,
  sum(_sample_interval) AS requests
FROM he2_edge
WHERE timestamp > NOW() - INTERVAL '1' DAY AND blob7 /*limit*/ != ''
GROUP BY outcome, caller
ORDER BY requests DESC
FORMAT JSON
