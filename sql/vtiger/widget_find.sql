-- The rows that put the widget into the pages (`ctibridge vtiger`): none, one, or more where somebody else added some.
SELECT linkid, linkurl FROM vtiger_links WHERE linktype = 'HEADERSCRIPT' AND linklabel = 'CtiBridge' ORDER BY linkid;
