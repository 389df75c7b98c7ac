SELECT device, avg(temp) AS t, percentile(load, 0.9) AS p, count(DISTINCT mode) AS n,
  max(abs(delta(load))) FILTER (WHERE on_off > 1) AS d
FROM machine WHERE load > 1 AND mode LIKE '%x_' GROUP BY device, HOP(10s, 4s) HAVING n > 1 LATE SIDE