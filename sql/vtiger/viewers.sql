-- Who may open this record's page? may_see.sql asked for all users at once: the same steps, so that a caller who rings many operators
-- costs one question. `o`: the owner's role, so that no list of everybody's colleagues has to be made.
WITH RECURSIVE
u AS (SELECT u.id, u.is_admin, ur.roleid, r.parentrole
        FROM vtiger_users u LEFT JOIN vtiger_user2role ur ON ur.userid=u.id LEFT JOIN vtiger_role r ON r.roleid=ur.roleid
       WHERE u.deleted=0 AND u.status='Active'),
c AS (SELECT c.crmid, c.setype, c.smownerid, t.tabid, t.presence, t.ownedby, COALESCE(d.permission,2) AS dflt
        FROM vtiger_crmentity c JOIN vtiger_tab t ON t.name=c.setype LEFT JOIN vtiger_def_org_share d ON d.tabid=t.tabid
       WHERE c.crmid=:id AND c.deleted=0 AND t.presence IN (0,2)),
o AS (SELECT ur.roleid, r.parentrole FROM c JOIN vtiger_user2role ur ON ur.userid=c.smownerid JOIN vtiger_role r ON r.roleid=ur.roleid),
p AS (SELECT DISTINCT u.roleid, rp.profileid FROM u JOIN vtiger_role2profile rp ON rp.roleid=u.roleid),
up AS (SELECT u.id, r.roleid FROM u JOIN vtiger_role r ON u.parentrole=r.parentrole OR u.parentrole LIKE CONCAT(r.parentrole,'::%')),
g(id, groupid) AS (
   SELECT u.id, ug.groupid FROM u JOIN vtiger_users2group ug ON ug.userid=u.id
   UNION SELECT u.id, gr.groupid FROM u JOIN vtiger_group2role gr ON gr.roleid=u.roleid
   UNION SELECT up.id, gs.groupid FROM up JOIN vtiger_group2rs gs ON gs.roleandsubid=up.roleid
   UNION SELECT g.id, gg.groupid FROM g JOIN vtiger_group2grouprel gg ON gg.containsgroupid=g.groupid),
rule AS (
   SELECT u.id, 'R' AS k, x.share_roleid AS src FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT up.id, 'R', x.share_roleid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT g.id, 'R', x.share_roleid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2group x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid
   UNION SELECT u.id, 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT up.id, 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT g.id, 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2grp x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid
   UNION SELECT u.id, 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT up.id, 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT g.id, 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2grp x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid),
sg(id, groupid) AS (
   SELECT rule.id, CAST(rule.src AS UNSIGNED) FROM rule WHERE rule.k='G'
   UNION SELECT sg.id, gg.containsgroupid FROM sg JOIN vtiger_group2grouprel gg ON gg.groupid=sg.groupid),
own AS (
   SELECT rule.id FROM rule JOIN o ON o.roleid=rule.src WHERE rule.k='R'
   UNION SELECT rule.id FROM rule JOIN vtiger_role s ON s.roleid=rule.src JOIN o ON o.parentrole LIKE CONCAT(s.parentrole,'%') WHERE rule.k='S'
   UNION SELECT sg.id FROM sg JOIN c ON c.smownerid=sg.groupid
   UNION SELECT sg.id FROM sg JOIN vtiger_users2group ug ON ug.groupid=sg.groupid JOIN c ON c.smownerid=ug.userid
   UNION SELECT sg.id FROM sg JOIN vtiger_group2role gr ON gr.groupid=sg.groupid JOIN o ON o.roleid=gr.roleid
   UNION SELECT sg.id FROM sg JOIN vtiger_group2rs gs ON gs.groupid=sg.groupid JOIN vtiger_role s ON s.roleid=gs.roleandsubid JOIN o ON o.parentrole LIKE CONCAT(s.parentrole,'%'))
SELECT u.id AS crm_user FROM u JOIN c
 WHERE u.is_admin='on'
    OR EXISTS (SELECT 1 FROM p JOIN vtiger_profile2globalpermissions gp ON gp.profileid=p.profileid WHERE p.roleid=u.roleid AND gp.globalactionid IN (1,2) AND gp.globalactionpermission=0)
    OR (     EXISTS (SELECT 1 FROM p JOIN vtiger_profile2tab pt ON pt.profileid=p.profileid WHERE p.roleid=u.roleid AND pt.tabid=c.tabid AND pt.permissions=0)
         AND EXISTS (SELECT 1 FROM p JOIN vtiger_profile2standardpermissions ps ON ps.profileid=p.profileid WHERE p.roleid=u.roleid AND ps.tabid=c.tabid AND ps.operation=4 AND ps.permissions=0)
         AND (   c.ownedby=1
              OR c.smownerid=u.id
              OR EXISTS (SELECT 1 FROM g WHERE g.id=u.id AND g.groupid=c.smownerid)
              OR EXISTS (SELECT 1 FROM o WHERE o.parentrole LIKE CONCAT(u.parentrole,'::%'))
              OR c.dflt IN (0,1,2)
              OR (c.dflt=3 AND c.presence=0 AND u.id IN (SELECT own.id FROM own))));
