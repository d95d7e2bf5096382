"""A whole company: one or more pbx with phones and a provider, an XMPP server, a CRM database, the bridge, operators' clients."""
from . import places, trees
from .asterisk import Asterisk
from .client import Client
from .daemon import Daemon, configuration
from .database import Database
from .handset import Handset
from .phone import Phone
from .provider import Provider
from .xmpp_servers import Ejabberd, Prosody

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
PHONES = ("201", "202", "203", "205")    # 204 exists and never registers


class Site:
    """`asterisk`: a version per pbx; the first is named hq, the second branch. `xmpp`: a name of SERVERS, or what makes a server in a folder.
    `handsets`: those of `phones` that are of our own make instead of baresip. `dialplan`: see Asterisk."""

    def __init__(self, asterisk=(22,), xmpp="prosody", database: str = "mariadb", phones=PHONES, handsets=(), dialplan: str = ""):
        self.folder = places.Folder()
        self._parts = []
        self.clients = []
        self.phones, self.providers = {}, []
        try:
            root = self.folder.path
            self.database = self._begin(Database(root / "db", database))
            self.database.create_vtiger()
            self.xmpp = self._begin(SERVERS.get(xmpp, xmpp)(root / "xmpp"))
            self.pbxs = [Asterisk(root / name, version, name, dialplan=dialplan) for version, name in zip(asterisk, ("hq", "branch"))]
            for pbx in self.pbxs:
                self._begin(pbx)
                self.providers.append(self._begin(Provider(pbx)))
                for extension in phones:
                    make = Handset if extension in handsets else Phone
                    phone = self._begin(make(root / f"{pbx.name}-{extension}", pbx, extension))
                    self.phones[pbx.name, extension] = phone
            self.daemon = Daemon(root / "ctibridge", configuration(root / "ctibridge", self.pbxs, self.xmpp, self.database))
        except BaseException:
            self.stop()
            raise

    def _begin(self, part):
        self._parts.append(part)
        part.start()
        return part

    def add(self, pbx):
        """One more pbx, started already, with the attributes of Asterisk (a simulated one: tests/load); before start_daemon."""
        self.pbxs.append(pbx)
        self._parts.append(pbx)
        self.daemon.config = configuration(self.daemon.folder, self.pbxs, self.xmpp, self.database)
        self.daemon.write()

    @property
    def pbx(self) -> Asterisk:
        return self.pbxs[0]

    @property
    def provider(self) -> Provider:
        return self.providers[0]

    def phone(self, extension: str, pbx: str = "hq") -> Phone:
        return self.phones[pbx, extension]

    def second_phone(self, extension: str) -> Phone:
        """One more device of the same extension."""
        phone = self._begin(Phone(self.folder.path / f"{extension}-second", self.pbx, extension, name=f"{extension}, second"))
        self.phones[self.pbx.name, extension + "b"] = phone
        return phone

    def remove_phone(self, key: str):
        """Switches a phone of hq off; it takes its registration away."""
        phone = self.phones.pop((self.pbx.name, key))
        self._parts.remove(phone)
        phone.stop()

    def start_daemon(self):
        self._parts.append(self.daemon)
        self.daemon.migrate()
        self.daemon.start()
        return self

    def client(self, user: str, console: bool = False, resource: str = "test", prepare=None) -> Client:
        """`prepare` is called with the client before it signs in."""
        client = Client(self.xmpp, user, console, resource)
        if prepare:
            prepare(client)
        client.start()
        self.clients.append(client)
        return client

    def hang_up_everything(self):
        """Between tests: no call is left over from the one before."""
        for provider in self.providers:
            for call in list(provider.calls):
                call.hangup()
            provider.calls.clear()
            provider.behaviour.clear()
        for phone in self.phones.values():
            phone.behaviour = "manual"
            if not phone.idle:
                phone.hangup()
        if any(not phone.idle for phone in self.phones.values()):       # a second call of a phone
            for pbx in self.pbxs:
                pbx.cli("channel request hangup all")

    def versions(self) -> str:
        return ", ".join(f"{pbx.name}: Asterisk {trees.version(pbx.tree, 'asterisk')}" for pbx in self.pbxs)

    def stop(self):
        for client in self.clients:
            client.stop()
        self.clients.clear()
        while self._parts:
            self._parts.pop().stop()
        self.folder.remove()
