"""A company whose pbx is simulated: for what XMPP alone decides, where a real Asterisk would only take time."""
from company import PAVEL, Company
from lab.process import wait_until
from load.pbx import Simulated


class Quick(Company):
    def __init__(self, prepare=None, extensions=("201", "202", "203", "204", "205"), **options):
        self.exchange = Simulated("hq", extensions=extensions)

        def both(site):
            site.add(self.exchange.start())
            if prepare:
                prepare(site)
            site.daemon.write()
        super().__init__(prepare=both, asterisk=(), **options)

    def ring(self, extension: str = "201", number: str = PAVEL, kind: str = "no-answer") -> str:
        """A call that rings for ten seconds unless it is hung up (`kind` answered: picked up after one); its id."""
        return "hq:" + self.exchange.call(extension, number=number, kind=kind)

    def hang_up(self):
        """Every call."""
        for fields in list(self.exchange.pbx.channels.values()):
            self.exchange.do("hangup", dict(fields)["Channel"])

    def calm(self):
        self.hang_up()
        wait_until(self._settled, 10, "every ring has ended", 0.05)
        for client in self.site.clients:
            client.clear()

    def losses(self) -> int:
        """How often the daemon's log tells that the XMPP stream was lost."""
        return sum("link=xmpp down:" in line for line in self.site.daemon.text().splitlines())

    def stop(self):
        super().stop()
        if exchange := self.__dict__.pop("exchange", None):
            exchange.close()
