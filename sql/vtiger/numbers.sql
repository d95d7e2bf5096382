-- Run once for each row of phone_columns, page by page.
SELECT n.{key} AS id, n.{column} AS number
  FROM {table} n
 WHERE n.{key} > :after AND n.{column} IS NOT NULL AND n.{column} <> ''
 ORDER BY n.{key}
 LIMIT :count;
