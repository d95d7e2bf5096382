SELECT name, pbx, direction, queue, language, skill, pop_rule, url, caller_id, wrap_up_s, enabled FROM cti_service ORDER BY name;
