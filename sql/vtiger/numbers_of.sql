-- The same of one record: the expansions for its module are joined by UNION ALL.
SELECT n.{column} AS number FROM {table} n WHERE n.{key} = :id AND n.{column} IS NOT NULL AND n.{column} <> '';
