"""Private MariaDB 10.11 (this machine's) and MySQL 9.7 (a tree), with vTiger's tables and a user with the rights of etc/mysql/grants.sql."""
import getpass
import os
import pathlib
import subprocess
import tarfile

import pymysql

from . import places, trees
from .process import Child, LabError, tail, wait_until

PASSWORD = "db-secret"


class Database:
    def __init__(self, folder: pathlib.Path, kind: str = "mariadb"):
        self.kind, self.folder = kind, folder
        folder.mkdir(parents=True)
        self.port = places.free_port()
        self.socket = folder / "s"
        self.child = None
        data = ["--datadir=" + str(folder / "data"), "--user=" + getpass.getuser()]
        if kind == "mariadb":
            self._server = ["/usr/sbin/mariadbd", "--no-defaults", "--innodb-buffer-pool-size=32M", "--lc-messages-dir=/usr/share/mysql", *data]
            create = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", *data]
        else:
            root = trees.tree("mysql-sid")
            self._server = [*trees.command("mysql-sid", "usr/sbin/mysqld"), "--no-defaults", f"--basedir={root}/usr",
                            f"--lc-messages-dir={root}/usr/share/mysql", "--secure-file-priv=NULL", "--mysqlx=OFF", "--disable-log-bin", "--loose-restrict-fk-on-non-standard-key=OFF",
                            "--innodb-buffer-pool-size=32M", *data]
            create = [*self._server, "--initialize-insecure"]
        # A folder of its own for temporary tables: a server that starts removes those of others.
        done = subprocess.run(create, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder)})
        if done.returncode != 0:
            raise LabError(f"{kind} cannot be initialised:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")

    def start(self):
        self.child = Child(self.kind, [*self._server, f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                                       f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}", "--skip-name-resolve"],
                           self.folder / "log")
        self.child.wait_for_port(self.port, 60)
        wait_until(self._answers, 30, f"{self.kind} answers\n{tail(self.folder / 'log')}", 0.05)
        return self

    def _answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.MySQLError:
            return False

    def stop(self):
        if self.child:
            self.child.stop(20)

    def kill(self):
        self.child.kill()

    def connect(self, database=None):
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=database, charset="utf8mb4", autocommit=True,
                               cursorclass=pymysql.cursors.DictCursor)

    def rows(self, sql: str, *parameters, database: str = "ctibridge") -> list:
        with self.connect(database) as link, link.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    execute = rows

    def load(self, script: str, database=None):
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--default-character-set=utf8mb4",
                               *([database] if database else [])], input=script.encode(), capture_output=True)
        if done.returncode != 0:
            raise LabError(f"{self.kind}: {done.stderr.decode(errors='replace')}")

    def create_vtiger(self):
        """vTiger 8.4's tables with the rows of tests/data/vtiger.tar.xz, and the bridge's user with its documented rights."""
        self.load("CREATE DATABASE vtiger CHARACTER SET utf8mb3; CREATE DATABASE ctibridge CHARACTER SET utf8mb4;")
        with tarfile.open(places.project() / "tests/data/vtiger.tar.xz") as archive:
            for name in ("schema.sql", "sample.sql", "sharing.sql"):
                self.load(archive.extractfile(name).read().decode(), "vtiger")
        self.grant()
        return self

    def grant(self):
        grants = (places.project() / "etc/mysql/grants.sql").read_text().replace("CHANGE-ME", PASSWORD)
        for host in ("localhost", "127.0.0.1"):
            self.load(grants.replace("'localhost'", f"'{host}'"))

    def url(self, database: str, tcp: bool = False) -> str:
        if tcp:
            return f"mysql://ctibridge@127.0.0.1:{self.port}/{database}"
        return f"mysql://ctibridge@localhost/{database}?socket={self.socket}"
