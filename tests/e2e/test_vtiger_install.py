"""`ctibridge vtiger install` and `remove` against MariaDB with vTiger's tables, as the bridge's own user with its documented rights, and a tree of files."""
import os
import pathlib
import subprocess

import pytest
from lab import places
from lab.daemon import Daemon, configuration
from lab.database import Database

CONSOLE = "https://cti.example.org/"
FILE = "modules/CtiBridge/ctibridge.js"
RIGHTS = "GRANT INSERT, DELETE ON vtiger.vtiger_links TO 'ctibridge'@'localhost'; GRANT UPDATE ON vtiger.vtiger_links_seq TO 'ctibridge'@'localhost'"
NO_RIGHTS = "REVOKE INSERT, DELETE ON vtiger.vtiger_links FROM 'ctibridge'@'localhost'; REVOKE UPDATE ON vtiger.vtiger_links_seq FROM 'ctibridge'@'localhost'"


class Nobody:
    """No XMPP server: this command needs none."""
    component = 1


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = places.Folder()
    running = Database(folder.path / "db")
    try:
        running.start().create_vtiger()
        yield running
    finally:
        running.stop()
        folder.remove()


class Site:
    def __init__(self, folder: pathlib.Path, database):
        self.database, self.tree = database, folder / "vtiger"
        self.daemon = Daemon(folder / "ctibridge", configuration(folder / "ctibridge", [], Nobody, database))
        self.daemon.config["pbx"] = [{"name": "hq", "host": "127.0.0.1", "username": "u", "secret": "s", "channels": ["PJSIP/{extension}"], "extensions": ["2??"], "country": "CZ"}]
        self.daemon.config["http"] = [{"listen": "127.0.0.1:8383", "serve": ["health"], "crm_origins": ["https://crm.example.org"]}]
        self.daemon.write()
        (self.tree / "modules/Contacts").mkdir(parents=True)
        for name in ("vtigerversion.php", "index.php", "modules/Contacts/Contacts.php"):
            (self.tree / name).write_text("<?php // " + name)
        self.before = self.all()

    def run(self, what: str, *more, answer: str | None = None, docroot: bool = True) -> subprocess.CompletedProcess:
        return self.daemon.command("vtiger", what, *(("--docroot", str(self.tree)) if docroot else ()), *more, input=answer)

    def install(self, *more, console: str = CONSOLE, **options):
        return self.run("install", "--console", console, *more, **options)

    def files(self) -> dict:
        return {str(one.relative_to(self.tree)): one.read_text() for one in sorted(self.tree.rglob("*")) if one.is_file()}

    def links(self) -> list:
        return self.database.rows("SELECT * FROM vtiger_links ORDER BY linkid", database="vtiger")

    def all(self):
        return self.files(), self.links()


@pytest.fixture
def site(tmp_path, database):
    database.load("DELETE FROM vtiger_links WHERE linklabel = 'CtiBridge'; UPDATE vtiger_version SET current_version = '8.4.0'", "vtiger")
    database.load(RIGHTS)
    return Site(tmp_path, database)


def new_links(site) -> list:
    known = {row["linkid"] for row in site.before[1]}
    return [row for row in site.links() if row["linkid"] not in known]


def test_one_row_and_one_file_and_nothing_else(site):
    done = site.install("--yes")
    assert done.returncode == 0, done.stderr
    [row] = new_links(site)
    assert {key: row[key] for key in ("tabid", "linktype", "linklabel", "linkurl")} == {"tabid": 0, "linktype": "HEADERSCRIPT", "linklabel": "CtiBridge", "linkurl": FILE}
    assert row["linkid"] == site.database.rows("SELECT id FROM vtiger_links_seq", database="vtiger")[0]["id"]     # vTiger's next one is another
    files = site.files()
    assert '"https://cti.example.org/widget.js"' in files.pop(FILE)
    assert files == site.before[0]
    assert oct((site.tree / FILE).stat().st_mode & 0o777) == "0o644"
    assert "note" not in done.stderr


def test_twice_is_once(site):
    site.install("--yes")
    after = site.all()
    done = site.install("--yes")
    assert (done.returncode, done.stdout) == (0, "nothing to change\n")
    assert site.all() == after


def test_remove_takes_all_of_it_away(site):
    site.install("--yes")
    done = site.run("remove", "--yes")
    assert done.returncode == 0, done.stderr
    assert site.all() == site.before
    assert not (site.tree / "modules/CtiBridge").exists()
    assert site.run("remove", "--yes").stdout == "nothing to change\n"


@pytest.mark.parametrize("what", ["install", "remove"])
def test_a_dry_run_says_what_would_be_done_and_does_nothing(site, what):
    if what == "remove":
        site.install("--yes")
    before = site.all()
    done = site.install("--dry-run") if what == "install" else site.run("remove", "--dry-run")
    assert done.returncode == 0
    assert FILE in done.stdout and "vtiger_links" in done.stdout and "nothing was changed" in done.stdout
    assert site.all() == before


@pytest.mark.parametrize("answer, done", [("y\n", True), ("n\n", False), ("", False), ("\n", False), ("yes\n", True)])
def test_it_asks_before(site, answer, done):
    ran = site.install(answer=answer)
    assert ran.stdout.index(FILE) < ran.stdout.index("[y/N]")
    assert (ran.returncode == 0, site.all() != site.before) == (done, done)


def test_another_address_replaces_ours_only(site):
    site.install("--yes")
    done = site.install("--yes", console="https://new.example.org:8443/cti")
    assert "written anew" in done.stdout and "vtiger_links" not in done.stdout
    assert '"https://new.example.org:8443/cti/widget.js"' in site.files()[FILE]
    assert len(new_links(site)) == 1


def test_several_rows_or_a_wrong_one_become_one(site):
    site.database.load("INSERT INTO vtiger_links (linkid, tabid, linktype, linklabel, linkurl) VALUES (9001, 0, 'HEADERSCRIPT', 'CtiBridge', 'old.js'), (9002, 0, 'HEADERSCRIPT', 'CtiBridge', 'old.js')", "vtiger")
    done = site.install("--yes")
    assert "2 rows of ours, removed" in done.stdout
    assert [row["linkurl"] for row in new_links(site)] == [FILE]


def test_a_file_that_is_not_ours_stays(site):
    (site.tree / FILE).parent.mkdir()
    (site.tree / FILE).write_text("// somebody else's")
    done = site.install("--yes")
    assert done.returncode == 2 and "is not ours; nothing was changed" in done.stderr
    assert new_links(site) == []
    assert "stays" in site.run("remove", "--yes").stderr
    assert site.files()[FILE] == "// somebody else's"


def test_other_files_in_our_folder_stay(site):
    site.install("--yes")
    (site.tree / "modules/CtiBridge/other.txt").write_text("x")
    assert site.run("remove", "--yes").returncode == 0
    assert FILE not in site.files() and "modules/CtiBridge/other.txt" in site.files()


def test_a_missing_right_is_said_with_the_grant_and_leaves_nothing(site):
    site.database.load(NO_RIGHTS)
    done = site.install("--yes")
    assert done.returncode == 1
    assert "GRANT SELECT, INSERT, DELETE ON vtiger.vtiger_links TO 'ctibridge'@'HOST'" in done.stderr and "nothing was changed" in done.stderr
    assert site.all() == site.before


def test_a_tree_that_cannot_be_written_leaves_no_row(site):
    # A plain file where the folder would be: refused for root, too.
    (site.tree / "modules/CtiBridge").write_text("")
    done = site.install("--yes")
    assert done.returncode == 1 and "cannot be written" in done.stderr and "nothing was changed" in done.stderr
    assert new_links(site) == []


@pytest.mark.parametrize("docroot, why", [("nowhere", "is no directory"), ("ctibridge", "is no vTiger")])
def test_a_wrong_docroot_is_said(site, docroot, why):
    done = site.daemon.command("vtiger", "install", "--console", CONSOLE, "--docroot", str(site.tree.parent / docroot), "--yes")
    assert done.returncode == 2 and why in done.stderr and "--docroot" in done.stderr
    assert site.all() == site.before


def test_without_a_docroot_the_usual_places_are_looked_at(site):
    if any(os.path.exists(f"{one}/vtigerversion.php") for one in ("/var/www/html", "/var/www/html/vtigercrm", "/var/www/vtigercrm", "/var/www/html/vtiger", "/var/www/vtiger", "/usr/share/vtigercrm")):
        pytest.skip("this machine has a vTiger")
    done = site.install("--yes", docroot=False)
    assert done.returncode == 2 and "name its directory with --docroot" in done.stderr


@pytest.mark.parametrize("console", ["cti.example.org", "http://cti.example.org/", "https://cti.example.org/\");alert(1)//", "https://cti.example.org/?a=b", "javascript:alert(1)", "https:///", ""])
def test_an_address_that_is_none_is_refused(site, console):
    done = site.install("--yes", console=console)
    assert done.returncode == 2 and "https://cti.example.org/" in done.stderr
    assert site.all() == site.before


@pytest.mark.parametrize("version, fits", [("7.5.0", True), ("8.0.0", True), ("5.4.0", False), ("6.5.0", False), ("9.0.0", False)])
def test_only_vtiger_7_and_8(site, version, fits):
    site.database.load(f"UPDATE vtiger_version SET current_version = '{version}'", "vtiger")
    done = site.install("--yes")
    assert (done.returncode == 0) == fits
    assert fits or f"this one is {version}" in done.stderr


def test_an_origin_of_which_the_daemon_does_not_know_is_said(site):
    site.daemon.config["http"][0]["crm_origins"] = ["https://other.example.org"]
    site.daemon.write()
    assert "no entry of `http` has https://crm.example.org in crm_origins" in site.install("--yes").stderr
