SELECT crm_user, subject, yes FROM may_see;
