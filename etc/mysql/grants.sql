-- A database user for ctibridge with the rights it needs on a vTiger database (here `vtiger`) and on our own (`ctibridge`).
CREATE USER 'ctibridge'@'localhost' IDENTIFIED BY 'CHANGE-ME';
GRANT SELECT ON vtiger.* TO 'ctibridge'@'localhost';
GRANT UPDATE ON vtiger.vtiger_crmentity_seq TO 'ctibridge'@'localhost';
GRANT INSERT, UPDATE ON vtiger.vtiger_crmentity TO 'ctibridge'@'localhost';
GRANT INSERT, UPDATE ON vtiger.vtiger_pbxmanager TO 'ctibridge'@'localhost';
GRANT INSERT, UPDATE ON vtiger.vtiger_pbxmanagercf TO 'ctibridge'@'localhost';
GRANT INSERT, UPDATE ON vtiger.vtiger_modcomments TO 'ctibridge'@'localhost';
GRANT INSERT, UPDATE ON vtiger.vtiger_modcommentscf TO 'ctibridge'@'localhost';
GRANT ALL ON ctibridge.* TO 'ctibridge'@'localhost';
