-- May this user open this record's page? vTiger's own steps: role, profiles, owner, groups, roles below, the module's default, sharing
-- rules. Needs recursive CTEs (MariaDB 10.2, MySQL 8.0).
WITH RECURSIVE
u AS (SELECT u.id, u.is_admin, ur.roleid, r.parentrole
        FROM vtiger_users u LEFT JOIN vtiger_user2role ur ON ur.userid=u.id LEFT JOIN vtiger_role r ON r.roleid=ur.roleid
       WHERE u.id=:user AND CAST(u.id AS CHAR)=:user AND u.deleted=0 AND u.status='Active'),
c AS (SELECT c.crmid, c.setype, c.smownerid, t.tabid, t.presence, t.ownedby, COALESCE(d.permission,2) AS dflt
        FROM vtiger_crmentity c JOIN vtiger_tab t ON t.name=c.setype LEFT JOIN vtiger_def_org_share d ON d.tabid=t.tabid
       WHERE c.crmid=:id AND c.deleted=0 AND t.presence IN (0,2)),
p AS (SELECT rp.profileid FROM u JOIN vtiger_role2profile rp ON rp.roleid=u.roleid),
up AS (SELECT r.roleid FROM u JOIN vtiger_role r ON u.parentrole=r.parentrole OR u.parentrole LIKE CONCAT(r.parentrole,'::%')),
g(groupid) AS (
   SELECT ug.groupid FROM u JOIN vtiger_users2group ug ON ug.userid=u.id
   UNION SELECT gr.groupid FROM u JOIN vtiger_group2role gr ON gr.roleid=u.roleid
   UNION SELECT gs.groupid FROM up JOIN vtiger_group2rs gs ON gs.roleandsubid=up.roleid
   UNION SELECT gg.groupid FROM g JOIN vtiger_group2grouprel gg ON gg.containsgroupid=g.groupid),
rule AS (
   SELECT 'R' AS k, x.share_roleid AS src FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT 'R', x.share_roleid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT 'R', x.share_roleid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_role2group x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid
   UNION SELECT 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT 'S', x.share_roleandsubid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_rs2grp x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid
   UNION SELECT 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2role x ON x.shareid=m.shareid JOIN u ON u.roleid=x.to_roleid
   UNION SELECT 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2rs x ON x.shareid=m.shareid JOIN up ON up.roleid=x.to_roleandsubid
   UNION SELECT 'G', x.share_groupid FROM c JOIN vtiger_datashare_module_rel m ON m.tabid=c.tabid JOIN vtiger_datashare_grp2grp x ON x.shareid=m.shareid JOIN g ON g.groupid=x.to_groupid),
sg(groupid) AS (
   SELECT CAST(src AS UNSIGNED) FROM rule WHERE k='G'
   UNION SELECT gg.containsgroupid FROM sg JOIN vtiger_group2grouprel gg ON gg.groupid=sg.groupid),
own(userid) AS (
   SELECT ur.userid FROM rule JOIN vtiger_user2role ur ON ur.roleid=rule.src WHERE rule.k='R'
   UNION SELECT ur.userid FROM rule JOIN vtiger_role s ON s.roleid=rule.src JOIN vtiger_role r ON r.parentrole LIKE CONCAT(s.parentrole,'%') JOIN vtiger_user2role ur ON ur.roleid=r.roleid WHERE rule.k='S'
   UNION SELECT ug.userid FROM sg JOIN vtiger_users2group ug ON ug.groupid=sg.groupid
   UNION SELECT ur.userid FROM sg JOIN vtiger_group2role gr ON gr.groupid=sg.groupid JOIN vtiger_user2role ur ON ur.roleid=gr.roleid
   UNION SELECT ur.userid FROM sg JOIN vtiger_group2rs gs ON gs.groupid=sg.groupid JOIN vtiger_role s ON s.roleid=gs.roleandsubid JOIN vtiger_role r ON r.parentrole LIKE CONCAT(s.parentrole,'%') JOIN vtiger_user2role ur ON ur.roleid=r.roleid)
SELECT COUNT(*) AS may_see FROM u JOIN c
 WHERE u.is_admin='on'
    OR EXISTS (SELECT 1 FROM p JOIN vtiger_profile2globalpermissions gp ON gp.profileid=p.profileid WHERE gp.globalactionid IN (1,2) AND gp.globalactionpermission=0)
    OR (     EXISTS (SELECT 1 FROM p JOIN vtiger_profile2tab pt ON pt.profileid=p.profileid WHERE pt.tabid=c.tabid AND pt.permissions=0)
         AND EXISTS (SELECT 1 FROM p JOIN vtiger_profile2standardpermissions ps ON ps.profileid=p.profileid WHERE ps.tabid=c.tabid AND ps.operation=4 AND ps.permissions=0)
         AND (   c.ownedby=1
              OR c.smownerid=u.id
              OR c.smownerid IN (SELECT groupid FROM g)
              OR EXISTS (SELECT 1 FROM vtiger_user2role o JOIN vtiger_role r ON r.roleid=o.roleid WHERE o.userid=c.smownerid AND r.parentrole LIKE CONCAT(u.parentrole,'::%'))
              OR c.dflt IN (0,1,2)
              OR (c.dflt=3 AND c.presence=0 AND (c.smownerid IN (SELECT userid FROM own) OR c.smownerid IN (SELECT groupid FROM sg)))));
