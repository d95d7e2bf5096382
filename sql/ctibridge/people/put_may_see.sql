INSERT OR REPLACE INTO may_see (crm_user, subject, yes) VALUES (:crm_user, :subject, :yes);
