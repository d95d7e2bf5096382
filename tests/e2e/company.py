"""What the tests ask of a running company: its operators' clients, the rows of a call, and silence in between."""
from lab.process import LabError, wait_until
from lab.site import Site

# People and records of tests/data/vtiger.tar.xz
ANNA, BORIS, CLARA, HUGO, FILIP, DAVID = (f"{u}@example.org" for u in ("anna", "boris", "clara", "hugo", "filip", "david"))
PAVEL = "+420736763072"                 # contact 120, Pavel Doležal of Truhlářství Zlín 4 s.r.o.
PAVEL_URL = "https://crm.example.org/index.php?module=Contacts&view=Detail&record=120"
NOBODY = "+420799123456"                # in no record
ALFA = "+420601234567"                  # account 178 and contact 179


class Company:
    def __init__(self, prepare=None, users=("anna", "boris", "clara"), **options):
        self.site = Site(**options)
        try:
            if prepare:
                prepare(self.site)
            self.site.start_daemon()
            for user in users:
                setattr(self, user, self.site.client(user))
        except BaseException:
            self.stop()
            raise

    def __getattr__(self, name):
        return getattr(self.__dict__["site"], name)

    def calm(self):
        """No call is left, every notice is forgotten."""
        self.site.hang_up_everything()
        for pbx in self.site.pbxs:
            wait_until(lambda pbx=pbx: pbx.channels() == 0, 15, f"{pbx.name} has no channel left", 0.1)
        wait_until(lambda: all(p.idle for p in self.site.phones.values()), 10, "all phones are idle")
        wait_until(self._settled, 10, "every ring has ended", 0.1)
        for client in self.site.clients:
            client.clear()

    def _settled(self):
        return all(self.open_rings(client) == [] for client in self.site.clients)

    @staticmethod
    def open_rings(client) -> list:
        last = {}
        for notice in client.find():
            last[notice.pbx, notice.leg] = notice.state
        return [key for key, state in last.items() if state != "ended"]

    def inbound(self, extension: str, number: str = PAVEL, name: str = "", pbx: int = 0):
        """A call to the direct number of an extension; the phone rings."""
        return self.site.providers[pbx].call("02079460" + extension, number, name)

    def call_row(self, call: str, timeout: float = 10) -> dict:
        """The finished row of cti_call."""
        def found():
            rows = self.site.database.rows("SELECT * FROM cti_call WHERE id = %s AND ended IS NOT NULL", call)
            return rows[0] if rows else None
        try:
            return wait_until(found, timeout, f"cti_call has the finished row of {call}", 0.1)
        except LabError as error:
            raise LabError(f"{error}; there is {self.site.database.rows('SELECT id, disposition, ended FROM cti_call')}") from None

    def only_call_row(self, timeout: float = 10, **where) -> dict:
        """The only finished row of cti_call with these values: for calls of which no operator hears."""
        text = " AND ".join(f"`{column}` = %s" for column in where)
        rows = wait_until(lambda: self.site.database.rows(f"SELECT * FROM cti_call WHERE ended IS NOT NULL AND {text}", *where.values()), timeout,
                          f"cti_call has a finished row with {where}", 0.1)
        assert len(rows) == 1, rows
        return rows[0]

    def legs(self, call: str) -> list:
        return self.site.database.rows("SELECT * FROM cti_leg WHERE `call` = %s AND ended IS NOT NULL ORDER BY offered, uniqueid, jid", call)

    def leg_rows(self, call: str, count: int, timeout: float = 10) -> list:
        return wait_until(lambda: (rows := self.legs(call)) and len(rows) >= count and rows, timeout, f"cti_leg has {count} finished rows of {call}", 0.1)

    def crm_row(self, call: str, status: str, timeout: float = 10) -> dict:
        """The row in vTiger's call list, as vTiger shows it, once it has that status."""
        def found():
            rows = self.site.database.rows(
                "SELECT p.*, e.smownerid, e.deleted, e.setype, e.label FROM ctibridge.cti_crm_row r "
                "JOIN vtiger_pbxmanager p ON p.pbxmanagerid = r.crm_id JOIN vtiger_crmentity e ON e.crmid = p.pbxmanagerid "
                "WHERE r.`call` = %s", call, database="vtiger")
            assert len(rows) <= 1, rows
            return rows[0] if rows and rows[0]["callstatus"] == status else None
        try:
            return wait_until(found, timeout, f"vTiger's call list has {call} as {status}", 0.1)
        except LabError as error:
            raise LabError(f"{error}; there is {self.site.database.rows('SELECT * FROM vtiger_pbxmanager ORDER BY pbxmanagerid DESC LIMIT 3', database='vtiger')}") from None

    def crm_rows(self) -> int:
        return self.site.database.rows("SELECT COUNT(*) AS n FROM vtiger_pbxmanager", database="vtiger")[0]["n"]

    def stop(self):
        """Ends everything; the daemon must end cleanly (a sanitizer's finding is an exit code)."""
        daemon = self.site.daemon
        code = daemon.stop() if daemon.child and daemon.child.running() else None
        text, fault = daemon.text(), daemon.fault()
        self.site.stop()
        assert code in (None, 0), f"ctibridge ended with {code}:\n{text[-4000:]}"
        assert not fault, fault


def in_order(notices) -> None:
    """One epoch, and no gap in seq: what lets a client know that it has seen everything."""
    numbers = [int(n.seq) for n in notices]
    assert len({n.epoch for n in notices}) == 1, notices
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers


def states(client, leg: str) -> list:
    return [n.state for n in client.find(leg=leg)]
