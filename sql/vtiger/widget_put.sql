-- One row: vTiger puts the file of that path, which must be in its own tree, into every page of everybody (`tabid` 0). The id as vTiger takes one.
UPDATE vtiger_links_seq SET id = LAST_INSERT_ID(id + 1);
INSERT INTO vtiger_links (linkid, tabid, linktype, linklabel, linkurl, linkicon, sequence)
VALUES (LAST_INSERT_ID(), 0, 'HEADERSCRIPT', 'CtiBridge', :url, '', 0);
