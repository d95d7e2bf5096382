"""What callers and clients may send to harm: a clean pop or a clear refusal, never a crash, never a lost stream."""
import time

import pytest
from company import ANNA
from lab.client import NS, error_of
from lab.process import LabError, wait_until

NAMES = {
    "sql": '"OR/**/1=1#',
    "html": "<script>alert('x')</script>",
    "xml": "]]></body><x xmlns='urn:evil'/>&amp;&#0;",
    "controls": b'"a\x01b\x08c\x7f\x1b[31m"',
    "ten kilobytes": b'"' + b"x" * 10000 + b'"',
    "ten kilobytes of accents": '\u010d' * 5000,
    "no utf-8": b'"\xff\xfe\xc3\x28 \xed\xa0\x80"',
    "right to left": "\u202eeslaf\u202c \u2066x\u2069",
    "emoji": "\U0001F600\U0001F469\u200d\U0001F680",
    "noncharacters": "\ufffe\uffff\U0001ffff",
    "ami header": "x\\r\\nAction: Originate\\r\\n",
    "only blanks": "   ",
}
NUMBERS = ['"OR/**/1=1#', "'; DROP TABLE vtiger_users; --", "<script>", "anonymous", "%00%0d%0aAction: Logoff", "9" * 300, "*#06#"]


@pytest.fixture
def alive(calm):
    """The same daemon and the same streams before and after."""
    pid = calm.daemon.child.pid
    yield calm
    assert calm.daemon.child.running() and calm.daemon.child.pid == pid
    answer = calm.anna.request(f"<calls xmlns='{NS}'/>", "get", timeout=30)
    assert answer.get("type") == "result"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_of_callers(alive, name):
    call = alive.inbound("201", "+420736763072", name)
    wait_until(lambda: call.state != "new", 10, "the pbx takes the call or refuses it")
    if call.state == "ended":
        assert call.code >= 400                      # the pbx itself refused
        return
    pop = alive.anna.expect(state="ringing")
    assert [m.get("id") for m in pop.matches] == ["120"] and "Pavel" in pop.body
    shown = pop.party.get("name") or ""
    assert len(shown) <= 256 and not any(ord(c) < 32 or ord(c) == 127 for c in shown)
    assert not any(c in pop.body for c in "\u202e\u2066\x1b")        # no reordering of our own words
    call.hangup()
    alive.anna.expect(state="ended", leg=pop.leg)
    assert alive.call_row(pop.id)["caller_number"] == "+420736763072"


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_callers(alive, number):
    call = alive.inbound("201", number)
    wait_until(lambda: call.state != "new", 10, "the pbx takes the call or refuses it")
    if call.state == "ended":
        assert call.code >= 400
        return
    pop = alive.anna.expect(state="ringing")
    assert pop.matches == []                          # a wrong person is worse than nobody
    call.hangup()
    alive.anna.expect(state="ended", leg=pop.leg)
    alive.call_row(pop.id)
    assert alive.database.rows("SELECT COUNT(*) AS n FROM vtiger_users", database="vtiger")[0]["n"] == 9


@pytest.mark.parametrize("number", ["\u202e+420736763072", "+420 736 763 072", "00420736763072"])
def test_odd_forms_of_a_right_number_find_its_owner_only(alive, number):
    call = alive.inbound("201", number)
    pop = alive.anna.expect(state="ringing")
    assert [m.get("id") for m in pop.matches] in ([], ["120"])
    assert "\u202e" not in pop.body + (pop.party.get("number") or "")
    call.hangup()
    alive.anna.expect(state="ended", leg=pop.leg)


def ask(client, inner: str, kind="set") -> str:
    """A raw <iq/>; `calls` afterwards is answered, so the stream stands."""
    client.raw(f"<iq type='{kind}' to='cti.example.org' id='raw-{time.monotonic_ns()}'>{inner}</iq>")
    return inner


HARMLESS = {
    "emoji as a reference": f"<dial xmlns='{NS}' number='&#x1F600;'/>",
    "quotes in quotes": f"<dial xmlns='{NS}' number='say \"201\"'/>",
    "unknown namespace": "<query xmlns='urn:nobody'/>",
    "no child": "",
    "many attributes": f"<dial xmlns='{NS}' number='1' " + " ".join(f"a{i}='x'" for i in range(500)) + "/>",
    "200 kB of text": f"<note xmlns='{NS}' id='hq:1'>" + "x" * 200_000 + "</note>",
    "entities": f"<dial xmlns='{NS}' number='&lt;&amp;&quot;&apos;&gt;'/>",
    "300 levels": "<a xmlns='urn:x'>" * 300 + "</a>" * 300,
    "somebody else's calls": f"<hangup xmlns='{NS}' id='hq:1.1' leg='1.1'/>",
}


@pytest.mark.parametrize("inner", HARMLESS.values(), ids=HARMLESS)
def test_stanzas_that_cost_nothing(alive, inner):
    alive.inbound("201")
    pop = alive.anna.expect(state="ringing")
    ask(alive.anna, inner)
    assert alive.boris.request(f"<calls xmlns='{NS}'/>", "get").get("type") == "result"
    alive.phone("201").wait("ringing")
    alive.phone("201").accept()
    alive.anna.expect(state="answered", leg=pop.leg)  # the stream of the component was never closed: nothing had to be repeated


COSTLY = {
    "50,000 levels": "<a xmlns='urn:x'>" + "<a>" * 50_000 + "</a>" * 50_000 + "</a>",
    "2 MB": "<a xmlns='urn:x'>" + "x" * 2_000_000 + "</a>",
}


@pytest.mark.parametrize("inner", COSTLY.values(), ids=COSTLY)
def test_stanzas_that_may_cost_a_stream_but_never_the_daemon(alive, inner):
    """Sent by a client of its own: the XMPP server may close that one's stream."""
    hugo = alive.site.client("hugo")
    try:
        alive.inbound("201")
        pop = alive.anna.expect(state="ringing")
        ask(hugo, inner)
        time.sleep(2)

        def answers():
            try:
                return alive.boris.request(f"<calls xmlns='{NS}'/>", "get", timeout=1).get("type") == "result"
            except LabError:
                return False
        wait_until(answers, 8, "the component is back within 8 s", 0.2)
        alive.phone("201").accept()
        alive.anna.expect(state="answered", leg=pop.leg)
    finally:
        hugo.stop()
        alive.site.clients.remove(hugo)


def test_a_flood_of_requests_is_answered_one_by_one(alive):
    before = time.monotonic()
    answers = [error_of(alive.anna.dial("+420900123456")) for _ in range(100)]
    assert set(answers) <= {"not-acceptable", "resource-constraint"} and time.monotonic() - before < 20
    assert alive.anna.find() == [] and ANNA
