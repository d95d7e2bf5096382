"""What operators' programs ask through real XMPP servers: every answer, every refusal with its words, every form of a notice, and no stream lost by it."""
import xml.etree.ElementTree as ET

import pytest
from company import ANNA, PAVEL
from lab.client import NS, error_of
from lab.process import wait_until
from quick import Quick

COMPONENT = "cti.example.org"
INFO, ITEMS = "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"
PHONE = "http://jivesoftware.com/xmlns/phone"
DIAL = f"<dial xmlns='{NS}' number='{PAVEL}'/>"


@pytest.fixture(scope="module", params=["prosody", "ejabberd"])
def running(request):
    def prepare(site):
        # David dials too much, Filip has a phone with Spark, Hugo has none.
        for user, extension in (("hugo", ""), ("filip", "205")):
            site.database.rows("UPDATE vtiger_users SET phone_crm_extension = %s WHERE user_name = %s", extension, user, database="vtiger")
        site.daemon.config["dialing"]["per_minute"] = 3
    company = Quick(prepare, xmpp=request.param)
    yield company
    company.stop()


@pytest.fixture
def calm(running):
    """The same daemon and the same stream before and after, and the next call pops."""
    running.calm()
    pid, losses = running.daemon.child.pid, running.losses()
    yield running
    running.calm()
    running.ring("203")
    running.clara.expect(timeout=8, state="ringing")
    assert running.daemon.child.running() and running.daemon.child.pid == pid
    assert running.losses() == losses, running.daemon.text()[-3000:]


@pytest.fixture
def login(calm):
    """More clients, for one test."""
    more = []

    def begin(user, **options):
        more.append(calm.site.client(user, **options))
        return more[-1]
    yield begin
    for client in more:
        client.stop()
        calm.site.clients.remove(client)


def words_of(answer: ET.Element) -> tuple:
    """Condition, rule of <denied/> and text of a refusal; a refusal without words for a person is none."""
    assert answer.get("type") == "error" and answer.get("from") == COMPONENT, ET.tostring(answer)
    error = next(child for child in answer if child.tag.endswith("}error"))
    denied, text = error.find(f"{{{NS}}}denied"), error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}text")
    assert text is not None and text.text and len(text.text) > 10, ET.tostring(answer)
    return error_of(answer), None if denied is None else denied.get("rule"), text.text


def result_of(answer: ET.Element, name: str) -> ET.Element:
    assert answer.get("type") == "result" and answer.get("from") == COMPONENT, ET.tostring(answer)
    found = answer.find(name)
    assert found is not None, ET.tostring(answer)
    return found


def plain(element: ET.Element):
    """An element as it can be compared."""
    return element.tag, element.attrib, (element.text or "").strip(), [plain(child) for child in element]


# ---- what is told

def test_me(calm, login):
    me = result_of(calm.anna.request(f"<me xmlns='{NS}'/>", "get"), f"{{{NS}}}me")
    assert (me.get("jid"), me.get("roles"), me.get("pbx"), me.get("extension")) == (ANNA, "operator", "hq", "201")
    assert {feature.get("name") for feature in me} == {"dial", "calls", "answer", "hangup", "hold", "unhold", "park", "pickup", "transfer", "consult", "agent", "history", "claim", "note", "directory"}
    me = result_of(login("hugo").request(f"<me xmlns='{NS}'/>", "get"), f"{{{NS}}}me")
    assert me.get("extension") is None and {feature.get("name") for feature in me} == {"calls"}     # no button that is refused
    me = result_of(login("admin").request(f"<me xmlns='{NS}'/>", "get"), f"{{{NS}}}me")
    assert "administrator" in me.get("roles").split()


def test_calls_are_the_notices_shown(calm):
    calm.ring("201", PAVEL)
    calm.ring("201", "+420601234567")
    wait_until(lambda: len(calm.anna.find(state="ringing")) == 2, 5, "two pops")
    shown = sorted((plain(n.call) for n in calm.anna.find()), key=str)
    calls = result_of(calm.anna.request(f"<calls xmlns='{NS}'/>", "get"), f"{{{NS}}}calls")
    assert (calls.get("epoch"), calls.get("seq")) == (calm.anna.find()[0].epoch, str(max(int(n.seq) for n in calm.anna.find())))
    told = sorted((plain(call) for call in calls.findall(f"{{{NS}}}call")), key=str)
    for one in shown + told:
        assert one[1].pop("seq")
    assert told == shown
    boris = result_of(calm.boris.request(f"<calls xmlns='{NS}'/>", "get"), f"{{{NS}}}calls")
    # Beside the calls, how the links are: who signs in while one is down heard nothing of it.
    assert [(one.tag.split("}")[1], one.get("to"), one.get("name"), one.get("state")) for one in boris] == [("link", "pbx", "hq", "up"), ("link", "crm", "", "up")]


def test_an_administrator_asks_for_others_and_nobody_else_does(calm, login):
    calm.ring("201")
    pop = calm.anna.expect(state="ringing")
    request = f"<calls xmlns='{NS}' on-behalf-of='{ANNA}'/>"
    calls = result_of(login("admin").request(request, "get"), f"{{{NS}}}calls")
    assert [call.get("leg") for call in calls.findall(f"{{{NS}}}call")] == [pop.leg]
    assert words_of(calm.boris.request(request, "get"))[:2] == ("forbidden", "on-behalf-of")
    assert words_of(calm.site.clients[-1].request(f"<calls xmlns='{NS}' on-behalf-of='nobody@example.org'/>", "get"))[:2] == ("item-not-found", "operator")


def test_who_the_component_is(calm):
    info = result_of(calm.anna.request(f"<query xmlns='{INFO}'/>", "get"), f"{{{INFO}}}query")
    first = info.find(f"{{{INFO}}}identity")
    assert (first.get("category"), first.get("type"), first.get("name")) == ("directory", "phone", "phone")
    features = {feature.get("var") for feature in info.findall(f"{{{INFO}}}feature")}
    assert features >= {INFO, ITEMS, "jabber:iq:version", "jabber:iq:last", "urn:xmpp:ping", NS, PHONE}
    assert list(result_of(calm.anna.request(f"<query xmlns='{ITEMS}'/>", "get"), f"{{{ITEMS}}}query")) == []
    assert words_of(calm.anna.request(f"<query xmlns='{INFO}' node='urn:no/where'/>", "get"))[0] == "item-not-found"
    version = result_of(calm.anna.request("<query xmlns='jabber:iq:version'/>", "get"), "{jabber:iq:version}query")
    assert version.find("{jabber:iq:version}name").text == "ctibridge"
    assert version.find("{jabber:iq:version}version").text in calm.daemon.command("--version").stdout
    uptime = result_of(calm.anna.request("<query xmlns='jabber:iq:last'/>", "get"), "{jabber:iq:last}query")
    assert 0 <= int(uptime.get("seconds")) < 600
    pong = calm.anna.request("<ping xmlns='urn:xmpp:ping'/>", "get")
    assert (pong.get("type"), pong.get("from"), len(pong)) == ("result", COMPONENT, 0)


# ---- what is refused

DIALS = {
    "no number": (f"<dial xmlns='{NS}'/>", "bad-request", "number"),
    "words": (f"<dial xmlns='{NS}' number='call me'/>", "bad-request", "number"),
    "another channel": (f"<dial xmlns='{NS}' number='201&amp;Local/1@x'/>", "bad-request", "number"),
    "oneself": (f"<dial xmlns='{NS}' number='201'/>", "bad-request", "number"),
    "a record without module": (f"<dial xmlns='{NS}' number='{PAVEL}'><record id='120'/></dial>", "bad-request", "record"),
    "a record that is SQL": (f"<dial xmlns='{NS}' number='{PAVEL}'><record module='Contacts' id='1 OR 1'/></dial>", "bad-request", "record"),
    "denied": (f"<dial xmlns='{NS}' number='+420900123456'/>", "not-acceptable", "deny:+420900*"),
    "nowhere allowed": (f"<dial xmlns='{NS}' number='+12125550123'/>", "not-acceptable", "allow"),
}


@pytest.mark.parametrize("request_, condition, rule", DIALS.values(), ids=DIALS)
def test_refused_dials(calm, request_, condition, rule):
    got = words_of(calm.anna.request(request_))
    assert got[:2] == (condition, rule), got
    refused = calm.database.rows("SELECT outcome FROM cti_dial WHERE jid = %s ORDER BY at DESC LIMIT 1", ANNA)
    assert not refused or refused[0]["outcome"].startswith("refused:")
    assert calm.anna.find() == []


def test_without_a_phone_nobody_dials(calm, login):
    assert words_of(login("hugo").request(DIAL))[:2] == ("not-acceptable", "phone")


def test_too_many_at_once_and_too_many_a_minute(calm, login):
    david = login("david")
    for number in (PAVEL, "+420601234567"):
        assert error_of(david.dial(number)) == ""
    assert words_of(david.request(DIAL))[:2] == ("resource-constraint", "concurrent")
    wait_until(lambda: len(david.find(state="dialing")) >= 2, 5, "both are shown")
    wait_until(lambda: calm.hang_up() or len(david.find(state="ended")) == 2, 5, "both have ended")
    david.clear()
    assert error_of(david.dial(PAVEL)) == ""
    wait_until(lambda: calm.hang_up() or david.find(state="ended"), 5, "the third has ended")
    assert words_of(david.request(DIAL))[:2] == ("resource-constraint", "per_minute")


def test_the_exchange_refuses(calm):
    calm.exchange.pbx.write.discard("originate")
    try:
        condition, rule, text = words_of(calm.anna.request(DIAL))
        assert (condition, rule) == ("forbidden", "pbx") and "Permission denied" in text
        assert calm.anna.find(state="answered") == []
    finally:
        calm.exchange.pbx.write.add("originate")


def test_without_the_exchange_nobody_dials(calm):
    port = calm.exchange.ami
    calm.exchange.stop()
    try:
        got = wait_until(lambda: (got := words_of(calm.anna.request(DIAL)))[1] == "link" and got, 5, "the link is known to be down")
        assert got[0] == "service-unavailable"
    finally:
        calm.exchange.start(port)

    def pops():
        calm.calm()
        calm.ring("202")
        try:
            return calm.boris.expect(timeout=1, state="ringing")
        except Exception:
            return None
    wait_until(pops, 10, "the exchange is back")


def test_calls_of_others_cannot_be_hung_up(calm):
    identity = calm.ring("201")
    pop = calm.anna.expect(state="ringing")
    for asked in (f"id='{identity}' leg='{pop.leg}'", f"id='{identity}'", "id='hq:1.1' leg='1.1'", "id='elsewhere:1.1'"):
        assert words_of(calm.boris.request(f"<hangup xmlns='{NS}' {asked}/>"))[0] == "item-not-found"
    assert words_of(calm.anna.request(f"<hangup xmlns='{NS}' leg='{pop.leg}'/>"))[0] == "bad-request"
    calm.anna.quiet(0.3, state="ended")
    answer = calm.anna.request(f"<hangup xmlns='{NS}' id='{identity}' leg='{pop.leg}'/>")
    assert (answer.get("type"), answer.get("from")) == ("result", COMPONENT)
    calm.anna.expect(state="ended", leg=pop.leg)


def test_strangers(calm, login):
    """A user of the server without a row among the operators."""
    stranger = login("stranger")
    for xml, kind in ((f"<me xmlns='{NS}'/>", "get"), (f"<calls xmlns='{NS}'/>", "get"), (DIAL, "set"),
                      (f"<hangup xmlns='{NS}' id='hq:1.1' leg='1.1'/>", "set"),
                      (f"<phone-action xmlns='{PHONE}' type='DIAL'><extension>201</extension></phone-action>", "set")):
        assert words_of(stranger.request(xml, kind))[:2] == ("forbidden", "operator")
    info = result_of(stranger.request(f"<query xmlns='{INFO}' node='stranger'/>", "get"), f"{{{INFO}}}query")
    assert "http://jivesoftware.com/phone" not in [feature.get("var") for feature in info]


UNKNOWN = {
    "an element of ours": (f"<teleport xmlns='{NS}'/>", "set", "feature-not-implemented"),
    "a namespace": ("<query xmlns='urn:nobody'/>", "get", "service-unavailable"),
    "asked instead of ordered": (DIAL, "get", "bad-request"),
    "ordered instead of asked": (f"<calls xmlns='{NS}'/>", "set", "bad-request"),
    "a call of nobody": (f"<hold xmlns='{NS}' id='hq:1.1' leg='1.1'/>", "set", "item-not-found"),
    "a phone action": (f"<phone-action xmlns='{PHONE}' type='INVITE'/>", "set", "feature-not-implemented"),
    "a colleague without phone": (f"<phone-action xmlns='{PHONE}' type='DIAL'><jid>hugo@example.org</jid></phone-action>", "set", "item-not-found"),
}


@pytest.mark.parametrize("request_, kind, condition", UNKNOWN.values(), ids=UNKNOWN)
def test_what_nobody_knows_is_said_to_be_unknown(calm, request_, kind, condition):
    assert words_of(calm.anna.request(request_, kind))[0] == condition


# ---- clients of other kinds

def phone_events(spark) -> list:
    return [event for n in spark.notices for event in n.xml.findall(f"{{{PHONE}}}phone-event")]


def kinds(spark) -> list:
    return [event.get("type") for event in phone_events(spark)]


def test_spark_with_the_phone_plugin(calm, login):
    spark = login("filip", resource="Spark")
    info = result_of(spark.request(f"<query xmlns='{INFO}' node='filip'/>", "get"), f"{{{INFO}}}query")
    assert info.get("node") == "filip" and "http://jivesoftware.com/phone" in [feature.get("var") for feature in info]
    calm.ring("205", kind="answered")
    wait_until(lambda: kinds(spark) == ["RING", "ON_PHONE"], 5, "RING and ON_PHONE")
    calm.hang_up()
    wait_until(lambda: len(kinds(spark)) == 3, 5, "HANG_UP")
    assert kinds(spark) == ["RING", "ON_PHONE", "HANG_UP"] and len({event.get("callID") for event in phone_events(spark)}) == 1
    assert all(n.body == "" and n.call is None and n.oob is None for n in spark.notices)         # a body would open a second window
    ring = phone_events(spark)[0]
    assert PAVEL in (ring.find(f"{{{PHONE}}}callerID").text, ring.get("callerID")) and "Pavel" in ring.find(f"{{{PHONE}}}callerIDName").text


def test_spark_dials(calm, login):
    spark = login("filip", resource="Spark")
    assert spark.request(f"<query xmlns='{INFO}' node='filip'/>", "get").get("type") == "result"
    for inner in (f"<extension>{PAVEL}</extension>", "<jid>boris@example.org</jid>"):
        answer = spark.request(f"<phone-action xmlns='{PHONE}' type='DIAL'>{inner}</phone-action>")
        assert result_of(answer, f"{{{PHONE}}}phone-action").get("type") == "DIAL"       # its library takes no empty result
        wait_until(lambda: calm.hang_up() or "HANG_UP" in kinds(spark), 5, "HANG_UP")
        assert kinds(spark)[0] == "DIALED" and kinds(spark).count("HANG_UP") == 1
        spark.clear()
    assert words_of(spark.request(f"<phone-action xmlns='{PHONE}' type='DIAL'><extension>+420900123456</extension></phone-action>"))[0] == "not-acceptable"


def test_a_console_hears_everything_without_a_body_and_the_plain_client_nothing(calm, login):
    console = login("boris", console=True, resource="console")
    sync = wait_until(lambda: next((n for n in console.notices if n.xml.find(f"{{{NS}}}sync") is not None), None), 5, "<sync/>")
    assert sync.body == "" and sync.type == "headline"
    calm.ring("202")
    pop = console.expect(state="ringing")
    numbers = sync.xml.find(f"{{{NS}}}sync")
    assert (pop.epoch, int(pop.seq)) == (numbers.get("epoch"), int(numbers.get("seq")) + 1)
    assert pop.body == "" and pop.oob is None and [m.get("id") for m in pop.matches] == ["120"]
    assert pop.xml.find(f"{{{PHONE}}}phone-event") is None
    calm.hang_up()
    console.expect(state="ended", leg=pop.leg)
    assert calm.boris.find() == []
    console.stop()
    calm.site.clients.remove(console)
    calm.site.clients.append(console)              # `login` removes it

    def plain_again():
        calm.ring("202")
        try:
            return calm.boris.expect(timeout=0.5, state="ringing")
        except Exception:
            calm.hang_up()
            return None
    assert wait_until(plain_again, 5, "the plain client pops once the console has left").body


# ---- stanzas that would harm a careless reader; requests of that kind are in test_hostile.py

HARMLESS = {
    "a message of 200 levels": f"<message to='{COMPONENT}'><body>x</body>" + "<a xmlns='urn:x'>" * 200 + "</a>" * 200 + "</message>",
    "a message of 200 kB": f"<message to='{COMPONENT}' type='chat'><body>" + "x" * 200_000 + "</body></message>",
    "a character reference": f"<message to='{COMPONENT}' type='chat'><body>&#x1F600; &#128512;</body></message>",
    "quotes in quotes": f"<presence to='{COMPONENT}/say&quot;hi&apos;'><status a='\"' b=\"'\">\"'</status></presence>",
    "a presence of 200 levels": f"<presence to='{COMPONENT}' type='probe'>" + "<a xmlns='urn:x'>" * 200 + "</a>" * 200 + "</presence>",
    "a presence with a huge priority": f"<presence to='{COMPONENT}' type='unavailable'><priority>99999999999999</priority></presence>",
    "an answer to nothing": f"<iq type='result' to='{COMPONENT}' id='1'/>",
    "an error": f"<message type='error' to='{COMPONENT}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
}


@pytest.mark.parametrize("stanza", HARMLESS.values(), ids=HARMLESS)
def test_stanzas_that_cost_no_stream(calm, stanza):
    calm.anna.raw(stanza)
    calls = calm.anna.request(f"<calls xmlns='{NS}'/>", "get")          # behind it: the component has read it
    assert calls.get("type") == "result"
    calm.ring("201")
    calm.anna.expect(timeout=5, state="ringing")
