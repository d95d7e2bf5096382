"""Feature codes of the phones: sitting down at a seat, signing out, pausing, ready again; the snippet of etc/asterisk, on real Asterisks."""
import pathlib

import pytest
from company import ANNA, BORIS
from conftest import SETS, need
from desks import Floor, agree
from lab.process import LabError, wait_until
from lab.tape import Tape

SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "etc/asterisk/extensions_ctibridge_agent.conf"
CODES = f"\n#include {SNIPPET.name}\n[from-internal](+)\ninclude => ctibridge-agent\n"


class PhoneFloor(Floor):
    def __init__(self, **options):
        super().__init__(phones=("201", "202", "203"), handsets=("201", "202", "203"), **options)
        folder = self.site.pbx.folder / "etc"
        (folder / SNIPPET.name).write_text(SNIPPET.read_text())
        file = folder / "extensions.conf"
        file.write_text(file.read_text() + CODES)
        self.site.pbx.cli("dialplan reload")
        self.tape = Tape(self.site.pbx)

    def dials(self, extension: str, code: str) -> str:
        """What the dialplan was told: done, refused, or nothing."""
        def told():
            return [e["Value"] for e in self.tape.events("VarSet") if e["Variable"] == "CTI_AGENT" and e["Channel"].startswith(f"{self.site.pbx.tech}/{extension}-")]
        before = len(told())
        phone = self.phone(extension)
        phone.dial(code)
        try:
            wait_until(lambda: len(told()) > before, 20, f"an answer to {code} at {extension}", 0.05)
        except LabError as error:
            raise LabError(f"{error}\n{self.daemon.text()[-3000:]}") from None
        phone.wait("idle", 20)          # the dialplan ends the call after the tone
        return told()[-1]

    def why(self, jid: str) -> str:
        return self.daemon.command("explain", "--all", jid).stdout

    def stop(self):
        self.tape.stop()
        super().stop()


@pytest.fixture(scope="module", params=SETS)
def floor(request):
    options = SETS[request.param]
    need(*(f"asterisk-{version}" for version in options["asterisk"]))
    running = PhoneFloor(**options)
    yield running
    running.stop()


@pytest.fixture
def calm(floor):
    floor.calm()
    yield floor
    for user in ("anna", "boris"):
        floor.desk(user).set(state="logged-out")
        floor.desk(user).set(seat="")
    floor.calm()


def settled(desk, state: str, **attributes):
    """As soon as the call of the feature code is over for the desk too."""
    def said():
        picture = desk.now()
        return picture.get("state") == state and not picture.get("pending")
    wait_until(said, 15, f"{desk.user} is {state}", 0.1)
    desk.extension = desk.now().get("extension")
    return agree(desk, state, **attributes)


def test_an_operator_sits_down_by_dialling_at_a_seat_and_leaves_it(calm):
    anna = calm.desk("anna")
    assert calm.dials("203", "*551201") == "done"
    settled(anna, "ready", seat="window", extension="203")
    assert calm.members("201") == {} and set(calm.members("203")) == {"help", "orders"}
    assert calm.dials("203", "*553") == "done"
    settled(anna, "not-ready", reason="lunch")
    assert calm.dials("203", "*554") == "done"
    settled(anna, "ready")
    assert calm.dials("203", "*552") == "done"
    settled(anna, "logged-out")
    assert calm.members("203") == {}


def test_the_phone_on_one_s_own_desk_needs_no_seat(calm):
    boris = calm.desk("boris")
    assert calm.dials("202", "*551") == "done"
    settled(boris, "ready", seat=None, extension="202")
    assert calm.dials("202", "*552") == "done"
    settled(boris, "logged-out")


def test_a_seat_belongs_to_who_is_signed_in_there(calm):
    anna, boris = calm.desk("anna"), calm.desk("boris")
    assert calm.dials("203", "*551201") == "done"
    settled(anna, "ready", seat="window")
    assert calm.dials("203", "*551202") == "refused"
    settled(anna, "ready", seat="window")
    settled(boris, "logged-out", extension="202")
    assert "Anna" in calm.why(BORIS), calm.why(BORIS)


def test_a_phone_that_is_no_seat_is_nobody_else_s_and_nobody_is_signed_in(calm):
    assert calm.dials("202", "*551201") == "refused"
    assert calm.dials("202", "*551299") == "refused"
    text = calm.daemon.text()
    assert "phone 202 is no seat" in text and "no operator has the extension 299" in text
    settled(calm.desk("anna"), "logged-out", extension="201")
    settled(calm.desk("boris"), "logged-out", extension="202")


def test_who_signed_in_by_the_phone_stays_without_any_client(calm):
    """Their desk has no client that could disappear."""
    calm.leave("anna") if "anna" in calm.desks else None
    assert calm.dials("203", "*551201") == "done"
    wait_until(lambda: set(calm.members("203")) == {"help", "orders"}, 10, "Anna is in her queues")
    rows = wait_until(lambda: (rows := calm.rows(ANNA)) and rows[-1]["state"] == "ready" and rows, 10, "cti_agent_event has it")
    assert (rows[-1]["seat"], rows[-1]["extension"]) == ("window", "203")
    assert not any(member.paused for member in calm.members("203").values())
