DELETE FROM vtiger_links WHERE linktype = 'HEADERSCRIPT' AND linklabel = 'CtiBridge';
