INSERT INTO cti_service (name, pbx, direction, queue, language, skill, pop_rule, url, caller_id, wrap_up_s, enabled)
VALUES (:name, COALESCE(:pbx, ''), :direction, :queue, :language, :skill, :pop_rule, :url, :caller_id, :wrap_up_s, :enabled);
